"""A panel's frame: title, vendor, toolbar and state above; the body below; words when the panel is not there.

The frame belongs to its place in the layout and outlives the panels that come and go in it.
"""

from __future__ import annotations

from PySide6.QtCore import QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QStackedLayout, QToolButton, QVBoxLayout, QWidget

from workspace.shell import icons
from workspace.shell.chips import Chip, PlainButton
from workspace.shell.kit.body import PanelBody
from workspace.shell.theme import Theme

AWAIT_AFTER_MS = 300
HELP_AFTER_MS = 2000
TOLD_MS = 6000


class Notice(QWidget):
    """What stands instead of a body: whose data it awaits, or why the panel is not there, and what to do."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.again = PlainButton(theme, "Start på nytt")
        row = QHBoxLayout()
        row.addStretch(1)
        row.addWidget(self.again)
        row.addStretch(1)
        box = QVBoxLayout(self)
        box.addStretch(1)
        box.addWidget(self._words)
        box.addLayout(row)
        box.addStretch(2)
        self.say(theme, "", offer=False)

    def say(self, theme: Theme, words: str, *, offer: bool) -> None:
        self._words.setFont(theme.font("body"))
        self._words.setText(words)
        self.again.set_theme(theme)
        self.again.setVisible(offer)
        self.setAccessibleName(words)


class PanelFrame(QWidget):
    """`restartAsked` and `closeAsked` are the user's; the owner of the place acts on them."""

    restartAsked = Signal()
    closeAsked = Signal()
    resetAsked = Signal()
    undoAsked = Signal(object)

    def __init__(self, theme: Theme, title: str, vendor: str, *, group: int = 0, locked: bool = False) -> None:
        super().__init__()
        self._theme, self._group, self._locked = theme, group, locked
        self._title_text, self._vendor_text = title, vendor
        self.setWindowTitle(title)
        self.setAccessibleName(f"{title}, {vendor}")
        self._title, self._vendor = QLabel(title), QLabel(vendor)
        self._state = Chip(theme)
        self._state.hide()
        self._undo = PlainButton(theme, "Angre", quiet=True)
        self._undo.hide()
        self._undo.clicked.connect(self._undo_pressed)
        self._menu = QToolButton()
        self._slots = QHBoxLayout()
        self._status = QHBoxLayout()
        self._stack = QStackedLayout()
        self._notice = Notice(theme)
        self._notice.setParent(self)  # else it is a window of its own for a moment, and takes the focus
        self._stack.addWidget(self._notice)
        self.body: PanelBody | None = None
        self._receipt: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._state.hide)
        self._timer.timeout.connect(self._undo.hide)
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._build()
        self.set_theme(theme)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        self.setMinimumSize(160, 100)

    def _build(self) -> None:
        self._menu.setAutoRaise(True)
        self._menu.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self._menu.setAccessibleName(f"Valg for {self._title_text}")
        self._menu.setToolTip("Valg")
        menu = QMenu(self._menu)
        menu.addAction("Start panelet på nytt", self.restartAsked.emit)
        close = menu.addAction("Ta bort panelet", self.closeAsked.emit)
        close.setEnabled(not self._locked)
        menu.addAction("Tilbakestill til rollens oppsett", self.resetAsked.emit)
        self._menu.setMenu(menu)
        self._notice.again.clicked.connect(self.restartAsked.emit)
        head = QHBoxLayout()
        self._head = head
        head.addWidget(self._title)
        head.addWidget(self._vendor)
        head.addStretch(1)
        head.addLayout(self._status)
        head.addWidget(self._undo)
        head.addWidget(self._state)
        head.addLayout(self._slots)
        head.addWidget(self._menu)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 3, 1, 7)  # the body ends above the round corners
        box.setSpacing(0)
        box.addLayout(head)
        box.addLayout(self._stack, 1)

    # --- what stands in it ---

    def set_body(self, body: PanelBody | None) -> PanelBody | None:
        """Show another body, or nothing; returns the former one, hidden, for the caller to end."""
        former = self.body
        if former is not None:
            former.toolbarChanged.disconnect(self._set_toolbar)
            former.statusChanged.disconnect(self._set_status)
        self._clear(self._slots)
        self._clear(self._status)
        self._state.hide()
        self._undo.hide()
        self.body = body
        if body is not None:
            self._stack.addWidget(body)
            body.toolbarChanged.connect(self._set_toolbar)
            body.statusChanged.connect(self._set_status)
        if former is not None:
            # In this order: a widget that leaves while it is the current one has another laid out and shown instead.
            if self._stack.currentWidget() is former:
                self._stack.setCurrentWidget(body if body is not None else self._notice)
            self._stack.removeWidget(former)
            former.hide()
        return former

    def room(self) -> QSize:
        """How large a body in it is, as far as is known: one that is drawn off screen need not be laid out anew."""
        return self._stack.geometry().size() if self._stack.geometry().isValid() else self.size()

    def show_body(self) -> None:
        self._waiting.stop()
        if self.body is not None:
            self._stack.setCurrentWidget(self.body)

    def blank(self) -> None:
        """Nothing at all: the former patient's picture must not stand a moment longer."""
        self._notice.say(self._theme, "", offer=False)
        self._stack.setCurrentWidget(self._notice)

    def await_data(self, whose: str) -> None:
        """Blank now; after 300 ms it says whose data it awaits; after 2 s it names itself and offers a new start."""
        self.blank()
        self._waiting.timeout.disconnect() if self._waiting.isActive() else None
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.timeout.connect(lambda: self._late(whose))
        self._waiting.start(AWAIT_AFTER_MS)

    def _late(self, whose: str) -> None:
        self._notice.say(self._theme, f"Henter opplysninger om {whose} …" if whose else "Henter …", offer=False)
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.timeout.connect(self._very_late)
        self._waiting.start(HELP_AFTER_MS - AWAIT_AFTER_MS)

    def _very_late(self) -> None:
        self.explain(f"{self._title_text} fra {self._vendor_text} svarer ikke ennå.", offer=True)

    def explain(self, words: str, *, offer: bool = True) -> None:
        """Why the panel is not there, in words, with *Start på nytt* when that may help."""
        self._waiting.stop()
        self._notice.say(self._theme, words, offer=offer)
        self._stack.setCurrentWidget(self._notice)

    def tell(self, words: str, tone: str = "ok", receipt: object = None) -> None:
        """A sentence in the title bar; with *Angre* when `receipt` can be undone. Bad news stays until the next."""
        self._state.set_text(words, tone)
        self._receipt = receipt
        self._undo.setVisible(receipt is not None)
        self._timer.stop()
        if tone != "bad":
            self._timer.start(3 * TOLD_MS if receipt is not None else TOLD_MS)

    def _undo_pressed(self) -> None:
        receipt, self._receipt = self._receipt, None
        self._undo.hide()
        if receipt is not None:
            self.undoAsked.emit(receipt)

    def _set_toolbar(self, widgets: list[QWidget]) -> None:
        self._fill(self._slots, widgets)

    def _set_status(self, widgets: list[QWidget]) -> None:
        self._fill(self._status, widgets)

    def _fill(self, box: QHBoxLayout, widgets: list[QWidget]) -> None:
        self._clear(box)
        for widget in widgets:
            box.addWidget(widget)
            widget.show()

    @staticmethod
    def _clear(box: QHBoxLayout) -> None:
        while box.count():
            item = box.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.hide()

    # --- looks ---

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._title.setFont(theme.font("heading"))
        self._vendor.setFont(theme.font("caption"))
        for label, token in ((self._title, "text"), (self._vendor, "faint")):
            dressed = label.palette()
            dressed.setColor(label.foregroundRole(), theme.color(token))
            label.setPalette(dressed)
        self._menu.setIcon(icons.icon("dots", theme.color("muted"), theme.px(16)))
        self._menu.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._head.setContentsMargins(theme.px(11), theme.px(8), theme.px(8), theme.px(6))
        self._head.setSpacing(8)
        for widget in (self._state, self._undo, self._notice.again):
            widget.set_theme(theme)
        if self.body is not None:
            self.body.set_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("surface"))
        painter.drawRoundedRect(area, theme.radius, theme.radius)
        if self._group:
            edge = QPainterPath()
            edge.addRoundedRect(QRectF(self.rect()), theme.radius, theme.radius)
            painter.setClipPath(edge)
            painter.fillRect(0, 0, self.width(), 3, theme.color(f"group{self._group}"))
