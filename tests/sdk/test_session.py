"""A panel seen from the shell: what it sends back for what it is sent."""

from __future__ import annotations

import threading

import pytest

from workspace.sdk import Panel, PanelProblem, StaleContext, WriteInView, ui
from workspace.sdk.testing import Bench, Refused

VITALS = "Observation?category=vital-signs&_sort=-date"
FLAGS = "Flag?status=active"


def observation(name, value):
    return {"resourceType": "Observation", "id": name, "valueQuantity": {"value": value}}


def counting():
    """A panel with two independent parts and a run counter."""
    panel, runs = Panel("test.panel", "1.0.0"), []

    @panel.view("main")
    def main(ctx):
        runs.append(ctx.state.pulse)
        readings, flags = ctx.search(VITALS), ctx.search("Flag", status="active")
        return ui.column(
            ui.text(f"Puls {ctx.state.pulse}", key="pulse"),
            ui.part(lambda: ui.text(f"{len(readings)} målinger"), key="count"),
            ui.part(lambda: ui.text(f"{len(flags)} merker"), key="flags"),
            ui.number("Puls", "pulse"),
        )

    return panel, runs


def test_prefetched_results_are_found_whatever_the_order_of_parameters():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {"Observation?_sort=-date&category=vital-signs": [observation("a", 1)], FLAGS: []})
    assert "1 målinger" in bench.texts()
    assert bench.asked() == []


def test_all_queries_leave_before_the_first_wait_and_each_part_waits_alone():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main")
    assert [one["params"]["query"] for one in bench.asked()] == [VITALS, FLAGS]
    assert [one["type"] for one in bench.tree["children"]] == ["text", "pending", "pending", "number-field"]
    bench.answer({FLAGS: []})
    assert [one["type"] for one in bench.tree["children"]] == ["text", "pending", "text", "number-field"]


def test_a_failed_result_shows_only_where_it_is_used_and_is_asked_for_again():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: {"error": "Plattformen svarer ikke.", "code": "unavailable"}, FLAGS: []})
    failed = bench.one("failed")
    assert failed["text"] == "Plattformen svarer ikke."
    assert "0 merker" in bench.texts()
    bench.act(failed["retry"]["name"])
    assert [one["params"]["query"] for one in bench.asked()] == [VITALS]
    bench.answer({VITALS: [observation("a", 1)]})
    assert "1 målinger" in bench.texts()
    assert bench.all("failed") == []


def test_a_refused_watch_is_a_failed_component():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {FLAGS: []})
    error = {"code": -32011, "message": "Panelet har ikke tilgang til målinger.", "data": {"name": "scope-denied"}}
    bench.send({"jsonrpc": "2.0", "id": bench.asked()[0]["id"], "error": error})
    assert bench.one("failed")["text"] == "Panelet har ikke tilgang til målinger."


def test_an_error_later_leaves_the_rows_standing():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [observation("a", 1)], FLAGS: []})
    bench.data(VITALS, error="Borte.", code="unavailable")
    assert "1 målinger" in bench.texts()


def test_a_panel_knows_that_there_are_further_rows_from_when_there_are():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        found = ctx.search(VITALS)
        return ui.text(f"{len(found)} målinger{' og flere' if found.more else ''}")

    bench = Bench(panel)
    bench.open("main", {VITALS: [observation("a", 1)]})
    assert bench.texts() == "1 målinger"
    bench.data(VITALS, put=[[0, observation("b", 2)]], gone=["Observation/a"], further=True)
    assert bench.texts() == "1 målinger og flere"
    bench.data(VITALS, put=[[0, observation("c", 2)]])
    assert bench.texts() == "2 målinger og flere"
    bench.data(VITALS, whole={"query": VITALS, "resources": [observation("a", 1)]})
    assert bench.texts() == "1 målinger"


def test_changes_are_applied_by_id_and_place():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text(",".join(one["id"] for one in ctx.search(VITALS)))

    bench = Bench(panel)
    bench.open("main", {VITALS: [observation("a", 1), observation("b", 2), observation("c", 3)]})
    bench.data(VITALS, gone=["Observation/b"], put=[[0, observation("d", 4)], [2, observation("a", 5)]])
    assert bench.one("text")["text"] == "d,c,a"


def test_a_result_in_chunks_is_whole_before_it_is_shown():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    bench.data(VITALS, whole=[observation("a", 1)], more=True)
    assert "0 målinger" in bench.texts()
    bench.data(VITALS, whole=[observation("b", 1)])
    assert "2 målinger" in bench.texts()


def test_a_prefetched_result_that_comes_late_is_taken_as_the_one_asked_for():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {FLAGS: []})
    whole = {"query": VITALS, "watch": 77, "resources": [observation("a", 1)]}
    bench.notify("data", instance=bench.instance, context=bench.token, watch=77, whole=whole)
    assert "1 målinger" in bench.texts()
    bench.notify("data", instance=bench.instance, context=bench.token, watch=77, put=[[0, observation("b", 1)]])
    assert "2 målinger" in bench.texts()


def test_a_bound_trend_is_drawn_when_its_late_handle_comes():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.column(ui.trend(ctx.search(VITALS), codes=["8867-4"]))

    bench = Bench(panel)
    bench.open("main")
    assert bench.all("pending")
    whole = {"query": VITALS, "watch": 5, "resources": []}
    bench.notify("data", instance=bench.instance, context=bench.token, watch=5, whole=whole)
    assert bench.one("trend")["watch"] == 5


def test_a_view_runs_once_a_batch_and_only_for_what_it_read():
    panel, runs = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    about = {"instance": bench.instance, "context": bench.token}

    def change(revision, **values):
        params = {**about, "values": values, "revision": revision}
        return {"jsonrpc": "2.0", "method": "state/changed", "params": params}

    bench.send(*(change(n, pulse=n) for n in range(1, 6)))
    assert runs == [None, 5]
    bench.send(change(6, other="x"))
    assert runs == [None, 5]


def test_patches_touch_only_what_changed_and_resync_sends_all():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    bench.type(pulse=70)
    patch = bench.sent[-1]["params"]
    assert patch["base"] == 1
    assert patch["patch"] == [{"op": "props", "id": "0.pulse", "props": {"text": "Puls 70"}}]
    bench.notify("resync", instance=bench.instance, context=bench.token)
    assert bench.sent[-1]["params"]["tree"] == bench.tree
    assert "base" not in bench.sent[-1]["params"]


def test_a_tree_once_drawn_is_not_replaced_by_a_skeleton():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        days = ctx.state.get("days", 1)
        found = ctx.search("Observation", _count=days)
        return ui.column(ui.part(lambda: ui.text(f"{len(found)} på {days}"), key="n"))

    bench = Bench(panel)
    bench.open("main", {"Observation?_count=1": [observation("a", 1)]})
    bench.type(days=2)
    assert "1 på 1" in bench.texts()
    assert bench.all("pending") == []
    bench.answer({"Observation?_count=2": [observation("a", 1), observation("b", 1)]})
    assert "2 på 2" in bench.texts()


def test_a_query_nobody_uses_any_more_is_unwatched():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text(str(len(ctx.search("Observation", _count=ctx.state.get("days", 1)))))

    bench = Bench(panel)
    bench.open("main")
    bench.answer({"Observation?_count=1": []})
    bench.type(days=2)
    bench.answer({"Observation?_count=2": []})
    assert [one["params"]["watch"] for one in bench.asked("unwatch")] == [1]


def test_a_bound_table_asks_for_a_handle_only_and_is_silent_when_rows_change():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.table(ctx.search(VITALS), [ui.col("Verdi", "valueQuantity.value", kind="number")])

    bench = Bench(panel)
    bench.open("main")
    assert bench.asked()[0]["params"]["bound"] is True
    bench.answer({VITALS: []})
    assert bench.one("table")["watch"] == 1
    before = len(bench.sent)
    bench.data(VITALS, put=[[0, observation("a", 1)]])
    assert len(bench.sent) == before


def test_what_is_fetched_ahead_to_be_drawn_from_comes_without_rows_and_with_them_when_they_are_wanted():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        found = ctx.search(VITALS)
        count = [ui.text(f"{len(found)} målinger", key="n")] if ctx.state.get("count") else []
        return ui.column(ui.table(found, [ui.col("Verdi", "valueQuantity.value", kind="number")], key="t"), *count)

    bench = Bench(panel)
    bench.open("main", {VITALS: {"bound": True}})
    assert bench.one("table")["watch"] == 1
    assert bench.asked() == []
    bench.type(count=True)
    assert "bound" not in bench.asked()[0]["params"]
    bench.answer({VITALS: [observation("a", 1)]})
    assert "1 målinger" in bench.texts()


def test_a_hidden_panel_draws_when_it_is_seen_again():
    panel, runs = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    about = {"instance": bench.instance, "context": bench.token}
    bench.notify("hidden", **about)
    bench.type(pulse=1)
    assert runs == [None]
    bench.notify("visible", **about)
    assert runs == [None, 1]


# --- actions ------------------------------------------------------------------------------------------------


def acting():
    panel, kept = Panel(), []

    @panel.view("main")
    def main(ctx):
        return ui.column(ui.button(ui.action("Lagre", save, unit="/min")), ui.number("Puls", "pulse"))

    @panel.action
    def save(ctx, unit):
        kept.append(ctx)
        first = ctx.create("Observation", code="8867-4", value=ctx.state.pulse, unit=unit)
        ctx.create({"resourceType": "Provenance", "target": [{"reference": first}]})
        subject = {"reference": ctx.patient}
        flag = {"resourceType": "Flag", "id": "f", "meta": {"versionId": "3"}, "status": "inactive"}
        ctx.update({**flag, "subject": subject})
        ctx.clear("pulse")
        ctx.set(last=ctx.state.pulse)
        ctx.say("Lagret.")
        ctx.raise_intent("open Patient", patient=ctx.patient)

    @panel.action
    def broken(ctx):
        ctx.create("Observation", code="8867-4", value=1)
        raise RuntimeError("no")

    @panel.action
    def refuse(ctx):
        raise PanelProblem("Skriv pulsen først.")

    @panel.action
    def wait(ctx):
        ctx.say(f"{len(ctx.search(VITALS))} målinger")

    return panel, kept


def test_effects_are_one_answer_with_the_patient_named():
    panel, _ = acting()
    bench = Bench(panel)
    bench.open("main", values={"pulse": 112})
    effects = bench.click("Lagre")
    observation_, provenance, flag = effects["writes"]
    assert observation_["resource"]["subject"] == {"reference": "Patient/BEB-18"}
    assert observation_["resource"]["code"]["coding"][0] == {"system": "http://loinc.org", "code": "8867-4"}
    assert observation_["resource"]["valueQuantity"]["value"] == 112
    assert observation_["resource"]["effectiveDateTime"] == "2026-01-14T15:04:00+01:00"
    assert provenance["resource"]["target"] == [{"reference": observation_["full_url"]}]
    assert observation_["full_url"].startswith("urn:uuid:")
    assert flag["if_match"] == "3"
    assert flag["action"] == "update"
    assert effects["clear"] == ["pulse"]
    assert effects["state"] == {"last": 112}
    assert effects["message"] == "Lagret."
    assert effects["raise"] == [{"name": "open Patient", "args": {"patient": "Patient/BEB-18"}, "id": "open Patient"}]


def test_an_exception_in_an_action_writes_nothing_and_says_so_in_norwegian(capsys):
    bench = Bench(acting()[0])
    bench.open("main")
    with pytest.raises(Refused, match="ingenting er lagret") as caught:
        bench.act("broken")
    assert caught.value.error["code"] == -32603
    assert "RuntimeError: no" in capsys.readouterr().err


def test_a_problem_for_the_user_is_told_as_it_is():
    bench = Bench(acting()[0])
    bench.open("main")
    with pytest.raises(Refused, match=r"^Skriv pulsen først\.$"):
        bench.act("refuse")


def test_an_action_that_needs_a_result_waits_for_it_and_holds_what_comes_after():
    bench = Bench(acting()[0])
    bench.open("main")
    about = {"instance": bench.instance, "context": bench.token}
    event = {**about, "action": {"name": "wait"}, "state": {}}
    bench.send(
        {"jsonrpc": "2.0", "id": 1, "method": "event", "params": event},
        {"jsonrpc": "2.0", "id": 2, "method": "ask", "params": about},
    )
    assert [one["params"]["query"] for one in bench.asked()] == [VITALS]
    assert not [one for one in bench.sent if one.get("id") in (1, 2) and "method" not in one]
    bench.sent.clear()
    request = {"jsonrpc": "2.0", "method": "data"}
    bench.send({"jsonrpc": "2.0", "id": 1, "result": {"watch": 9}})
    whole = {"query": VITALS, "resources": [observation("a", 1)]}
    bench.send({**request, "params": {**about, "watch": 9, "whole": whole}})
    answers = [one for one in bench.sent if "result" in one]
    assert [one["id"] for one in answers] == [1, 2]
    assert answers[0]["result"]["message"] == "1 målinger"


def test_closing_answers_what_is_waiting():
    bench = Bench(acting()[0])
    bench.open("main")
    about = {"instance": bench.instance, "context": bench.token}
    event = {**about, "action": {"name": "wait"}, "state": {}}
    bench.send({"jsonrpc": "2.0", "id": 1, "method": "event", "params": event})
    bench.request("close", **about)
    assert [one["error"]["data"]["name"] for one in bench.sent if one.get("id") == 1 and "error" in one] == [
        "context-changed"
    ]


def test_a_cancelled_event_is_not_run_later():
    bench = Bench(acting()[0])
    bench.open("main")
    about = {"instance": bench.instance, "context": bench.token}
    event = {**about, "action": {"name": "wait"}, "state": {}}
    bench.send({"jsonrpc": "2.0", "id": 1, "method": "event", "params": event})
    bench.notify("cancel", id=1)
    bench.answer({VITALS: []})
    own = [one for one in bench.sent if one.get("id") == 1 and "method" not in one]
    assert [one["error"]["code"] for one in own] == [-32800]


# --- what is refused ----------------------------------------------------------------------------------------


def test_a_write_in_a_view_is_an_error_on_screen(capsys):
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        ctx.create("Observation", code="8867-4", value=1)
        return ui.text("aldri")

    bench = Bench(panel)
    bench.open("main")
    assert "Panelet klarte ikke" in bench.one("failed")["text"]
    assert WriteInView.__name__ in capsys.readouterr().err


def test_a_ctx_kept_after_its_run_is_useless():
    panel, kept = acting()
    bench = Bench(panel)
    bench.open("main", values={"pulse": 1})
    bench.click("Lagre")
    for use in (lambda c: c.state, lambda c: c.patient, lambda c: c.search(VITALS), lambda c: c.say("x")):
        with pytest.raises(StaleContext):
            use(kept[0])


def test_a_ctx_belongs_to_its_thread():
    panel, caught = Panel(), []

    @panel.view("main")
    def main(ctx):
        def touch():
            try:
                ctx.search(VITALS)
            except StaleContext as error:
                caught.append(error)

        thread = threading.Thread(target=touch)
        thread.start()
        thread.join()
        return ui.text("x")

    Bench(panel).open("main")
    assert len(caught) == 1


def test_a_broken_line_is_answered_and_the_panel_goes_on():
    panel, _ = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    bench.send("{not json", "[1]", '{"jsonrpc":"2.0","id":7,"method":"open","params":{}}')
    codes = [one["error"]["code"] for one in bench.sent if "error" in one]
    assert codes == [-32700, -32600, -32602]
    assert bench.request("ping") is None


def test_an_unknown_method_is_refused_and_an_unknown_notification_ignored():
    bench = Bench(counting()[0])
    with pytest.raises(Refused) as caught:
        bench.request("dance")
    assert caught.value.error["code"] == -32601
    before = len(bench.sent)
    bench.notify("new/thing", x=1)
    assert len(bench.sent) == before


def test_what_belongs_to_an_ended_context_is_dropped():
    panel, runs = counting()
    bench = Bench(panel)
    bench.open("main", {VITALS: [], FLAGS: []})
    bench.notify("state/changed", instance=bench.instance, context="old", values={"pulse": 9}, revision=9)
    assert runs == [None]
    with pytest.raises(Refused) as caught:
        bench.request("event", instance=bench.instance, context="old", action={"name": "x"}, state={})
    assert caught.value.error["data"]["name"] == "context-changed"


def test_a_view_that_is_too_large_says_so():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.column(*(ui.text("x" * 100) for _ in range(4000)))

    bench = Bench(panel)
    bench.open("main")
    assert "mer å vise" in bench.one("failed")["text"]


def test_two_fields_with_one_bind_are_refused(capsys):
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.column(ui.number("A", "same"), ui.number("B", "same"))

    bench = Bench(panel)
    bench.open("main")
    assert bench.all("failed")
    assert "same" in capsys.readouterr().err


def test_time_in_a_view_brings_it_back_within_a_minute():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text(f"{ctx.now:%H:%M}")

    bench = Bench(panel)
    bench.open("main", now="2026-07-01T13:05:00Z")
    assert bench.one("text")["text"] == "15:05"
    wake = bench._session.next_wake()
    assert wake is not None
    assert 0 < wake <= 60
