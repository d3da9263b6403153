"""What is only known to lie below or above a number, in each of our panels: shown so, and never reckoned with as that."""

from __future__ import annotations

import latest
import observations
import pytest
import report
import residents
import reuse
from home import ME, news2, observation, stay, vital_set

from workspace.sdk import record
from workspace.sdk.testing import Bench

AT = "2026-01-14T15:03:00+01:00"


def limit(sign, resource):
    return {**resource, "valueQuantity": {**resource["valueQuantity"], "comparator": sign}}


@pytest.mark.parametrize(
    ("sign", "value", "low", "high", "said"),
    [
        ("<", 5, None, 3, ""),  # it may be 2
        ("<", 5, 10, 20, "lav"),
        ("<", 5, 5, 20, "lav"),
        ("<=", 5, 5, 20, ""),
        (">", 90, 100, None, ""),
        (">", 90, 60, 90, "høy"),
        (">=", 90, 60, 90, ""),
        (">", 200, 60, 90, "høy"),
    ],
)
def test_a_summary_judges_a_limit_only_where_it_is_certain(sign, value, low, high, said):
    one = limit(sign, observation("x", "1988-5", value, unit="mg/L"))
    edges = {name: {"value": edge} for name, edge in (("low", low), ("high", high)) if edge is not None}
    assert latest.abnormal({**one, "referenceRange": [edges]}) == said


def test_a_summary_shows_a_limit_in_its_unit_and_each_of_a_pair():
    assert latest.show(limit(">", observation("w", "29463-7", 150000, unit="g")), "kg", 1) == "> 150,0 kg"
    assert latest.show(limit("<", observation("w", "29463-7", 9, unit="gutefot")), "kg", 1) == "< 9 gutefot"
    parts = [
        limit(sign, {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "unit": "mmHg"}})
        for sign, code, value in (("", "8480-6", 104), ("<", "8462-4", 40))
    ]
    assert latest.show({"component": parts}, "mmHg", None) == "104 / < 40 mmHg"


def test_a_saved_set_shows_a_limit_as_recorded_and_takes_none_for_a_score():
    low = limit("<", observation("s", "2708-6", 70, AT, "%"))
    ((_, found),) = observations.sets([low, limit(">=", news2("n", 7, at=AT))])
    assert found["saturation"] == "< 70 %"
    assert "news2" not in found


def test_a_list_of_residents_and_a_report_take_no_limit_for_the_newest_score():
    scores = [limit("<", news2("ny", 5, at=AT)), news2("gammel", 9, at="2026-01-14T08:00:00+01:00")]
    bench = Bench(residents.panel)
    results = {query: scores if name == "scores" else [] for name, (query, _) in residents.SIDE.items()}
    bench.open("residents", {residents.STAYS: [stay(ME, "210")], **results}, kind="unit", patients=[ME])
    (row,) = bench.rows()
    assert row["cells"]["news2"]["text"] == "?"
    assert row["cells"]["trend"]["values"] == [9]
    bench = Bench(report.panel)
    nothing = {query: [] for query in (report.NOTES, report.ORDERS, report.FALLS)}
    bench.open(
        "report", {report.STAYS: [stay(ME, "210")], **nothing, report.SCORES: scores}, kind="unit", patients=[ME]
    )
    assert [one["cells"]["what"]["text"] for one in bench.rows()] == ["NEWS2 som ikke kan vises"]


def test_a_note_quotes_a_limit_as_one():
    rows = [limit("<", one) if record.has_code(one, "2708-6") else one for one in vital_set()]
    found = reuse.quote(rows, record.when(rows[0]))
    (said,) = [one for one in found.said if one.startswith("SpO₂")]
    assert said.startswith("SpO₂ < ")
    assert all(number[0].isdigit() for number in found.numbers)
