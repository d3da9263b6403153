"""The last value of each thing measured: what it is called, how it is shown, and whether it is out of the ordinary. Pure.

Out of the ordinary is what the laboratory says (`interpretation`), else what lies outside the reference range that came
with the value, else NEWS2's own limits. Nothing is judged by limits of our own.
"""

from __future__ import annotations

from workspace.sdk import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Resource = dict[str, Any]

# title, codes (LOINC, NLK, SNOMED CT), unit shown (empty: as recorded), decimals
WANTED: tuple[tuple[str, tuple[str, ...], str, int | None], ...] = (
    ("NEWS2", ("1104051000000101",), " ", None),
    ("Vekt", ("29463-7", "27113001"), "kg", 1),
    ("CRP", ("1988-5", "NPU19748"), "mg/L", None),
    ("eGFR", ("62238-1", "NOR25909"), "ml/min", None),
    ("Temperatur", ("8310-5",), "°C", 1),
    ("Puls", ("8867-4",), "/min", None),
    ("Blodtrykk", ("85354-9",), "mmHg", None),
    ("Pust", ("9279-1",), "/min", None),
    ("SpO₂", ("2708-6", "59408-5"), "%", None),
    ("Hemoglobin", ("718-7", "NOR05172"), "g/dL", 1),
    ("Kalium", ("2823-3", "NPU03230"), "mmol/L", 1),
    ("Glukose", ("15074-8", "NPU02187"), "mmol/L", 1),
    ("INR", ("6301-6", "NPU01685"), " ", 1),
)
_ABNORMAL = {
    "H": "høy", "HH": "svært høy", "HU": "svært høy", "L": "lav", "LL": "svært lav", "LU": "svært lav", "A": "avvik",
    "AA": "kritisk avvik", "POS": "positiv", "1": "over", "2": "under", "3": "utenfor",
}  # fmt: skip


def latest(observations: Iterable[Resource]) -> Iterator[tuple[str, Resource, str, str]]:
    """(title, observation, value as shown, what is out of the ordinary) in the order of `WANTED`; the newest with a value
    of each. Entered in error, without time or without value: passed over."""
    usable = [one for one in observations if one.get("status") not in ("entered-in-error", "cancelled")]
    newest = record.newest(usable)
    for title, codes, unit, decimals in WANTED:
        for one in newest:
            if record.has_code(one, *codes):
                shown = show(one, unit, decimals)
                if shown:
                    yield title, one, shown, abnormal(one)
                    break


def show(one: Resource, unit: str, decimals: int | None) -> str:
    high, low = (record.value(record.component(one, code)) for code in ("8480-6", "8462-4"))
    if high is not None or low is not None:
        text = " / ".join(record.decimal(part) or "–" for part in (high, low))
    else:
        value = record.number(record.value(one))
        if value is None:
            return ""
        text = record.decimal(value, None if value == int(value) and decimals is None else decimals)
    return f"{comparator(one)}{text} {unit or record.unit(one)}".strip()


def comparator(one: Resource) -> str:
    sign = (one.get("valueQuantity") or {}).get("comparator")
    return f"{sign} " if sign else ""


def abnormal(one: Resource) -> str:
    """A word for it, or empty."""
    for held in one.get("interpretation") or []:
        for code in record.codes(held):
            if code in _ABNORMAL:
                return _ABNORMAL[code]
    value = record.number(record.value(one))
    if value is None:
        return ""
    if record.has_code(one, "1104051000000101"):
        return "høy" if value >= 5 else ""
    for held in one.get("referenceRange") or []:
        low = record.number((held.get("low") or {}).get("value"))
        high = record.number((held.get("high") or {}).get("value"))
        if low is not None and value < low:
            return "lav"
        if high is not None and value > high:
            return "høy"
    return ""


def source(one: Resource) -> str:
    """Where it was recorded and by whom: «Vitale målinger, Tone», «lab UNN»."""
    by = record.who(one)
    codes = {code for held in one.get("category") or [] if isinstance(held, dict) for code in record.codes(held)}
    if "laboratory" in codes:
        return by if by.lower().startswith("lab") else f"lab {by}".strip()
    first = by.split()[0] if by else ""
    return f"Vitale målinger, {first}" if first else "Vitale målinger"
