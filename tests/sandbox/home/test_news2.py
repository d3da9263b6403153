"""The score against published examples, and against the chart written down another way: as bands for each value."""

from __future__ import annotations

import pytest

from workspace.sandbox.home import news2

EXAMPLES = [
    (1, (16, 97, 0, 130, 72, "A", 36.8), 0),
    (1, (12, 96, 0, 111, 51, "A", 36.1), 0),
    (1, (20, 96, 0, 219, 90, "A", 38.0), 0),
    (1, (21, 96, 0, 219, 91, "A", 38.1), 4),
    (1, (11, 95, 0, 110, 50, "A", 36.0), 5),
    (1, (24, 93, 2, 100, 111, "A", 39.1), 12),
    (1, (25, 91, 2, 90, 131, "V", 35.0), 20),
    (1, (8, 91, 0, 220, 40, "C", 39.0), 16),
    (2, (18, 88, 0, 120, 80, "A", 37.0), 0),
    (2, (18, 93, 0, 120, 80, "A", 37.0), 0),
    (2, (18, 93, 1, 120, 80, "A", 37.0), 3),
    (2, (18, 97, 1, 120, 80, "A", 37.0), 5),
    (2, (18, 83, 1, 120, 80, "A", 37.0), 5),
]
NAMES = ("respiration", "saturation", "oxygen", "systolic", "pulse", "consciousness", "temperature")
BANDS = {
    "respiration": [(0, 8, 3), (9, 11, 1), (12, 20, 0), (21, 24, 2), (25, 99, 3)],
    "saturation": [(0, 91, 3), (92, 93, 2), (94, 95, 1), (96, 100, 0)],
    "systolic": [(0, 90, 3), (91, 100, 2), (101, 110, 1), (111, 219, 0), (220, 300, 3)],
    "pulse": [(0, 40, 3), (41, 50, 1), (51, 90, 0), (91, 110, 1), (111, 130, 2), (131, 300, 3)],
    "temperature": [(0, 350, 3), (351, 360, 1), (361, 380, 0), (381, 390, 1), (391, 500, 2)],
}
SCALE_2 = [(0, 83, 3), (84, 85, 2), (86, 87, 1), (88, 92, 0)]
ON_OXYGEN = [*SCALE_2, (93, 94, 1), (95, 96, 2), (97, 100, 3)]
ON_AIR = [*SCALE_2, (93, 100, 0)]


def banded(name, value, scale, oxygen):
    bands = BANDS[name]
    if name == "saturation" and scale == 2:
        bands = ON_OXYGEN if oxygen else ON_AIR
    whole = round(value * 10) if name == "temperature" else value
    return next(score for low, high, score in bands if low <= whole <= high)


@pytest.mark.parametrize(("scale", "values", "total"), EXAMPLES)
def test_published_examples(scale, values, total):
    assert sum(news2.parts(dict(zip(NAMES, values, strict=True)), scale).values()) == total


def test_every_value_falls_in_the_charts_band():
    usual = {"respiration": 16, "saturation": 97, "oxygen": 0, "systolic": 130, "pulse": 70}
    usual |= {"consciousness": "A", "temperature": 37.0}
    for name, bands in BANDS.items():
        for whole in range(bands[0][0], bands[-1][1] + 1):
            value = whole / 10 if name == "temperature" else whole
            assert news2.parts({**usual, name: value})[name] == banded(name, value, 1, 0), (name, value)
    for percent in range(101):
        for oxygen in (0, 1):
            values = {**usual, "saturation": percent, "oxygen": oxygen}
            assert news2.parts(values, 2)["saturation"] == banded("saturation", percent, 2, oxygen)


def test_every_set_of_the_home_is_scored_as_the_chart_says(home, weeks):
    """Reads the values back out of the resources that the score says it is derived from."""
    by_reference = {f"Observation/{one['id']}": one for one in weeks if one["resourceType"] == "Observation"}
    scores = [one for own, one in by_reference.items() if own.endswith("-news2")]
    assert len(scores) > 500
    for score in scores:
        measured = {}
        for held in score["derivedFrom"]:
            source = by_reference[held["reference"]]
            assert source["effectiveDateTime"] == score["effectiveDateTime"]
            measured[source["code"]["coding"][0]["code"]] = source
        second = any(held["code"]["coding"][0]["code"] == "1104321000000108" for held in score["component"])
        assert second == (score["subject"]["reference"] == "Patient/BEB-10")
        saturation = measured["2708-6"]
        oxygen = saturation["component"][0]["valueQuantity"]["value"]
        read = {
            "respiration": measured["9279-1"]["valueQuantity"]["value"],
            "saturation": saturation["valueQuantity"]["value"],
            "systolic": measured["85354-9"]["component"][0]["valueQuantity"]["value"],
            "pulse": measured["8867-4"]["valueQuantity"]["value"],
            "temperature": measured["8310-5"]["valueQuantity"]["value"],
        }
        expected = sum(banded(name, value, 2 if second else 1, oxygen) for name, value in read.items())
        expected += 2 if oxygen else 0
        letter = measured["1104441000000107"]["valueCodeableConcept"]["coding"][0]["code"]
        expected += 0 if letter == "A" else 3
        assert score["valueQuantity"]["value"] == expected, score["id"]
        assert sum(part["valueQuantity"]["value"] for part in score["component"]) == expected
        assert len(score["component"]) == 7


def test_few_sets_are_alarming(weeks):
    values = [one["valueQuantity"]["value"] for one in weeks if one["id"].endswith("-news2")]
    assert 0.02 < sum(value >= 5 for value in values) / len(values) < 0.07
