"""The code field: a search in a code list. Filters what it has while the user types, and lets the panel bring more."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, QObject, QRect, QSize, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import CodeField, Option
from workspace.shell.kit.access import Role, Spoken, announce
from workspace.shell.kit.drop import Drop
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, below
from workspace.shell.kit.opener import Opener
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme

SHOWN = 8
MOST = 200
"""Matches kept at most: who needs more types another letter."""
ASK_AFTER_MS = 150


def code_of(option: Option) -> str:
    return option.code or option.value


def shown(option: Option) -> str:
    return option.label if code_of(option) in option.label.split() else f"{code_of(option)} {option.label}".strip()


def matching(options: list[Option], text: str) -> list[Option]:
    """Options whose code begins with `text`, then those whose words begin with each of its words, then the rest that
    have them anywhere; in their own order within each."""
    words = text.casefold().split()
    if not words:
        return options[:MOST]
    ranked: tuple[list[Option], list[Option], list[Option]] = ([], [], [])
    for option in options:
        code, said = code_of(option).casefold(), f"{option.label} {option.hint}".casefold()
        starts = said.replace("-", " ").split()
        if len(words) == 1 and code.startswith(words[0]):
            ranked[0].append(option)
        elif all(any(one.startswith(word) for one in (*starts, code)) for word in words):
            ranked[1].append(option)
        elif all(word in said or word in code for word in words):
            ranked[2].append(option)
    return [option for rank in ranked for option in rank][:MOST]


class Matches(QWidget):
    """The list that drops down: code, words, hint. The editor keeps the focus; this follows."""

    def __init__(self, field: CodeWidget, theme: Theme) -> None:
        super().__init__()
        self._field, self._theme = field, theme
        self.options: list[Option] = []
        self.words = ""
        self.row = -1
        self.top = 0
        self.spoken = Spoken(Role.List)
        self.setAccessibleName("Treff")
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_options(self, theme: Theme, options: list[Option], words: str, row: int) -> None:
        self._theme, self.options, self.words = theme, options, words
        self.go(row)

    def go(self, row: int) -> None:
        self.row = min(row, len(self.options) - 1)
        fits = self._fits()
        if self.row >= 0:
            self.top = min(max(self.top, self.row - fits + 1), self.row)
        self.top = max(0, min(self.top, len(self.options) - fits))
        self.update()

    def _line(self) -> int:
        return self._theme.px(30)

    def _fits(self) -> int:
        return max(1, min(SHOWN, (self.height() - self._foot()) // self._line()) if self.height() > 40 else SHOWN)

    def _foot(self) -> int:
        return self._theme.px(24) if self.words else 0

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(280), min(SHOWN, len(self.options)) * self._line() + self._foot() + 4)

    def at(self, y: float) -> int:
        row = self.top + int(y // self._line())
        return row if 0 <= row < min(len(self.options), self.top + self._fits()) else -1

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = self.at(event.position().y())
        if row >= 0 and row != self.row:
            self.row = row
            self.update()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.at(event.position().y())
        if row >= 0:
            self._field.choose(self.options[row])

    def wheelEvent(self, event: Any) -> None:
        step = -1 if event.angleDelta().y() > 0 else 1
        self.top = max(0, min(self.top + step, len(self.options) - self._fits()))
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        line, middle = self._line(), Qt.AlignmentFlag.AlignVCenter
        for place, option in enumerate(self.options[self.top : self.top + self._fits()]):
            area = QRect(0, place * line, self.width(), line)
            if self.top + place == self.row:
                painter.fillRect(area, theme.color("selection"))
            left = theme.px(8)
            code = code_of(option)
            if code != option.label:
                painter.setFont(theme.font("strong"))
                painter.setPen(theme.color("text"))
                wide = max(theme.px(52), theme.metrics("strong").horizontalAdvance(code) + theme.px(8))
                painter.drawText(QRect(left, area.top(), wide, line), middle, code)
                left += wide
            painter.setFont(theme.font("body"))
            painter.setPen(theme.color("text"))
            words = option.label + (f"  {option.hint}" if option.hint else "")
            room = self.width() - left - theme.px(8)
            elided = theme.metrics("body").elidedText(words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(QRect(left, area.top(), room + 2, line), middle, elided)
        if self.words:
            top = min(self._fits(), len(self.options)) * line
            painter.setFont(theme.font("caption"))
            painter.setPen(theme.color("muted"))
            painter.drawText(QRect(theme.px(8), top, self.width(), self._foot()), middle, self.words)


class CodeEdit(LineEdit):
    """Enter belongs to the list while it stands open."""

    list_open = False

    def keeps_enter(self) -> bool:
        return self.list_open


class CodeWidget(Labelled):
    """Typing filters; Down opens the list and goes through it, Enter chooses, Escape leaves it as it was, an emptied field
    chooses nothing."""

    WIDE = 480

    def __init__(self, component: CodeField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self._component = component
        self._chosen: Option | None = None
        self._typing = False
        self.editor = CodeEdit(env.theme)
        self._box = Box(env.theme, self.editor)
        self._opener = Opener(env.theme, "search", "Søk")
        self._opener.clicked.connect(self._press)
        self._box.add(self._opener)
        self._matches: Matches | None = None
        self._drop: Drop | None = None
        self._ask = QTimer(self)
        self._ask.setSingleShot(True)
        self._ask.setInterval(ASK_AFTER_MS)
        self._ask.timeout.connect(self._asked)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(self._edited)
        self.editor.installEventFilter(self)
        self.set_component(component)
        self.value_changed()

    # --- the component --------------------------------------------------------------------------------------

    def set_component(self, component: CodeField) -> None:
        self._component = component
        self.editor.setPlaceholderText(component.placeholder or "Søk på kode eller ord")
        self._say()
        if not self._typing:
            self.value_changed()
        elif self.is_open():
            self._show(keep=True)

    def value_changed(self) -> None:
        value = self._env.value(self._component.bind)
        if value is None or value == "":
            self._chosen = None
        elif self._chosen is None or self._chosen.value != value or self._known(value) is not None:
            self._chosen = self._known(value) or Option(value=str(value), label=str(value))
        if not self._typing:
            wanted = shown(self._chosen) if self._chosen is not None else ""
            if self.editor.text() != wanted:
                self.editor.setText(wanted)
                self.editor.setCursorPosition(0)

    def _known(self, value: Any) -> Option | None:
        return next((option for option in self._component.options if option.value == value), None)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.close_list()
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self._opener.set_theme(theme)
        if self._drop is not None:
            self._drop.set_theme(theme)
        self._say()

    def _say(self) -> None:
        one = self._component
        wrong = one.error
        if not wrong and self._typing and not self.editor.hasFocus():
            wrong = "Velg en av kodene i listen"
        self._box.set_wrong(bool(wrong))
        self._describe(self.editor, one.label, wrong, below(one, self._env), one.required)

    # --- typing ---------------------------------------------------------------------------------------------

    def _edited(self, text: str) -> None:
        self._typing = bool(text.strip())
        self._say()
        if self._typing:
            self._show()
        else:
            self._chosen = None
            self._env.typed(self._component.bind, None)
            self.close_list()
        if self._component.search:
            self._ask.start()

    def _asked(self) -> None:
        """What is typed, to the panel that searches."""
        self._env.typed(self._component.search, self.editor.text().strip() or None if self._typing else None)

    def choose(self, option: Option) -> None:
        self._typing = False
        self._chosen = option
        self._ask.stop()
        self.close_list()
        self.editor.setText(shown(option))
        self._env.typed(self._component.bind, option.value)
        self._say()

    def _cancel(self) -> None:
        self._typing = False
        self._ask.stop()
        self.close_list()
        self.value_changed()
        self._say()

    # --- the list -------------------------------------------------------------------------------------------

    def is_open(self) -> bool:
        return self._drop is not None and self._drop.isVisible()

    @property
    def matches(self) -> list[Option]:
        """What the open list shows."""
        return list(self._matches.options) if self._matches is not None and self.is_open() else []

    def _press(self) -> None:
        self.editor.setFocus(Qt.FocusReason.MouseFocusReason)
        self._show()

    def _show(self, *, keep: bool = False) -> None:
        if self._drop is None or self._matches is None:
            self._matches = Matches(self, self._theme)
            self._drop = Drop(self, self._theme, self._matches)
        one, text = self._component, self.editor.text() if self._typing else ""
        found = matching(one.options, text)
        if one.searching:
            words = "Søker …"
        elif not found:
            words = one.empty
        else:
            words = f"Viser {MOST} første. Skriv mer." if len(found) == MOST else ""
        row = self._matches.row if keep and 0 <= self._matches.row < len(found) else (0 if found else -1)
        if not self._typing and self._chosen is not None:
            row = next((i for i, option in enumerate(found) if option.value == self._chosen.value), row)
        self._matches.show_options(self._theme, found, words, row)
        hint = self._matches.sizeHint()
        self._drop.show_at(self._box, max(self._box.width(), hint.width()), hint.height() + 8)
        self._matches.go(row)
        self.editor.list_open = bool(found)
        self._tell()

    def close_list(self) -> None:
        self.editor.list_open = False
        if self._drop is not None:
            self._drop.hide()

    def _step(self, by: int) -> None:
        if self._matches is None or not self.is_open():
            self._show()
            return
        self._matches.go(max(0, self._matches.row + by))
        self._tell()

    def _tell(self) -> None:
        """The option under the keyboard, for screen readers."""
        if self._matches is None:
            return
        count, row = len(self._matches.options), self._matches.row
        said = self._matches.words if row < 0 else f"{shown(self._matches.options[row])}, {row + 1} av {count}"
        self.editor.setAccessibleDescription(said)
        announce(self.editor, said)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and self._key(Qt.Key(event.key())):
            return True
        if event.type() == QEvent.Type.FocusOut:
            self.close_list()
            only = matching(self._component.options, self.editor.text()) if self._typing else []
            if len(only) == 1 and code_of(only[0]).casefold() == self.editor.text().strip().casefold():
                self.choose(only[0])  # a code typed in full needs no list
            self._say()
        return super().eventFilter(watched, event)

    def _key(self, key: Qt.Key) -> bool:
        if key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self._step(1 if key == Qt.Key.Key_Down else -1)
            return True
        if key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageUp) and self.is_open():
            self._step(SHOWN if key == Qt.Key.Key_PageDown else -SHOWN)
            return True
        if key == Qt.Key.Key_Escape and (self.is_open() or self._typing):
            self._cancel()
            return True
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.is_open() and self._matches is not None:
            if self._matches.row >= 0:
                self.choose(self._matches.options[self._matches.row])
            return True
        return False


WIDGETS: dict[str, type[QWidget]] = {"code-field": CodeWidget}
