"""Crashes are counted by user and version, over restarts, with growing waits; reports tell no patient's secrets."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.panels.conftest import until
from workspace.clock import SystemClock
from workspace.panels.components import Action
from workspace.panels.faults import FILE, LOG_FILE, LOG_SIZE, Crashes, report, scrubbed

pytestmark = pytest.mark.anyio


class Clock(SystemClock):
    def __init__(self):
        self.at = datetime(2026, 1, 14, 14, tzinfo=UTC)

    def real(self):
        return self.at

    def pass_(self, **time):
        self.at += timedelta(**time)


def package(version="1.0.0"):
    return SimpleNamespace(id="a.x", version=version, vendor="A", name="X", protocol=1)


def test_waits_grow_and_the_third_crash_in_ten_minutes_switches_off():
    clock = Clock()
    crashes = Crashes(clock, "Practitioner/tone")
    waits = []
    for _ in range(5):
        waits.append(crashes.crashed(package(), "x").again_in)
        assert not crashes.disabled(package())
        clock.pass_(minutes=6)
    assert waits == [0.0, 1.0, 5.0, 30.0, 30.0]
    clock.pass_(hours=2)
    verdicts = [crashes.crashed(package(), "x") for _ in range(3)]
    assert [one.disabled for one in verdicts] == [False, False, True]
    assert verdicts[0].again_in == 0.0


def test_who_is_off_stays_off_over_restarts_for_this_user_and_version_alone(tmp_path):
    clock = Clock()
    told = []
    first = Crashes(clock, "Practitioner/tone")
    first.listen(lambda *what: told.append(what))
    first.keep_in(tmp_path)
    for _ in range(3):
        first.crashed(package(), "det krasjet")
    assert told[-1] == ("a.x", "1.0.0", "det krasjet", True)
    lines = [json.loads(line) for line in (tmp_path / LOG_FILE).read_text().splitlines()]
    assert [(line["package"], line["vendor"], line["disabled"]) for line in lines][-1] == ("a.x", "A", True)
    clock.pass_(days=3)
    again = Crashes(clock, "Practitioner/tone")
    again.keep_in(tmp_path)
    assert again.disabled(package())
    assert not again.disabled(package("1.0.1"))  # a new version is given a new chance
    other = Crashes(clock, "Practitioner/mia")
    other.keep_in(tmp_path)
    assert not other.disabled(package())
    other.crashed(package(), "x")
    again.enable("a.x")
    last = Crashes(clock, "Practitioner/tone")
    last.keep_in(tmp_path)
    assert not last.disabled(package())


def test_two_crashes_before_a_restart_of_the_shell_count_with_the_third(tmp_path):
    clock = Clock()
    for number in range(3):
        crashes = Crashes(clock, "Practitioner/tone")
        crashes.keep_in(tmp_path)
        assert crashes.crashed(package(), "x").disabled is (number == 2)


def test_the_administrators_log_does_not_grow_for_ever(tmp_path):
    crashes = Crashes(Clock(), "Practitioner/tone")
    crashes.keep_in(tmp_path)
    for _ in range(40):
        crashes.noticed(package(), "x" * 10_000)
    assert sum(file.stat().st_size for file in tmp_path.glob("panels.log*")) < 2 * LOG_SIZE + 20_000


def test_a_broken_file_is_begun_anew(tmp_path):
    (tmp_path / FILE).write_text("{")
    crashes = Crashes(Clock(), "Practitioner/tone")
    crashes.keep_in(tmp_path)
    crashes.crashed(package(), "x")
    assert json.loads((tmp_path / FILE).read_text())["Practitioner/tone"]["a.x"]["version"] == "1.0.0"


def test_a_report_holds_what_the_vendor_needs_and_no_log_unless_given(tmp_path):
    path = report(tmp_path / "reports", Clock(), package(), fault="leak", reason="for mye minne", tier="confined")
    told = json.loads(path.read_text())
    assert (told["package"], told["version"], told["vendor"]) == ("a.x", "1.0.0", "A")
    assert (told["fault"], told["reason"], told["at"]) == ("leak", "for mye minne", "2026-01-14T14:00:00+00:00")
    assert told["log_included"] is False


@pytest.mark.parametrize(
    "secret",
    ["12895012345", "128950 12345", "Patient/BEB-18", "Observation/puls-1", "«Kari Nordmann»", '"Kari Nordmann"',
     "'Kari'", "kari@example.no", "14.01.2026", "+47 912 34 567"],
)  # fmt: skip
def test_a_log_is_scrubbed_of_what_can_be_told_apart(secret):
    clean = scrubbed(f"KeyError: verdi {secret} for puls\nlinje 7")
    assert secret not in clean
    assert "KeyError" in clean
    assert "linje 7" in clean


async def test_the_administrator_sees_what_each_package_uses(bench):
    async with bench("good", "crash_on_event") as b:
        panel, _ = await b.shown("good")
        broken, _ = await b.shown("crash_on_event", instance="p2")
        for _ in range(5):
            await panel.act(Action("say"))
        await broken.act(Action("do"))
        await until(lambda: broken.state == "running", broken)
        found = {one.package: one for one in b.host.usage()}
        good, bad = found["prove.good"], found["prove.crash-on-event"]
        assert (good.vendor, good.version, good.tier) == ("Prøveverk", "1.0.0", panel.info.confinement)
        assert panel.pid in good.pids
        assert len(good.pids) >= 2  # the walls and the program within
        assert 1 << 20 < good.memory < 64 << 20
        assert 0 <= good.cpu < 5
        assert good.messages >= 7  # introduced, opened, drawn, and five answers
        assert good.bytes > 500
        assert good.renders >= 1
        assert (good.crashes, bad.crashes, bad.disabled) == (0, 1, False)
        assert bad.messages >= 4  # also those of the process that died
        b.host.faults.crashed(b.host.packages["prove.crash-on-event"], "x")
        b.host.faults.crashed(b.host.packages["prove.crash-on-event"], "x")
        assert next(one for one in b.host.usage() if one.disabled).package == "prove.crash-on-event"


async def test_a_report_of_an_open_panel_lands_in_the_profile(bench, tmp_path: Path):
    async with bench("crash_loop") as b:
        b.host.keep_in(tmp_path)
        panel, _ = b.open("crash_loop")
        await until(lambda: panel.state == "disabled", panel)
        told = json.loads(b.host.report(panel, with_log=True).read_text())
        assert told["fault"] == "crash"
        assert "jeg virker aldri" in told["log"]
        assert list((tmp_path / "reports").iterdir())
