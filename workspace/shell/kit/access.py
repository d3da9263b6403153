"""What screen readers hear of widgets that Qt would call nameless clients: their role, heading level, value and state.

A widget says so with a `spoken` attribute (`Spoken`). Qt asks for it only while an assistive technology listens, so it
costs nothing else. Never decides what is said: names and descriptions are set by the widgets themselves.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QLocale, QObject, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleAttributesInterface
from PySide6.QtWidgets import QAccessibleWidget, QLabel, QWidget
from shiboken6 import VoidPtr, isValid

Role = QAccessible.Role
NOTHING = VoidPtr(0)
"""WORKAROUND Shiboken 6.11: None from an overridden `interface_cast` is written through, and ends the program as soon as a
screen reader asks for an interface that is not there. To go when None is taken for a null pointer."""


@dataclass(slots=True)
class Spoken:
    """`level` of a heading; `value` in words where it is not the name; the states that a screen reader tells."""

    role: QAccessible.Role
    level: int = 0
    value: str = ""
    disabled: bool = False
    expanded: bool | None = None
    checked: bool | None = None


class Voice(QAccessibleWidget, QAccessibleAttributesInterface):
    """A widget's accessible interface, read from its `spoken` each time: it may change while the widget stands."""

    def __init__(self, widget: QWidget) -> None:
        QAccessibleWidget.__init__(self, widget, Role.Client, "")
        QAccessibleAttributesInterface.__init__(self)
        self._widget = weakref.ref(widget)  # Qt's cache must not keep a body alive

    def _there(self) -> QWidget | None:
        widget = self._widget()
        return widget if widget is not None and isValid(widget) else None

    def _spoken(self) -> Spoken:
        found = getattr(self._there(), "spoken", None)
        return found if isinstance(found, Spoken) else Spoken(Role.Client)

    def role(self) -> QAccessible.Role:
        return self._spoken().role

    def text(self, which: QAccessible.Text) -> str:
        widget = self._there()
        if widget is None:
            return ""
        if which == QAccessible.Text.Value:
            return self._spoken().value
        if which == QAccessible.Text.Name and isinstance(widget, QLabel):
            return widget.accessibleName() or widget.text()
        return str(super().text(which))

    def state(self) -> QAccessible.State:
        said, spoken = super().state(), self._spoken()
        for name, value in _states(spoken).items():
            setattr(said, name, value)
        return said

    def interface_cast(self, kind: QAccessible.InterfaceType) -> Any:
        if kind == QAccessible.InterfaceType.AttributesInterface and self.attributeKeys():
            return self
        found = super().interface_cast(kind)
        return found if found is not None else NOTHING

    def attributeKeys(self) -> list[QAccessible.Attribute]:
        widget = self._there()
        level = [QAccessible.Attribute.Level] if self._spoken().level else []
        own = widget is not None and widget.testAttribute(Qt.WidgetAttribute.WA_SetLocale)
        return level + ([QAccessible.Attribute.Locale] if own else [])

    def attributeValue(self, key: QAccessible.Attribute) -> Any:
        widget = self._there()
        if key == QAccessible.Attribute.Locale and widget is not None:
            return widget.locale()
        return self._spoken().level if key == QAccessible.Attribute.Level else None


def _states(spoken: Spoken) -> dict[str, bool]:
    said: dict[str, bool] = {"disabled": True} if spoken.disabled else {}
    if spoken.expanded is not None:
        said |= {"expandable": True, "expanded": spoken.expanded, "collapsed": not spoken.expanded}
    if spoken.checked is not None:
        said |= {"checkable": True, "checked": spoken.checked}
    return said


_voices: dict[int, Voice] = {}
"""Held here while their widgets stand: Qt keeps a bare pointer to what the factory gave it."""


def _factory(_class_name: str, thing: QObject) -> Voice | None:
    if not isinstance(thing, QWidget) or not isinstance(getattr(thing, "spoken", None), Spoken):
        return None
    made, key = Voice(thing), id(thing)
    _voices[key] = made
    thing.destroyed.connect(lambda: _voices.pop(key, None))
    return made


_installed: list[bool] = []


def install() -> None:
    """Let Qt ask us from now on. Idempotent."""
    if not _installed:
        QAccessible.installFactory(_factory)
        _installed.append(True)


def speak_in(widget: QWidget, language: str) -> None:
    """The language of a widget's words, as a BCP 47 tag; "" is that of what it stands in."""
    if language:
        widget.setLocale(QLocale(language))
    elif widget.testAttribute(Qt.WidgetAttribute.WA_SetLocale):
        widget.unsetLocale()


def announce(widget: QWidget, words: str) -> None:
    """Say something now, politely: it does not take the focus."""
    if words and QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))
