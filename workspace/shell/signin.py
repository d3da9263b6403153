"""The page before the work: start-up with progress, *Logg inn*, and plain words when something is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QRectF, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPalette, QPen, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from workspace.problem import Problem
from workspace.shell.chips import PlainButton, SandboxMark
from workspace.shell.fonts import Role
from workspace.shell.kit.squeezed import Scrolled, Squeezed
from workspace.shell.theme import Theme

if TYPE_CHECKING:
    from workspace.shell.without import WithoutBox

WIDTH, EDGE = 420, 20
"""The card's width where there is room, and what is left beside it where there is not."""


class ProgressBar(QWidget):
    """A thin bar; `share` None means that nobody knows how long."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._share: float | None = 0.0
        self.setFixedHeight(6)

    def set_share(self, share: float | None) -> None:
        self._share = share
        self.setAccessibleName(f"{round(100 * share)} prosent" if share is not None else "Arbeider")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self._theme.color("line"))
        painter.drawRoundedRect(self.rect(), 3, 3)
        share = 0.12 if self._share is None else max(0.02, min(1.0, self._share))
        painter.setBrush(self._theme.color("accent"))
        painter.drawRoundedRect(QRectF(0, 0, self.width() * share, self.height()), 3, 3)


class Card(QWidget):
    """The calm surface in the middle."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.setBrush(self._theme.color("surface"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 12, 12)


class SignInPage(QWidget):
    """`signInAsked` and `retryAsked` are the user's. Scrolls where text is large and the window small; what has the focus
    is always in sight."""

    signInAsked = Signal()
    retryAsked = Signal()
    cancelAsked = Signal()
    offlineAsked = Signal(str, str)
    """A vault's id and its person's PIN."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._without: WithoutBox | None = None
        self._card = Card(theme)
        self._mark = SandboxMark(theme)
        self._mark.hide()
        self._title, self._words, self._advice = QLabel("Klinisk arbeidsflate"), QLabel(), QLabel()
        self._bar = ProgressBar(theme)
        self._go = PlainButton(theme, "Logg inn", "Enter", primary=True)
        self._again = PlainButton(theme, "Prøv igjen", primary=True)
        self._cancel = PlainButton(theme, "Avbryt")
        self._go.clicked.connect(self.signInAsked.emit)
        self._again.clicked.connect(self.retryAsked.emit)
        self._cancel.clicked.connect(self.cancelAsked.emit)
        self._build()
        self.set_theme(theme)
        self.starting("Starter …", None)

    def _build(self) -> None:
        for label in (self._words, self._advice):
            label.setWordWrap(True)
        top = QHBoxLayout()
        top.addWidget(self._title)
        top.addStretch(1)
        top.addWidget(self._mark)
        keys = QHBoxLayout()
        for widget in (self._go, self._again, self._cancel):
            keys.addWidget(widget)
        keys.addStretch(1)
        inside = self._inside = QVBoxLayout(self._card)
        inside.setContentsMargins(28, 26, 28, 24)
        inside.setSpacing(12)
        inside.addLayout(top)
        inside.addWidget(self._words)
        inside.addWidget(self._advice)
        inside.addWidget(self._bar)
        inside.addLayout(keys)
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self._card)
        row.addStretch(1)
        content = Squeezed()
        box = QVBoxLayout(content)
        box.addStretch(2)
        box.addLayout(row)
        box.addStretch(3)
        self._scroll(content)

    def _scroll(self, content: QWidget) -> None:
        area = self._area = Scrolled(content)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
        area.verticalScrollBar().rangeChanged.connect(self._see)
        QApplication.instance().focusChanged.connect(self._see)  # type: ignore[union-attr]

    def _see(self) -> None:
        """What has the focus is in sight, once all has its place."""
        QTimer.singleShot(0, self, self._scroll_to)

    def _scroll_to(self) -> None:
        here = self.focusWidget()
        if here is not None and self._area.isAncestorOf(here):
            self._area.ensureWidgetVisible(here, EDGE, self._theme.px(EDGE))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._narrow()

    def _narrow(self) -> None:
        """The card as wide as it may be beside the scroll bar."""
        bar = self._area.verticalScrollBar().sizeHint().width()
        self._card.setFixedWidth(min(self._theme.px(WIDTH), max(1, self.width() - bar - 2 * EDGE)))

    def starting(self, words: str, share: float | None) -> None:
        """What is going on, and how far it is."""
        self._say(words, "")
        self._bar.set_share(share)
        self._show(self._bar)

    def welcome(self, home: str, *, sandbox: bool) -> None:
        """Ready to sign in at `home`."""
        self._title.setText(home or "Klinisk arbeidsflate")
        self._mark.setVisible(sandbox)
        words = (
            "Velg hvem du er i nettleseren. Alle her er oppdiktet."
            if sandbox
            else "Du logger inn én gang i nettleseren."
        )
        self._say(words, "")
        self._show(self._go)
        self._go.setFocus(Qt.FocusReason.OtherFocusReason)

    def waiting(self) -> None:
        """The browser is open."""
        self._say("Fullfør innloggingen i nettleseren som åpnet seg.", "Kom den ikke fram? Avbryt og prøv igjen.")
        self._bar.set_share(None)
        self._show(self._bar, self._cancel)

    def failed(self, problem: Problem) -> None:
        """What went wrong and what to do."""
        self._say(problem.sentence, problem.advice)
        self._show(self._again)
        self._again.setFocus(Qt.FocusReason.OtherFocusReason)

    def offer(self, people: Sequence[Any]) -> None:
        """Under what went wrong: who may work without the platform. None takes it away."""
        from workspace.shell.without import WithoutBox  # needed by few, and only once something is wrong

        self._withdraw()
        if not people:
            return
        self._without = WithoutBox(self._theme, people)
        self._without.asked.connect(self.offlineAsked.emit)
        self._inside.addWidget(self._without)
        self._without.show()
        self._again.set_primary(False)
        self._without.focus()

    def refused(self, problem: Problem) -> None:
        """The PIN did not open it."""
        if self._without is not None:
            self._without.refused(problem)

    def _withdraw(self) -> None:
        former, self._without = self._without, None
        self._again.set_primary(True)
        if former is not None:
            former.hide()
            self._inside.removeWidget(former)
            former.deleteLater()

    def _say(self, words: str, advice: str) -> None:
        self._words.setText(words)
        self._advice.setText(advice)
        self._advice.setVisible(bool(advice))
        self._card.setAccessibleName(f"{self._title.text()}. {words} {advice}".strip())

    def _show(self, *shown: QWidget) -> None:
        self._withdraw()
        for widget in (self._bar, self._go, self._again, self._cancel):
            widget.setVisible(widget in shown)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        rows: tuple[tuple[QLabel, Role, str], ...] = (
            (self._title, "name", "text"),
            (self._words, "body", "text"),
            (self._advice, "body", "muted"),
        )
        for label, role, token in rows:
            label.setFont(theme.font(role))
            dressed = label.palette()
            dressed.setColor(QPalette.ColorRole.WindowText, theme.color(token))
            label.setPalette(dressed)
        for widget in (self._card, self._mark, self._bar, self._go, self._again, self._cancel):
            widget.set_theme(theme)
        if self._without is not None:
            self._without.set_theme(theme)
        self._narrow()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("ground"))
