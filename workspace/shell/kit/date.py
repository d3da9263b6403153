"""The date field: a day in people's own words, a calendar on demand, and how near it is in words below."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from workspace.clock import OSLO
from workspace.panels.components import DateField
from workspace.shell.kit import days, when
from workspace.shell.kit.calendar import Calendar
from workspace.shell.kit.drop import Drop
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, below, retype
from workspace.shell.kit.opener import Opener
from workspace.shell.theme import Theme


class DateWidget(Labelled):
    """Up and Down move by a day, Alt+Down or F4 opens the calendar, leaving the field writes the day out."""

    opened = Signal(bool)

    def __init__(self, component: DateField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.editor = LineEdit(env.theme)
        self._box = Box(env.theme, self.editor)
        self._opener = Opener(env.theme, "calendar", "Åpne kalenderen (Alt+Pil ned)")
        self._opener.clicked.connect(self.open)
        self._box.add(self._opener)
        self._drop: Drop | None = None
        self._calendar: Calendar | None = None
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(self._edited)
        self.editor.installEventFilter(self)
        self.set_component(component)
        self.value_changed()

    def _today(self) -> date:
        return self._env.now().astimezone(OSLO).date()

    def day(self) -> date | None:
        """What stands in the field, if it is a day."""
        return days.parse_day(self.editor.text(), self._today())

    def set_component(self, component: DateField) -> None:
        self._component = component
        self.editor.setPlaceholderText("dd.mm.åååå")
        self._say()

    def value_changed(self) -> None:
        """The field's memory changed by something else than typing here."""
        wanted = self._env.value(self._component.bind)
        day = days.from_iso(wanted)
        if (day is not None and day == self.day()) or (day is None and (wanted or "") == self.editor.text()):
            self._say()
            return
        retype(self.editor, days.written(day) if day is not None else str(wanted or ""))
        self._say()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self._opener.set_theme(theme)
        if self._drop is not None:
            self._drop.hide()
            self._drop.set_theme(theme)
        self._say()

    def _edited(self, text: str) -> None:
        day = self.day()
        self._env.typed(self._component.bind, day.isoformat() if day is not None else (text.strip() or None))
        self._say()

    def choose(self, day: date) -> None:
        """A day from the calendar or an arrow."""
        self.editor.setText(days.written(day))
        self._edited(self.editor.text())

    def _beside(self, step: int) -> date:
        """The day after or before; today where none stands. The calendar's own ends stop it."""
        day = self.day()
        if day is None:
            return self._today()
        return date.fromordinal(min(date.max.toordinal(), max(1, day.toordinal() + step)))

    def _say(self) -> None:
        one, day, text = self._component, self.day(), self.editor.text().strip()
        wrong = one.error
        if not wrong and text and day is None and not self.editor.hasFocus():
            wrong = "Skriv en dato, for eksempel 14.01.2026 eller «i dag»"
        if not wrong and day is not None and not self.editor.hasFocus():
            wrong = self._odd(day)
        said = below(one, self._env)
        if day is not None:
            week, near = when.WEEKDAYS[day.weekday()], when.near(day, self._today())
            said = " · ".join(part for part in (f"{week}, {near}" if near else week, said) if part)
        self._box.set_wrong(bool(wrong))
        self._describe(self.editor, one.label, wrong, said, one.required)

    def _odd(self, day: date) -> str:
        low, high = days.from_iso(self._component.minimum), days.from_iso(self._component.maximum)
        if (low is None or day >= low) and (high is None or day <= high):
            return ""
        span = [f"fra {days.written(low)}" if low else "", f"til {days.written(high)}" if high else ""]
        return f"Uvanlig dato (ventet {' '.join(part for part in span if part)}). Sjekk før du lagrer."

    # --- the calendar ---------------------------------------------------------------------------------------

    def open(self) -> None:
        """The calendar under the box."""
        if self._drop is None or self._calendar is None:
            self._calendar = Calendar(self._theme, self._today())
            self._calendar.chosen.connect(self._picked)
            self._calendar.left.connect(self._leave)
            self._drop = Drop(self, self._theme, self._calendar)
        self._calendar.show_day(self._theme, self.day(), self._today())
        size = self._calendar.sizeHint()
        self._drop.show_at(self._box, size.width() + 8, size.height() + 8)
        self._calendar.setFocus(Qt.FocusReason.PopupFocusReason)
        self.opened.emit(True)

    def _picked(self, day: date) -> None:
        self.choose(day)
        self._leave()

    def _leave(self) -> None:
        if self._drop is not None and self._drop.isVisible():
            here = self._calendar is not None and self._calendar.hasFocus()
            self._drop.hide()
            if here:
                self.editor.setFocus(Qt.FocusReason.PopupFocusReason)
            self.opened.emit(False)

    @property
    def calendar(self) -> Calendar | None:
        """The calendar while it stands open."""
        return self._calendar if self._drop is not None and self._drop.isVisible() else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            down = event.key() == Qt.Key.Key_Down
            if event.key() == Qt.Key.Key_F4 or (down and event.modifiers() & Qt.KeyboardModifier.AltModifier):
                self.open()
                return True
            step = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self.choose(self._beside(step))
                return True
        if event.type() == QEvent.Type.FocusOut:
            day = self.day()
            if day is not None and self.editor.text() != days.written(day):
                self.editor.setText(days.written(day))
            self._say()
        elif event.type() == QEvent.Type.FocusIn:
            self._say()
        return super().eventFilter(watched, event)


WIDGETS: dict[str, type[QWidget]] = {"date-field": DateWidget}
