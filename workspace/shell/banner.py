"""The one patient banner, owned by the shell: who this is, beyond doubt, and what must be known before anything is done.

Focus comes here when the patient changes, and the name is announced. Never shows a panel's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from workspace.shell.chips import Chip
from workspace.shell.kit import whence
from workspace.shell.kit.emptying import take_out
from workspace.shell.theme import Theme

EDGE = 6
FACTS = 30
"""The height of a line of facts below the name."""
WHY = "Hvorfor ser jeg dette?"


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
        self._stacked = False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._box = QHBoxLayout(self)
        self._box.setSpacing(6)
        self._measure()

    def _measure(self) -> None:
        self.setFixedHeight(self._theme.px(68 + (FACTS if self._stacked else 0)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._arrange()

    def say(self, text: BannerText) -> None:
        """Show another text; the same patient's newer facts included."""
        self._said = text
        while len(self._chips) > len(text.facts):
            chip = self._chips.pop()
            chip.hide()
            chip.deleteLater()
        self._clear()
        for index, (words, tone, shape) in enumerate(text.facts):
            if index < len(self._chips) and self._chips[index].text() == words:
                continue
            chip = Chip(self._theme, words, tone, shape)
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
        self._measure()
        self._arrange()
        self.update()

    def _clear(self) -> None:
        take_out(self._box)

    def _name_width(self) -> int:
        theme = self._theme
        first = theme.metrics("name").horizontalAdvance(f"{self._said.name} {self._said.born}")
        return max(first, theme.metrics("body").horizontalAdvance(self._said.line)) + theme.px(24)

    def _arrange(self) -> None:
        self._clear()
        theme = self._theme
        why = theme.metrics("medium").horizontalAdvance(self._said.why)
        left = EDGE + theme.px(16)
        facts = sum(chip.sizeHint().width() + self._box.spacing() for chip in self._chips)
        # Facts give way to nothing: where the text is large they have a line of their own.
        self._stacked = bool(facts) and left + self._name_width() + facts + theme.px(16) + why > self.width()
        self._measure()
        if self._stacked:
            self._box.setContentsMargins(left, theme.px(60), theme.px(16), theme.px(8))
        else:
            self._box.setContentsMargins(left + self._name_width(), 0, theme.px(16) + why, 0)
        for chip in self._chips:
            self._box.addWidget(chip)
            chip.show()
        self._box.addStretch(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), theme.color("surface"))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.color("line"))
        painter.fillRect(0, 0, EDGE, self.height(), theme.color(f"group{self._group}"))
        left = EDGE + theme.px(16)
        painter.setFont(theme.font("name"))
        painter.setPen(theme.color("text"))
        top = theme.px(9)
        painter.drawText(left, top, 9999, theme.px(26), Qt.AlignmentFlag.AlignVCenter, self._said.name)
        light = type(theme.font("name"))(theme.font("name"))
        light.setWeight(light.Weight.Normal)
        painter.setFont(light)
        painter.setPen(theme.color("muted"))
        beside = left + theme.metrics("name").horizontalAdvance(self._said.name + " ")
        painter.drawText(beside, top, 9999, theme.px(26), Qt.AlignmentFlag.AlignVCenter, self._said.born)
        painter.setFont(theme.font("body"))
        shown = self._why_fits()
        room = self.width() - left - theme.px(16)
        line = theme.metrics("body").elidedText(self._said.line, Qt.TextElideMode.ElideRight, room)
        painter.drawText(left, theme.px(36), 9999, theme.px(20), Qt.AlignmentFlag.AlignVCenter, line)
        if shown:
            self._paint_why(painter, top)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRect(self.rect().adjusted(EDGE + 1, 1, -1, -2))

    def _why_fits(self) -> bool:
        """Why one may see this stands beside the name, never over it; a screen reader has it all the same."""
        why = max(
            self._theme.metrics("medium").horizontalAdvance(self._said.why),
            self._theme.metrics("body").horizontalAdvance(WHY),
        )
        return EDGE + self._theme.px(32) + self._name_width() + why <= self.width()

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
