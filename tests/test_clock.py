"""Clinical time: from the platform, in Oslo, right through both nights of clock change."""

from datetime import datetime, timedelta

import pytest

from workspace import clock as module
from workspace.clock import OSLO, OffsetClock, instant, parse


class Steady(OffsetClock):
    """An offset clock whose monotonic seconds the test holds."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds


@pytest.mark.parametrize(
    ("evening", "hours", "wall"),
    [
        (datetime(2026, 3, 28, 22, 0, tzinfo=OSLO), 8, "2026-03-29T07:00:00+02:00"),
        (datetime(2026, 10, 24, 22, 0, tzinfo=OSLO), 8, "2026-10-25T05:00:00+01:00"),
        (datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), 8, "2026-01-14T22:45:00+01:00"),
    ],
)
def test_a_night_shift_is_as_long_as_it_is(evening, hours, wall):
    clock = Steady(anchor=evening, at=0.0)
    clock.seconds = hours * 3600
    assert instant(clock.now()) == wall


def test_the_sandbox_can_run_fast_and_be_set():
    clock = Steady(anchor=datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), at=0.0, rate=60)
    clock.seconds = 10
    assert clock.now() - clock.anchor.astimezone(OSLO) == timedelta(minutes=10)
    clock.set(datetime(2026, 1, 15, 7, 0, tzinfo=OSLO))
    clock.seconds = 15
    assert instant(clock.now()) == "2026-01-15T07:00:05+01:00"


def test_an_instant_without_offset_is_refused():
    with pytest.raises(ValueError, match="without offset"):
        parse("2026-01-14T14:45:00")


def test_clinical_time_goes_on_while_the_computer_sleeps(monkeypatch):
    """Linux stops the monotonic clock then: what is written after half an hour's sleep must not say that it was before."""
    clock = Steady(anchor=datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), at=0.0)
    awake = module.slept()
    clock.seconds = 60
    assert instant(clock.now()) == "2026-01-14T14:46:00+01:00"
    monkeypatch.setattr(module, "slept", lambda: awake + 1800)
    assert instant(clock.now()) == "2026-01-14T15:16:00+01:00"
    clock.set(datetime(2026, 1, 14, 15, 16, tzinfo=OSLO))
    clock.seconds += 1
    assert instant(clock.now()) == "2026-01-14T15:16:01+01:00"
