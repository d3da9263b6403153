"""Pills, texts and whatever else shows a value without being a row: asked where it comes from, by mouse and by keyboard.

Only what says what it stands in can have the focus. Those that stand beside each other are one stop of the Tab key, with the
arrow keys between them. Holds nothing but the component's own words, and forgets them with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, QRectF, Qt
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QLabel, QWidget
from shiboken6 import isValid

from workspace.panels.components import Value
from workspace.shell.kit import whence
from workspace.shell.kit.containers import Container
from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.stack import reveal

HOW = f"Ctrl I: {whence.WORDS.lower()}"
AMONG = "Piltastene går mellom de {count}"
OUT = 3
"""Pixels that the ring reaches beyond what it is around."""
NEXT = frozenset({Qt.Key.Key_Right, Qt.Key.Key_Down})
MOVES = NEXT | {Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_End}


# A mixin before the widget's own class: a QWidget of its own would be a second one in a QLabel.
if TYPE_CHECKING:
    Base = QWidget
else:
    Base = object


class Asking(Base):
    """`stands_in` says what is shown; a widget without that is as one that cannot be asked. Implements `whence.Asked`."""

    env: Env
    offered: tuple[whence.Offer, ...] = ()
    _ring: Ring | None = None
    apart = False
    """Can have the focus for another reason as well, and is a stop of its own."""

    def stands_in(self, component: Value, words: str, more: str = "") -> None:
        """From now on it shows `component`, in short `words`. `more` is its description, beside how to ask."""
        self.offered, self._more = tuple(whence.offers_of(component, words)), more
        if not self.apart:
            self.setFocusPolicy(Qt.FocusPolicy.TabFocus if self.offered else Qt.FocusPolicy.NoFocus)
        self._describe()

    def lets_go(self) -> None:
        """What it showed is over: nobody is left standing on it."""
        if self.hasFocus() and not self.apart:
            self.clearFocus()

    def _describe(self, beside: int = 1) -> None:
        how = [HOW, AMONG.format(count=beside)] if beside > 1 else [HOW]
        parts = [self._more, *(how if self.offered else ())]
        self.setAccessibleDescription(". ".join(part.rstrip(".") for part in parts if part))

    # --- asked ---

    def offers(self, spot: QPoint | None) -> Sequence[whence.Offer]:
        return self.offered

    def offered_at(self) -> QRect:
        return self.rect()

    def ask_origin(self, reference: str, area: QRect) -> None:
        self.env.origin(reference, area)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        if self.offered:
            whence.by_mouse(self, event)
        else:
            event.ignore()

    # --- by keyboard ---

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self.offered and whence.is_key(event):
            whence.open_menu(self, None)
        elif key in MOVES and not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier and self.hasFocus():
            self._walk(key, event)
        else:
            super().keyPressEvent(event)

    def _beside(self) -> list[Asking]:
        """Those it stands among that can be asked, itself too, in the order they are read in."""
        parent = self.parentWidget()
        if isinstance(parent, Container):
            there = [widget for widget, _, _ in parent.children_]
        else:  # in a title bar
            inside = parent.children() if parent is not None else ()
            there = sorted((one for one in inside if isinstance(one, QWidget)), key=lambda one: one.x())
        return [one for one in there if isinstance(one, Asking) and one.offered and not one.apart and one.isVisible()]

    def _walk(self, key: Qt.Key, event: QKeyEvent) -> None:
        among = self._beside()
        if self.apart or self not in among or len(among) < 2:
            super().keyPressEvent(event)
            return
        here, last = among.index(self), len(among) - 1
        at = min(here + 1, last) if key in NEXT else max(here - 1, 0)
        to = among[{Qt.Key.Key_Home: 0, Qt.Key.Key_End: last}.get(key, at)]
        to.setFocus(Qt.FocusReason.OtherFocusReason)
        reveal(to, to.rect())

    def focusNextPrevChild(self, forward: bool) -> bool:
        """Tab leaves all of them together."""
        among = self._beside()
        others = [one for one in among if one is not self] if self in among else []
        for one in others:
            one.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        try:
            return super().focusNextPrevChild(forward)
        finally:
            for one in others:
                one.setFocusPolicy(Qt.FocusPolicy.TabFocus)

    def focusInEvent(self, event: QFocusEvent) -> None:
        if not isinstance(self, QLabel):  # its own makes an editor of it, which paints otherwise
            super().focusInEvent(event)
        if not self.apart:
            self._describe(len(self._beside()))
            self._ring = self._ring or Ring(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if not isinstance(self, QLabel):
            super().focusOutEvent(event)
        ring, self._ring = self._ring, None
        if ring is not None and isValid(ring):
            ring.hide()
            ring.deleteLater()


class Ring(QWidget):
    """The ring of the focus around what can be asked, where that has no room for it: it lies over what they stand in, as far
    as that reaches, and stays with it."""

    def __init__(self, around: Asking) -> None:
        super().__init__(around.parentWidget())
        self._around = around
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        around.installEventFilter(self)
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ParentChange:
            self.setParent(self._around.parentWidget())
        if event.type() in (QEvent.Type.ParentChange, QEvent.Type.Move, QEvent.Type.Resize):
            self._place()
        return False

    def _place(self) -> None:
        parent, here = self.parentWidget(), self._around.offered_at()
        if parent is None:
            return
        area = here.translated(self._around.pos()).adjusted(-OUT, -OUT, OUT, OUT)
        self.setGeometry(area.intersected(parent.rect()))
        self.show()
        self.raise_()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(self._around.env.theme.color("focus"), 2))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)
