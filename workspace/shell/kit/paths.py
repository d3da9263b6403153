"""Element paths on FHIR resources, for tables and trends that are bound to a watch. Pure; never raises on odd data.

A path is names joined by points. `[0]` takes an item, `[code]` the item whose coding, code or component has that code;
a list without brackets means its first item. ``effective[x]`` and ``value[x]`` take whichever type there is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from workspace.fhir import units
from workspace.fhir.codes import equal
from workspace.shell.kit.when import number

STEP = re.compile(r"(?P<name>[A-Za-z]+)(?:\[(?P<key>[^\]]+)\])?")
TYPED = ("DateTime", "Period", "Instant", "Quantity", "CodeableConcept", "String", "Integer", "Boolean", "Time")


def at(resource: Any, path: str) -> Any:
    """The value at `path`, or None. Dicts of code, quantity or period come back whole."""
    value = resource
    for step in path.split("."):
        match = STEP.fullmatch(step)
        if match is None or not isinstance(value, dict):
            return None
        value = _step(value, match["name"], match["key"])
        if value is None:
            return None
    return value[0] if isinstance(value, list) and value else (None if value == [] else value)


def _step(value: dict[str, Any], name: str, key: str | None) -> Any:
    if key == "x":
        return next((value[name + kind] for kind in TYPED if name + kind in value), None)
    found = value.get(name)
    if key is None:
        return found[0] if isinstance(found, list) and found else found
    if not isinstance(found, list):
        return None
    if key.isdigit() and len(key) < 3:
        return found[int(key)] if int(key) < len(found) else None
    return next((item for item in found if key in codes(item)), None)


def codes(item: Any) -> set[str]:
    """Every code an item carries: its own, its codings', its `code`'s codings'."""
    if not isinstance(item, dict):
        return set()
    concept = item.get("code")
    found = {concept} if isinstance(concept, str) else set()
    for holder in (item, concept if isinstance(concept, dict) else {}):
        found |= {
            c["code"] for c in holder.get("coding") or () if isinstance(c, dict) and isinstance(c.get("code"), str)
        }
    return found


def carries(item: dict[str, Any], wanted: frozenset[str]) -> bool:
    """Whether one of `wanted` is among the item's `codes`: asked of each of some hundred rows for each curve."""
    concept = item.get("code")
    if isinstance(concept, str) and concept in wanted:
        return True
    for holder in (item, concept):
        if isinstance(holder, dict):
            for coding in holder.get("coding") or ():
                code = coding.get("code") if isinstance(coding, dict) else None
                if isinstance(code, str) and code in wanted:
                    return True
    return False


def text(value: Any) -> str:
    """A short text for any value: a concept's text or display, a quantity with unit, a reference's display, yes or no."""
    if isinstance(value, bool):
        return "ja" if value else "nei"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, dict):
        amount = value.get("value")
        if isinstance(amount, int | float) and not isinstance(amount, bool):
            unit = value.get("unit") or value.get("code") or ""
            return f"{value.get('comparator') or ''} {number(amount)} {unit}".strip()
        coding = next((c for c in value.get("coding") or () if isinstance(c, dict)), {})
        for found in (
            value.get("text"),
            value.get("display"),
            coding.get("display"),
            value.get("value"),
            coding.get("code"),
        ):
            if found is not None:
                return str(found)
        return ""
    return "" if value is None else str(value)


def when(resource: dict[str, Any]) -> str:
    """The clinical instant of a resource: effective, performed, authored, date, recorded, onset; else last updated."""
    for name in (
        "effective[x]",
        "performed[x]",
        "authoredOn",
        "date",
        "recordedDate",
        "onset[x]",
        "issued",
        "meta.lastUpdated",
    ):
        found = at(resource, name)
        if isinstance(found, dict):
            found = found.get("end") or found.get("start")
        if isinstance(found, str):
            return found
    return ""


@dataclass(slots=True)
class Reading:
    """What a resource says of one curve: when, the Quantity and its codes; and its number in the units it was asked in."""

    instant: str
    quantity: dict[str, Any]
    about: set[str]
    amounts: dict[str, float | None] = field(default_factory=dict)

    def amount(self, unit: str) -> float | None:
        """The number in `unit`, without digits that nobody measured; None when it cannot be turned into that, and of a
        limit («< 5»): that is no point of a curve."""
        if unit not in self.amounts:
            value, before = units.amount(self.quantity, unit, self.about), self.quantity["value"]
            self.amounts[unit] = value if value is None or value == before else units.rounded(value, before)
        return self.amounts[unit]


Curve = tuple[str, str]
"""A code, and the component's in it."""


class Readings:
    """What was read the last time: when one of some hundred resources is another, one is read. `begin` each time."""

    def __init__(self) -> None:
        self._before: dict[tuple[int, Curve], tuple[dict[str, Any], Reading | None]] = {}
        self._now = dict(self._before)

    def begin(self) -> None:
        self._before, self._now = self._now, {}

    def of(self, resource: dict[str, Any], curve: Curve) -> Reading | None:
        key = id(resource), curve
        held = self._before.get(key)
        if held is None or held[0] is not resource:
            held = resource, _read(resource, equal(curve[0]), equal(curve[1]) if curve[1] else None)
        self._now[key] = held
        return held[1]


def points(
    resources: Iterable[dict[str, Any]], code: str, component: str = "", unit: str = "", seen: Readings | None = None
) -> tuple[list[tuple[str, float]], list[tuple[str, str, bool]]]:
    """(instant, value in `unit`) of the observations with `code` or one that means the same (or their `component`), oldest
    first, those in error left out; and (instant, words, whether it is a limit) of limits («< 5») and of those in units that
    cannot be turned into it, as recorded. Without `unit` the newest one's holds."""
    seen, curve = seen or Readings(), (code, component)
    read = [one for resource in resources if (one := seen.of(resource, curve)) is not None]
    read.sort(key=lambda one: one.instant)
    shown = unit or (units.unit_of(read[-1].quantity) if read else "")
    known: list[tuple[str, float]] = []
    others: list[tuple[str, str, bool]] = []
    for one in read:
        amount = one.amount(shown)
        if amount is None:
            others.append((one.instant, text(one.quantity), units.is_limit(one.quantity)))
        else:
            known.append((one.instant, amount))
    return known, others


def _read(resource: dict[str, Any], wanted: frozenset[str], parts: frozenset[str] | None) -> Reading | None:
    if not carries(resource, wanted) or resource.get("status") == "entered-in-error":
        return None
    holder = _part(resource, parts) if parts is not None else resource
    quantity = holder.get("valueQuantity") if isinstance(holder, dict) else None
    instant = when(resource)
    if not isinstance(quantity, dict) or not instant:
        return None
    value = quantity.get("value")
    known = isinstance(value, int | float) and not isinstance(value, bool)
    return Reading(instant, quantity, codes(holder)) if known else None


def _part(resource: dict[str, Any], wanted: frozenset[str]) -> Any:
    held = resource.get("component")
    parts = [one for one in held if isinstance(one, dict)] if isinstance(held, list) else []
    return next((one for one in parts if carries(one, wanted)), None)


def in_unit(resource: dict[str, Any], path: str, unit: str, decimals: int | None) -> tuple[str, float | None] | None:
    """The number at `path` when it is a Quantity's: as shown in `unit` ("": its own, unsaid), a limit with its comparator,
    and the number to sort by. In a unit that cannot be turned into that it is shown as recorded, with none. None for numbers
    that are no Quantity's."""
    above, dot, last = path.rpartition(".")
    quantity = at(resource, above) if dot and last == "value" else None
    if not isinstance(quantity, dict) or not isinstance(quantity.get("value"), int | float):
        return None
    sign = quantity.get("comparator") or ""
    if not unit:
        return f"{sign} {number(quantity['value'], decimals)}".strip(), float(quantity["value"])
    holder = at(resource, above.rpartition(".")[0]) if "." in above else resource
    value = units.edge(quantity, unit, codes(holder) | codes(resource))
    if value is None:
        return text(quantity), None
    before = quantity["value"]
    if decimals is None and value != before:
        value = units.rounded(value, before)
    return f"{sign} {number(value, decimals)} {unit}".strip(), float(value)
