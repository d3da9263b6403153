"""The section component: a titled group."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QVBoxLayout, QWidget

from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.containers import Container
from workspace.shell.kit.env import Env
from workspace.shell.kit.heading import HeadingLabel


class Titled(Container):
    """Base of a group with a heading of its own above its children."""

    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        self._title = HeadingLabel(env.theme)
        super().__init__(component, env, parent)
        self._title.setParent(self)

    def heads(self) -> list[QWidget]:
        return [self._title]

    def forget(self) -> None:
        self.setAccessibleName("")
        self._title.say(self.theme, "", self.component.level)
        self.children_ = []  # placed anew, and titled


class SectionWidget(Titled):
    def place(self, children: list[tuple[QWidget, str, int]]) -> None:
        self.spoken = Spoken(Role.Grouping)
        self.setAccessibleName(self.component.label or self.component.title)
        self._title.say(self.theme, self.component.title, self.component.level)
        super().place(children)
        assert isinstance(self.box, QVBoxLayout)
        self.box.insertWidget(0, self._title)
        self._title.show()


WIDGETS: dict[str, type[Container]] = {"section": SectionWidget}
