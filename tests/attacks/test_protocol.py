"""Panels that break the protocol: floods, lines that are no messages, starts that never end, answers that never come."""

from __future__ import annotations

import asyncio
import json
import time

import psutil
import pytest

from tests.attacks.conftest import refused, until
from workspace.broker.context import for_patient


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@refused("every")
@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("bytes", "for mye på en gang"),
        ("messages", "for mange meldinger"),
        ("sentences", "for mange meldinger"),
        ("requests", "for mange meldinger"),
        ("renders", "for ofte"),
        ("nothing", "for mange meldinger"),
    ],
)
async def test_it_floods(ward, how, reason):
    flood = await ward.shown("floods")
    pid = flood.panel.pid
    outcome = await flood.act(how=how)
    assert not outcome.ok
    assert reason in await flood.ended(pid=pid)
    assert flood.logged(reason)


@refused("every")
async def test_it_floods_its_log(ward):
    flood = await ward.shown("floods")
    acting = asyncio.ensure_future(flood.act(how="log"))
    await asyncio.sleep(1.0)
    assert len(flood.panel.log_tail) <= 200 << 10
    await flood.panel.restart()
    assert not (await acting).ok


FATAL = {"long", "long message", "nul", "deep arrays"}


@refused("every")
@pytest.mark.parametrize(
    "how",
    ["long", "long message", "not utf-8", "surrogates", "nul", "deep arrays", "deep params", "deep tree", "nan",
     "infinity", "huge integers", "wrong kinds", "two in one", "id of another kind"],
)  # fmt: skip
async def test_it_sends_what_is_no_message(ward, how):
    garbler = await ward.shown("bad_lines")
    pid = garbler.panel.pid
    await garbler.act(how=how)
    if how in FATAL:
        assert await garbler.ended(pid=pid) in (
            "det sendte en melding som er for stor", "det sendte meldinger som ikke kan leses",
            "det sendte for mye på en gang",
        )  # fmt: skip
    await until(lambda: garbler.panel.state == "running" and garbler.panel.root is not None, garbler.panel)
    assert not any("FALSK" in str(node.component) for node in garbler.panel.nodes.values())


@refused("every")
async def test_it_blocks_on_start(ward, monkeypatch):
    monkeypatch.setattr("workspace.panels.process.INITIALIZE_TIMEOUT", 0.4)
    blocker = ward.attack("blocks_on_start")
    await until(lambda: blocker.panel.state == "dead", blocker.panel)
    assert "«Panel blocks-on-start» fra Fiende AS kunne ikke starte: det brukte for lang tid" in blocker.panel.problem
    assert blocker.panel.fault == "slow-start"
    assert blocker.told() != []


@refused("every")
async def test_it_dies_on_start_until_it_is_switched_off(ward):
    dying = ward.attack("dies_on_start")
    await until(lambda: dying.panel.state == "disabled", dying.panel)
    assert len(dying.told()) == 3
    assert "slått av for deg" in dying.panel.problem
    assert dying.logged("switched off")
    again = ward.attack("dies_on_start")
    await asyncio.sleep(0.1)
    assert again.panel.state == "disabled"
    assert len(dying.told()) == 3


@refused("every")
async def test_it_never_opens(ward):
    mute = ward.attack("never_opens")
    await until(lambda: mute.panel.state == "silent", mute.panel)
    assert mute.panel.fault == "mute"
    assert "Fiende AS svarer ikke" in mute.panel.problem
    await until(lambda: mute.logged("det åpner ikke"), mute.panel)
    assert mute.told() == []  # it is no crash


@refused("every")
async def test_it_never_answers_the_user(ward):
    deaf = await ward.shown("never_answers")
    acting = asyncio.ensure_future(deaf.act())
    deaf.panel.typed("felt", "viktig")
    await until(lambda: deaf.panel.state == "silent", deaf.panel)
    assert deaf.panel.fault == "hang"
    await until(lambda: deaf.logged("det svarer ikke"), deaf.panel)
    pid = deaf.panel.pid
    await deaf.panel.restart()
    assert not (await acting).ok
    await until(lambda: deaf.panel.state == "running" and deaf.panel.pid != pid, deaf.panel)
    assert dict(deaf.panel.values) == {"felt": "viktig"}
    assert not alive(pid)


@refused("every")
@pytest.mark.parametrize("name", ["never_answers_ask", "answers_for_others"])
async def test_it_never_answers_whether_the_patient_may_change(ward, name):
    context = for_patient("Patient/BEB-18")
    holder = await ward.shown(name, context=context)
    began = time.monotonic()
    assert await ward.host.ask(context) == []
    await ward.host.end_context(context)
    assert time.monotonic() - began < 1.0
    assert holder.panel.state == "closed"


@refused("every")
async def test_it_holds_the_patient_for_ever(ward):
    context = for_patient("Patient/BEB-18")
    await ward.shown("holds_for_ever", context=context)
    holds = await ward.host.ask(context)
    assert all(len(hold.reason) <= 300 for hold in holds)  # the user is told who holds, and decides
    await ward.host.end_context(context)


@refused("every")
async def test_it_crashes_with_the_patient_in_its_log(ward, tmp_path):
    ward.host.keep_in(tmp_path)
    faller = ward.attack("crashes")
    await until(lambda: faller.panel.state == "disabled", faller.panel)
    report = ward.host.report(faller.panel, with_log=False)
    assert report.parent == tmp_path / "reports"
    told = json.loads(report.read_text())
    assert told["package"] == faller.package
    assert (told["vendor"], told["version"], told["fault"]) == ("Fiende AS", "1.0.0", "crash")
    assert told["log"] == ""
    with_log = ward.host.report(faller.panel, with_log=True).read_text()
    assert "RuntimeError: velter" in with_log
    for secret in ("BEB-18", "12345", "120195", "Nordmann"):
        assert secret not in report.read_text()
        assert secret not in with_log
