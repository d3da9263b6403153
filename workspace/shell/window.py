"""The window: rail, top bar, one page for each activity, status line; the sign-in page before and after the work.

It shows what it is told and says what the user asked for. Everything that takes time happens elsewhere.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QKeySequence, QPainter, QPaintEvent, QResizeEvent, QShortcut
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QMainWindow,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from workspace.shell.banner import Banner
from workspace.shell.bars import TopBar
from workspace.shell.chips import PlainButton
from workspace.shell.kit.squeezed import Scrolled, Squeezed
from workspace.shell.kit.whence import KEY
from workspace.shell.palette import Palette
from workspace.shell.rail import Rail
from workspace.shell.sheet import Sheet
from workspace.shell.signin import SignInPage
from workspace.shell.status import StatusLine
from workspace.shell.surface import GAP, Surface
from workspace.shell.theme import Theme
from workspace.shell.trouble import Trouble

SIZE = (1440, 900)
NO_PANELS = (
    "Ingen av panelene her virker nå. Det du har skrevet, er tatt vare på. "
    "Ctrl K virker fortsatt: bytt beboer, avdeling eller aktivitet, eller se «Paneler på denne maskinen»."
)


class Sight(Scrolled):
    """Tells the surface in it how much of it can be seen at once."""

    def __init__(self, content: QWidget, surface: Surface) -> None:
        super().__init__(content)
        self._surface = surface

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._surface.set_sight(self.size())


class ActivityPage(QWidget):
    """An activity: the patient banner where there is one, and the surface; or a word when nobody is open."""

    def __init__(self, theme: Theme, surface: Surface, banner: Banner | None) -> None:
        super().__init__()
        self._theme = theme
        self.surface, self.banner = surface, banner
        self._empty = QLabel("Ingen beboer er åpnet.\nVelg en i beboerlisten, eller trykk Ctrl K og skriv et navn.")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setFont(theme.font("body"))
        self._empty.setWordWrap(True)
        self._fallback = Trouble(theme, strip=True)
        self._fallback.hide()
        self.joined = Trouble(theme, strip=True)
        self.joined.again.setText("Åpne")
        self.joined.hide()
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        if banner is not None:
            box.addWidget(banner)
        box.addWidget(self._scrolled(), 1)
        box.addWidget(self._empty, 1)
        self.set_open(banner is None)

    def _scrolled(self) -> QWidget:
        """Whose page it is stands above; the panels, and what is said of them, scroll where the room is short."""
        content = Squeezed()
        below = QVBoxLayout(content)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.joined)
        below.addWidget(self._fallback)
        below.addWidget(self.surface, 1)
        self.area = Sight(content, self.surface)
        return self.area

    def bring(self, instance: str) -> None:
        """Where the user looks: its tab in front, and scrolled to."""
        self.surface.bring(instance)
        frame, content = self.surface.frame(instance), self.area.widget()
        if frame is None or content is None:
            return
        bar, top = self.area.verticalScrollBar(), frame.mapTo(content, QPoint()).y()
        if not bar.value() <= top <= top + frame.height() <= bar.value() + self.area.viewport().height():
            bar.setValue(top - GAP)

    def to_top(self) -> None:
        self.area.verticalScrollBar().setValue(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.banner is not None:
            self.banner.set_sight(self.height())

    def set_open(self, is_open: bool) -> None:
        """Whether there is somebody to show."""
        self.area.setVisible(is_open)
        self._empty.setVisible(not is_open)
        if self.banner is not None:
            self.banner.setVisible(is_open)

    def set_fallback(self, *, shown: bool) -> None:
        """Whether none of the panels here works: what does work is said above them."""
        self._fallback.setVisible(shown)
        self._fallback.say(NO_PANELS if shown else "")

    def say_joined(self, words: str) -> None:
        """That the record on screen was joined with another, with a button to open that one; "" takes it away."""
        self.joined.setVisible(bool(words))
        self.joined.say(words, again=bool(words), tone="warn")

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._fallback.set_theme(theme)
        self.joined.set_theme(theme)
        self._empty.setFont(theme.font("body"))
        self.surface.set_theme(theme)
        if self.banner is not None:
            self.banner.set_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("ground"))


class MainWindow(QMainWindow):
    """`closing` is emitted once when the user closes the window; the owner ends everything and then lets it go."""

    closing = Signal()
    paletteAsked = Signal()
    firstPainted = Signal()
    resized = Signal()
    originAsked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.theme = theme
        self._may_close = self._painted = False
        self.setWindowTitle("Klinisk arbeidsflate")  # never a patient's name
        self.resize(*SIZE)
        self.setMinimumSize(760, 520)
        self.rail, self.top, self.status = Rail(theme), TopBar(theme), StatusLine(theme)
        self.sign_in = SignInPage(theme)
        self.pages = QStackedWidget()
        self._by_activity: dict[str, ActivityPage] = {}
        self._work = QWidget()
        self._stack = QStackedWidget()
        self._compose()
        self.rail.chosen.connect(self.go)
        self.palette_ = Palette(theme, self)
        find = QShortcut(QKeySequence("Ctrl+K"), self)
        find.activated.connect(self.paletteAsked.emit)
        whence = QShortcut(QKeySequence(KEY), self)
        whence.activated.connect(self.originAsked.emit)
        self.top.search.clicked.connect(self.paletteAsked.emit)
        self.status.allAsked.connect(self._show_status)
        self._stack.installEventFilter(self)

    def _compose(self) -> None:
        right = QVBoxLayout()
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(0)
        right.addWidget(self.top)
        right.addWidget(self.pages, 1)
        above = QHBoxLayout()
        above.setContentsMargins(0, 0, 0, 0)
        above.setSpacing(0)
        above.addWidget(self.rail)
        above.addLayout(right, 1)
        box = QVBoxLayout(self._work)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addLayout(above, 1)
        box.addWidget(self.status)
        self._stack.addWidget(self.sign_in)
        self._stack.addWidget(self._work)
        self.setCentralWidget(self._stack)

    def _show_status(self) -> None:
        """All that the status line has to say, where it has no room for it."""
        sheet = Sheet(self.theme, self, "Status")
        for words, tone in self.status.lines():
            sheet.inside.addWidget(sheet.label(words, "body", tone if tone in ("bad", "warn") else "text"))
        if self.status.saved():
            saved = PlainButton(self.theme, self.status.saved())
            saved.clicked.connect(sheet.close_)
            saved.clicked.connect(self.status.savedAsked.emit)
            sheet.inside.addWidget(saved)
        sheet.inside.addStretch(1)
        sheet.shut.setAccessibleDescription(". ".join(words for words, _ in self.status.lines()))
        sheet.closed.connect(sheet.deleteLater)
        sheet.open()

    def show_sign_in(self) -> None:
        self.palette_.hide()
        self._stack.setCurrentWidget(self.sign_in)

    def show_work(self) -> None:
        self._stack.setCurrentWidget(self._work)

    @property
    def working(self) -> bool:
        return self._stack.currentWidget() is self._work

    def add_page(self, activity_id: str, page: ActivityPage) -> None:
        self._by_activity[activity_id] = page
        self.pages.addWidget(page)

    def page(self, activity_id: str) -> ActivityPage:
        return self._by_activity[activity_id]

    def clear_pages(self) -> None:
        """The session is over: nothing of it stays."""
        for page in self._by_activity.values():
            self.pages.removeWidget(page)
            page.deleteLater()
        self._by_activity.clear()
        self.rail.set_activities([])

    def go(self, activity_id: str) -> None:
        page = self._by_activity.get(activity_id)
        if page is not None:
            self.pages.setCurrentWidget(page)
            self.rail.set_current(activity_id)

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self.rail.set_theme(theme)
        self.top.set_theme(theme)
        self.status.set_theme(theme)
        self.sign_in.set_theme(theme)
        for page in self._by_activity.values():
            page.set_theme(theme)
        self.palette_.theme = theme

    def let_go(self) -> None:
        """The owner has ended everything; the window may close now."""
        self._may_close = True
        self.close()
        self.deleteLater()

    def closeEvent(self, event: QCloseEvent) -> None:
        if self._may_close:
            super().closeEvent(event)
            return
        event.ignore()
        self.closing.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.palette_.hide()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint and not self._painted:
            self._painted = True
            QTimer.singleShot(0, self.firstPainted.emit)
        return super().eventFilter(watched, event)
