"""The host with a well-behaved panel: what opens, what is saved, what is kept."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from tests.panels.conftest import until
from workspace.broker.context import for_patient
from workspace.broker.door import DraftKey, Refused
from workspace.panels import components as ui
from workspace.panels.components import Action
from workspace.panels.fields import DRAFT_AFTER

pytestmark = pytest.mark.anyio

SAVE = Action("save")


async def test_the_first_render_has_the_prefetched_results(bench: Any) -> None:
    async with bench("good") as b:
        b.door.pulse("a", 61)
        b.door.pulse("b", 72, patient="Patient/ANNEN")
        panel, shell = await b.shown("good")
        assert panel.nodes["hva"].component == ui.Heading(text="1 målinger")
        assert panel.first_render_ms is not None
        assert panel.info.title == "Prøve good"
        assert panel.info.vendor == "Prøveverk"
        assert shell.heard("rendered")[0].whole
        assert len(b.sent("open")[0]["results"]) == 1
        assert [grant.instance for grant in b.door.openings] == ["p1"]


async def test_what_happens_on_the_platform_reaches_the_panel_and_bound_tables(bench: Any) -> None:
    async with bench("good") as b:
        panel, shell = await b.shown("good")
        b.door.pulse("a", 61)
        await until(lambda: panel.nodes["hva"].component == ui.Heading(text="1 målinger"), panel)
        assert [r["id"] for r in panel.bound(1).resources] == ["a"]
        assert 1 in shell.heard("bound")


async def test_a_slow_query_does_not_hold_back_the_first_render(bench: Any) -> None:
    async with bench("good", warm=True) as b:
        b.door.pulse("a", 61)
        b.door.slow = 0.4
        panel, _ = await b.shown("good")
        assert panel.nodes["hva"].component == ui.Heading(text="0 målinger")
        assert panel.first_render_ms is not None
        assert panel.first_render_ms < 400
        await until(lambda: panel.nodes["hva"].component == ui.Heading(text="1 målinger"), panel)


async def test_the_queries_of_one_switch_leave_as_one_ahead_of_the_watches(bench: Any) -> None:
    async with bench("good", warm=True) as b:
        context = for_patient("Patient/BEB-18")
        panels = [b.open("good", context, instance=name)[0] for name in ("p1", "p2")]
        await until(lambda: b.door.watches and len(b.door.watches) == 2, panels[0])
        query = "Observation?code=8867-4"
        assert b.door.prefetched == [[("p1", query, 0), ("p2", query, 0)]]


async def test_a_save_goes_through_the_door_and_then_clears_the_field(bench: Any) -> None:
    async with bench("good") as b:
        panel, shell = await b.shown("good")
        panel.typed("puls", 82)
        outcome = await panel.act(SAVE)
        assert outcome.ok
        assert outcome.problem == ""
        assert outcome.message == "Puls er registrert"
        assert outcome.receipt is not None
        assert outcome.receipt.references == ("Observation/ny-0",)
        assert b.door.commits[0][0].resource["valueQuantity"]["value"] == 82
        assert dict(panel.values) == {"spo2": 97}
        assert set(shell.heard("values")[-1]) == {"puls", "spo2"}
        assert (await panel.undo(outcome.receipt)).ok


async def test_newer_typing_is_not_overwritten_by_an_older_action(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        b.door.commit_gate = asyncio.Event()
        act = asyncio.create_task(panel.act(SAVE))
        await until(lambda: b.sent("event"), panel)
        await asyncio.sleep(0.05)
        panel.typed("puls", 90)
        panel.typed("spo2", 88)
        b.door.commit_gate.set()
        assert (await act).ok
        assert dict(panel.values) == {"puls": 90, "spo2": 88}


async def test_a_refused_write_leaves_the_fields_alone(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        b.door.refuse = Refused("scope-denied", "Panelet har ikke lov til å skrive dette.", "Spør administrator.")
        outcome = await panel.act(SAVE)
        assert not outcome.ok
        assert outcome.problem == "Panelet har ikke lov til å skrive dette. Spør administrator."
        assert dict(panel.values) == {"puls": 82}


async def test_a_write_about_another_patient_is_refused_before_the_door(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        outcome = await panel.act(Action("save", {"patient": "Patient/ANNEN"}))
        assert not outcome.ok
        assert "Ingenting ble lagret" in outcome.problem
        assert b.door.commits == []
        assert dict(panel.values) == {"puls": 82}


async def test_a_panels_own_sentence_is_the_problem(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        assert (await panel.act(Action("mistake"))).problem == "Puls mangler"


async def test_only_declared_intents_reach_the_shell(bench: Any) -> None:
    async with bench("good") as b:
        panel, shell = await b.shown("good")
        assert (await panel.act(Action("open"))).ok
        await asyncio.sleep(0.02)
        assert shell.heard("raised") == [("open Patient", {"patient": "Patient/BEB-18"})]


@pytest.mark.parametrize(
    ("method", "params", "answer"),
    [
        ("search", {"query": "Observation"}, '"id": "a"'),
        ("search", {"query": "Observation?patient=Patient/ANNEN"}, "-32012"),
        ("read", {"reference": "Observation/a"}, '"id": "a"'),
        ("read", {"reference": "Observation/b"}, "-32012"),
        ("watch", {"query": "Observation?code=1"}, '"watch": 2'),
        ("delete", {}, "-32601"),
        ("search", {"query": 7}, "-32602"),
        ("search", {"query": "Observation", "context": "feil"}, "-32010"),
        ("search", {"query": "Observation", "instance": "p2"}, "-32602"),
    ],
)
async def test_what_a_panel_may_ask(bench: Any, method: str, params: dict[str, Any], answer: str) -> None:
    async with bench("good") as b:
        b.door.pulse("a", 61)
        b.door.pulse("b", 72, patient="Patient/ANNEN")
        panel, _ = await b.shown("good")
        outcome = await panel.act(Action("ask", {"method": method, "params": params}))
        assert answer in outcome.message
        assert "ANNEN" not in outcome.message


async def test_what_a_panel_showed_is_let_go_with_its_context(bench: Any) -> None:
    async with bench("good") as b:
        b.door.pulse("a", 61)
        panel, _ = await b.shown("good")
        feeds = list(panel.feeds._feeds.values())
        assert any(feed.rows for feed in feeds)
        await b.host.end_context(panel.context)
        assert [feed.rows for feed in feeds] == [[]] * len(feeds), "who still names the feed holds no record"
        await until(lambda: not panel.nodes, panel)


async def test_typing_is_drafted_within_a_second_and_told_in_a_batch(bench: Any) -> None:
    async with bench("good") as b:
        panel, shell = await b.shown("good")
        panel.typed("puls", "8")
        panel.typed("puls", 82)
        await until(lambda: b.sent("state/changed"), panel)
        assert [m["values"] for m in b.sent("state/changed")] == [{"puls": 82}]
        await until(lambda: b.door.drafts, panel)
        [(key, draft)] = b.door.drafts.items()
        assert (key.tenant, key.user, key.patient) == ("fjellheim", "Practitioner/tone", "Patient/BEB-18")
        assert dict(draft.values) == {"puls": 82}
        assert DRAFT_AFTER < 1, "seconds from the last key until it is on its way"
        await until(lambda: shell.heard("draft"), panel)


async def test_what_is_typed_elsewhere_stands_here_and_is_not_sent_back_as_news(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        key = DraftKey("fjellheim", "Practitioner/tone", "Patient/BEB-18", panel.info.package, panel.info.view).parts()
        assert panel.follow(key, {"puls": 82}) == ("puls",)
        assert panel.follow(key, {"puls": 82}) == ()
        await until(lambda: b.sent("state/changed"), panel)
        assert dict(panel.values) == {"puls": 82}
        await asyncio.sleep(0.7)  # longer than typing waits to be drafted
        assert not b.door.drafts, "it would come back to the other workstation as something newer"
        panel.typed("puls", 90)
        assert panel.follow(key, {"puls": 84}) == (), "what is typed here goes first"
        assert panel.follow(key, {}) == (), "and is not taken away when the rest was saved elsewhere"
        await until(lambda: b.door.drafts, panel)
        assert [dict(draft.values) for draft in b.door.drafts.values()] == [{"puls": 90}]


async def test_what_is_saved_or_emptied_elsewhere_goes_from_an_open_form(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        key = DraftKey("fjellheim", "Practitioner/tone", "Patient/BEB-18", panel.info.package, panel.info.view).parts()
        panel.follow(key, {"puls": 82, "merknad": "Sov"})
        assert panel.follow(key, {"puls": 82}) == ("merknad",)
        assert dict(panel.values) == {"puls": 82}
        for other in ((*key[:5], "~x", key[6]), (*key[:6], "2"), (*key[:2], "Patient/BEB-19", *key[3:])):
            assert panel.follow(other, {}) == (), "another draft than this form's"
        assert panel.follow(key, {}) == ("puls",)
        assert dict(panel.values) == {}
        told: dict[str, Any] = {}
        await until(lambda: b.sent("state/changed"), panel)
        for message in b.sent("state/changed"):
            told |= message["values"]
        assert told == {"puls": None, "merknad": None}
        await asyncio.sleep(0.7)  # longer than typing waits to be drafted
        assert not b.door.drafts


async def test_a_draft_comes_back_in_the_next_opening(bench: Any) -> None:
    async with bench("good") as b:
        first = for_patient("Patient/BEB-18")
        panel, _ = await b.shown("good", first)
        panel.typed("puls", 82)
        await b.host.end_context(first)  # at once: the half second has not passed
        assert panel.state == "closed"
        again, shell = await b.shown("good", for_patient("Patient/BEB-18"))
        assert dict(again.values) == {"puls": 82}
        assert shell.heard("values") == [("puls",)]
        assert b.sent("open")[-1]["state"]["values"] == {"puls": 82}
        other, _ = await b.shown("good", for_patient("Patient/ANNEN"), instance="p9")
        assert dict(other.values) == {}


async def test_pending_events_are_answered_when_the_context_ends(bench: Any) -> None:
    async with bench("good") as b:
        context = for_patient("Patient/BEB-18")
        panel, _ = await b.shown("good", context)
        act = asyncio.create_task(panel.act(Action("slow")))
        queued = asyncio.create_task(panel.act(SAVE))
        await until(lambda: b.sent("event"), panel)
        await b.host.end_context(context)
        assert "Pasienten er byttet" in (await act).problem
        assert "Pasienten er byttet" in (await queued).problem
        assert b.door.commits == []
        assert b.door.ended == [context.token]
        assert b.door.watches == []


async def test_ask_finds_the_one_who_holds(bench: Any) -> None:
    async with bench("good") as b:
        context = for_patient("Patient/BEB-18")
        panel, _ = await b.shown("good", context)
        assert await b.host.ask(context) == []
        act = asyncio.create_task(panel.act(Action("slow")))
        await until(lambda: b.sent("event"), panel)
        [hold] = await b.host.ask(context)
        assert (hold.instance, hold.reason) == ("p1", "Blodoverføring pågår")
        await b.host.end_context(context)
        await act


async def test_two_instances_of_a_package_share_a_process_and_two_contexts_never(bench: Any) -> None:
    async with bench("good") as b:
        one, other = for_patient("Patient/A"), for_patient("Patient/B", group="2")
        first, _ = await b.shown("good", one)
        assert first.pid
        opened, _ = b.open("good", other)
        await until(lambda: opened.state == "running", opened)
        assert opened.pid not in (None, first.pid)
        await first.close()
        assert first.pid is None
        assert opened.state == "running"


async def test_fifty_switches_each_process_sees_one_patient(bench: Any) -> None:
    async with bench("good", warm=True) as b:
        for number in range(50):
            context = for_patient(f"Patient/{number}")
            _panel, _ = await b.shown("good", context)
            b.door.pulse(f"o{number}", 60, patient=f"Patient/{number}")
            await b.host.end_context(context)
        seen: dict[int, set[str]] = {}
        for _, pid, _, context, message in b.passed:
            if context:
                seen.setdefault(pid, set()).add(context)
            about = {p for p in (f"Patient/{n}" for n in range(50)) if json.dumps(p) in json.dumps(message)}
            assert len(about) <= 1
        assert len(seen) == 50
        assert all(len(tokens) == 1 for tokens in seen.values())


async def test_a_spare_makes_the_switch_quick(bench: Any) -> None:
    async with bench("good", warm=True) as b:
        ready = set(b.host.spares.values())
        panel, _ = await b.shown("good")
        assert panel.pid in ready
        assert panel.first_render_ms is not None
        assert panel.first_render_ms < 250
        await until(lambda: b.host.spares and set(b.host.spares.values()) != ready, panel)


async def test_no_spare_is_started_while_a_panel_still_waits_for_what_it_shows(bench: Any) -> None:
    async with bench("good", warm=True) as b:
        b.door.slow = 0.3
        panel, _ = await b.shown("good")  # has drawn itself, without its rows
        assert panel.waits
        while panel.waits:
            assert not b.host.spares
            await asyncio.sleep(0.01)
        await until(lambda: b.host.spares, panel)


async def test_closing_at_once_leaves_nothing_behind(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = b.open("good")
        await b.host.close()
        assert panel.state == "closed"
        assert panel.pid is None


async def test_hidden_and_settings_are_told(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good", settings={"days": 3})
        assert b.sent("open")[0]["settings"] == {"days": 3}
        panel.show(False)
        panel.set_settings({"days": 5}, "nn")
        assert len(b.sent("hidden")) == 1
        assert b.sent("settings/changed")[0]["locale"] == "nn"
