# Made from workspace/fhir/units.py by workspace.fhir.unit_source; change it there.
"""UCUM units: one spelling for each, so that ``10E9/L`` and ``10*9/L`` are one series, and a value in another unit than it
was recorded in: 154 lb is 69.85 kg, and 126 mg/dL of glucose (by its code) 6.99 mmol/L.

Exact within twelve digits. What cannot be turned into the unit asked for is None: then the value is shown as recorded,
never under another unit. Standard library only: `workspace.sdk.units` is a copy, made by `workspace.fhir.unit_source`.
"""

from __future__ import annotations

from workspace.sdk.unit_table import MOLAR, SPELLINGS, UNITS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

ALIASES = SPELLINGS
MASS, SUBSTANCE = "mass_concentration", "substance_concentration"
_UCUM = ("http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8", "")


def canonical(unit: str) -> str:
    """The UCUM spelling of `unit` (a code or what a lab printed); unknown ones are returned trimmed."""
    trimmed = unit.strip()
    found = ALIASES.get(trimmed)
    if found:
        return found
    # The micro sign and the Greek letter look alike and are both seen; UCUM writes "u".
    plain = trimmed.replace("\u00b5", "u").replace("\u03bc", "u")
    return ALIASES.get(plain, plain)


def unit_of(quantity: Mapping[str, Any]) -> str:
    """The UCUM spelling of a Quantity's unit: its code's, else its unit's as printed; "" when there is none."""
    code = quantity.get("code") if quantity.get("system", "") in _UCUM else None
    return canonical(str(code or quantity.get("unit") or ""))


def converted(value: float, unit: str, wanted: str, codes: Iterable[str] = ()) -> float | None:
    """`value` of `unit` in `wanted`; None when the one cannot be turned into the other. `codes` are those of what was
    measured (``15074-8``): with them mass and amount of substance are turned into each other."""
    own, other = canonical(unit), canonical(wanted)
    if own == other:
        return value
    here, there = _known(own), _known(other)
    if here is None or there is None:
        return None
    (kind, times, over, offset), (kind_there, times_there, over_there, offset_there) = here, there
    if kind == kind_there:
        turned = (float(value) + offset) * (times * over_there) / (over * times_there) - offset_there
    elif {kind, kind_there} == {MASS, SUBSTANCE}:
        molar = next((MOLAR[code] for code in codes if code in MOLAR), None)
        if molar is None:
            return None
        turned = float(value) * (times * over_there) / (over * times_there)
        turned = turned / molar if kind == MASS else turned * molar
    else:
        return None
    return float(f"{turned:.12g}")  # what binary fractions add: 38.00000000000001


def amount(quantity: Any, wanted: str, codes: Iterable[str] = ()) -> float | None:
    """The number of a Quantity in the unit `wanted`; None without a number, when it cannot be turned into that, and of a
    limit («< 5»): that is no number to reckon with."""
    return None if is_limit(quantity) else edge(quantity, wanted, codes)


def edge(quantity: Any, wanted: str, codes: Iterable[str] = ()) -> float | None:
    """`amount`, and of a limit its number too, for whoever shows its comparator beside it."""
    held = quantity.get("value") if isinstance(quantity, dict) else None
    if not isinstance(held, int | float) or isinstance(held, bool):
        return None
    return converted(held, unit_of(quantity), wanted, codes)


def is_limit(quantity: Any) -> bool:
    """Whether a Quantity has a comparator: then it says that the value is below or above its number."""
    return isinstance(quantity, dict) and bool(quantity.get("comparator"))


def rounded(value: float, before: float) -> float:
    """`value`, turned from `before`, without digits that nobody measured: as many as `before` had, four at least."""
    digits = len(f"{before:.12g}".strip("-0").replace(".", "").strip("0"))
    return float(f"{value:.{max(4, digits)}g}")


def _known(unit: str) -> tuple[str, int, int, float] | None:
    """With notes in braces left out (``{beats}/min``), unless the unit is known with them."""
    if unit and unit not in UNITS:
        while "{" in unit and "}" in unit.partition("{")[2]:
            before, _, after = unit.partition("{")
            unit = before + after.partition("}")[2]
        unit = unit or "1"
    return UNITS.get(unit)
