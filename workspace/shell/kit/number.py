"""The number field: Norwegian typing, steps with the arrows, a warning outside what is plausible."""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from workspace.fhir import json
from workspace.panels.components import NumberField
from workspace.shell.kit import when
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, below, retype
from workspace.shell.theme import Theme

NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def parse_number(text: str) -> int | float | str | None:
    """A number from Norwegian typing, with the digits it was typed with (38,60); the raw text while it is not one; None for
    nothing."""
    plain = "".join(text.split()).replace(",", ".").replace("−", "-")
    if not plain:
        return None
    if len(plain) > 12 or NUMBER.fullmatch(plain) is None:
        return text
    if "." not in plain:
        return int(plain)
    try:
        return json.number(plain)
    except ValueError:  # +38,6 and 07,5 are no numbers in JSON
        return float(plain)


def shown_number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return "".join(when.number(value).split()) if isinstance(value, int | float) else str(value)


class NumberWidget(Labelled):
    """Decimal comma or point. Outside what is plausible it warns, and lets the user go on (law 8)."""

    def __init__(self, component: NumberField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.editor = LineEdit(env.theme)
        self._box = Box(env.theme, self.editor, component.unit)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(self._edited)
        self.editor.installEventFilter(self)
        self.set_component(component)
        self.value_changed()

    def set_component(self, component: NumberField) -> None:
        self._component = component
        self.editor.setPlaceholderText(component.placeholder)
        self._box.set_unit(component.unit)
        self._say()

    def value_changed(self) -> None:
        """The field's memory changed by something else than typing here."""
        wanted = self._env.value(self._component.bind)
        if parse_number(self.editor.text()) != wanted:
            retype(self.editor, shown_number(wanted))
        self._say()

    def forget(self) -> None:
        self._component = NumberField(label="", bind="")
        self._forget(self.editor)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self._say()

    def _edited(self, text: str) -> None:
        self._env.typed(self._component.bind, parse_number(text))
        self._say()

    def _say(self) -> None:
        one = self._component
        wrong = one.error or odd(parse_number(self.editor.text()), one, self.editor.hasFocus())
        self._box.set_wrong(bool(wrong))
        self._describe(self.editor, one.label, wrong, below(one, self._env), one.required)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
            value = parse_number(self.editor.text())
            if step and isinstance(value, int | float):
                step_size = 10.0**-self._component.decimals
                moved = round(value + step * step_size, self._component.decimals)
                self.editor.setText(shown_number(int(moved) if self._component.decimals == 0 else moved))
                self._edited(self.editor.text())
                return True
        if event.type() == QEvent.Type.FocusOut:
            self._say()
        return super().eventFilter(watched, event)


def odd(value: Any, one: NumberField, typing: bool) -> str:
    """Why a value looks wrong, in words; "" while it may still become right."""
    if value is None:
        return ""
    if isinstance(value, str):
        return "" if typing and value.strip()[-1:] in ",.-" else "Skriv et tall, for eksempel 38,6"
    if typing and one.maximum is not None and value <= one.maximum:
        return ""  # 11 may be on its way to 112
    if (one.minimum is not None and value < one.minimum) or (one.maximum is not None and value > one.maximum):
        low, high = shown_number(one.minimum), shown_number(one.maximum)
        span = f"{low}–{high}" if low and high else (f"minst {low}" if low else f"høyst {high}")
        return f"Uvanlig verdi (ventet {span}). Sjekk før du lagrer."
    return ""


WIDGETS: dict[str, type[QWidget]] = {"number-field": NumberWidget}
