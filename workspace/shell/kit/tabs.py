"""The tabs component: one page at a time. Which one is remembered here, by the page's node; the panel hears nothing."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QTabBar, QToolButton, QVBoxLayout, QWidget

from workspace.panels.components import Tab, Tabs
from workspace.shell import painters
from workspace.shell.fonts import Role as Role_
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.containers import ColumnWidget, Container, growing
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.theme import Theme


class Bar(QTabBar):
    """Titles with their badges; an accent line under the chosen one. The arrows, Home and End move between them."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._pages: list[Tab] = []
        self.setDrawBase(False)
        self.setExpanding(False)
        self.setUsesScrollButtons(True)
        self.setElideMode(Qt.TextElideMode.ElideRight)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_pages(self, theme: Theme, pages: list[Tab], current: int) -> None:
        self._theme, self._pages = theme, pages
        self.setFont(theme.font("medium"))
        while self.count() > len(pages):
            self.removeTab(self.count() - 1)
        for index, page in enumerate(pages):
            words = page.title.replace("&", "&&")
            if index >= self.count():
                self.addTab(words)
            self.setTabText(index, words)
            self.setAccessibleTabName(index, f"{page.title}, {page.badge}" if page.badge else page.title)
        if 0 <= current < len(pages):
            self.setCurrentIndex(current)
        for button, name in zip(self.findChildren(QToolButton), ("Tidligere faner", "Flere faner"), strict=False):
            button.setAccessibleName(name)
        self.updateGeometry()
        self.update()

    def tabSizeHint(self, index: int) -> QSize:
        theme = self._theme
        if index >= len(self._pages):
            return QSize(0, 0)
        page = self._pages[index]
        width = theme.metrics("strong").horizontalAdvance(page.title) + theme.px(20) + 2 * RING
        if page.badge:
            width += painters.pill_width(theme, page.badge) + theme.px(6)
        return QSize(width, theme.px(34))

    def minimumTabSizeHint(self, index: int) -> QSize:
        return self.tabSizeHint(index)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        self.update()

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(RING, self.height() - 1, self.width() - 2 * RING, 1, theme.color("line"))
        hot = self.tabAt(self.mapFromGlobal(self.cursor().pos())) if self.underMouse() else -1
        for index, page in enumerate(self._pages[: self.count()]):
            area = self.tabRect(index)
            if area.right() < 0 or area.left() > self.width() - self._theme.px(20):
                continue  # scrolled out of sight
            self._page(painter, area, page, chosen=index == self.currentIndex(), hot=index == hot)

    def _page(self, painter: QPainter, area: QRect, page: Tab, *, chosen: bool, hot: bool) -> None:
        theme = self._theme
        left = area.left() + RING + theme.px(10)
        painter.setFont(theme.font("strong" if chosen else "medium"))
        painter.setPen(theme.color("accent" if chosen else ("text" if hot else "muted")))
        role: Role_ = "strong" if chosen else "medium"
        room = min(area.right(), self.width()) - left
        title = theme.metrics(role).elidedText(page.title, Qt.TextElideMode.ElideRight, room)
        words = QRect(left, area.top(), room, area.height())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, title)
        if page.badge and title == page.title:
            after = left + theme.metrics(role).horizontalAdvance(page.title) + theme.px(6)
            painters.paint_pill(painter, theme, after, area.center().y() + 1, page.badge, page.tone)
        if chosen:
            painter.fillRect(area.left() + RING, area.bottom() - 1, area.width() - 2 * RING, 2, theme.color("accent"))
            if self.hasFocus():
                painter.setPen(QPen(theme.color("focus"), 2))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(QRectF(area).adjusted(1, 1, -1, -3), 6, 6)


class TabWidget(ColumnWidget):
    """A page. What is not a `tab` has its label for a title."""

    def forget(self) -> None:
        self.component = Tab(title="")
        self.setAccessibleName("")

    def set_component(self, component: Tab) -> None:
        super().set_component(component)
        parent = self.parentWidget()
        if isinstance(parent, TabsWidget):
            parent.retitle()


class TabsWidget(Container):
    def __init__(self, component: Tabs, env: Env, parent: QWidget | None = None) -> None:
        self._bar = Bar(env.theme)
        self._open = ""  # the node that stands open
        super().__init__(component, env, parent)
        self._bar.setParent(self)
        self._bar.currentChanged.connect(self._chosen)

    @property
    def bar(self) -> QTabBar:
        return self._bar

    def spacing(self) -> int:
        return self.theme.px(10)

    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        names = [widget.objectName() for widget, _, _ in children]
        if self._open not in names:
            titles = [self._page(widget).title for widget, _, _ in children]
            wanted = titles.index(self.component.selected) if self.component.selected in titles else 0
            self._open = names[wanted] if names else ""
        super().place(children)
        assert isinstance(self.box, QVBoxLayout)
        self.box.insertWidget(0, self._bar)
        self._bar.show()
        self.retitle()
        self._show_open()

    @staticmethod
    def _page(widget: QWidget) -> Tab:
        component = getattr(widget, "component", None)
        return component if isinstance(component, Tab) else Tab(title=widget.accessibleName() or "Fane")

    def retitle(self) -> None:
        """Titles and badges as the pages say them now."""
        pages = [self._page(widget) for widget, _, _ in self.children_]
        names = [widget.objectName() for widget, _, _ in self.children_]
        self._bar.blockSignals(True)
        self._bar.show_pages(self.theme, pages, names.index(self._open) if self._open in names else 0)
        self._bar.blockSignals(False)
        self._bar.setAccessibleName(self.component.label or "Faner")
        for widget, page in zip((w for w, _, _ in self.children_), pages, strict=True):
            if isinstance(widget, TabWidget):
                widget.spoken = Spoken(Role.Pane)
                widget.setAccessibleName(page.title)

    def _chosen(self, index: int) -> None:
        if 0 <= index < len(self.children_):
            self._open = self.children_[index][0].objectName()
            self._show_open()

    def _show_open(self) -> None:
        for widget, _, _ in self.children_:
            widget.setVisible(widget.objectName() == self._open)
        self.updateGeometry()

    def growing(self) -> bool:
        return any(growing(widget, kind) for widget, kind, _ in self.children_ if widget.objectName() == self._open)


WIDGETS: dict[str, type[Container]] = {"tabs": TabsWidget, "tab": TabWidget}
