"""The last value of each thing measured: what it is called, how it is shown, and whether it is out of the ordinary. Pure.

Out of the ordinary is what the laboratory says (`interpretation`), else what lies outside the reference range that came
with the value, else NEWS2's own limits. Nothing is judged by limits of our own.
"""

from __future__ import annotations

from workspace.sdk import record, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Resource = dict[str, Any]

# title, codes (LOINC, NLK, SNOMED CT), unit shown, decimals
WANTED: tuple[tuple[str, tuple[str, ...], str, int | None], ...] = (
    ("NEWS2", ("1104051000000101",), "{score}", None),
    ("Vekt", ("29463-7", "27113001"), "kg", 1),
    ("CRP", ("1988-5", "NPU19748"), "mg/L", None),
    ("eGFR", ("62238-1", "NOR25909"), "ml/min/1,73m2", None),
    ("Temperatur", ("8310-5", "276885007"), "°C", 1),
    ("Puls", ("8867-4", "364075005", "78564009"), "/min", None),
    ("Blodtrykk", ("85354-9", "75367002"), "mmHg", None),
    ("Pust", ("9279-1", "271625008", "86290005"), "/min", None),
    ("SpO₂", ("2708-6", "59408-5", "431314004"), "%", None),
    ("Hemoglobin", ("718-7", "NOR05172"), "g/dL", 1),
    ("Kalium", ("2823-3", "NPU03230"), "mmol/L", 1),
    ("Glukose", ("15074-8", "434912009", "NPU02187"), "mmol/L", 1),
    ("INR", ("6301-6", "NPU01685"), "1", 1),
)
LINES = {code: line for line, (_, codes, _, _) in enumerate(WANTED) for code in codes}
"""Which of them a code stands for."""
NOT_SHOWN = "kan ikke vises"
"""In place of a value whose meaning somebody has changed: the one before it is not the last."""
BARE = ("{score}", "1")
"""Units that are not written out."""
SYSTOLIC, DIASTOLIC = ("8480-6", "271649006", "4471000202106"), ("8462-4", "271650006", "4481000202108")
_ABNORMAL = {
    "H": "høy", "HH": "svært høy", "HU": "svært høy", "L": "lav", "LL": "svært lav", "LU": "svært lav", "A": "avvik",
    "AA": "kritisk avvik", "POS": "positiv", "1": "over", "2": "under", "3": "utenfor",
}  # fmt: skip


def latest(observations: Iterable[Resource]) -> Iterator[tuple[str, Resource, str, str]]:
    """(title, observation, value as shown, what is out of the ordinary) in the order of `WANTED`; the newest with a value
    of each. Entered in error, without time or without value: passed over."""
    usable = [one for one in observations if one.get("status") not in ("entered-in-error", "cancelled")]
    found: dict[int, tuple[Resource, str]] = {}
    for one in record.newest(usable):
        for line in {LINES[code] for code in record.codes(one) if code in LINES} - found.keys():
            _, _, unit, decimals = WANTED[line]
            shown = NOT_SHOWN if record.withheld(one) else show(one, unit, decimals)
            if shown:
                found[line] = one, shown
        if len(found) == len(WANTED):
            break
    for line in sorted(found):
        one, shown = found[line]
        yield WANTED[line][0], one, shown, abnormal(one)


def show(one: Resource, unit: str, decimals: int | None) -> str:
    """In `unit`; as recorded, with its own, where it cannot be turned into that."""
    parts = [component(one, codes) for codes in (SYSTOLIC, DIASTOLIC)]
    if any(record.value(part) is not None for part in parts):
        values = [in_unit(part, unit, decimals) for part in parts]
        if any(value is None and record.value(part) is not None for value, part in zip(values, parts, strict=True)):
            return " / ".join(recorded(part) or "–" for part in parts)
        said = (f"{comparator(part)}{record.decimal(value)}" for part, value in zip(parts, values, strict=True))
        return f"{' / '.join(one or '–' for one in said)} {unit}"
    value = in_unit(one, unit, decimals)
    if value is None:
        return recorded(one)
    text = record.decimal(value, None if value == int(value) and decimals is None else decimals)
    return f"{comparator(one)}{text} {'' if unit in BARE else unit}".strip()


def component(one: Resource, codes: tuple[str, ...]) -> Resource | None:
    return next((part for code in codes if (part := record.component(one, code)) is not None), None)


def in_unit(one: Resource | None, unit: str, decimals: int | None) -> float | None:
    """Its number in `unit`; None where there is none, or it cannot be turned into that. Rounded once: to `decimals` by
    whoever shows it, else here."""
    held = (one or {}).get("valueQuantity")
    value = record.number(held.get("value")) if isinstance(held, dict) else None
    found = units.edge(held, unit, record.codes(one))
    if found is None or value is None or found == value or decimals is not None:
        return found
    return units.rounded(found, value)


def recorded(one: Resource | None) -> str:
    value = record.value(one)
    said = str(value or "") if one is not None and comparator(one) else record.decimal(value)
    if not said:
        return ""
    unit = "" if record.unit(one) in BARE else record.unit(one)
    return f"{said} {unit}".strip()


def comparator(one: Resource | None) -> str:
    sign = ((one or {}).get("valueQuantity") or {}).get("comparator")
    return f"{sign} " if sign else ""


def abnormal(one: Resource) -> str:
    """A word for it, or empty."""
    if record.withheld(one):
        return "har et ukjent forbehold"
    for held in one.get("interpretation") or []:
        for code in record.codes(held):
            if code in _ABNORMAL:
                return _ABNORMAL[code]
    held = one.get("valueQuantity")
    sign = comparator(one).strip()
    value = record.number(held.get("value") if sign and isinstance(held, dict) else record.value(one))
    if value is None:
        return ""
    if record.has_code(one, "1104051000000101"):
        return "høy" if value >= 5 and not sign.startswith("<") else ""
    for limits in one.get("referenceRange") or []:
        low, high = (limit(held, limits.get(name), record.codes(one)) for name in ("low", "high"))
        # What is below its number may lie anywhere below it: it is surely low, never high; and the other way round.
        if low is not None and (value < low or (sign == "<" and value == low)) and not sign.startswith(">"):
            return "lav"
        if high is not None and (value > high or (sign == ">" and value == high)) and not sign.startswith("<"):
            return "høy"
    return ""


def limit(held: Any, edge: Any, codes: set[str]) -> float | None:
    """An edge of a reference range in the unit of the value itself; None where they cannot be compared. An edge without a
    unit is in the value's own (R4, *Observation.referenceRange*)."""
    number = record.number((edge or {}).get("value"))
    if number is None or not isinstance(held, dict) or not (edge.get("unit") or edge.get("code")):
        return number
    return units.amount(edge, units.unit_of(held), codes)


def source(one: Resource) -> str:
    """Where it was recorded and by whom: «Vitale målinger, Tone», «lab UNN»."""
    by = record.who(one)
    codes = {code for held in one.get("category") or [] if isinstance(held, dict) for code in record.codes(held)}
    if "laboratory" in codes:
        return by if by.lower().startswith("lab") else f"lab {by}".strip()
    first = by.split()[0] if by else ""
    return f"Vitale målinger, {first}" if first else "Vitale målinger"
