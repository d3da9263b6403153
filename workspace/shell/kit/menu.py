"""The menu component: a button that opens a list of actions."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QMenu, QWidget

from workspace.panels.components import Action, Button, Menu
from workspace.shell import icons
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.button import ButtonWidget
from workspace.shell.kit.env import Env
from workspace.shell.kit.painting import guarded

NOTHING = Action(name="")
CHEVRON = 14


class MenuWidget(ButtonWidget):
    """A button's looks and keys; Space, Enter and Down open the list."""

    def __init__(self, component: Menu, env: Env, parent: QWidget | None = None) -> None:
        self.menu_component = component
        super().__init__(self._as_button(component), env, parent)
        self.set_component(component)

    @staticmethod
    def _as_button(menu: Menu) -> Button:
        return Button(
            text=menu.text, action=NOTHING, style=menu.style, disabled=menu.disabled, label=menu.label, icon=menu.icon
        )

    def set_component(self, component: Button | Menu) -> None:
        if isinstance(component, Menu):
            self.menu_component = component
            component = self._as_button(component)
        super().set_component(component)
        self.spoken = Spoken(Role.ButtonMenu, disabled=bool(component.disabled), expanded=False)

    def press(self) -> None:
        if self.component.disabled:
            self.explain()
            return
        self.open()

    def open(self) -> None:
        """The list of actions under the button."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setToolTipsVisible(True)
        theme, items = self.theme, self.menu_component.items
        starts = [bool(items and items[0].group), *(one.group != other.group for one, other in pairwise(items))]
        for item, start in zip(items, starts, strict=False):
            if start:
                menu.addSection(item.group.replace("&", "&&")) if item.group else menu.addSeparator()
            words = f"{item.text} ({item.disabled})" if item.disabled else item.text
            action = menu.addAction(words.replace("&", "&&"))
            action.setEnabled(not item.disabled)
            if item.icon or item.danger:
                ink = theme.color("bad" if item.danger else "muted")
                action.setIcon(icons.icon(item.icon or "alert", ink, theme.px(16), theme.color("faint")))
            action.triggered.connect(partial(self._pick, item.action))
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _pick(self, action: Action, _checked: bool = False) -> None:
        self.env.run(action)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Down:
            self.press()
            return
        super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return super().sizeHint() + QSize(self.theme.px(CHEVRON + 4), 0)

    def after(self) -> int:
        return self.theme.px(CHEVRON + 4)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        theme, size = self.theme, self.theme.px(CHEVRON)
        right = self.words_end() + theme.px(4)
        ink = theme.color("faint" if self.component.disabled else "muted")
        icons.paint(QPainter(self), "chevron-down", ink, QRectF(right, (self.height() - size) / 2 + 1, size, size))


WIDGETS: dict[str, type[QWidget]] = {"menu": MenuWidget}
