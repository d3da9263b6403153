"""How a wrong clock is put into words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from workspace.problem import Problem
from workspace.signon.skew import check_clock

SERVER = datetime(2026, 1, 14, 13, 45, tzinfo=UTC)


@pytest.mark.parametrize(
    ("off", "words"),
    [
        (timedelta(seconds=61), "ett minutt for fort"),
        (timedelta(minutes=10), "10 minutter for fort"),
        (-timedelta(minutes=10), "10 minutter for sakte"),
        (timedelta(hours=3), "3 timer for fort"),
        (-timedelta(days=5), "5 døgn for sakte"),
    ],
)
def test_a_wrong_clock_is_said_in_human_measure(off, words):
    with pytest.raises(Problem) as caught:
        check_clock(format_datetime(SERVER, usegmt=True), SERVER + off)
    assert caught.value.code == "clock-skew"
    assert words in caught.value.sentence


@pytest.mark.parametrize("header", [None, "", "yesterday"])
def test_without_a_date_nothing_is_claimed(header):
    check_clock(header, SERVER)


def test_a_minute_is_forgiven():
    check_clock(format_datetime(SERVER, usegmt=True), SERVER + timedelta(seconds=60))
