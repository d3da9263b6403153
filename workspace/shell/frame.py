"""A panel's frame: title, vendor, toolbar and state above; the body below; words when the panel is not there.

The frame belongs to its place in the layout and outlives the panels that come and go in it.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStackedLayout,
    QToolButton,
    QVBoxLayout,
    QWidget,
)
from shiboken6 import isValid

from workspace.shell import icons
from workspace.shell.chips import Chip, PlainButton
from workspace.shell.kit.body import PanelBody
from workspace.shell.kit.drop import Drop
from workspace.shell.kit.emptying import take_out
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme
from workspace.shell.trouble import Trouble
from workspace.shell.words import one_line

AWAIT_AFTER_MS = 300
HELP_AFTER_MS = 2000
TOLD_MS = 6000
UNCONFINED = "Dette panelet er ikke skjermet av fra nett og filer på denne maskinen. Stedets regler tillater det."


class PanelFrame(QWidget):
    """`restartAsked`, `closeAsked` (also from *Skjul*) and the others are the user's; the owner of the place acts on them.
    `reportWanted` is answered with `ask_report`, and `reportAsked(with_log)` with a report."""

    restartAsked = Signal()
    reportWanted = Signal()
    reportAsked = Signal(bool)
    closeAsked = Signal()
    resetAsked = Signal()
    undoAsked = Signal(object)

    def __init__(self, theme: Theme, title: str, vendor: str, *, group: int = 0, locked: bool = False) -> None:
        super().__init__()
        self._theme, self._group, self._locked = theme, group, locked
        self._title_text, self._vendor_text = title, vendor
        self.setWindowTitle(title)
        self.setAccessibleName(f"{title}, {vendor}")
        self._title, self._vendor = QLabel(), QLabel()
        for label, text in ((self._title, title), (self._vendor, vendor)):
            label.setTextFormat(Qt.TextFormat.PlainText)  # a manifest's words
            label.setText(one_line(text, 80))
        self._walls = Chip(theme, "", "warn", "diamond")
        self._walls.hide()
        self._state = Chip(theme)
        self._state.hide()
        self._told = ("", "ok")
        self._undo = PlainButton(theme, "Angre", quiet=True)
        self._undo.hide()
        self._undo.clicked.connect(self._undo_pressed)
        self._menu = QToolButton()
        self._slots, self._below = QHBoxLayout(), QHBoxLayout()
        self._tools: list[QWidget] = []
        self._signs: list[QWidget] = []
        self._status = QHBoxLayout()
        self._stack = QStackedLayout()
        self._notice = Trouble(theme)
        self._notice.setParent(self)  # else it is a window of its own for a moment, and takes the focus
        self._stack.addWidget(self._notice)
        self._strip = Trouble(theme, strip=True)
        self._strip.hide()
        self.body: PanelBody | None = None
        self._bereft: QWidget | None = None  # had the focus when the body went out of sight
        self._by: PanelBody | None = None
        self._receipt: object = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._forget)
        self._timer.timeout.connect(self._undo.hide)
        self._waiting = QTimer(self)
        self._waiting.setSingleShot(True)
        self._waiting.timeout.connect(self._waited)
        self._awaited, self._said_so = "", False
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
        for place in (self._notice, self._strip):
            place.restartAsked.connect(self.restartAsked.emit)
            place.reportAsked.connect(self.reportAsked.emit)
            place.reportWanted.connect(self.reportWanted.emit)
            place.hideAsked.connect(self.closeAsked.emit)
        head = QHBoxLayout()
        self._head = head
        head.addWidget(self._title)
        head.addWidget(self._vendor)
        head.addWidget(self._walls)
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
        box.addWidget(self._strip)
        below = QHBoxLayout()
        below.addLayout(self._below)
        below.addStretch(1)
        box.addLayout(below)
        box.addLayout(self._stack, 1)

    # --- what stands in it ---

    def set_body(self, body: PanelBody | None) -> PanelBody | None:
        """Show another body, or nothing; returns the former one, hidden, for the caller to end."""
        former = self.body
        if former is not None:
            former.toolbarChanged.disconnect(self._set_toolbar)
            former.statusChanged.disconnect(self._set_status)
            former.undoAsked.disconnect(self._undo_pressed)
        self._clear(self._slots)
        self._clear(self._below)
        self._tools, self._signs = [], []
        self._clear(self._status)
        self._forget()
        self._undo.hide()
        self._strip.hide()
        self.body, self._bereft = body, None
        if body is not None:
            self._stack.addWidget(body)
            body.toolbarChanged.connect(self._set_toolbar)
            body.statusChanged.connect(self._set_status)
            body.undoAsked.connect(self._undo_pressed)
        if former is not None:
            # In this order: a widget that leaves while it is the current one has another laid out and shown instead.
            if self._stack.currentWidget() is former:
                self._stack.setCurrentWidget(body if body is not None else self._notice)
            self._stack.removeWidget(former)
            former.hide()
        return former

    def put_by(self, body: PanelBody) -> None:
        """A body whose context is over, out of sight: emptied, it stands by for the next context (`take_by`)."""
        if self._by is None or not isValid(self._by):
            body.retire()
            self._by = body
        else:
            body.deleteLater()

    def take_by(self) -> PanelBody | None:
        """The body that stands by, once; None when there is none."""
        body, self._by = self._by, None
        return body if body is not None and isValid(body) else None

    def room(self) -> QSize:
        """How large a body in it is, as far as is known: one that is drawn off screen need not be laid out anew."""
        return self._stack.geometry().size() if self._stack.geometry().isValid() else self.size()

    def show_body(self) -> None:
        self._waiting.stop()
        if self.body is None:
            return
        kept = self._notice.has_focus()
        self._stack.setCurrentWidget(self.body)
        if kept:
            self._give_back(self.body)

    def _give_back(self, body: PanelBody) -> None:
        """The panel is there again: the focus goes to where it was in it."""
        field, self._bereft = self._bereft, None
        if field is not None and isValid(field) and body.isAncestorOf(field) and field.isVisibleTo(body):
            field.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            body.focus_first()

    def blank(self) -> None:
        """Nothing at all: the former patient's picture must not stand a moment longer."""
        self._strip.hide()
        self._notice.say("")
        self._stack.setCurrentWidget(self._notice)

    def await_data(self, whose: str) -> None:
        """Blank now; after 300 ms it says whose data it awaits; after 2 s it names itself and offers a new start."""
        self.blank()
        self._awaited, self._said_so = whose, False
        self._waiting.start(AWAIT_AFTER_MS)

    def _waited(self) -> None:
        if self._said_so:
            self.fail(f"«{self._title_text}» fra {self._vendor_text} svarer ikke ennå.")
            return
        self._said_so = True
        self._notice.say(f"Henter opplysninger om {self._awaited} …" if self._awaited else "Henter …")
        self._waiting.start(HELP_AFTER_MS - AWAIT_AFTER_MS)

    def explain(self, words: str, *, offer: bool = True) -> None:
        """Why the panel is not there, in words, with *Start på nytt* when that may help."""
        self._instead(words, again=offer, report=False, hide=False)

    def fail(self, words: str, *, again: bool = True) -> None:
        """The panel failed: its name, vendor and reason in `words`, and what the user can do about it."""
        self._instead(words, again=again, report=True, hide=not self._locked)

    def _instead(self, words: str, *, again: bool, report: bool, hide: bool) -> None:
        self._waiting.stop()
        self._strip.hide()
        bereft = self._focus_in_body()
        self._notice.say(words, again=again, report=report, hide=hide)
        self._stack.setCurrentWidget(self._notice)
        if bereft is not None:
            self._bereft = bereft
            self._notice.take_focus()

    def _focus_in_body(self) -> QWidget | None:
        """What in the body has the focus; of a list or calendar that stands open over it, its field."""
        one = held = QApplication.focusWidget()
        while one is not None and one is not self.body:
            if isinstance(one, Drop):
                one = held = one.owner
            else:
                one = one.parentWidget()
        return held if one is not None else None

    def warn(self, words: str) -> None:
        """Something is wrong, but what the panel drew last still stands: said above it, for as long as it lasts."""
        self._waiting.stop()
        self._strip.show()
        self._strip.say(words, again=True, report=True, hide=not self._locked, tone="warn")

    def well(self) -> None:
        """All is well again."""
        self._strip.hide()

    def ask_report(self, log: str) -> None:
        """Let the user see what a report holds before it is made; `log` is scrubbed, and stays out unless chosen."""
        if self._strip.isVisibleTo(self):
            self._strip.hide()
            self._notice.say(self._strip.words(), again=True, report=True, hide=not self._locked)
            self._stack.setCurrentWidget(self._notice)
        self._notice.ask_report(log)

    def set_confinement(self, label: str) -> None:
        """How the panel is shut in: anything less than confined is labelled for as long as the panel stands."""
        lower = label != "confined"
        self._walls.set_text(label if lower else "", "warn")
        self._walls.setToolTip(plain_tip(UNCONFINED) if lower else "")
        self._walls.setAccessibleDescription(UNCONFINED if lower else "")

    def tell(self, words: str, tone: str = "ok", receipt: object = None) -> None:
        """A sentence in the title bar; with *Angre* when `receipt` can be undone. Bad news stays until the next."""
        self._told = (one_line(words), tone)
        self._fit_told()
        self._receipt = receipt
        self._undo.setVisible(receipt is not None)
        self._undo.setToolTip("Ctrl+Z" if receipt is not None else "")
        self._make_room()
        self._timer.stop()
        if tone != "bad":
            self._timer.start(3 * TOLD_MS if receipt is not None else TOLD_MS)

    def whisper(self, words: str) -> None:
        """Good to know: said where nothing stands that matters more, such as *Angre* or what went wrong."""
        if self._receipt is None and self._told[1] not in ("warn", "bad"):
            self.tell(words)

    def _fit_told(self) -> None:
        """The sentence as far as there is room; all of it in the tip and for screen readers."""
        words, tone = self._told
        room = max(self._theme.px(90), self.width() * 6 // 10)
        self._state.set_text(self._theme.metrics("pill").elidedText(words, Qt.TextElideMode.ElideRight, room), tone)
        self._state.setAccessibleName(words)
        self._state.setToolTip(plain_tip(words))

    def _forget(self) -> None:
        """What was told is old: it is seen no more, and what is not offered any more cannot be undone by a key either."""
        self._told, self._receipt = ("", "ok"), None
        self._state.hide()

    def _undo_pressed(self) -> None:
        receipt, self._receipt = self._receipt, None
        self._undo.hide()
        if receipt is not None:
            self.undoAsked.emit(receipt)

    def _set_toolbar(self, widgets: list[QWidget]) -> None:
        self._clear(self._below)
        self._tools = list(widgets)
        self._fill(self._slots, widgets)

    def _set_status(self, widgets: list[QWidget]) -> None:
        self._signs = list(widgets)
        self._fill(self._status, widgets)

    def _fill(self, box: QHBoxLayout, widgets: list[QWidget]) -> None:
        self._clear(box)
        for widget in widgets:
            box.addWidget(widget)
            widget.show()
        self._make_room()

    @staticmethod
    def _clear(box: QHBoxLayout) -> None:
        for widget in take_out(box):
            widget.hide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._told[0]:
            self._fit_told()
        self._make_room()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:  # a button above says more than it did, or in larger letters
            self._make_room()
        return super().event(event)

    def _make_room(self) -> None:
        """Where the title bar is short (large text, narrow panel) the vendor's name goes, then the toolbar has its own line:
        no button is cut off."""
        beside: list[QWidget] = [w for w in (self._undo, self._state) if not w.isHidden()]
        beside += [widget for widget in self._signs if isValid(widget)]
        need = self._title.sizeHint().width() + self._menu.sizeHint().width() + self._theme.px(48)
        need += sum(widget.sizeHint().width() + 8 for widget in beside)
        tools = sum(widget.sizeHint().width() + 8 for widget in self._tools if isValid(widget))
        vendor = self._vendor.sizeHint().width() + 8
        self._vendor.setVisible(need + vendor + (tools if need + tools <= self.width() else 0) <= self.width())
        wanted = self._slots if need + tools <= self.width() else self._below
        former = self._below if wanted is self._slots else self._slots
        if former.count():
            take_out(former)
            for widget in self._tools:
                if isValid(widget):
                    wanted.addWidget(widget)

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
        self._menu.setIconSize(QSize(theme.px(16), theme.px(16)))
        self._menu.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        self._head.setContentsMargins(theme.px(11), theme.px(8), theme.px(8), theme.px(6))
        self._head.setSpacing(8)
        self._below.setContentsMargins(theme.px(11), 0, theme.px(8), 0)
        self._below.setSpacing(8)
        for widget in (self._state, self._walls, self._undo, self._notice, self._strip):
            widget.set_theme(theme)
        if self.body is not None:
            self.body.set_theme(theme)
        by = self.take_by()
        if by is not None:  # it was dressed for the former theme
            by.deleteLater()
        self._make_room()
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
