"""The text field: one line."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from workspace.panels.components import TextField
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, Labelled, LineEdit, below, retype
from workspace.shell.theme import Theme


class LineWidget(Labelled):
    """One line of text."""

    def __init__(self, component: TextField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.editor = LineEdit(env.theme)
        self._box = Box(env.theme, self.editor)
        self._hold(self._box, self.editor)
        self.setFocusProxy(self.editor)
        self.editor.textEdited.connect(lambda text: self._env.typed(self._component.bind, text or None))
        self.set_component(component)
        self.value_changed()

    def set_component(self, component: TextField) -> None:
        self._component = component
        self.editor.setPlaceholderText(component.placeholder)
        self._box.set_wrong(bool(component.error))
        self._describe(self.editor, component.label, component.error, below(component, self._env), component.required)

    def value_changed(self) -> None:
        wanted = str(self._env.value(self._component.bind) or "")
        if self.editor.text() != wanted:
            retype(self.editor, wanted)

    def forget(self) -> None:
        self._component = TextField(label="", bind="")
        self._forget(self.editor)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.editor.dress(theme)
        self._box.set_theme(theme)
        self.set_component(self._component)


WIDGETS: dict[str, type[QWidget]] = {"text-field": LineWidget}
