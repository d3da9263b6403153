"""Intents, notices, printing, blobs and long tables, seen from the vendor's side through the fake host."""

from __future__ import annotations

import pytest

from workspace.sdk import Panel, ui
from workspace.sdk.testing import NOW, Bench, Refused, RuleBroken, Waiting

PNG = b"\x89PNG\r\n\x1a\n"
MEASURE = "record vital-signs"


def asking():
    panel, runs = Panel(), []

    @panel.view("main")
    def main(ctx):
        outcome = ctx.outcome(MEASURE)
        said = "ikke spurt" if outcome is None else f"{outcome.handled} {outcome.result} {outcome.reason}".strip()
        return ui.text(said)

    @panel.action
    def ask(ctx):
        ctx.raise_intent(MEASURE, reason="kontroll")
        ctx.set(asked=True)

    @panel.action
    def ask_and_wait(ctx):
        runs.append(1)
        outcome = ctx.raise_intent("calculate score", pulse=112).get()
        ctx.set(score=outcome.result)
        ctx.raise_intent(MEASURE)

    return panel, runs


def test_what_comes_of_an_intent_reaches_the_view():
    panel, _ = asking()
    bench = Bench(panel)
    bench.open("main")
    assert bench.texts() == "ikke spurt"
    bench.act("ask")
    assert bench.raised == [(MEASURE, {"reason": "kontroll"})]
    assert bench.texts() == f"False None Ingen andre paneler her tar imot «{MEASURE}»."
    bench.other(MEASURE, lambda reason: {"saved": [reason]})
    bench.act("ask")
    assert bench.texts() == "True {'saved': ['kontroll']}"


def test_an_action_that_needs_the_result_is_run_again_when_it_has_come():
    panel, runs = asking()
    bench = Bench(panel)
    bench.other("calculate score", lambda pulse: pulse // 10)
    bench.open("main")
    effects = bench.act("ask_and_wait")
    assert effects["state"] == {"score": 11}
    assert len(runs) > 1
    assert [one["name"] for one in effects["raise"]] == [MEASURE]
    # The next click asks anew: the answer was that one action's.
    bench.other("calculate score", lambda pulse: 0)
    assert bench.act("ask_and_wait")["state"] == {"score": 0}


def test_a_cancelled_action_lets_go_of_what_it_waited_for():
    panel, _ = asking()
    bench = Bench(panel)
    bench.open("main")
    bench._reply = lambda method, params: None  # nobody answers
    event = {"action": {"name": "ask_and_wait"}, "state": {}}
    bench.send({"jsonrpc": "2.0", "id": 7, "method": "event", "params": bench._about(**event)})
    [ack] = [one for one in bench.sent if one.get("method") == "ack"]
    assert ack["params"] == {"id": 7}
    [asked] = [one for one in bench.sent if one.get("method") == "raise"]
    bench.notify("cancel", id=7)
    assert bench._answers[7]["error"]["data"]["name"] == "cancelled"
    assert [one["params"] for one in bench.sent if one.get("method") == "cancel"] == [{"id": asked["id"]}]


def taking():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.column(*(ui.text(f"{one.source}: {one.args['why']}") for one in ctx.taken(MEASURE)))

    @panel.intent(MEASURE)
    def measure(ctx, why):
        return ctx.later()

    @panel.intent("tell pulse")
    def tell(ctx):
        return {"pulse": len(ctx.search("Observation"))}

    @panel.action
    def save(ctx):
        ctx.finish(MEASURE, {"new": ctx.create("Observation", code="8867-4", value=72, unit="/min")})

    @panel.action
    def refuse(ctx):
        ctx.decline(MEASURE, "Ikke nå.")

    return panel


def test_a_handler_answers_at_once_when_it_can():
    bench = Bench(taking())
    bench.open("main", record=[])
    assert bench.ask("tell pulse") == {"pulse": 0}
    with pytest.raises(Refused, match="tar ikke imot"):
        bench.ask("unknown thing")


def test_a_handler_finishes_later_with_what_was_saved():
    bench = Bench(taking())
    bench.open("main", record=[])
    waiting = bench.ask(MEASURE, "Notat (Polarvakt)", why="kontroll")
    assert isinstance(waiting, Waiting)
    assert bench.texts() == "Notat (Polarvakt): kontroll"
    bench.act("save")
    assert (waiting.done, waiting.result) == (True, {"new": "Observation/ny-1"})
    assert bench.texts() == ""


def test_a_handler_declines_in_words():
    bench = Bench(taking())
    bench.open("main", record=[])
    waiting = bench.ask(MEASURE, why="kontroll")
    bench.act("refuse")
    assert (waiting.done, waiting.handled, waiting.reason) == (True, False, "Ikke nå.")


def test_what_was_taken_stands_until_it_is_really_saved():
    bench = Bench(taking())
    bench.open("main", record=[])
    bench.ask(MEASURE, "Notat", why="kontroll")
    state = {"values": {}, "revision": 0}
    bench.request("event", **bench._about(action={"name": "save"}, state=state))  # and the host could not save it
    assert bench.texts() == "Notat: kontroll"


def telling():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        shown = [ctx.blob("image/png", PNG + bytes(700_000))] if ctx.state.show else []
        return ui.column(*(ui.text(one) for one in shown))

    @panel.action
    def tell(ctx):
        ctx.notify("Måler …")
        ctx.print("Kurve", ui.column(ui.heading("Puls"), ui.text("72")))

    return panel


def test_notices_and_documents_leave_with_the_action():
    bench = Bench(telling())
    bench.open("main")
    bench.act("tell")
    assert bench.notices == [("Måler …", "neutral")]
    [document] = bench.printed
    assert (document["title"], [one["type"] for one in document["tree"]["children"]]) == ("Kurve", ["heading", "text"])


def test_a_blob_is_sent_once_in_parts_and_forgotten_when_no_view_uses_it():
    bench = Bench(telling())
    bench.open("main", values={"show": True})
    [(handle, (mime, data))] = bench.blobs.items()
    assert (bench.texts(), mime, data) == (handle, "image/png", PNG + bytes(700_000))
    parts = [one["params"] for one in bench.sent if one.get("method") == "blob"]
    assert [part["offset"] for part in parts] == [0, 384 << 10]
    bench.settings(other=1)
    assert len([one for one in bench.sent if one.get("method") == "blob"]) == 2
    bench.type(show=None)
    bench.send()
    forgotten = [one["params"] for one in bench.sent if one.get("method") == "blob"][-1]
    assert (forgotten["handle"], forgotten["total"]) == (handle, 0)


def test_a_table_too_long_for_one_render_comes_in_several_and_is_whole():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        changed = ctx.state.changed
        rows = [ui.line(f"r{n}", {"a": f"Rad {n}", "b": changed if n == 7 else n}) for n in range(10_000)]
        return ui.column(ui.table(rows, [ui.col("A", key="a"), ui.col("B", key="b")]))

    bench = Bench(panel)
    bench.open("main")
    assert [row["key"] for row in bench.rows()] == [f"r{n}" for n in range(10_000)]
    renders = [one["params"] for one in bench.sent if one.get("method") == "render"]
    assert len(renders) > 2
    assert [one.get("base") for one in renders[1:]] == [one["revision"] for one in renders[:-1]]
    bench.sent.clear()
    bench.type(changed="NY")
    [render] = [one["params"] for one in bench.sent if one.get("method") == "render"]
    [[place, row]] = render["patch"][0]["put"]
    assert (place, row["key"], row["cells"]) == (7, "r7", {"a": "Rad 7", "b": "NY"})
    assert bench.rows()[7]["cells"]["b"] == "NY"


def test_queries_that_no_newer_run_wants_are_cancelled_or_let_go():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text(str(len(ctx.search("Observation", code=ctx.state.code))))

    bench = Bench(panel)
    bench.open("main", values={"code": "a"})
    [first] = bench.asked()
    bench.type(code="b")
    second = bench.asked()[-1]
    assert second["params"]["query"] == "Observation?code=b"
    bench.answer({"Observation?code=b": []})
    [cancel] = [one["params"] for one in bench.sent if one.get("method") == "cancel"]
    assert cancel == {"id": first["id"]}
    # Its answer was on its way already: what came of it is let go.
    bench.send({"jsonrpc": "2.0", "id": first["id"], "result": {"watch": 77}})
    assert [one["params"]["watch"] for one in bench.sent if one.get("method") == "unwatch"] == [77]


def test_time_passes_when_the_test_says_so():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text(ctx.now.isoformat())

    bench = Bench(panel)
    bench.open("main")
    assert bench.texts() == NOW
    bench.advance(59)
    assert bench.texts() == NOW
    bench.advance(61)
    assert bench.texts() == "2026-01-14T15:06:00+01:00"


def test_the_fake_host_speaks_of_what_the_real_one_would_not_draw():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text("x" * 30_000)

    with pytest.raises(RuleBroken, match="30000 characters; the limit is 20000"):
        Bench(panel).open("main")


@pytest.mark.parametrize(("newest", "oldest", "agreed"), [(1, 1, 1), (4, 1, 1), (None, None, 1)])
def test_the_newest_version_both_speak_is_agreed(newest, oldest, agreed):
    bench = Bench(Panel())
    versions = {} if newest is None else {"protocol": newest, "oldest": oldest}
    assert bench.request("initialize", **versions)["protocol"] == agreed


def test_a_host_without_a_common_version_is_refused_in_words():
    with pytest.raises(Refused, match="speaks protocol 1; the host speaks 2 to 4") as caught:
        Bench(Panel()).request("initialize", protocol=4, oldest=2)
    assert caught.value.error["code"] == -32020
