"""The one patient banner, owned by the shell: who this is, beyond doubt, and what must be known before anything is done.

Focus comes here when the patient changes, and the name is announced. Never shows a panel's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from PySide6.QtCore import QPoint, QRect, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QAccessibleEvent,
    QContextMenuEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.shell.chips import Chip
from workspace.shell.fonts import Role
from workspace.shell.kit import whence
from workspace.shell.kit.opener import Opener
from workspace.shell.kit.wrapping import wrapped
from workspace.shell.theme import Theme

EDGE = 6
FACTS = 30
"""The height of a line of facts below the name."""
TOP, NAME, LINE, BOTTOM = 9, 26, 20, 6
"""Above the name, a line of it, a line of what is below it, and below all."""
SHARE = 0.45
"""Of the page: a banner that would take more says what is below the name when it is asked."""
GAP = 6
WHY = "Hvorfor ser jeg dette?"
MORE, LESS = "Vis alt om beboeren", "Vis mindre"


@dataclass(frozen=True, slots=True)
class BannerText:
    """What the banner says. `facts` are (text, tone, shape), most urgent first."""

    name: str
    born: str = ""  # «86 år · f. 09.05.1939», or «alder ukjent»
    line: str = ""  # national number, room, contacts
    facts: Sequence[tuple[str, str, str]] = ()
    why: str = ""  # «Du har vakt på Havblikk til 22:30»
    about: str = ""  # ``Patient/<id>``
    sources: Sequence[str] = ()  # what each fact stands in (``Type/id``), "" where nothing says it


class More(Opener):
    """Shows all that the banner says, and as much of it as before."""

    def __init__(self, theme: Theme, icon: str, name: str) -> None:
        super().__init__(theme, icon, name)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self.hasFocus():
            painter = QPainter(self)
            painter.setPen(QPen(self._theme.color("focus"), 2))
            painter.drawRect(self.rect().adjusted(1, 1, -1, -1))


class Banner(QWidget):
    """One context group's banner, with the group's colour as its left edge. `originAsked` a ``Type/id`` and where on the
    screen it is shown."""

    originAsked = Signal(str, object)

    def __init__(self, theme: Theme, group: int = 1) -> None:
        super().__init__()
        self._theme = theme
        self._group = group
        self._said = BannerText("")
        self._chips: list[Chip] = []
        self._rows: list[int] = []  # how many facts stand in each line below the name; none where they stand beside it
        self._opened = self._brief = False
        self._sight = 0
        self._more = More(theme, "chevron-down", MORE)
        self._more.setParent(self)
        self._more.hide()
        self._more.clicked.connect(self._toggle)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._measure()

    def _measure(self) -> None:
        self.setFixedHeight(self._theme.px(max(0 if self._brief else 68, self._whole())))

    def _whole(self) -> int:
        """How high all is that stands in it, at 100 %."""
        facts = FACTS * len(self._rows)
        return self._below_name() + LINE * len(self._lines()) + BOTTOM + (7 if not self._rows else 0) + facts

    def _below_name(self) -> int:
        return (TOP // 2 if self._brief else TOP) + NAME * len(self._names())

    def set_sight(self, height: int) -> None:
        """How high the page is that it stands on, in pixels."""
        if height != self._sight:
            self._sight = height
            self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()

    def say(self, text: BannerText) -> None:
        """Show another text; the same patient's newer facts included."""
        self._opened = self._opened and text.about == self._said.about
        self._said = text
        while len(self._chips) > len(text.facts):
            chip = self._chips.pop()
            chip.hide()
            chip.deleteLater()
        for index, (words, tone, shape) in enumerate(text.facts):
            if index < len(self._chips) and self._chips[index].text() == words:
                continue
            chip = Chip(self._theme, words, tone, shape)
            chip.setParent(self)
            if index < len(self._chips):
                self._chips[index].hide()
                self._chips[index].deleteLater()
                self._chips[index] = chip
            else:
                self._chips.append(chip)
        self._arrange()
        self.setAccessibleName(self.spoken())
        self.update()

    def spoken(self) -> str:
        """What a screen reader hears when the patient changes."""
        facts = ", ".join(words for words, _, _ in self._said.facts)
        why = "" if self._why_fits() else self._said.why
        return ". ".join(
            part for part in (f"Beboer {self._said.name} {self._said.born}", self._said.line, facts, why) if part
        )

    def announce(self) -> None:
        """Take the focus and tell assistive technology who this is."""
        self.setFocus(Qt.FocusReason.OtherFocusReason)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    # --- where it comes from ---

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        whence.by_mouse(self, event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if whence.is_key(event):
            whence.open_menu(self, None)
            return
        super().keyPressEvent(event)

    def offers(self, spot: QPoint | None) -> Sequence[whence.Offer]:
        said = self._said
        told = [whence.Offer(name, words) for (words, _, _), name in zip(said.facts, said.sources, strict=False)]
        own = whence.Offer(said.about, said.name)
        if spot is None:
            return [own, *told]
        here = next((at for at, chip in enumerate(self._chips) if chip.geometry().contains(spot)), None)
        return [own] if here is None else told[here : here + 1]

    def offered_at(self) -> QRect:
        return QRect(EDGE, 0, self.width() - EDGE, self.height())

    def ask_origin(self, reference: str, area: QRect) -> None:
        self.originAsked.emit(reference, area)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for chip in self._chips:
            chip.set_theme(theme)
        self._more.set_theme(theme)
        self._arrange()
        self.update()

    # --- room ---

    def _toggle(self) -> None:
        self._opened = not self._opened
        self._arrange()
        self.update()

    def _left(self) -> int:
        return EDGE + self._theme.px(16)

    def _room(self) -> int:
        return self.width() - self._left() - self._theme.px(16)

    def _role(self) -> Role:
        return "heading" if self._brief else "name"

    def _names(self) -> list[str]:
        """Name and birth on one line, or the birth below where there is no room beside."""
        said = self._said
        beside = self._theme.metrics(self._role()).horizontalAdvance(f"{said.name} {said.born}") <= self._room()
        return [said.name] if beside or not said.born else [said.name, said.born]

    def _lines(self) -> tuple[str, ...]:
        """What stands below the name: one line, or all of it when that is asked for."""
        theme, said, room = self._theme, self._said, self._room()
        if not self._hides():
            return (said.line,)
        if not self._opened and self._brief:
            return ()
        if not self._opened:
            short = room - self._more.sizeHint().width() - theme.px(6)
            return (theme.metrics("body").elidedText(said.line, Qt.TextElideMode.ElideRight, short),)
        found = list(wrapped(theme, "body", said.line, room - self._more.sizeHint().width() - theme.px(6), 6))
        for words in self._too_long():
            found += wrapped(theme, "body", words, room, 6)
        if said.why and not self._why_fits():
            found += wrapped(theme, "body", f"{WHY} {said.why}", room, 3)
        return tuple(found)

    def _too_long(self) -> list[str]:
        """Facts that have not room enough on a line of their own."""
        return [chip.text() for chip in self._chips if chip.sizeHint().width() > self._room()]

    def _hides(self) -> bool:
        """Whether not all of it has room on its line."""
        over = self._brief or self._theme.metrics("body").horizontalAdvance(self._said.line) > self._room()
        return over or bool(self._too_long()) or bool(self._said.why and not self._why_fits())

    def _name_width(self) -> int:
        theme = self._theme
        first = theme.metrics(self._role()).horizontalAdvance(f"{self._said.name} {self._said.born}")
        return max(first, theme.metrics("body").horizontalAdvance(self._said.line)) + theme.px(24)

    def _arrange(self) -> None:
        """Facts give way to nothing: where the text is large they have lines of their own, as many as it takes."""
        self._brief, theme = False, self._theme
        left, widths = self._left(), [chip.sizeHint().width() for chip in self._chips]
        why = theme.metrics("medium").horizontalAdvance(self._said.why)
        beside = left + self._name_width() + sum(widths) + GAP * len(widths) + theme.px(16) + why <= self.width()
        self._rows = [] if beside or not widths else _in_rows(widths, self._room())
        opened, self._opened = self._opened, False
        self._brief = bool(self._sight) and theme.px(self._whole()) > SHARE * self._sight
        if self._brief and widths:
            last = self._more.sizeHint().width()  # as if it were one more
            self._rows = _in_rows([*widths, last], self._room())
            self._rows[-1] -= 1
        self._opened = opened
        self._measure()
        below = self._below_name() + LINE * len(self._lines())
        spots, x, y = iter(self._chips), left + self._name_width(), (self.height() - theme.px(24)) // 2
        for row, many in enumerate(self._rows or [len(widths)]):
            if self._rows:
                x, y = left, theme.px(below + 4 + FACTS * row)
            for chip in islice(spots, many):
                size = chip.sizeHint()
                chip.setGeometry(x, y, min(size.width(), self.width() - x), size.height())
                chip.show()
                x += size.width() + GAP
        self._place_more(
            self._below_name() if self._lines() or not self._rows else below + FACTS * (len(self._rows) - 1)
        )

    def _place_more(self, line: int) -> None:
        """At the end of the line below the name, or of the last facts: those leave room for it."""
        theme, size = self._theme, self._more.sizeHint()
        self._more.setVisible(self._hides())
        self._more.set_icon("chevron-up" if self._opened else "chevron-down", LESS if self._opened else MORE)
        top = theme.px(line) + (theme.px(LINE if self._lines() else FACTS) - size.height()) // 2
        self._more.setGeometry(self.width() - theme.px(16) - size.width(), top, size.width(), size.height())

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
        painter.fillRect(0, 0, EDGE, self.height(), theme.color(f"group{self._group}"))
        top = self._paint_name(painter)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("muted"))
        for number, line in enumerate(self._lines()):
            spot = theme.px(top + 1 + LINE * number)
            painter.drawText(self._left(), spot, 9999, theme.px(LINE), Qt.AlignmentFlag.AlignVCenter, line)
        if self._why_fits() and not self._brief:
            self._paint_why(painter, theme.px(TOP))
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRect(self.rect().adjusted(EDGE + 1, 1, -1, -2))

    def _paint_name(self, painter: QPainter) -> int:
        """The name and when they were born; where the next line begins, at 100 %."""
        theme, names, left, role = self._theme, self._names(), self._left(), self._role()
        tall, side = theme.px(NAME), Qt.AlignmentFlag.AlignVCenter
        top = self._below_name() - NAME * len(names)
        painter.setFont(theme.font(role))
        painter.setPen(theme.color("text"))
        name = theme.metrics(role).elidedText(self._said.name, Qt.TextElideMode.ElideRight, self._room())
        painter.drawText(left, theme.px(top), 9999, tall, side, name)
        light = type(theme.font(role))(theme.font(role))
        light.setWeight(light.Weight.Normal)
        painter.setFont(light)
        painter.setPen(theme.color("muted"))
        beside = theme.metrics(role).horizontalAdvance(self._said.name + " ") if len(names) == 1 else 0
        line = theme.px(top + NAME * (len(names) - 1))
        painter.drawText(left + beside, line, 9999, tall, side, self._said.born)
        return top + NAME * len(names)

    def _why_fits(self) -> bool:
        """Why one may see this stands beside the name, never over it; a screen reader has it all the same."""
        why = max(
            self._theme.metrics("medium").horizontalAdvance(self._said.why),
            self._theme.metrics("body").horizontalAdvance(WHY),
        )
        return len(self._names()) == 1 and EDGE + self._theme.px(32) + self._name_width() + why <= self.width()

    def _paint_why(self, painter: QPainter, top: int) -> None:
        if not self._said.why:
            return
        theme = self._theme
        side = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
        room = self.rect().adjusted(0, 0, -theme.px(16), 0)
        painter.setFont(theme.font("body"))
        painter.setPen(theme.color("muted"))
        painter.drawText(room.left(), top, room.width(), theme.px(26), side, WHY)
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("text"))
        painter.drawText(room.left(), theme.px(36), room.width(), theme.px(20), side, self._said.why)


def _in_rows(widths: Sequence[int], room: int) -> list[int]:
    """How many of `widths` stand in each row of `room` pixels, in their order."""
    rows, left = [0], room
    for width in widths:
        if rows[-1] and width > left:
            rows.append(0)
            left = room
        rows[-1] += 1
        left -= width + GAP
    return rows
