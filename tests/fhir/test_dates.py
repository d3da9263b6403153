from datetime import UTC, datetime

import pytest

from workspace.fhir import dates


def ms(*parts):
    return dates.milliseconds(datetime(*parts, tzinfo=UTC))


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("2026", ms(2025, 12, 31, 23), ms(2026, 12, 31, 23) - 1),
        ("2026-07", ms(2026, 6, 30, 22), ms(2026, 7, 31, 22) - 1),
        ("2026-12", ms(2026, 11, 30, 23), ms(2026, 12, 31, 23) - 1),
        ("2026-01-14", ms(2026, 1, 13, 23), ms(2026, 1, 14, 23) - 1),
        ("2026-03-29", ms(2026, 3, 28, 23), ms(2026, 3, 29, 22) - 1),  # the day clocks go forward has 23 hours
        ("2026-10-25", ms(2026, 10, 24, 22), ms(2026, 10, 25, 23) - 1),  # and this one 25
        ("2026-01-14T14:45", ms(2026, 1, 14, 13, 45), ms(2026, 1, 14, 13, 46) - 1),
        ("2026-01-14T14:45:10+01:00", ms(2026, 1, 14, 13, 45, 10), ms(2026, 1, 14, 13, 45, 11) - 1),
        ("2026-01-14T14:45:10-03:30", ms(2026, 1, 14, 18, 15, 10), ms(2026, 1, 14, 18, 15, 11) - 1),
        ("2026-01-14T14:45:10.5Z", ms(2026, 1, 14, 14, 45, 10) + 500, ms(2026, 1, 14, 14, 45, 10) + 599),
        ("2026-01-14T14:45:10.123Z", ms(2026, 1, 14, 14, 45, 10) + 123, ms(2026, 1, 14, 14, 45, 10) + 123),
    ],
)
def test_a_date_covers_what_its_precision_says(text, low, high):
    assert dates.bounds(text) == (low, high)


@pytest.mark.parametrize("text", ["", "26-01-14", "2026-13", "2026-02-30", "2026-01-14T25:00", "i går"])
def test_what_is_no_date_is_refused(text):
    with pytest.raises(ValueError, match=r".+"):
        dates.bounds(text)


def test_an_open_period_has_no_end():
    found = dates.period({"start": "2026-01-14"})
    assert found is not None
    assert found.low == ms(2026, 1, 13, 23)
    assert found.high == dates.LATEST


def test_an_unreadable_date_in_a_resource_is_no_value():
    assert dates.ranges("snart") == []
    assert dates.ranges({"start": "snart"}) == []


def test_a_timing_reaches_from_its_first_to_its_last_event():
    assert dates.ranges({"event": ["2026-01-14", "2026-01-10"]}) == [(ms(2026, 1, 9, 23), ms(2026, 1, 14, 23) - 1)]
