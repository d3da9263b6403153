from __future__ import annotations

from datetime import UTC, datetime

import pytest

from workspace.clock import OSLO
from workspace.shell.kit import when

NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2026-01-14T15:03:40+01:00", "nå"),
        ("2026-01-14T14:52:00+01:00", "for 12 min siden"),
        ("2026-01-14T13:52:00Z", "for 12 min siden"),
        ("2026-01-14T14:03:00+01:00", "for 1 t siden"),
        ("2026-01-14T02:00:00+01:00", "for 13 t siden"),
        ("2026-01-13T21:10:00+01:00", "i går 21:10"),
        ("2026-01-12T21:10:00+01:00", "for 2 d siden"),
        ("2026-01-14T20:00:00+01:00", "20:00"),
        ("2026-01-15T08:00:00+01:00", "15.01. 08:00"),
        ("2026-01-14", "i dag"),
        ("2026-01-13", "i går"),
        ("2026-01-15", "i morgen"),
        ("2026-01-02", "02.01."),
        ("2024-12-31", "31.12.2024"),
        ("tull", ""),
        ("", ""),
    ],
)
def test_an_age_reads_as_a_person_says_it(text: str, said: str):
    assert when.age(text, NOW) == said


def test_an_age_counts_real_minutes_when_the_clock_is_put_forward():
    now = datetime(2026, 3, 29, 1, 10, tzinfo=UTC)  # 03:10 summer time; 02:00 to 03:00 never was
    assert when.age("2026-03-29T01:50:00+01:00", now.astimezone(OSLO)) == "for 20 min siden"


def test_an_age_counts_real_minutes_when_an_hour_comes_twice():
    now = datetime(2026, 10, 25, 1, 10, tzinfo=UTC).astimezone(OSLO)  # the second 02:10
    assert when.age("2026-10-25T02:50:00+02:00", now) == "for 20 min siden"
    first, second = when.moment("2026-10-25T02:50:00+02:00"), when.moment("2026-10-25T02:10:00+01:00")
    assert first is not None
    assert second is not None
    assert first < second
    assert f"{first:%H:%M} {second:%H:%M}" == "02:50 02:10"


def test_days_are_as_precise_as_they_were_given():
    texts = ("2019", "2019-01", "2026-01-14", "x-y-z")
    assert [when.day(text) for text in texts] == ["2019", "01.2019", "14.01.2026", ""]
    assert when.day("2026-01-14T23:30:00Z") == "15.01.2026"


def test_a_clock_time_is_local_and_only_where_there_is_one():
    assert when.clock("2026-07-01T12:00:00Z") == "14:00"
    assert when.clock("2026-07-01") == ""


@pytest.mark.parametrize(
    ("value", "decimals", "said"),
    [
        (38.6, None, "38,6"),
        (38.0, None, "38"),
        (38, 1, "38,0"),
        (-2.5, None, "-2,5"),
        (None, None, ""),
        (74.25, 1, "74,2"),
    ],
)
def test_numbers_have_a_decimal_comma(value, decimals, said: str):
    assert when.number(value, decimals) == said


def test_thousands_are_kept_apart_by_a_space_and_no_comma():
    assert "".join(when.number(12345.5).split()) == "12345,5"
    assert len(when.number(12345)) == 6


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2026-02-30", "nei", ""])
def test_an_instant_beyond_the_calendar_is_none(text: str):
    assert when.moment(text) is None
    assert when.age(text, NOW) == when.clock(text) == ""
