"""Every component kind and the widget that draws it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workspace.panels.components import ChoiceField, Component, Row
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


def same_make(old: Component, new: Component) -> bool:
    """Whether the widget of `old` can become that of `new`: a few properties decide what a widget is built of."""
    if isinstance(old, Row) and isinstance(new, Row):
        return old.wrap == new.wrap
    if isinstance(old, ChoiceField) and isinstance(new, ChoiceField):
        return old.style == new.style and old.multiple == new.multiple
    return type(old) is type(new)
