"""What waits for the platform, and what it did not take: each with who, what, why, and the ways on.

Shows items of the outbox as they are told to it; sends, forgets and fetches nothing itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from workspace.shell.chips import Chip, PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.theme import Theme

SHOWN = 9
STATES = {
    "venter": ("Venter", "warn", "dot"),
    "konflikt": ("Konflikt", "bad", "diamond"),
    "avvist": ("Ikke lagret", "bad", "up"),
}
EMPTY = "Alt er lagret. Her ser du det som venter når plattformen er borte, og det den ikke tok imot."


@dataclass(frozen=True, slots=True)
class Line:
    """One transaction. `panel` and `who` in words; `lines` what it holds; `why` the reason and what to do."""

    id: str
    state: str
    panel: str
    who: str
    made: str
    lines: Sequence[str]
    why: str = ""
    patient: str = ""


class UnsentSheet(Sheet):
    """`retryAsked`, `openAsked` and `forgetAsked` carry the item's id."""

    retryAsked = Signal(str)
    openAsked = Signal(str)
    forgetAsked = Signal(str)

    def __init__(self, theme: Theme, window: QWidget) -> None:
        super().__init__(theme, window, "Det som ikke er lagret ennå")

    def show_lines(self, lines: Sequence[Line]) -> None:
        """Draw anew; the sheet may be open or not."""
        self.clear()
        self.say("" if lines else EMPTY)
        for line in lines:
            self.inside.addWidget(self._card(line))
        self.inside.addStretch(1)

    def _card(self, line: Line) -> QWidget:
        card = Card(self.theme)
        words, tone, shape = STATES.get(line.state, (line.state, "neutral", "none"))
        head = QHBoxLayout()
        head.addWidget(Chip(self.theme, words, tone, shape))
        head.addWidget(self.label(f"{line.panel} · {line.who}" if line.who else line.panel, "medium"), 1)
        box = QVBoxLayout(card)
        pad = self.theme.px(14)
        box.setContentsMargins(pad, self.theme.px(12), pad, self.theme.px(12))
        box.setSpacing(self.theme.gap("xs"))
        box.addLayout(head)
        for text in line.lines[:SHOWN]:
            box.addWidget(self.label(text))
        if len(line.lines) > SHOWN:
            box.addWidget(self.label(f"og {len(line.lines) - SHOWN} til", "caption", "muted"))
        if line.why:
            box.addWidget(self.label(line.why, "body", "bad" if line.state != "venter" else "muted"))
        box.addWidget(self.label(line.made, "caption", "muted"))
        box.addLayout(self._buttons(line))
        card.setAccessibleName(f"{words}. {line.panel} {line.who}. {'. '.join(line.lines)}. {line.why}")
        return card

    def _buttons(self, line: Line) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(0, self.theme.px(4), 0, 0)
        made: list[tuple[str, Signal, bool]] = []
        if line.state != "venter":
            made.append(("Åpne i skjemaet", self.openAsked, True))
            made.append(("Send på nytt", self.retryAsked, False))
            made.append(("Forkast", self.forgetAsked, False))
        for text, signal, primary in made:
            button = PlainButton(self.theme, text, primary=primary)
            button.setAccessibleName(f"{text}: {line.panel} {line.who}")
            button.clicked.connect(lambda _on=False, s=signal, name=line.id: s.emit(name))
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch(1)
        return row


class Card(QWidget):
    """A hairline around what belongs together."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.setBrush(self._theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 10, 10)
