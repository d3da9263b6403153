"""The window's own top bar: search, sandbox mark, clock, unit and user. The status line has a module of its own.

Where the room is short each says what it must in fewer words, and in the end they stand behind one button: nothing is cut.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QKeySequence, QPainter, QPaintEvent, QPen, QResizeEvent, QShortcut
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLayout, QMenu, QSizePolicy, QWidget

from workspace.shell import icons
from workspace.shell.chips import Chip, PlainButton, SandboxMark, key_cap
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme

EDGE, SPACE = 16, 12
GATHERED = 5
"""The last of the steps in which the bar says less."""
DAYS = ("mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag", "søndag")


FIND = ("Finn beboer, panel eller handling", "Finn beboer", "Finn")
"""What is said in the search field, the most that there is room for."""


def day_and_time(moment: datetime) -> str:
    """«onsdag 14.01.2026 15:04»."""
    return f"{DAYS[moment.weekday()]} {moment:%d.%m.%Y %H:%M}"


class SearchButton(QAbstractButton):
    """Looks like a search field and opens the palette."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setText(FIND[0])
        self.setAccessibleName(f"{FIND[0]}, Ctrl K")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(380), self._theme.px(36))

    def wide(self, words: str, *, key: bool = True) -> int:
        """What it takes with `words` in it."""
        return (
            self._theme.px(35 + 12) + self._theme.metrics("body").horizontalAdvance(words) + (self._cap() if key else 0)
        )

    def minimumSizeHint(self) -> QSize:
        return QSize(self.wide(FIND[-1], key=False), self._theme.px(36))

    def _cap(self) -> int:
        return self._theme.metrics("key").horizontalAdvance("Ctrl K") + self._theme.px(22)

    def said(self) -> tuple[str, bool]:
        """The words there is room for, and whether the key has room beside them."""
        found = next((words for words in FIND if self.wide(words) <= self.width()), "")
        return found or FIND[-1], bool(found)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "line"), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("ground"))
        painter.drawRoundedRect(area, 8, 8)
        size = theme.px(16)
        icons.paint(
            painter, "search", theme.color("muted"), QRectF(theme.px(11), (self.height() - size) / 2, size, size)
        )
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font("body"))
        words, key = self.said()
        painter.drawText(self.rect().adjusted(theme.px(35), 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
        if key:
            key_cap(painter, theme, "Ctrl+K", self.width() - self._cap() + theme.px(2), self.height())


class UnitButton(QAbstractButton):
    """Where the user works now; opens the list of units she has responsibility for."""

    chosen = Signal(str)

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._units: list[tuple[str, str]] = []
        self._name, self._brief = "", False
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self._open)

    def set_units(self, units: Sequence[tuple[str, str]], current: str, home: str) -> None:
        """`units` are (reference, name)."""
        self._units = list(units)
        self._name = name = dict(units).get(current, "")
        self.setText(f"{home} · {name}" if name else home)
        self.setAccessibleName(f"Avdeling: {self.text()}. Trykk for å bytte.")
        self.setVisible(bool(self.text()))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def shorten(self, brief: bool) -> None:
        """Say the unit alone, without the home's name."""
        if brief != self._brief:
            self._brief = brief
            self.setToolTip(plain_tip(self.text()) if brief else "")
            self.updateGeometry()
            self.update()

    def _open(self) -> None:
        if len(self._units) < 2:
            return
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.offer(menu)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def offer(self, menu: QMenu) -> None:
        """Put the units she may go to into `menu`, when there are several."""
        for reference, name in self._units if len(self._units) > 1 else ():
            menu.addAction(name, partial(self.chosen.emit, reference))

    def sizeHint(self) -> QSize:
        return QSize(self.wide(self._brief), self._theme.px(26))

    def wide(self, brief: bool) -> int:
        """What it takes with the unit alone, or with the home before it."""
        return self._theme.metrics("pill").horizontalAdvance(self._said(brief)) + self._theme.px(36)

    def _said(self, brief: bool) -> str:
        return self._name if brief and self._name else self.text()

    def _opens(self) -> bool:
        return len(self._units) > 1

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.0, 1.0, -1.0, -1.0)
        painter.setPen(QPen(theme.color("focus" if self.hasFocus() else "line"), 2 if self.hasFocus() else 1))
        painter.setBrush(theme.color("hover" if self.underMouse() else "ground"))
        painter.drawRoundedRect(area, 5, 5)
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font("pill"))
        room = self.rect().adjusted(theme.px(9), 0, -theme.px(26), 0)
        words = theme.metrics("pill").elidedText(self._said(self._brief), Qt.TextElideMode.ElideRight, room.width())
        painter.drawText(room.adjusted(0, 0, 2, 0), Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, words)
        size = theme.px(12)
        if self._opens():
            spot = QRectF(self.width() - size - theme.px(7), (self.height() - size) / 2, size, size)
            icons.paint(painter, "chevron-down", theme.color("muted"), spot)


class Gathered(UnitButton):
    """The one button that clock, unit, user and sign-out stand behind where the bar has no room for them."""

    def __init__(self, theme: Theme, bar: TopBar) -> None:
        super().__init__(theme)
        self._bar = bar
        self.hide()

    def gather(self, user: str, told: Sequence[str]) -> None:
        """The letters of `user`'s name on it; `told` is what the menu says."""
        letters = "".join(part[0] for part in user.partition(" · ")[0].split()[:3])
        self.setText(letters.upper() or "…")
        self.setAccessibleName(f"{', '.join(told)}. Trykk for å bytte avdeling eller logge ut.")
        self.setToolTip(plain_tip("\n".join(told)))
        self.updateGeometry()
        self.update()

    def _opens(self) -> bool:
        return True

    def _open(self) -> None:
        menu = self.menu()
        menu.popup(self.mapToGlobal(self.rect().bottomRight()) - QPoint(menu.sizeHint().width(), 0))

    def menu(self) -> QMenu:
        """Who, where and when; the other units; and the way out. Ends when it is closed."""
        menu, bar = QMenu(self), self._bar
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for words in bar.told():
            menu.addAction(words).setEnabled(False)
        menu.addSeparator()
        bar.unit.offer(menu)
        menu.addSeparator()
        menu.addAction("Logg ut\tF12", bar.leave.click)
        return menu


class TopBar(QWidget):
    """Search, sandbox mark, day and time, unit, user, sign out."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.search = SearchButton(theme)
        self.mark = SandboxMark(theme)
        self.clock = Chip(theme)
        self.unit = UnitButton(theme)
        self.user = Chip(theme, tone="accent")
        self.leave = PlainButton(theme, "Logg ut", "F12")
        self.gathered = Gathered(theme, self)
        self._key = QShortcut(QKeySequence("F12"), self)  # a button that is not seen does not hear its own
        self._key.setEnabled(False)
        self._key.activated.connect(self.leave.click)
        self.mark.hide()
        box = QHBoxLayout(self)
        box.setContentsMargins(EDGE, 5, EDGE, 5)
        box.setSpacing(SPACE)
        box.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)  # it makes do with what it is given
        box.addWidget(self.search)
        box.addWidget(self.mark)
        box.addStretch(1)
        for widget in (self.clock, self.unit, self.user, self.leave, self.gathered):
            box.addWidget(widget)

    def set_time(self, moment: datetime) -> None:
        self.clock.set_text(day_and_time(moment))

    def told(self) -> list[str]:
        """Who is at work, where and when, in whole words."""
        return [words for words in (self.user.text(), self.unit.text(), self.clock.text()) if words]

    # --- room ---

    def minimumSizeHint(self) -> QSize:
        return QSize(1, super().minimumSizeHint().height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._fit()
        return super().event(event)

    def _fit(self) -> None:
        """In as many words as there is room for: first the clock says the time alone, then the unit stands without the
        home and the user without the role, the key goes from *Logg ut*, and last they are gathered behind one button."""
        level = next((one for one in range(GATHERED) if self._takes(one) <= self.width()), GATHERED)
        gathered = level == GATHERED
        time, user = self._brief_words()
        self.clock.shorten(time if level > 0 else "")
        self.unit.shorten(level > 1)
        self.user.shorten(user if level > 2 and user != self.user.text() else "")
        self.leave.show_key(level < 4)
        if gathered:
            self.gathered.gather(self.user.text(), self.told())
        fits = self._takes(GATHERED) <= self.width()
        self.clock.setVisible(bool(self.clock.text()) and (not gathered or fits))
        self.unit.setVisible(bool(self.unit.text()) and not gathered)
        self.user.setVisible(bool(self.user.text()) and not gathered)
        self.leave.setVisible(not gathered)
        self.gathered.setVisible(gathered)
        self._key.setEnabled(gathered)

    def _brief_words(self) -> tuple[str, str]:
        """Of the clock and of the user; that one works without the platform is not left out."""
        name, _, rest = self.user.text().partition(" · ")
        return self.clock.text().rpartition(" ")[2], name + (" · uten nett" if rest.endswith("uten nett") else "")

    def _takes(self, level: int) -> int:
        """Pixels in which the bar has room for all that it says at `level`."""
        time, user = self._brief_words()
        parts = [self.search.wide(FIND[0 if level < 3 else 1 if level < 4 else 2], key=level < GATHERED)]
        parts += [self.mark.sizeHint().width()] if not self.mark.isHidden() else []
        parts += [self.clock.wide(time if level > 0 else self.clock.text())] if self.clock.text() else []
        if level == GATHERED:
            parts.append(self.gathered.sizeHint().width())
        else:
            parts += [self.unit.wide(level > 1)] if self.unit.text() else []
            parts += [self.user.wide(user if level > 2 else self.user.text())] if self.user.text() else []
            parts.append(self.leave.wide(key=level < 4))
        return sum(parts) + SPACE * len(parts) + 2 * EDGE

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for widget in (self.search, self.mark, self.clock, self.unit, self.user, self.leave, self.gathered):
            widget.set_theme(theme)
        self._fit()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, self._theme.color("line"))
