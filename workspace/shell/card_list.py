"""A sheet of cards, each with its buttons: drawn anew without losing the place, and asking before anything is discarded.

Keeps nothing but what is shown; what the buttons do is its owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRectF, Qt, QTimer
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workspace.shell.chips import PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.theme import Theme

Made = tuple[str, Callable[[], object], bool]
"""A button: its words, what it does, whether it is the main one."""


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


class CardList(Sheet):
    """`show_lines` with anything that has an `id`, a `panel` and a `who`; a subclass makes the `card` of one. `empty` is
    what is said when there are none."""

    empty = ""

    def __init__(self, theme: Theme, window: QWidget, title: str) -> None:
        super().__init__(theme, window, title)
        self._lines: Sequence[Any] = ()
        self._asking = ""

    def card(self, line: Any, buttons: list[PlainButton]) -> QWidget:
        raise NotImplementedError

    def show_lines(self, lines: Sequence[Any]) -> None:
        """Draw anew; the sheet may be open or not. The focus stays on the card it was on."""
        focus = self._window.focusWidget()
        within = focus is not None and self.isAncestorOf(focus)
        was = str(focus.property("about") or "") if focus is not None and within else ""
        self._lines = lines
        self.clear()
        self.say("" if lines else self.empty)
        buttons: list[PlainButton] = []
        for line in lines:
            card = self.card(line, buttons)
            self.inside.addWidget(card)
            card.setVisible(True)  # at once: what is to have the focus must stand
        self.inside.addStretch(1)
        if within and self.isVisible():
            same = [one for one in buttons if one.property("about") == was]
            # Asked whether to discard: Enter alone must not do it.
            to = same[-1] if same and was == self._asking else next(iter(same or buttons), self.shut)
            to.setFocus(Qt.FocusReason.OtherFocusReason)
            QTimer.singleShot(0, self, self._show_focus)

    def ask(self, own: str) -> None:
        """Whether to discard one, in its card; "" takes the question back."""
        self._asking = own
        self.show_lines(self._lines)

    def buttons(
        self, line: Any, made: Sequence[Made], discard: Callable[[], object], buttons: list[PlainButton]
    ) -> QHBoxLayout:
        """A card's row: `made`, or the question whether to `discard` for good."""
        row = QHBoxLayout()
        row.setContentsMargins(0, self.theme.px(4), 0, 0)
        if line.id == self._asking:
            row.addWidget(self.label("Forkaste for godt?", "medium"))
            made = [("Ja, forkast", discard, False), ("Behold", lambda: self.ask(""), True)]
        for text, do, primary in made:
            button = PlainButton(self.theme, text, primary=primary)
            button.setAccessibleName(f"{text}: {line.panel} {line.who}")
            button.setProperty("about", line.id)
            button.clicked.connect(lambda _on=False, do=do: do())
            button.installEventFilter(self)
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
            buttons.append(button)
        row.addStretch(1)
        return row

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(watched, PlainButton):  # of two quick clicks the second was meant for what stood here before
            return event.type() == QEvent.Type.MouseButtonDblClick
        return super().eventFilter(watched, event)

    def _show_focus(self) -> None:
        """What has the focus is in sight, once all of it has its place."""
        focus = self._window.focusWidget()
        if focus is not None and self._area.isAncestorOf(focus):
            self._area.ensureWidgetVisible(focus)
