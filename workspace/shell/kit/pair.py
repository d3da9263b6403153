"""The pair field: two numbers read as one, such as blood pressure."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QWidget

from workspace.panels.components import NumberField, PairField
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, retype
from workspace.shell.kit.ink import RING
from workspace.shell.kit.number import odd, parse_number, shown_number
from workspace.shell.theme import Theme


class PairWidget(Labelled):
    """Two numbers read as one: `/` or space moves on, Backspace at an empty second goes back."""

    def __init__(self, component: PairField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.first, self.second = LineEdit(env.theme), LineEdit(env.theme)
        self._slash = QLabel("/")
        self._slash.setTextFormat(Qt.TextFormat.PlainText)
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
        need = 5 * digit + 10 + theme.px(9 + 8 + 2) + 2 * RING + self._slash.sizeHint().width()
        fits = need + theme.metrics("caption").horizontalAdvance(unit) <= self.width() or not self.isVisible()
        self._box.set_unit(unit if fits else "")

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        # The style sheet takes a label's own palette away when what it stands in moves to another parent.
        self._ink(self._slash, "body", "faint")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._measure()

    def value_changed(self) -> None:
        for editor, part in ((self.first, self._component.first), (self.second, self._component.second)):
            wanted = self._env.value(part.bind)
            if parse_number(editor.text()) != wanted:
                retype(editor, shown_number(wanted))
        self._say()

    def forget(self) -> None:
        none = NumberField(label="", bind="")
        self._component = PairField(first=none, second=none)
        self._forget(self.first, self.second)

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
        for editor, part in ((self.first, one.first), (self.second, one.second)):
            editor.setAccessibleName(", ".join(dict.fromkeys(said for said in (label, part.label) if said)))
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


WIDGETS: dict[str, type[QWidget]] = {"pair-field": PairWidget}
