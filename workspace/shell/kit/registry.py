"""Every component kind and the widget that draws it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workspace.panels.components import ChoiceField, Component, Field, PairField, Row
from workspace.shell.kit import (
    access,
    area,
    button,
    card,
    check,
    choice,
    code,
    containers,
    date,
    empty,
    expander,
    failed,
    grid,
    heading,
    icon,
    items,
    line,
    menu,
    notice,
    number,
    pair,
    pending,
    picture,
    pill,
    progress,
    row,
    section,
    space,
    sparkline,
    table,
    tabs,
    text,
    time,
    timeline,
    trend,
    unknown,
)

MODULES = (
    containers, row, grid, section, card, tabs, expander, space, heading, text, pill, icon, notice, empty, pending, failed,
    unknown, progress, sparkline, picture, table, items, timeline, trend, number, pair, line, area, date, time, check,
    choice, code, button, menu,
)  # fmt: skip


def registry() -> dict[str, type[QWidget]]:
    """Every component kind and its widget."""
    access.install()
    found: dict[str, type[QWidget]] = {}
    for module in MODULES:
        found |= module.WIDGETS
    return found


def make_of(component: Component) -> tuple[object, ...]:
    """What a component's widget is built of: the kind, and a few properties that decide it. A field belongs to its bind: of
    what was typed in one, and can be undone there, nothing is ever another's."""
    if isinstance(component, Row):
        return (Row, component.wrap)
    if isinstance(component, ChoiceField):
        return (ChoiceField, component.style, component.multiple, component.slot, component.bind)
    if isinstance(component, PairField):
        return (PairField, component.first.bind, component.second.bind)
    if isinstance(component, Field):
        return (type(component), component.bind)
    return (type(component),)
