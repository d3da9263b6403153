"""NEWS2: the score of one set of vital signs. Source: Royal College of Physicians, National Early Warning Score (NEWS) 2,
2017, charts 1 and 2. Pure functions; knows nothing of records or screens.

Scale 2 is only for known hypercapnic respiratory failure, on a doctor's order.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    Scores = dict[str, int | None]

PARTS = ("respiration", "saturation", "oxygen", "systolic", "pulse", "consciousness", "temperature")
"""The seven parameters, in the order they are entered."""

Limits = tuple[tuple[float, int], ...]
"""Upper bounds, lowest first, each with its score; the last is open."""

_OPEN = float("inf")
_RESPIRATION: Limits = ((8, 3), (11, 1), (20, 0), (24, 2), (_OPEN, 3))
_SCALE_1: Limits = ((91, 3), (93, 2), (95, 1), (_OPEN, 0))
_SCALE_2: Limits = ((83, 3), (85, 2), (87, 1), (92, 0))
_SCALE_2_OXYGEN: Limits = ((94, 1), (96, 2), (_OPEN, 3))
_SYSTOLIC: Limits = ((90, 3), (100, 2), (110, 1), (219, 0), (_OPEN, 3))
_PULSE: Limits = ((40, 3), (50, 1), (90, 0), (110, 1), (130, 2), (_OPEN, 3))
_TEMPERATURE: Limits = ((35.0, 3), (36.0, 1), (38.0, 0), (39.0, 1), (_OPEN, 2))


def parts(values: Mapping[str, float | str | None], scale: int = 1) -> Scores:
    """The score of each parameter of `PARTS`; None for one that is missing.

    `values`: ``respiration`` /min, ``saturation`` %, ``oxygen`` L/min (0 is air), ``systolic`` mmHg, ``pulse`` /min,
    ``consciousness`` one of A C V P U, ``temperature`` °C (rounded to one decimal, as the chart has it). On scale 2 a
    saturation of 93 or more depends on oxygen, and is missing while that is.
    """
    oxygen = _number(values, "oxygen")
    awake = values.get("consciousness")
    temperature = _number(values, "temperature")
    return {
        "respiration": _look(_number(values, "respiration"), _RESPIRATION),
        "saturation": _saturation(_number(values, "saturation"), oxygen, scale),
        "oxygen": None if oxygen is None else 2 if oxygen > 0 else 0,
        "systolic": _look(_number(values, "systolic"), _SYSTOLIC),
        "pulse": _look(_number(values, "pulse"), _PULSE),
        "consciousness": {"A": 0, "C": 3, "V": 3, "P": 3, "U": 3}.get(str(awake)),
        "temperature": _look(None if temperature is None else round(temperature, 1), _TEMPERATURE),
    }


def total(scores: Scores) -> int | None:
    """The sum, or None while any of the seven is missing: never a total of a part."""
    known = [scores.get(name) for name in PARTS]
    return None if None in known else sum(one for one in known if one is not None)


def known(scores: Scores) -> int:
    """How many of the seven there are."""
    return sum(1 for name in PARTS if scores.get(name) is not None)


def risk(score: int, scores: Scores | None = None) -> str:
    """``high`` at 7 or more, ``medium`` at 5–6, ``single`` when one parameter alone scores 3, else ``low``."""
    if score >= 7:
        return "high"
    if score >= 5:
        return "medium"
    return "single" if scores and 3 in scores.values() else "low"


def _saturation(value: float | None, oxygen: float | None, scale: int) -> int | None:
    if scale == 1 or value is None:
        return _look(value, _SCALE_1)
    if value < 93:
        return _look(value, _SCALE_2)
    if oxygen is None:
        return None
    return _look(value, _SCALE_2_OXYGEN) if oxygen > 0 else 0


def _look(value: float | None, limits: Limits) -> int | None:
    if value is None:
        return None
    for upper, score in limits:
        if value <= upper:
            return score
    return 0


def _number(values: Mapping[str, float | str | None], name: str) -> float | None:
    value = values.get(name)
    return None if isinstance(value, str | bool) or value is None else value
