"""Panels that break the rules, as programs: the work surface stands, says who it was, and loses nothing typed."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.panels.conftest import until
from workspace.broker.context import for_patient
from workspace.panels import components as ui
from workspace.panels.components import Action
from workspace.panels.confinement import Limits, Policy, Tier
from workspace.panels.host import PanelHost

pytestmark = pytest.mark.anyio

DO = Action("do")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("broken_json", "meldinger som ikke kan leses"),
        ("giant_line", "en melding som er for stor"),
        ("flood", "for mange meldinger"),
        ("redraw", "for ofte"),
        ("crash_on_event", "krasjet (kode 3)"),
        ("memory_hog", "for mye minne"),
    ],
)
async def test_the_panel_is_ended_named_and_comes_back_once_with_what_was_typed(
    bench: Any, name: str, says: str
) -> None:
    async with bench(name, limits=Limits(memory=256 << 20)) as b:
        troubles: list[tuple[str, str, str, bool]] = []
        b.host.on_trouble(lambda *told: troubles.append(told))
        panel, _shell = await b.shown(name)
        pid = panel.pid
        panel.typed("a", "viktig")
        outcome = await panel.act(DO)
        if name not in ("redraw",):
            assert not outcome.ok
            assert says in outcome.problem
        await until(lambda: panel.state == "running" and panel.pid != pid, panel)
        assert dict(panel.values) == {"a": "viktig"}
        assert b.sent("open")[-1]["state"]["values"] == {"a": "viktig"}
        [(package, version, reason, disabled)] = troubles
        assert (package, version, disabled) == ("prove." + name.replace("_", "-"), "1.0.0", False)
        assert says in reason
        # The second time it waits a second, unless the user does not want to.
        await panel.act(DO)
        await until(lambda: panel.state == "dead", panel)
        assert panel.problem.startswith(f"«Prøvepanel {name}» fra Prøveverk stanset: ")
        assert panel.problem.endswith(" Det starter på nytt om 1 s.")
        assert panel.pid is None
        if name == "flood":
            await panel.restart()
        await until(lambda: panel.state == "running", panel)
        assert dict(panel.values) == {"a": "viktig"}


async def test_three_crashes_disable_it(bench: Any) -> None:
    async with bench("crash_loop", "good") as b:
        panel, _ = b.open("crash_loop")
        await until(lambda: panel.state == "disabled", panel)
        assert "tre ganger på ti minutter" in panel.problem
        assert "jeg virker aldri" in panel.log_tail
        await panel.restart()
        again, _ = b.open("crash_loop", instance="p2")
        await asyncio.sleep(0.1)
        assert (panel.state, again.state, again.pid) == ("disabled", "disabled", None)
        other, _ = await b.shown("good")
        assert other.state == "running"
        b.host.enable("prove.crash-loop")
        assert (panel.state, again.state) == ("starting", "starting")
        assert b.open("crash_loop", instance="p3")[0].state == "starting"


async def test_a_panel_that_does_not_answer_is_silent_within_two_seconds_and_may_come_back(bench: Any) -> None:
    async with bench("silent") as b:
        panel, _ = await b.shown("silent")
        act = asyncio.create_task(panel.act(DO))
        await until(lambda: panel.state == "silent", panel)  # else it answers after all
        assert "svarer ikke" in panel.problem
        assert (await act).ok
        await until(lambda: panel.state == "running", panel)
        assert panel.problem == ""


async def test_a_panel_that_never_introduces_itself_is_dead_with_a_name(
    bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workspace.panels.process.INITIALIZE_TIMEOUT", 0.5)
    async with bench("mute") as b:
        panel, _ = b.open("mute")
        await until(lambda: panel.state == "dead", panel)
        assert "«Prøvepanel mute» fra Prøveverk kunne ikke starte" in panel.problem


async def test_closing_does_not_wait_for_a_panel_that_never_introduces_itself(bench: Any) -> None:
    started = time.monotonic()
    async with bench("mute") as b:
        b.open("mute")
        await asyncio.sleep(0.1)
    assert time.monotonic() - started < 3


async def test_what_is_addressed_to_others_is_dropped(bench: Any) -> None:
    async with bench("wrong_context", "good") as b:
        context = for_patient("Patient/BEB-18")
        _other, heard = await b.shown("good", context, instance="p2")
        panel, shell = await b.shown("wrong_context", context)
        before = len(heard.heard("rendered"))
        assert (await panel.act(DO)).ok
        await asyncio.sleep(0.05)
        assert panel.nodes["t"].component == ui.Text(text="Hei")
        assert len(shell.heard("rendered")) == 1
        assert len(heard.heard("rendered")) == before
        assert panel.dropped == 1


async def test_a_patch_on_the_wrong_base_is_repaired_by_a_whole_tree(bench: Any) -> None:
    async with bench("wrong_base") as b:
        panel, shell = await b.shown("wrong_base")
        assert (await panel.act(DO)).ok
        await until(lambda: panel.nodes["t"].component == ui.Text(text="Hel igjen"), panel)
        assert len(b.sent("resync")) == 1
        assert all(change.whole for change in shell.heard("rendered"))


@pytest.mark.parametrize(
    ("name", "says"),
    [("too_many_nodes", "5000"), ("twin_binds", "«puls» is already the field of «x»")],
)
async def test_a_tree_that_cannot_be_shown_says_why(bench: Any, name: str, says: str) -> None:
    async with bench(name) as b:
        panel, shell = b.open(name)
        await until(lambda: panel.problem, panel)
        assert says in panel.problem
        assert "Prøveverk" in panel.problem
        assert panel.root is None
        assert shell.heard("rendered") == []


async def test_a_tree_too_deep_to_read_does_not_reach_the_shell(bench: Any) -> None:
    async with bench("deep") as b:
        panel, shell = await b.shown("deep")
        assert (await panel.act(DO)).ok
        assert panel.nodes["t"].component == ui.Text(text="Hei")
        assert len(shell.heard("rendered")) == 1


async def test_printing_once_is_forgiven_and_logged(bench: Any) -> None:
    async with bench("prints") as b:
        panel, _ = await b.shown("prints")
        assert (await panel.act(DO)).ok
        assert panel.state == "running"
        assert "feilsøking" in panel.log_tail


async def test_nothing_reaches_the_shell_after_the_end_and_the_process_is_gone(bench: Any) -> None:
    async with bench("stays") as b:
        context = for_patient("Patient/BEB-18")
        panel, shell = await b.shown("stays", context)
        before = len(shell.heard("rendered"))
        await b.host.end_context(context)
        assert panel.pid is not None, "nobody waits for it"
        await until(lambda: panel.pid is None, panel)
        assert len(shell.heard("rendered")) == before
        assert shell.heard("told") == []


async def test_a_panel_that_never_reads_is_given_up(bench: Any) -> None:
    async with bench("deaf") as b:
        panel, _ = await b.shown("deaf")
        pid = panel.pid
        for number in range(12):
            panel.set_settings({"long": "x" * 900_000, "number": number}, "nb")
        await until(lambda: panel.pid != pid, panel)


async def test_a_confined_panel_finds_nothing(bench: Any, tier: Tier, tmp_path: Path) -> None:
    assert tier.confined, f"this machine cannot confine: {tier.why}"
    secret = tmp_path / "secret.txt"
    secret.write_text("hemmelig")
    async with bench("burglar") as b:
        panel, _ = await b.shown("burglar")
        assert panel.info.confinement == "confined"
        outcome = await panel.act(Action("look", {"secret": str(secret)}))
        found = json.loads(outcome.message)
        allowed = ("env", "folder")
        assert {k: v for k, v in found.items() if k not in allowed and not v.startswith("nei")} == {}
        assert found["env"] in ("[]", "['PWD']", "['LC_CTYPE', 'PWD']", "['LC_CTYPE']")
        assert "home" not in found["folder"]
        assert "etc" not in found["folder"]


async def test_without_confinement_nothing_starts_unless_the_policy_says_so(bench: Any) -> None:
    none = Tier("none", "Ikke avskjermet", "ingen bubblewrap")
    async with bench("good", tier=none) as b:
        allowed, _ = await b.shown("good")
        assert allowed.info.confinement == "Ikke avskjermet"
        strict = PanelHost(
            b.door, b.host.packages, clock=b.host.clock, policy=Policy(), user={}, tenant="x", locale="nb", tier=none
        )
        try:
            [problem] = await strict.warm(["prove.good"])
            assert "ikke startet, fordi denne maskinen ikke kan skjerme" in str(problem)
            from tests.panels.conftest import Shell

            panel = strict.open("p1", "prove.good", "main", for_patient("Patient/A"), Shell())
            await until(lambda: panel.state == "dead", panel)
            assert "bubblewrap" in panel.problem
            assert panel.pid is None
        finally:
            await strict.close()
