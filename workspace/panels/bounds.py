"""Numbers that a toolkit can draw: what a panel's component may ask for in columns, lines, levels and values.

Types alone let a panel ask for 10¹² columns, and a number that does not fit the toolkit's own ends the shell, not the panel.
Never changes a component: what is out of bounds is refused, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from workspace.panels.components import ChoiceField, Component, NumberField, PairField, Table, Trend

HEAVIEST = 5_000
"""Of one tree, by `WEIGHTS`: about half a second of drawing on a ward's PC, in which no key is answered."""
WEIGHTS = {
    "section": 3, "card": 3, "notice": 3, "failed": 3, "expander": 3, "button": 3, "menu": 3, "trend": 4, "tabs": 4,
    "list": 8, "timeline": 8, "check-field": 5, "text-field": 7, "number-field": 7, "date-field": 8, "time-field": 8,
    "choice-field": 8, "code-field": 8, "pair-field": 10, "text-area": 12, "table": 29, "picture": 4,
}  # fmt: skip
"""Tenths of a millisecond that a component costs to draw, as measured; what is not here costs one."""
MAX_CHOICES, MAX_CHIPS = 2_000, 100
LARGEST = 1e12
"""Of any value that is drawn or compared: far beyond every clinical unit, and safe in all arithmetic on pixels."""
WHOLE = {
    "span": (1, 24), "columns": (1, 24), "level": (1, 6), "lines": (1, 60), "rows": (1, 60), "decimals": (0, 9),
    "limit": (0, 10_000), "hours": (0, 24 * 366 * 10),
}  # fmt: skip
"""Least and most of whole numbers, by property."""


def weight(components: Iterable[Component]) -> int:
    """What a tree of these costs to draw."""
    return sum(WEIGHTS.get(component.kind, 1) for component in components)


def fault(component: Component) -> str:
    """What is out of bounds, in English for the vendor; "" when all is well."""
    for part, path in _parts(component):
        for name, (least, most) in WHOLE.items():
            value = getattr(part, name, None)
            if isinstance(value, int) and not least <= value <= most:
                return f"{path}{name}: {_short(value)} is not within {least}–{most}"
    if isinstance(component, ChoiceField):
        most = MAX_CHOICES if component.style == "menu" else MAX_CHIPS
        if len(component.options) > most:
            return f"options: {len(component.options)} of them; as {component.style} the limit is {most}"
    for value, path in _values(component):
        if value is not None and not -LARGEST <= value <= LARGEST:
            return f"{path}: {_short(value)} is not within ±{LARGEST:.0e}"
    return ""


def _parts(component: Component) -> Iterator[tuple[Any, str]]:
    yield component, ""
    if isinstance(component, PairField):
        yield component.first, "first."
        yield component.second, "second."
    if isinstance(component, Table):
        for number, column in enumerate(component.columns):
            yield column, f"columns[{number}]."


def _values(component: Component) -> Iterator[tuple[float | None, str]]:
    if isinstance(component, Trend):
        for series in component.series:
            for _, value in series.points:
                yield value, f"series «{series.key}»"
        for band in component.bands:
            yield band.low, "bands"
            yield band.high, "bands"
    for part, path in _parts(component):
        if isinstance(part, NumberField):
            yield part.minimum, f"{path}minimum"
            yield part.maximum, f"{path}maximum"


def _short(value: float) -> str:
    return f"{value:.3g}" if abs(value) < 1e300 else "a number of hundreds of digits"
