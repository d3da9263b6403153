"""The time field: a time of day on the 24-hour clock, «nå» among the words it knows."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from workspace.clock import OSLO
from workspace.panels.components import TimeField
from workspace.shell.kit import days
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, below, retype
from workspace.shell.kit.opener import Opener
from workspace.shell.theme import Theme

NOW = ("nå", "n", "no")
STEP = 5


class TimeWidget(Labelled):
    """Up and Down move by five minutes; the clock at the end of the box, or the word «nå», is now."""

    def __init__(self, component: TimeField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.editor = LineEdit(env.theme)
        self._box = Box(env.theme, self.editor)
        self._opener = Opener(env.theme, "clock", "Sett til nå")
        self._opener.clicked.connect(lambda: self.choose(self._now()))
        self._box.add(self._opener)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(self._edited)
        self.editor.installEventFilter(self)
        self.set_component(component)
        self.value_changed()

    def _now(self) -> str:
        return f"{self._env.now().astimezone(OSLO):%H:%M}"

    def clock(self) -> str | None:
        """What stands in the field as «15:04», if it is a time."""
        text = self.editor.text().strip().casefold()
        return self._now() if text in NOW else days.parse_clock(text)

    def set_component(self, component: TimeField) -> None:
        self._component = component
        self.editor.setPlaceholderText("tt:mm")
        self._say()

    def value_changed(self) -> None:
        """The field's memory changed by something else than typing here."""
        wanted = str(self._env.value(self._component.bind) or "")
        if wanted not in (self.clock(), self.editor.text()):
            retype(self.editor, wanted)
        self._say()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self._opener.set_theme(theme)
        self._say()

    def choose(self, clock: str) -> None:
        self.editor.setText(clock)
        self._edited(clock)

    def _edited(self, text: str) -> None:
        if text.strip().casefold() == NOW[0]:
            self.editor.setText(self._now())
        self._env.typed(self._component.bind, self.clock() or self.editor.text().strip() or None)
        self._say()

    def _say(self) -> None:
        one, typing = self._component, self.editor.hasFocus()
        wrong = one.error
        if not wrong and not typing and self.editor.text().strip() and self.clock() is None:
            wrong = "Skriv et klokkeslett, for eksempel 15:04 eller «nå»"
        self._box.set_wrong(bool(wrong))
        self._describe(self.editor, one.label, wrong, below(one, self._env), one.required)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Up: STEP, Qt.Key.Key_Down: -STEP}.get(Qt.Key(event.key()))
            if step is not None:
                clock = self.clock()
                self.choose(days.shifted(clock, step) if clock is not None else self._now())
                return True
        if event.type() == QEvent.Type.FocusOut:
            clock = self.clock()
            if clock is not None and self.editor.text() != clock:
                self.choose(clock)
            self._say()
        elif event.type() == QEvent.Type.FocusIn:
            self._say()
        return super().eventFilter(watched, event)


WIDGETS: dict[str, type[QWidget]] = {"time-field": TimeWidget}
