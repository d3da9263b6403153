"""NEWS2 against known sets, and every limit of the chart from both sides."""

from __future__ import annotations

import news2
import pytest


def given(rr, sat, oxygen, systolic, pulse, awake, temperature):
    return {
        "respiration": rr,
        "saturation": sat,
        "oxygen": oxygen,
        "systolic": systolic,
        "pulse": pulse,
        "consciousness": awake,
        "temperature": temperature,
    }


AIR, O2 = 0, 2


@pytest.mark.parametrize(
    ("values", "scale", "score"),
    [
        ((16, 97, AIR, 130, 72, "A", 36.8), 1, 0),
        ((12, 96, AIR, 111, 51, "A", 36.1), 1, 0),
        ((20, 96, AIR, 219, 90, "A", 38.0), 1, 0),
        ((21, 96, AIR, 219, 91, "A", 38.1), 1, 4),
        ((11, 95, AIR, 110, 50, "A", 36.0), 1, 5),
        ((24, 93, O2, 100, 111, "A", 39.1), 1, 12),
        ((25, 91, O2, 90, 131, "V", 35.0), 1, 20),
        ((8, 91, AIR, 220, 40, "C", 39.0), 1, 16),
        ((25, 91, AIR, 104, 112, "A", 38.6), 1, 10),
        ((18, 88, AIR, 120, 80, "A", 37.0), 2, 0),
        ((18, 93, AIR, 120, 80, "A", 37.0), 2, 0),
        ((18, 93, O2, 120, 80, "A", 37.0), 2, 3),
        ((18, 97, O2, 120, 80, "A", 37.0), 2, 5),
        ((18, 83, O2, 120, 80, "A", 37.0), 2, 5),
    ],
)
def test_known_sets(values, scale, score):
    assert news2.total(news2.parts(given(*values), scale)) == score


@pytest.mark.parametrize(
    ("name", "limits"),
    [
        ("respiration", "1:3 8:3 9:1 11:1 12:0 20:0 21:2 24:2 25:3 60:3"),
        ("saturation", "50:3 91:3 92:2 93:2 94:1 95:1 96:0 100:0"),
        ("oxygen", "0:0 0.5:2 15:2"),
        ("systolic", "50:3 90:3 91:2 100:2 101:1 110:1 111:0 219:0 220:3 280:3"),
        ("pulse", "20:3 40:3 41:1 50:1 51:0 90:0 91:1 110:1 111:2 130:2 131:3 220:3"),
        ("temperature", "30:3 35.0:3 35.1:1 36.0:1 36.1:0 38.0:0 38.1:1 39.0:1 39.1:2 43:2"),
    ],
)
def test_limits(name, limits):
    for pair in limits.split():
        value, score = pair.split(":")
        assert news2.parts({name: float(value)})[name] == int(score), pair


@pytest.mark.parametrize(
    ("oxygen", "limits"),
    [
        (AIR, "50:3 83:3 84:2 85:2 86:1 87:1 88:0 92:0 93:0 97:0 100:0"),
        (O2, "50:3 83:3 84:2 85:2 86:1 87:1 88:0 92:0 93:1 94:1 95:2 96:2 97:3 100:3"),
    ],
)
def test_limits_of_scale_2(oxygen, limits):
    for pair in limits.split():
        value, score = pair.split(":")
        scores = news2.parts({"saturation": float(value), "oxygen": oxygen}, 2)
        assert scores["saturation"] == int(score), pair


def test_consciousness():
    found = {letter: news2.parts({"consciousness": letter})["consciousness"] for letter in "ACVPU"}
    assert found == {"A": 0, "C": 3, "V": 3, "P": 3, "U": 3}
    assert news2.parts({"consciousness": "X"})["consciousness"] is None


@pytest.mark.parametrize("missing", news2.PARTS)
def test_a_missing_parameter_never_gives_a_total(missing):
    values = given(16, 97, AIR, 130, 72, "A", 36.8)
    scores = news2.parts({**values, missing: None})
    assert news2.total(scores) is None
    assert news2.known(scores) == 6


def test_scale_2_above_92_needs_to_know_the_oxygen():
    assert news2.parts({"saturation": 93}, 2)["saturation"] is None
    assert news2.parts({"saturation": 92}, 2)["saturation"] == 0


@pytest.mark.parametrize(
    ("score", "parts", "risk"),
    [
        (0, {}, "low"),
        (4, {}, "low"),
        (3, {"pulse": 3}, "single"),
        (5, {}, "medium"),
        (6, {}, "medium"),
        (7, {}, "high"),
    ],
)
def test_risk(score, parts, risk):
    assert news2.risk(score, parts) == risk


def test_text_and_truths_are_not_numbers():
    assert news2.known(news2.parts({"pulse": "mye", "respiration": True})) == 0
