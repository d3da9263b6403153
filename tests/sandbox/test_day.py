from __future__ import annotations

import time

import pytest

from workspace.clock import OSLO, parse
from workspace.problem import Problem
from workspace.sandbox.day import START, Day, read_setting


def test_the_day_starts_at_a_quarter_to_three(tmp_path):
    day = Day.resume(tmp_path / "clock.json")
    assert 0 <= (day.now() - START).total_seconds() < 1
    assert START.isoformat() == "2026-01-14T14:45:00+01:00"


def test_the_day_goes_on_where_it_was_left_and_stands_still_meanwhile(tmp_path):
    path = tmp_path / "clock.json"
    day = Day.resume(path)
    day.set(parse("2026-02-01T03:00:00+01:00"), 60.0)
    day.save()
    time.sleep(0.1)  # six clinical seconds, had it run
    again = Day.resume(path)
    assert 0 <= (again.now() - parse("2026-02-01T03:00:00+01:00")).total_seconds() < 5
    assert again.rate == 60.0


def test_a_damaged_clock_says_what_to_do(tmp_path):
    path = tmp_path / "clock.json"
    for content in ("{", "[]", '{"now": "yesterday"}', '{"now": "2026-01-14T14:45:00"}'):
        path.write_text(content)
        with pytest.raises(Problem) as caught:
            Day.resume(path)
        assert "workspace sandbox serve --reset" in caught.value.advice


@pytest.mark.parametrize(
    "told", [{"rate": -1}, {"rate": True}, {"rate": "2"}, {"rate": 1e9}, {"now": 5}, {"now": "2026-01-14T14:45:00"}]
)
def test_what_is_not_a_time_or_a_rate_is_refused(told):
    with pytest.raises(ValueError, match=r"."):
        read_setting(told, START, 1.0)


def test_what_is_left_out_stays():
    assert read_setting({"rate": 2}, START, 1.0) == (START, 2.0)
    moment, rate = read_setting({"now": "2026-03-29T00:30:00Z"}, START, 5.0)
    assert (moment, rate) == (parse("2026-03-29T01:30:00+01:00"), 5.0)
    assert moment.tzinfo is OSLO
