"""What stands in a panel's frame when something is wrong with the panel: whose it is and why, in words, and what the user
can do: *Start på nytt*, *Meld fra*, *Skjul*. Asks before a vendor's log, which may hold patient data, goes into a report.

Never decides what is wrong, and never ends or starts anything.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from workspace.shell import icons
from workspace.shell.chips import PlainButton
from workspace.shell.kit.squeezed import Scrolled, Squeezed
from workspace.shell.theme import Theme

RESTART, REPORT, HIDE = "Start på nytt", "Meld fra", "Skjul"
REPORT_WORDS = (
    "Meldingen sier hvilket panel og hvilken versjon det er, hva som skjedde og når, og hvordan maskinen er satt opp. "
    "Den inneholder ingen pasientopplysninger."
)
LOG_WORDS = "Panelets egen logg blir ikke med uten at du vil det. Les den først: den kan inneholde pasientopplysninger."


class Trouble(QWidget):
    """`say` the words and which buttons help; `ask_report` turns to the report's page. `strip`: one line above a body that
    stands, instead of a page in its place."""

    restartAsked = Signal()
    reportWanted = Signal()
    reportAsked = Signal(bool)
    hideAsked = Signal()

    def __init__(self, theme: Theme, *, strip: bool = False) -> None:
        super().__init__()
        self._theme, self._strip = theme, strip
        self._tone, self._offered = "bad", (False, False, False)
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)  # a vendor's name and words stand in it
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignLeft if strip else Qt.AlignmentFlag.AlignCenter)
        self.again = PlainButton(theme, RESTART)
        self.report = PlainButton(theme, REPORT)
        self.hide_ = PlainButton(theme, HIDE)
        self.again.clicked.connect(self.restartAsked.emit)
        self.report.clicked.connect(self.reportWanted.emit)
        self.hide_.clicked.connect(self.hideAsked.emit)
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for button in self.buttons():
            self._row.addWidget(button)
        self._said = Squeezed()
        self._front: QWidget = self._said if strip else Scrolled(self._said)
        if not strip:  # it scrolls before what stands above it gives way
            self._front.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._front)
        self._page: ReportPage | None = None
        self._lay_out()
        self.say("")
        self.set_theme(theme)

    def _lay_out(self) -> None:
        box = QVBoxLayout(self._said)
        if self._strip:
            self._row.addStretch(1)
        else:
            self._row.insertStretch(0, 1)
            self._row.addStretch(1)
            box.addStretch(1)
        box.addWidget(self._words)
        box.addLayout(self._row)
        if not self._strip:
            box.addStretch(2)

    def buttons(self) -> tuple[PlainButton, PlainButton, PlainButton]:
        return self.again, self.report, self.hide_

    def say(
        self, words: str, *, again: bool = False, report: bool = False, hide: bool = False, tone: str = "bad"
    ) -> None:
        """Show `words` and the buttons that help; read out to screen readers when there is something to do."""
        changed, held = words != self._words.text(), self.has_focus()
        if held:
            self.setFocus(Qt.FocusReason.OtherFocusReason)  # not a button that may be hidden now
        self._tone = tone
        self._words.setText(words)
        self._stack.setCurrentWidget(self._front)
        self._offered = (again, report, hide)
        for button, offered in zip(self.buttons(), self._offered, strict=True):
            button.setVisible(offered)
        self._turn()
        if held:
            self.take_focus()
        self.setAccessibleName(words)
        for button in self.buttons():
            button.setAccessibleDescription(words)  # heard with the button, also when it is reached by Tab alone
        if changed and words and any((again, report, hide)) and self.isVisible():
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        self.update()

    def words(self) -> str:
        return self._words.text()

    def take_focus(self) -> None:
        """The panel that had the focus is gone: what can be done has it instead, or the words alone. It never goes on to
        another panel, where the next key would be typed."""
        first = next((button for button in self.buttons() if button.isVisibleTo(self)), self)
        first.setFocus(Qt.FocusReason.OtherFocusReason)

    def has_focus(self) -> bool:
        focus = QApplication.focusWidget()
        return focus is not None and (focus is self or self.isAncestorOf(focus))

    def ask_report(self, log: str) -> None:
        """The report's page, with the scrubbed `log` for the user to see."""
        self._end_page()
        self._page = page = ReportPage(self._theme, log)
        self._stack.addWidget(page.area)
        self._stack.setCurrentWidget(page.area)
        page.done.connect(self._reported)
        page.make.setFocus(Qt.FocusReason.OtherFocusReason)

    def _reported(self, made: bool, with_log: bool) -> None:
        self._stack.setCurrentWidget(self._front)
        self._end_page()
        self.report.setFocus(Qt.FocusReason.OtherFocusReason)
        if made:
            self.reportAsked.emit(with_log)

    def _end_page(self) -> None:
        if self._page is not None:
            self._stack.removeWidget(self._page.area)
            self._page.area.hide()
            self._page.area.deleteLater()
            self._page = None

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._words.setFont(theme.font("body"))
        for button in self.buttons():
            button.set_theme(theme)
        self._row.setSpacing(theme.px(6))
        if self._strip and (box := self._said.layout()) is not None:
            box.setContentsMargins(theme.px(10), 6, theme.px(10), 6)
            self._words.setContentsMargins(theme.px(28), 0, 0, 0)
        if self._page is not None:
            self._page.set_theme(theme)
        self._turn()
        self.update()

    def _turn(self) -> None:
        """Buttons under each other where they do not fit beside each other; a strip leaves *Skjul* to the panel's menu."""
        wide = sum(button.sizeHint().width() + self._row.spacing() for button in self.buttons())
        narrow = self.width() < wide + self._theme.px(50 if self._strip else 40)
        if self._strip:
            self._row.setContentsMargins(0 if narrow else self._theme.px(28), 0, 0, 0)
            self.hide_.setVisible(self._offered[2] and wide - self._row.spacing() + self._theme.px(20) <= self.width())
        self._row.setDirection(
            QBoxLayout.Direction.TopToBottom if narrow and not self._strip else QBoxLayout.Direction.LeftToRight
        )
        for button in self.buttons():
            self._row.setAlignment(button, Qt.AlignmentFlag.AlignHCenter if narrow else Qt.AlignmentFlag(0))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._turn()

    def paintEvent(self, event: QPaintEvent) -> None:
        if not self._strip:
            return
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.tint(self._tone))
        painter.fillRect(0, 0, 3, self.height(), self._theme.tone(self._tone))
        size = self._theme.px(18)
        picture = icons.icon("alert", self._theme.tone(self._tone), size)
        painter.drawPixmap(self._theme.px(12), 10, picture.pixmap(size, size))


class ReportPage(Squeezed):
    """`done(made, with_log)` once the user has chosen."""

    done = Signal(bool, bool)

    def __init__(self, theme: Theme, log: str) -> None:
        super().__init__()
        self._words = QLabel(REPORT_WORDS)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._words.setWordWrap(True)
        self._warning = QLabel(LOG_WORDS)
        self._warning.setTextFormat(Qt.TextFormat.PlainText)
        self._warning.setWordWrap(True)
        self.log = QPlainTextEdit(log)
        self.log.setReadOnly(True)
        self.log.setTabChangesFocus(True)
        self.log.setAccessibleName("Panelets logg")
        self.make, self.cancel = PlainButton(theme, "Lag melding"), PlainButton(theme, "Avbryt")
        self.with_log = PlainButton(theme, "Lag melding med loggen")
        self.with_log.setAccessibleDescription(LOG_WORDS)
        self.make.clicked.connect(lambda: self.done.emit(True, False))
        self.with_log.clicked.connect(lambda: self.done.emit(True, True))
        self.cancel.clicked.connect(lambda: self.done.emit(False, False))
        self._row = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        for button in self._buttons():
            self._row.addWidget(button)
        self._row.addStretch(1)
        box = QVBoxLayout(self)
        box.addWidget(self._words)
        for widget in (self._warning, self.log):
            box.addWidget(widget, 1 if widget is self.log else 0)
        box.addLayout(self._row)
        self.log.setVisible(bool(log))
        for one in (self._warning, self.with_log):
            one.setVisible(bool(log))
        if not log:
            box.addStretch(1)
        self.area = Scrolled(self)
        self.set_theme(theme)

    def set_theme(self, theme: Theme) -> None:
        for widget in (self._words, self._warning, self.log):
            widget.setFont(theme.font("body"))
        for button in self._buttons():
            button.set_theme(theme)

    def _buttons(self) -> tuple[PlainButton, PlainButton, PlainButton]:
        return self.make, self.with_log, self.cancel

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = sum(button.sizeHint().width() + self._row.spacing() for button in self._buttons())
        across = self.width() > wide + 24
        self._row.setDirection(QBoxLayout.Direction.LeftToRight if across else QBoxLayout.Direction.TopToBottom)
