"""What fields are made of: a label above, a box with border, unit and focus ring around a frameless editor, words below.

The widget keeps nothing: what is typed goes to `env.typed` at once and comes back from `env.value`.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QFocusEvent, QPainter, QPaintEvent, QPalette, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QLineEdit, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Field
from workspace.shell.kit import when
from workspace.shell.kit.arranger import Arranged
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


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

    @guarded
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

    def keeps_enter(self) -> bool:
        """Whether Enter is its own just now, and not the form's."""
        return False

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

    WIDE = 280

    def __init__(self, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self._label = QLabel(self)
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._label.setWordWrap(True)
        for label in (self._label, self._words):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._words.hide()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(1)
        self._column.addWidget(self._label)
        self._held: QWidget | None = None
        # Not Fixed: a label of two lines is taller than the hint, which knows no width.
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def standing(self, width: int) -> int:
        """Pixels from the top to the bottom of the box at this width: fields beside each other line up there."""
        box = self._held
        label = 0 if self._label.isHidden() else self._label.heightForWidth(width) + self._column.spacing()
        return label + (max(box.sizeHint().height(), box.minimumHeight()) if box is not None else 0)

    def sizeHint(self) -> QSize:
        """As wide as it is comfortable to read; narrower where there is no room, wider in a grid's cell or a row."""
        hint = super().sizeHint()
        return QSize(max(hint.width(), self._theme.px(self.WIDE)), hint.height())

    def tick(self) -> None:
        """A minute has passed: the age of a pre-filled value has grown."""
        component = getattr(self, "_component", None) or getattr(self, "component", None)
        if getattr(component, "at", ""):
            self.set_component(component)

    def set_component(self, component: Any) -> None:
        """Draw `component` from now on; what is typed stays."""
        raise NotImplementedError

    def settle(self) -> None:
        """How much room it takes is asked anew (`Container.settle`)."""
        if isinstance(self._held, Arranged):
            self._held.settle()
        self._column.invalidate()
        self.updateGeometry()

    def _forget(self, *editors: QWidget) -> None:
        """No words, and none that a screen reader would find in the editors."""
        for label in (self._label, self._words):
            label.clear()
        self._words.hide()
        for editor in editors:
            editor.setAccessibleName("")
            editor.setAccessibleDescription("")
            if isinstance(editor, QLineEdit):
                editor.setText("")  # and nothing to undo
                editor.setPlaceholderText("")

    def _hold(self, box: QWidget, editor: QWidget) -> None:
        self._held = box
        self._column.addWidget(box, 1)
        self._column.addWidget(self._words)
        for label in (self._label, self._words):
            upright = label.sizePolicy()
            upright.setVerticalPolicy(QSizePolicy.Policy.Minimum)
            label.setSizePolicy(upright)
        if box.sizePolicy().verticalPolicy() == QSizePolicy.Policy.Fixed:
            self._column.addStretch(0)
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
