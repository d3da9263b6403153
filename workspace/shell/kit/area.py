"""The text area: several lines, in a box as tall as there is room."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFocusEvent, QPalette, QTextCursor
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QWidget

from workspace.panels.components import TextArea
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, below
from workspace.shell.kit.ink import RING
from workspace.shell.theme import Theme


class Lines(QPlainTextEdit):
    """The editor of a text area. Tab leaves it: nobody indents a journal note."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)  # lines are wrapped
        self.setBackgroundVisible(False)
        # The box paints what is behind the words; the viewport keeps the ground of the theme it was made under.
        self.viewport().setAutoFillBackground(False)
        self.document().setDocumentMargin(0)
        self.dress(theme)

    def dress(self, theme: Theme) -> None:
        self.setFont(theme.font("body"))
        self.viewport().setFont(
            self.font()
        )  # the placeholder's; it does not follow when the size changes while it stands
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
        wanted = str(self._env.value(self._component.bind) or "").replace("\r\n", "\n").replace("\r", "\n")
        if self.editor.toPlainText() == wanted:
            return
        start, end, middle = difference(self.editor.toPlainText(), wanted)
        hand = QTextCursor(self.editor.document())  # not the user's caret, which stays where it stands
        hand.setPosition(start)
        hand.setPosition(end, QTextCursor.MoveMode.KeepAnchor)
        self._quiet = True
        hand.insertText(middle)  # keeps Ctrl+Z, unlike setPlainText
        if not wanted:  # it was sent, or is no more: a key does not bring it back as if it were not
            self.editor.document().clearUndoRedoStacks()
        self._quiet = False

    def forget(self) -> None:
        self._component = TextArea(label="", bind="")
        self._quiet = True
        self.editor.clear()
        self._quiet = False
        self.editor.setPlaceholderText("")
        self._forget(self.editor)

    def renew(self, component: TextArea) -> None:
        self.set_component(component)
        self.value_changed()
        self.editor.document().clearUndoRedoStacks()

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


WIDGETS: dict[str, type[QWidget]] = {"text-area": AreaWidget}
