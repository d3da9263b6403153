"""NEWS2 of one set of vital signs, by the Royal College of Physicians' chart of 2017.

The sandbox's own, since the score is what its histories are built from. Never guesses a missing value.
"""

from __future__ import annotations

from collections.abc import Mapping

PARTS = ("respiration", "saturation", "oxygen", "systolic", "pulse", "consciousness", "temperature")


def parts(values: Mapping[str, float | str], scale: int = 1) -> dict[str, int]:
    """The score of each of `PARTS`. All seven values must be there (KeyError); oxygen in L/min, 0 is air."""
    oxygen = float(values["oxygen"])
    return {
        "respiration": respiration(float(values["respiration"])),
        "saturation": scale_1(float(values["saturation"]))
        if scale == 1
        else scale_2(float(values["saturation"]), oxygen > 0),
        "oxygen": 2 if oxygen > 0 else 0,
        "systolic": systolic(float(values["systolic"])),
        "pulse": pulse(float(values["pulse"])),
        "consciousness": 0 if values["consciousness"] == "A" else 3,
        "temperature": temperature(float(values["temperature"])),
    }


def respiration(rate: float) -> int:
    if 12 <= rate <= 20:
        return 0
    if 9 <= rate < 12:
        return 1
    return 2 if 20 < rate <= 24 else 3


def scale_1(percent: float) -> int:
    return 0 if percent >= 96 else 1 if percent >= 94 else 2 if percent >= 92 else 3


def scale_2(percent: float, on_oxygen: bool) -> int:
    """For known hypercapnic failure: too much oxygen scores too."""
    if percent >= 93 and on_oxygen:
        return 1 if percent <= 94 else 2 if percent <= 96 else 3
    return 0 if percent >= 88 else 1 if percent >= 86 else 2 if percent >= 84 else 3


def systolic(pressure: float) -> int:
    if pressure <= 90 or pressure >= 220:
        return 3
    return 2 if pressure <= 100 else 1 if pressure <= 110 else 0


def pulse(rate: float) -> int:
    if rate <= 40 or rate >= 131:
        return 3
    if rate >= 111:
        return 2
    return 1 if rate <= 50 or rate >= 91 else 0


def temperature(degrees: float) -> int:
    if degrees <= 35.0:
        return 3
    if degrees >= 39.1:
        return 2
    return 1 if degrees <= 36.0 or degrees >= 38.1 else 0
