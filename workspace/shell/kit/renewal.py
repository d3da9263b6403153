"""A body whose context is over stands by, emptied, and serves the next: its widgets take other components, which is a part
of the work of making them.

What a widget held of the former context goes when it is emptied, not when it is filled: whatever then failed to come would
be missing, never somebody else's. A kind without `forget` cannot be emptied for certain, and is made anew each time.
"""

from __future__ import annotations

from typing import Any, cast

from PySide6.QtWidgets import QMenu, QWidget

from workspace.panels.components import Component
from workspace.shell.kit import access
from workspace.shell.kit.containers import Container


def empty(widget: QWidget) -> bool:
    """Let go of all that it holds, as if it had just been made. False where that is not possible."""
    forget = getattr(widget, "forget", None)
    if forget is None:
        return False
    for menu in widget.findChildren(QMenu):
        menu.close()
    forget()
    return True


def keep(widget: QWidget, component: Component) -> None:
    """A widget that somebody looks at draws `component`, perhaps what it drew already; what stands in it is placed by the
    body."""
    if not isinstance(widget, Container):
        one = cast(Any, widget)
        one.set_component(component)
        if hasattr(widget, "value_changed"):
            one.value_changed()
    access.speak_in(widget, component.language)


def fill(widget: QWidget, component: Component) -> None:
    """An emptied widget draws `component`; what stands in it is placed by the body."""
    one = cast(Any, widget)
    if hasattr(widget, "renew"):
        one.renew(component)
    elif not isinstance(widget, Container):
        one.set_component(component)
        if hasattr(widget, "value_changed"):
            one.value_changed()
    access.speak_in(widget, component.language)
