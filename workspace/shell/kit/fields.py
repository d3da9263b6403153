"""Fields: a label above, a box with border, unit and focus ring around a frameless editor, words below.

The widget keeps nothing: what is typed goes to `env.typed` at once and comes back from `env.value`.
"""

from __future__ import annotations

import re
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPalette, QPen, QResizeEvent, QTextCursor
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QLineEdit, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Field, NumberField, PairField, TextArea, TextField
from workspace.shell.kit import when
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

RING = 3
NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)


def parse_number(text: str) -> int | float | str | None:
    """A number from Norwegian typing; the raw text while it is not one; None for nothing."""
    plain = "".join(text.split()).replace(",", ".").replace("−", "-")
    if not plain:
        return None
    if len(plain) > 12 or NUMBER.fullmatch(plain) is None:
        return text
    return float(plain) if "." in plain else int(plain)


def shown_number(value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return ""
    return "".join(when.number(value).split()) if isinstance(value, int | float) else str(value)


class Box(QWidget):
    """The painted box around an editor. `unit` stands at its right; the ring shows while the editor has focus."""

    def __init__(self, theme: Theme, editor: QWidget, unit: str = "") -> None:
        super().__init__()
        self._theme, self._editor, self._unit = theme, editor, unit
        self._wrong = False
        self._box = QHBoxLayout(self)
        self._box.addWidget(editor)
        self.setFocusProxy(editor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.set_theme(theme)

    def add(self, *widgets: QWidget) -> None:
        for widget in widgets:
            self._box.addWidget(widget)

    def set_unit(self, unit: str) -> None:
        if unit != self._unit:
            self._unit = unit
            self.set_theme(self._theme)

    def set_wrong(self, wrong: bool) -> None:
        if wrong != self._wrong:
            self._wrong = wrong
            self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        unit = theme.metrics("caption").horizontalAdvance(self._unit) + theme.px(10) if self._unit else 0
        edge = RING + 2  # the editor never paints over the border
        self._box.setContentsMargins(RING + theme.px(9), edge, RING + theme.px(8) + unit, edge)
        self._box.setSpacing(2)
        self.setFixedHeight(theme.control + 2 * RING)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = QRectF(self.rect()).adjusted(RING + 0.5, RING + 0.5, -RING - 0.5, -RING - 0.5)
        focus = self.window().focusWidget()
        focused = focus is not None and (focus is self._editor or self.isAncestorOf(focus)) and focus.hasFocus()
        if focused:
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(inner.adjusted(-2, -2, 2, 2), theme.field_radius + 2, theme.field_radius + 2)
        edge = theme.color("bad") if self._wrong else theme.color("focus" if focused else "line")
        painter.setPen(QPen(edge, 1))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(inner, theme.field_radius, theme.field_radius)
        if self._unit:
            painter.setPen(theme.color("faint"))
            painter.setFont(theme.font("caption"))
            room = self.rect().adjusted(0, 0, -RING - theme.px(9), 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self._unit)


class LineEdit(QLineEdit):
    """Frameless; tells its box when the focus comes and goes."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFrame(False)
        self.setTextMargins(0, 0, 0, 0)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumWidth(theme.px(24))
        self.dress(theme)

    def dress(self, theme: Theme) -> None:
        self.setFont(theme.font("body"))
        dressed = self.palette()
        dressed.setColor(QPalette.ColorRole.Base, theme.color("field"))
        dressed.setColor(QPalette.ColorRole.Text, theme.color("text"))
        dressed.setColor(QPalette.ColorRole.PlaceholderText, theme.color("faint"))
        self.setPalette(dressed)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._around()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._around()

    def _around(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            parent.update()


def retype(editor: QLineEdit, text: str) -> None:
    """Another text under the same caret."""
    caret, at_end = editor.cursorPosition(), editor.cursorPosition() == len(editor.text())
    editor.setText(text)
    seen = len(text) if at_end else min(caret, len(text))
    editor.setCursorPosition(seen if editor.hasFocus() else 0)  # a narrow box shows the first digits


class Labelled(QWidget):
    """A field's frame: label above, the box, and one line of words below when there are any."""

    def __init__(self, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self._label = QLabel(self)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        for label in (self._label, self._words):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._words.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addWidget(self._label)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def standing(self) -> int:
        """Pixels from the top to the bottom of the box: fields beside each other line up there."""
        item = self._column.itemAt(1)
        box = item.widget() if item is not None else None
        label = 0 if self._label.isHidden() else self._label.sizeHint().height() + self._column.spacing()
        return label + (max(box.sizeHint().height(), box.minimumHeight()) if box is not None else 0)

    def tick(self) -> None:
        """A minute has passed: the age of a pre-filled value has grown."""
        component = getattr(self, "_component", None) or getattr(self, "component", None)
        if getattr(component, "at", ""):
            self.set_component(component)

    def set_component(self, component: Any) -> None:
        """Draw `component` from now on; what is typed stays."""
        raise NotImplementedError

    def _hold(self, box: QWidget, editor: QWidget) -> None:
        self._column.addWidget(box, 1)
        self._column.addWidget(self._words)
        self._label.setBuddy(editor)

    def _describe(self, editor: QWidget, label: str, error: str, hint: str, required: bool = False) -> None:
        self._label.setText(label.replace("&", "&&"))  # a label with a buddy would underline what follows it
        self._label.setContentsMargins(RING, 0, 0, 0)
        self._words.setContentsMargins(RING, 0, 0, 0)
        self._ink(self._label, "label", "muted")
        self._ink(self._words, "caption", "bad" if error else "faint")
        words = error or hint
        self._words.setText(words)
        self._words.setVisible(bool(words))
        editor.setAccessibleName(label + (" (må fylles ut)" if required else ""))
        editor.setAccessibleDescription(words)

    def _ink(self, label: QLabel, role: Any, token: str) -> None:
        label.setFont(self._theme.font(role))
        dressed = label.palette()
        dressed.setColor(QPalette.ColorRole.WindowText, self._theme.color(token))
        label.setPalette(dressed)


def below(component: Field, env: Env) -> str:
    """What stands under a field without error: its hint, or where a pre-filled value comes from."""
    age = when.age(component.at, env.now()) if component.at else ""
    return " · ".join(part for part in (component.hint, component.source, age) if part)


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


class PairWidget(Labelled):
    """Two numbers read as one: `/` or space moves on, Backspace at an empty second goes back."""

    def __init__(self, component: PairField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.first, self.second = LineEdit(env.theme), LineEdit(env.theme)
        self._slash = QLabel("/")
        self._box = Box(env.theme, self.first, component.unit)
        self._box.add(self._slash, self.second)
        self._hold(self._box, self.first)
        self.setFocusProxy(self.first)
        for editor in (self.first, self.second):
            editor.installEventFilter(self)
        self.first.textEdited.connect(lambda text: self._edited(self._component.first.bind, text))
        self.second.textEdited.connect(lambda text: self._edited(self._component.second.bind, text))
        self.set_component(component)
        self.value_changed()

    def set_component(self, component: PairField) -> None:
        self._component = component
        self._measure()
        self._say()

    def _measure(self) -> None:
        """Three digits first, two at least after them; the unit only where there is room for it."""
        theme, unit = self._theme, self._component.unit or self._component.first.unit
        digit = theme.metrics("body").horizontalAdvance("0")
        self.first.setFixedWidth(3 * digit + 5)
        self.second.setMinimumWidth(2 * digit + 5)
        need = 5 * digit + 10 + theme.px(9 + 8 + 10) + 2 * RING + self._slash.sizeHint().width()
        fits = need + theme.metrics("caption").horizontalAdvance(unit) <= self.width() or not self.isVisible()
        self._box.set_unit(unit if fits else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def value_changed(self) -> None:
        for editor, part in ((self.first, self._component.first), (self.second, self._component.second)):
            wanted = self._env.value(part.bind)
            if parse_number(editor.text()) != wanted:
                retype(editor, shown_number(wanted))
        self._say()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.first.dress(theme)
        self.second.dress(theme)
        self._box.set_theme(theme)
        self._measure()
        self._say()

    def _edited(self, bind: str, text: str) -> None:
        self._env.typed(bind, parse_number(text))
        self._say()

    def _say(self) -> None:
        one = self._component
        wrong = one.error or one.first.error or one.second.error
        wrong = wrong or odd(parse_number(self.first.text()), one.first, self.first.hasFocus())
        wrong = wrong or odd(parse_number(self.second.text()), one.second, self.second.hasFocus())
        self._box.set_wrong(bool(wrong))
        self._ink(self._slash, "body", "faint")
        label = one.label or one.first.label
        self._describe(self.first, label, wrong, one.hint)
        self.first.setAccessibleName(one.first.label or label)
        self.second.setAccessibleName(one.second.label or label)
        self.second.setAccessibleDescription(wrong)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            if watched is self.first and event.text() in ("/", " ") and self.first.text():
                self.second.setFocus(Qt.FocusReason.TabFocusReason)
                self.second.selectAll()
                return True
            if watched is self.second and event.key() == Qt.Key.Key_Backspace and not self.second.text():
                self.first.setFocus(Qt.FocusReason.BacktabFocusReason)
                self.first.end(False)
                return True
        if event.type() == QEvent.Type.FocusOut:
            self._say()
        return super().eventFilter(watched, event)


class LineWidget(Labelled):
    """One line of text."""

    def __init__(self, component: TextField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.editor = LineEdit(env.theme)
        self._box = Box(env.theme, self.editor)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(lambda text: self._env.typed(self._component.bind, text or None))
        self.set_component(component)
        self.value_changed()

    def set_component(self, component: TextField) -> None:
        self._component = component
        self.editor.setPlaceholderText(component.placeholder)
        self._box.set_wrong(bool(component.error))
        self._describe(self.editor, component.label, component.error, below(component, self._env), component.required)

    def value_changed(self) -> None:
        wanted = str(self._env.value(self._component.bind) or "")
        if self.editor.text() != wanted:
            retype(self.editor, wanted)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self.set_component(self._component)


class Lines(QPlainTextEdit):
    """The editor of a text area. Tab leaves it: nobody indents a journal note."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setBackgroundVisible(False)
        self.document().setDocumentMargin(0)
        self.dress(theme)

    def dress(self, theme: Theme) -> None:
        self.setFont(theme.font("body"))
        dressed = self.palette()
        dressed.setColor(QPalette.ColorRole.Base, theme.color("field"))
        dressed.setColor(QPalette.ColorRole.Text, theme.color("text"))
        self.setPalette(dressed)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._around()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._around()

    def _around(self) -> None:
        parent = self.parentWidget()
        if parent is not None:
            parent.update()


class AreaBox(Box):
    """A box as tall as there is room."""

    def set_theme(self, theme: Theme) -> None:
        super().set_theme(theme)
        self.setMinimumHeight(0)
        self.setMaximumHeight(16_777_215)
        self._box.setContentsMargins(RING + theme.px(10), RING + theme.px(8), RING + theme.px(8), RING + theme.px(8))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)


class AreaWidget(Labelled):
    """Several lines; grows with the panel."""

    def __init__(self, component: TextArea, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self._component = component
        self.editor = Lines(env.theme)
        self._box = AreaBox(env.theme, self.editor)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._quiet = False
        self.set_component(component)
        self.value_changed()
        self.editor.document().clearUndoRedoStacks()  # Ctrl+Z never goes behind what was there at first
        self.editor.textChanged.connect(self._edited)

    def set_component(self, component: TextArea) -> None:
        self._component = component
        self.editor.setPlaceholderText(component.placeholder)
        self._box.set_wrong(bool(component.error))
        self.setMinimumHeight(self._tall(min(3, component.rows)))
        self._describe(self.editor, component.label, component.error, below(component, self._env), component.required)
        self._label.setVisible(bool(component.label) and component.slot == "body")

    def value_changed(self) -> None:
        wanted = str(self._env.value(self._component.bind) or "")
        if self.editor.toPlainText() == wanted:
            return
        start, end, middle = difference(self.editor.toPlainText(), wanted)
        hand = QTextCursor(self.editor.document())  # not the user's caret, which stays where it stands
        hand.setPosition(start)
        hand.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._quiet = True
        hand.insertText(middle)  # keeps Ctrl+Z, unlike setPlainText
        self._quiet = False

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self.set_component(self._component)

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(240), self._tall(max(2, self._component.rows)))

    def _tall(self, lines: int) -> int:
        return lines * self._theme.line_height() + self._theme.px(24 if self._label.isHidden() else 44)

    def _edited(self) -> None:
        if not self._quiet:
            self._env.typed(self._component.bind, self.editor.toPlainText() or None)


def difference(old: str, new: str) -> tuple[int, int, str]:
    """Where `old` differs from `new`: start and end in `old` (UTF-16 units, as Qt counts) and what stands there in `new`."""
    least = min(len(old), len(new))
    head = next((i for i in range(least) if old[i] != new[i]), least)
    tail = next((i for i in range(least - head) if old[-1 - i] != new[-1 - i]), least - head)
    return units(old[:head]), units(old[: len(old) - tail]), new[head : len(new) - tail]


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


WIDGETS: dict[str, type[QWidget]] = {
    "number-field": NumberWidget, "pair-field": PairWidget, "text-field": LineWidget, "text-area": AreaWidget,
}  # fmt: skip
