"""Rows of their own height under each other: what lists and timelines are drawn with. No cell widgets: one delegate paints.

Selection, the row under the keyboard and the scroll survive a change of rows, by the rows' keys.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QPersistentModelIndex, QPoint, QRect, QSize, Qt
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QAbstractItemView,
    QListView,
    QScrollArea,
    QSizePolicy,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from workspace.panels.components import Action
from workspace.shell.kit import whence
from workspace.shell.kit.containers import Stack
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.tips import plain_tip
from workspace.shell.kit.wrapping import paint_lines, wrapped
from workspace.shell.theme import Theme

Index = QModelIndex | QPersistentModelIndex
FEW_ROWS = 5
"""A stack is never squeezed below this many rows, or its own number when that is less."""


class Rows(QAbstractListModel):
    """Any rows; the stack knows what they are."""

    def __init__(self, stack: StackWidget) -> None:
        super().__init__(stack)
        self._stack = stack
        self.rows: Sequence[Any] = ()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self.rows):
            return None
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._stack.words(row)
        return plain_tip(self._stack.words(row)) if role == Qt.ItemDataRole.ToolTipRole else None

    def flags(self, index: Index) -> Qt.ItemFlag:
        if not index.isValid() or not self._stack.key(self.rows[index.row()]):
            return Qt.ItemFlag.ItemIsEnabled
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable

    def put(self, rows: Sequence[Any]) -> None:
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()


class Painter(QStyledItemDelegate):
    def __init__(self, stack: StackWidget) -> None:
        super().__init__(stack)
        self._stack = stack

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        painter.save()
        self._stack.paint_row(painter, option.rect, self._stack.model.rows[index.row()], index.row())
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        width = self._stack.view.viewport().width()
        return QSize(width, self._stack.tall(self._stack.model.rows[index.row()], width))


class View(QListView):
    """Whole rows; arrows move, Enter and Space activate."""

    def __init__(self, stack: StackWidget) -> None:
        super().__init__(stack)
        self._stack = stack
        self.setFrameShape(QListView.Shape.NoFrame)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.viewport().setAutoFillBackground(False)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        whence.by_mouse(self, event)

    def offers(self, spot: QPoint | None) -> Sequence[whence.Offer]:
        return self._stack.offers((self.currentIndex() if spot is None else self.indexAt(spot)).row())

    def offered_at(self) -> QRect:
        return self.visualRect(self.currentIndex())

    def ask_origin(self, reference: str, area: QRect) -> None:
        self._stack.env.origin(reference, area)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if whence.is_key(event):
            whence.open_menu(self, None)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self._stack.activate(self.currentIndex().row())
            return
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_Home, Qt.Key.Key_End):
            self._stack.walk(Qt.Key(event.key()))
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._stack.begin()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._stack.set_hot(self.indexAt(event.position().toPoint()).row())
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._stack.set_hot(-1)
        super().leaveEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() == 0:
            event.ignore()  # the body scrolls
        else:
            super().wheelEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.oldSize().width() != event.size().width():
            self.scheduleDelayedItemsLayout()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        stack, theme = self._stack, self._stack.theme
        painter = QPainter(self.viewport())
        if not stack.model.rows:
            painter.setPen(theme.color("muted"))
            room = self.viewport().width() - 2 * theme.px(8)
            empty, hint = stack.nothing()
            top = paint_lines(
                painter, theme, "body", wrapped(theme, "body", empty, room, 2), theme.px(8), theme.px(8), room
            )
            painter.setPen(theme.color("faint"))
            paint_lines(painter, theme, "caption", wrapped(theme, "caption", hint, room, 3), theme.px(8), top + 2, room)
        if self.hasFocus():
            current = self.currentIndex()
            spot = self.visualRect(current) if current.isValid() else self.viewport().rect()
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRect(spot.adjusted(1, 1, -1, -1))


class StackWidget(Stack):
    """Base: a subclass gives `rows`, `key`, `words`, `tall`, `paint_row`, `action` and `nothing`."""

    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self.theme, self.component = env, env.theme, component
        self.hot = -1
        self._elastic = True
        self.model = Rows(self)
        self._view = View(self)
        self._view.setModel(self.model)
        self._view.setItemDelegate(Painter(self))
        self._view.clicked.connect(lambda index: self.activate(index.row()))
        # No layout: Qt would ask it for the height, and not us.
        self.setFocusProxy(self._view)
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self.set_component(component)

    # --- what a subclass says -------------------------------------------------------------------------------

    def rows(self) -> Sequence[Any]:
        raise NotImplementedError

    def key(self, row: Any) -> str:
        """ "" for what is no row of its own, such as a day's heading."""
        raise NotImplementedError

    def words(self, row: Any) -> str:
        raise NotImplementedError

    def tall(self, row: Any, width: int) -> int:
        raise NotImplementedError

    def paint_row(self, painter: QPainter, area: QRect, row: Any, index: int) -> None:
        raise NotImplementedError

    def action(self, row: Any) -> Action | None:
        raise NotImplementedError

    def nothing(self) -> tuple[str, str]:
        return self.component.empty, self.component.empty_hint

    # --- the component --------------------------------------------------------------------------------------

    @property
    def view(self) -> QListView:
        return self._view

    def set_component(self, component: Any) -> None:
        row, scroll = self._view.currentIndex().row(), self._view.verticalScrollBar().value()
        here = self.key(self.model.rows[row]) if 0 <= row < len(self.model.rows) else ""
        self.component = component
        self.model.put(self.rows())
        if here:
            self._go(next((i for i, one in enumerate(self.model.rows) if self.key(one) == here), -1), scroll=False)
        self._view.verticalScrollBar().setValue(scroll)
        self._dress()

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._view.scheduleDelayedItemsLayout()
        self._dress()

    def set_elastic(self, elastic: bool) -> None:
        """Whether it scrolls inside where room is short, or stands whole with the panel scrolling."""
        if elastic != self._elastic:
            self._elastic = elastic
            off, needed = Qt.ScrollBarPolicy.ScrollBarAlwaysOff, Qt.ScrollBarPolicy.ScrollBarAsNeeded
            self._view.setVerticalScrollBarPolicy(needed if elastic else off)
            self.updateGeometry()

    def tick(self) -> None:
        self._view.viewport().update()

    def _dress(self) -> None:
        self._view.setAccessibleName(self.component.label or self.default_name())
        empty, hint = self.nothing()
        self._view.setAccessibleDescription("" if self.model.rows else f"{empty}. {hint}")
        self._view.viewport().update()
        self.updateGeometry()

    def default_name(self) -> str:
        return "Liste"

    def set_hot(self, row: int) -> None:
        if row != self.hot:
            self.hot = row
            self._view.viewport().update()

    def activate(self, row: int) -> None:
        """Run the row's action, if it has one."""
        if 0 <= row < len(self.model.rows):
            action = self.action(self.model.rows[row])
            if action is not None:
                self.env.run(action)

    def offers(self, row: int) -> Sequence[whence.Offer]:
        """What the row at `row` comes from, where it says so."""
        if not 0 <= row < len(self.model.rows):
            return []
        here = self.model.rows[row]
        about, pills = str(getattr(here, "about", "")), whence.of_pills(getattr(here, "pills", ()))
        return [*([whence.Offer(about, getattr(here, "title", ""))] if about else ()), *pills]

    def begin(self) -> None:
        """The keyboard stands on a row: on the first, when it stood nowhere or on a heading."""
        here = self._view.currentIndex().row()
        if not (0 <= here < len(self.model.rows) and self.key(self.model.rows[here])):
            self._go(next((index for index, row in enumerate(self.model.rows) if self.key(row)), -1), scroll=False)

    def walk(self, key: Qt.Key) -> None:
        """The next row that is one, in a direction; the first or the last."""
        places = [index for index, row in enumerate(self.model.rows) if self.key(row)]
        if not places:
            return
        here = self._view.currentIndex().row()
        if key == Qt.Key.Key_Down:
            wanted = next((index for index in places if index > here), places[-1])
        elif key == Qt.Key.Key_Up:
            wanted = next((index for index in reversed(places) if index < here), places[0])
        else:
            wanted = places[0] if key == Qt.Key.Key_Home else places[-1]
        self._go(wanted)

    def _go(self, row: int, *, scroll: bool = True) -> None:
        if row < 0:
            return
        index = self.model.index(row)
        self._view.setAutoScroll(scroll)
        self._view.setCurrentIndex(index)
        self._view.setAutoScroll(True)
        if scroll:
            reveal(self._view.viewport(), self._view.visualRect(index))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._view.setGeometry(RING, 0, self.width() - 2 * RING, self.height())

    # --- height ---------------------------------------------------------------------------------------------

    def _inner(self, width: int) -> int:
        return max(1, width - 2 * RING)

    def heightForWidth(self, width: int) -> int:
        if not self.model.rows:
            return self.theme.px(60 if self.nothing()[1] else 36)
        inner = self._inner(width)
        return sum(self.tall(row, inner) for row in self.model.rows) + 2

    def hasHeightForWidth(self) -> bool:
        return True

    def least(self, width: int) -> int:
        if not self._elastic or len(self.model.rows) <= FEW_ROWS:
            return self.heightForWidth(width)
        inner = self._inner(width)
        return sum(self.tall(row, inner) for row in self.model.rows[:FEW_ROWS])

    def sizeHint(self) -> QSize:
        width = max(self.width(), self.theme.px(240))
        return QSize(self.theme.px(240), self.heightForWidth(width))

    def minimumSizeHint(self) -> QSize:
        return QSize(
            self.theme.px(120), min(self.least(max(self.width(), self.theme.px(240))), self.sizeHint().height())
        )


def reveal(widget: QWidget, area: QRect) -> None:
    """Scroll the panel's body until `area` of `widget` is in sight."""
    parent = widget.parentWidget()
    while parent is not None:
        inside = parent.widget() if isinstance(parent, QScrollArea) else None
        if isinstance(parent, QScrollArea) and inside is not None:
            spot = widget.mapTo(inside, area.center())
            parent.ensureVisible(spot.x(), spot.y(), 0, area.height() // 2 + 8)
            return
        parent = parent.parentWidget()
