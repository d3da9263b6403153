"""The rules of the protocol, each spoken on the wire by a program that knows nothing of our SDK."""

from __future__ import annotations

import asyncio
import base64
import os
import signal
from typing import Any

import psutil
import pytest

from tests.panels.conftest import MemoryDoor, Puppeteer, until
from workspace.broker.context import for_patient
from workspace.broker.door import Refused, SearchResult
from workspace.panels import protocol
from workspace.panels.components import Action
from workspace.panels.protocol import ERRORS, MAX_CHUNK, MAX_PENDING, MAX_WATCHES, Event, PanelError, State

pytestmark = pytest.mark.anyio

PNG = b"\x89PNG\r\n\x1a\n"


async def puppet(b: Any, **more: Any) -> tuple[Any, Any, Puppeteer]:
    panel, shell = await b.shown("puppet", **more)
    return panel, shell, Puppeteer(panel)


# --- errors -------------------------------------------------------------------------------------------------


async def test_every_error_of_the_panel_is_the_same_class_here(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        for code, kind in ERRORS.items():
            error = {"code": code, "message": "Nei.", "data": {"name": kind.name, "field": "x"}}
            event = Event(
                instance="p1", context=panel.context.token, action=Action("answer", {"error": error}), state=State()
            )
            with pytest.raises(PanelError) as caught:
                await panel.keeper.process.peer.request(event, 5)
            assert (type(caught.value), caught.value.message, caught.value.data) == (kind, "Nei.", {"field": "x"})


async def test_every_refusal_of_the_door_is_told_by_its_own_code(bench: Any) -> None:
    class No(MemoryDoor):
        async def search(self, grant: Any, query: str) -> SearchResult:
            raise Refused(query.partition("?")[2], "Nei.")

    async with bench("puppet", door=No()) as b:
        _, _, strings = await puppet(b)
        for code, kind in ERRORS.items():
            error = (await strings.ask("search", query=f"Observation?{kind.name}"))["error"]
            assert (error["code"], error["data"]["name"]) == (code, kind.name)


async def test_an_error_that_is_none_is_an_answer_that_is_none(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        for body in (7, {"code": "x"}, [1], {"message": "uten kode"}):
            outcome = await panel.act(Action("answer", {"error": body}))
            assert not outcome.ok
            assert panel.state == "running"
        assert (await panel.act(Action("answer", {"error": None, "result": {"message": "ja"}}))).message == "ja"


# --- cancellation -------------------------------------------------------------------------------------------


async def test_a_panel_cancels_its_own_search(bench: Any) -> None:
    door = Slow()
    async with bench("puppet", door=door) as b:
        _, _, strings = await puppet(b)
        number = await strings.start("search", query="Observation")
        await until(lambda: door.searching == 1)
        await strings.say({"method": "cancel", "params": {"id": number}})
        answer = await strings.answer(number)
        assert answer["error"]["data"]["name"] == "cancelled"
        assert (door.searching, door.dropped) == (0, 1)


async def test_the_end_of_a_context_cancels_what_its_panels_asked_for(bench: Any) -> None:
    door = Slow()
    async with bench("puppet", door=door) as b:
        context = for_patient("Patient/BEB-18")
        _, _, strings = await puppet(b, context=context)
        await strings.start("search", query="Observation")
        await strings.start("search", query="Condition")
        await until(lambda: door.searching == 2)
        await b.host.end_context(context)
        await until(lambda: door.dropped == 2)
        answers = [m for direction, *_, m in b.passed if direction == "out" and "error" in m]
        assert {m["error"]["data"]["name"] for m in answers[-2:]} == {"context-changed"}


async def test_closing_one_panel_leaves_the_others_requests_alone(bench: Any) -> None:
    door = Slow()
    async with bench("puppet", door=door) as b:
        context = for_patient("Patient/BEB-18")
        _, _, strings = await puppet(b, context=context)
        number = await strings.start("search", query="Observation")
        other, _ = await b.shown("puppet", context=context, instance="p2")
        await until(lambda: door.searching == 1)
        await other.close()
        assert (door.searching, door.dropped) == (1, 0)
        door.gate.set()
        # The process has heard `open` for p2 since and speaks for it: what p1 asked is answered all the same.
        answered = [m for direction, *_, m in b.passed if direction == "out" and m.get("id") == number]
        await until(lambda: answered or any(m.get("id") == number for d, *_, m in b.passed if d == "out"))


async def test_the_user_cancels_an_action_while_the_panel_works_on_it(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, strings = await puppet(b)
        assert panel.cancel() is False
        act = asyncio.create_task(panel.act(Action("keep", {"ack": True})))
        await until(lambda: b.sent("event"))
        await asyncio.sleep(0.05)
        assert panel.cancel() is True
        outcome = await act
        assert (outcome.ok, outcome.problem) == (False, "Avbrutt. Ingenting ble lagret.")
        [cancel] = await strings.heard("cancel")
        events = [m for m in await strings.heard("event") if m["params"]["action"]["name"] == "keep"]
        assert cancel["params"]["id"] == events[0]["id"]


class Slow(MemoryDoor):
    """Searches that wait at a gate."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.searching = self.dropped = 0

    async def search(self, grant: Any, query: str) -> SearchResult:
        self.searching += 1
        try:
            await self.gate.wait()
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        finally:
            self.searching -= 1
        return SearchResult(())


# --- signs of life ------------------------------------------------------------------------------------------


async def test_silence_is_told_after_two_seconds_and_lifted_by_any_word(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, shell, _ = await puppet(b)
        started = asyncio.get_running_loop().time()
        act = asyncio.create_task(panel.act(Action("hang", {"seconds": 2.6})))
        await until(lambda: panel.state == "silent", panel)
        assert asyncio.get_running_loop().time() - started > 1.5, "and it answers after 2.6"
        assert shell.heard("state")
        await until(lambda: panel.state == "running", panel)
        assert (await act).ok


async def test_an_acknowledged_event_may_take_its_time(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        act = asyncio.create_task(panel.act(Action("keep", {"ack": True})))
        await until(lambda: b.sent("event"))
        await asyncio.sleep(0.1)
        assert not panel.keeper.process.peer.owed
        before = len(b.passed)
        await asyncio.sleep(1.0)
        assert panel.state == "running"
        assert [m for *_, m in b.passed[before:] if m.get("method") == "ping"] == []  # nothing is owed: nobody asks
        panel.cancel()
        await act


# --- versions -----------------------------------------------------------------------------------------------


async def test_a_panel_of_a_newer_protocol_is_refused_in_words(bench: Any) -> None:
    async with bench("newer", "stranger") as b:
        panel, _ = b.open("newer")
        other, _ = b.open("stranger", instance="p2")
        await until(lambda: panel.state == "dead" and other.state == "dead", panel)
        assert "snakker en annen protokoll enn denne arbeidsflaten (1)" in panel.problem
        assert "jeg snakker 7, dere 1 til 1" in other.problem
        assert panel.pid is None


async def test_a_host_of_several_versions_takes_the_panels(bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workspace.panels.process.PROTOCOL_VERSION", 3)
    async with bench("newer", "good") as b:
        panel, _ = await b.shown("newer")
        old, _ = await b.shown("good", instance="p2")
        assert (panel.keeper.process.protocol, old.keeper.process.protocol) == (2, 1)
        assert {hello["protocol"] for hello in b.sent("initialize")} == {3}


async def test_what_is_unknown_is_ignored(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, shell, strings = await puppet(b)
        await strings.say(
            {"method": "from/the/future", "params": {"x": 1}},
            {"method": "notify", "params": {"text": "Hei", "sparkle": {"deep": [1]}}, "extra": True},
        )
        await until(lambda: shell.heard("told"), panel)
        assert shell.heard("told") == [("Hei", "neutral")]
        assert (await strings.ask("from/the/future"))["error"]["data"]["name"] == "method-not-found"


# --- limits -------------------------------------------------------------------------------------------------


async def test_more_requests_than_may_be_under_way_are_refused(bench: Any) -> None:
    door = Slow()
    async with bench("puppet", door=door) as b:
        _, _, strings = await puppet(b)
        many = [{"id": f"s{n}", "method": "search", "params": {"query": "Observation"}} for n in range(MAX_PENDING + 3)]
        await strings.say(*many)
        await until(lambda: door.searching == MAX_PENDING)
        refused = [m for m in await strings.heard() if "error" in m]
        assert [m["error"]["data"]["name"] for m in refused] == ["too-many"] * 3
        assert [m["id"] for m in refused] == [f"s{n}" for n in range(MAX_PENDING, MAX_PENDING + 3)]
        door.gate.set()


async def test_more_watches_than_may_be_are_refused(bench: Any) -> None:
    async with bench("puppet") as b:
        _, _, strings = await puppet(b)
        batch = [
            {"id": f"w{n}", "method": "watch", "params": {"query": f"Observation?code={n}"}} for n in range(MAX_WATCHES)
        ]
        await strings.say(*batch)
        answer = await strings.ask("watch", query="Observation?code=last")
        assert answer["error"]["data"]["name"] == "too-many"
        assert (await strings.ask("unwatch", watch=2))["result"] is None
        assert "result" in await strings.ask("watch", query="Observation?code=last")


@pytest.mark.parametrize(
    ("message", "says"),
    [
        ({"method": "notify", "params": {"text": "x" * 501}}, "notify: Expected `str` of length <= 500"),
        ({"method": "log", "params": {"text": "x" * 8001}}, "log: Expected `str` of length <= 8000"),
        ({"method": "render", "params": {"revision": -1}}, "render: Expected `int` >= 0"),
    ],
)
async def test_a_notification_that_breaks_a_limit_is_dropped_and_the_vendor_can_read_why(
    bench: Any, message: dict[str, Any], says: str
) -> None:
    async with bench("puppet") as b:
        panel, shell, strings = await puppet(b)
        await strings.say(message)
        await until(lambda: says in panel.log_tail, panel)
        assert shell.heard("told") == []
        assert panel.state == "running"


async def test_a_text_no_screen_could_hold_is_not_drawn(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, strings = await puppet(b)
        tree = {"id": "t", "type": "text", "props": {"text": "x" * (protocol.MAX_STRING + 1)}}
        await strings.say({"method": "render", "params": {"revision": 2, "tree": tree}})
        await until(lambda: panel.problem, panel)
        assert "a text of 20001 characters" in panel.problem
        assert panel.root == "rot"


async def test_how_a_panel_shows_things_is_told_to_it_and_is_no_draft(bench: Any) -> None:
    options = [{"value": "tabell", "label": "Tabell"}]
    chips = {"bind": "visning", "label": "Visning", "style": "chips", "slot": "toolbar", "options": options}
    children = [
        {"id": "v", "type": "choice-field", "props": chips},
        {"id": "t", "type": "text-field", "props": {"bind": "text", "label": "Tekst"}},
    ]
    async with bench("puppet") as b:
        panel, _, strings = await puppet(b)
        tree = {"id": "rot", "type": "column", "props": {}, "children": children}
        await strings.say({"method": "render", "params": {"revision": 2, "tree": tree}})
        await until(lambda: "v" in panel.nodes, panel)
        panel.typed("visning", "tabell")
        await until(lambda: any("visning" in m["values"] for m in b.sent("state/changed")), panel)
        panel.keep()
        assert b.door.drafts == {}
        panel.typed("text", "Sov")
        panel.keep()
        assert [dict(draft.values) for draft in b.door.drafts.values()] == [{"text": "Sov"}]


async def test_more_than_a_message_holds_is_kept_but_not_sent(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        panel.typed("a", "x" * (1 << 20))
        outcome = await panel.act(Action("heard", {}))
        assert "mer i panelet enn det kan ta imot" in outcome.problem
        assert (len(panel.values["a"]), panel.state) == (1 << 20, "running")
        panel.typed("a", "kort")
        assert (await panel.act(Action("heard", {}))).ok


async def test_more_bytes_than_the_budget_end_the_process(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        pid = panel.pid
        outcome = await panel.act(Action("pour", {"lines": 120, "bytes": 900_000}))
        assert "for mye på en gang" in outcome.problem
        await until(lambda: panel.state == "running" and panel.pid != pid, panel)


async def test_effects_that_set_too_much_state_save_nothing(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        effects = {"state": {"a": "x" * (protocol.MAX_STATE + 1)}}
        outcome = await panel.act(Action("answer", {"result": effects}))
        assert "Ingenting ble lagret" in outcome.problem
        assert dict(panel.values) == {}


# --- long results -------------------------------------------------------------------------------------------


async def test_long_results_come_in_parts_that_fit_a_line(bench: Any) -> None:
    async with bench("puppet") as b:
        for n in range(150):
            b.door.pulse(f"o{n}", n)["note"] = [{"text": "n" * 12_000}]
        _, _, strings = await puppet(b)
        answer = await strings.ask("search", query="Observation?code=8867-4")
        parts = [m["params"] for m in await strings.heard("part")]
        last = answer["result"]["resources"]
        rows = [part["resources"] for part in parts]
        count = sum(len(one) if isinstance(one, list) else one for one in [*rows, last])
        assert (answer["result"]["parts"], count) == (len(parts), 150)
        assert {part["id"] for part in parts} == {answer["id"]}
        data = [m["params"] for m in await strings.heard("data")]
        assert [one.get("more", False) for one in data] == [True] * (len(data) - 1) + [False]
        assert len(data) >= 3


async def test_a_resource_larger_than_a_line_is_refused_and_left_out(bench: Any) -> None:
    async with bench("puppet") as b:
        b.door.pulse("liten", 1)
        b.door.pulse("stor", 1)["note"] = [{"text": "n" * (1 << 20)}]
        panel, _, strings = await puppet(b)
        error = (await strings.ask("search", query="Observation?code=8867-4"))["error"]
        assert error["data"]["name"] == "too-large"
        assert "Observation/stor" in error["message"]
        assert panel.bound(1).error == "En rad er for stor til å sendes til panelet."
        [data] = await strings.heard("data")
        assert [row["id"] for row in data["params"]["whole"]["resources"]] == ["liten"]


# --- blobs --------------------------------------------------------------------------------------------------


def part(handle: str, data: bytes, total: int, offset: int = 0, mime: str = "image/png") -> dict[str, Any]:
    about = {"handle": handle, "mime": mime, "total": total, "offset": offset}
    return {**about, "data": base64.b64encode(data).decode()}


async def test_a_picture_comes_in_parts_and_is_there_when_all_has_come(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, shell, strings = await puppet(b)
        picture = PNG + bytes(range(256)) * 2000
        half = 300_000
        first = await strings.ask("blob", **part("rtg", picture[:half], len(picture)))
        assert first["result"] == {"received": half}
        assert (panel.blob("rtg"), shell.heard("blob")) == (None, [])
        second = await strings.ask("blob", **part("rtg", picture[half:], len(picture), half))
        assert second["result"] == {"received": len(picture)}
        assert panel.blob("rtg") == ("image/png", picture)
        await until(lambda: shell.heard("blob") == ["rtg"], panel)
        await strings.ask("blob", handle="rtg", mime="image/png", total=0)
        assert panel.blob("rtg") is None
        await until(lambda: shell.heard("blob") == ["rtg", "rtg"], panel)


@pytest.mark.parametrize(
    ("params", "name"),
    [
        (part("a", b"<svg/>", 6, mime="image/svg+xml"), "invalid-params"),
        (part("a", b"<html>", 6, mime="text/html"), "invalid-params"),
        (part("a", b"<html>", 6), "invalid-params"),
        (part("a", PNG, 100, 50), "invalid-params"),
        (part("a", PNG, 4), "invalid-params"),
        (part("a", PNG, protocol.MAX_BLOBS + 1), "too-large"),
        (part("a", PNG + b"x" * MAX_CHUNK, 2 * MAX_CHUNK), "too-large"),
        ({**part("a", b"", 10), "data": "???"}, "invalid-params"),
    ],
)
async def test_what_is_no_picture_is_not_taken(bench: Any, params: dict[str, Any], name: str) -> None:
    async with bench("puppet") as b:
        panel, _, strings = await puppet(b)
        assert (await strings.ask("blob", **params))["error"]["data"]["name"] == name
        assert panel.blob("a") is None


# --- printing -----------------------------------------------------------------------------------------------


async def test_a_document_is_shown_to_the_user_who_decides(bench: Any) -> None:
    async with bench("puppet") as b:
        _, shell, strings = await puppet(b)
        document = {"title": "Epikrise", "text": "Linje 1\nLinje 2"}
        assert (await strings.ask("print", document=document))["result"] == {"printed": True}
        [paper] = shell.heard("printing")
        assert (paper.title, paper.text) == ("Epikrise", "Linje 1\nLinje 2")
        shell.prints = (False, "Brukeren skrev det ikke ut.")
        tree = {"id": "r", "type": "column", "children": [{"id": "t", "type": "text", "props": {"text": "Hei"}}]}
        answer = await strings.ask("print", document={"title": "", "tree": tree})
        assert answer["result"] == {"printed": False, "reason": "Brukeren skrev det ikke ut."}
        paper = shell.heard("printing")[1]
        assert (paper.title, paper.root, paper.nodes["t"].component.text) == ("Prøve puppet", "r", "Hei")
        empty = await strings.ask("print", document={"title": "Tomt"})
        assert empty["error"]["data"]["name"] == "invalid-params"


async def test_a_document_of_an_action_is_printed_only_when_it_was_saved(bench: Any) -> None:
    async with bench("puppet") as b:
        panel, shell, _ = await puppet(b)
        write = {
            "action": "create",
            "resource": {"resourceType": "Observation", "subject": {"reference": "Patient/BEB-18"}},
        }
        effects = {"writes": [write], "print": {"title": "Kvittering", "text": "Lagret."}}
        b.door.refuse = Refused("rejected", "Avvist.")
        assert not (await panel.act(Action("answer", {"result": effects}))).ok
        await asyncio.sleep(0.05)
        assert shell.heard("printing") == []
        b.door.refuse = None
        assert (await panel.act(Action("answer", {"result": effects}))).ok
        await until(lambda: shell.heard("printing"), panel)


async def test_a_panel_that_hangs_while_nothing_is_asked_is_found_by_the_ping(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace.panels.group.PING_EVERY", 0.2)
    async with bench("puppet") as b:
        panel, _, _ = await puppet(b)
        assert panel.pid is not None
        os.kill(_inside(panel.pid), signal.SIGSTOP)
        await until(lambda: panel.state == "silent", panel)
        assert "svarer ikke" in panel.problem
        os.kill(_inside(panel.pid), signal.SIGCONT)
        await until(lambda: panel.state == "running", panel)


def _inside(pid: int) -> int:
    """The panel's own program: the last of its line, within whatever confines it."""
    family = psutil.Process(pid).children(recursive=True)
    return family[-1].pid if family else pid
