"""«Hvor kommer dette fra?» on a value, a row, a point or a fact: the menu for it, by mouse and by keyboard.

What can be asked about, the widget itself offers; who answers is none of its business. A panel need do nothing for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QContextMenuEvent, QKeyEvent
from PySide6.QtWidgets import QMenu, QWidget

from workspace.panels.components import Pill, Value

WORDS = "Hvor kommer dette fra?"
KEY = "Ctrl+I"
UNSAID = "Panelet sier ikke hva dette er satt sammen av"
NOTHING = "Velg først en verdi, en rad, et punkt på en kurve eller banneret"
MOST, WIDE = 24, 70
"""Lines of a menu, and letters of each."""
_NAMED = re.compile(r"[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64}")
Ask = Callable[[str, QRect], None]
"""Asked about ``Type/id``, which is shown at a place on the screen."""


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be asked about: a resource (``Type/id``), and in words what it is here."""

    reference: str
    words: str = ""


@runtime_checkable
class Asked(Protocol):
    """A widget with values that can be asked about."""

    def offers(self, spot: QPoint | None) -> Sequence[Offer]:
        """What stands at `spot` in the widget; without one, where the keyboard is."""
        ...

    def offered_at(self) -> QRect:
        """Where the keyboard is, in the widget."""
        ...

    def ask_origin(self, reference: str, area: QRect) -> None:
        """Somebody wants to know; `area` is on the screen."""
        ...


def sorted_out(offers: Sequence[Offer]) -> list[Offer]:
    """Those that name a resource, each once."""
    found: dict[str, Offer] = {}
    for one in offers:
        if _NAMED.fullmatch(one.reference):
            found.setdefault(one.reference, one)
    return list(found.values())


def offers_of(component: Value, words: str = "") -> list[Offer]:
    """What a component says that it stands in: the whole, in `words`, then what it gathers."""
    told = [Offer(component.about, component.label or words)]
    told += [Offer(about, said) for said, about in component.abouts.items()]
    return sorted_out(told)


def of_pills(pills: Sequence[Pill]) -> list[Offer]:
    """What stands in the pills of a row."""
    return [offer for one in pills for offer in offers_of(one, one.text)]


def is_key(event: QKeyEvent) -> bool:
    """The keys that open a menu everywhere: Menu, and Shift+F10 where there is none."""
    shifted = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
    return event.key() == Qt.Key.Key_Menu or (event.key() == Qt.Key.Key_F10 and shifted)


def by_mouse(widget: Asked, event: QContextMenuEvent) -> None:
    """The menu where the pointer is; one that the keyboard asks for has come by its key already."""
    if event.reason() != QContextMenuEvent.Reason.Keyboard:
        open_menu(widget, event.pos())
    event.accept()


def open_menu(widget: Asked, spot: QPoint | None) -> QMenu:
    """The menu at `spot` of the widget, or where the keyboard is."""
    assert isinstance(widget, QWidget)
    here = widget.offered_at()
    area = QRect(widget.mapToGlobal(here.topLeft()), here.size())
    offers = sorted_out(widget.offers(spot))
    menu = QMenu(widget)
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    if len(offers) > 1:
        menu.addSection(WORDS)
    for one in offers[:MOST]:
        words = one.words if len(offers) > 1 else WORDS
        action = menu.addAction(_short(words or one.reference).replace("&", "&&"))
        if len(offers) == 1:
            action.setText(f"{WORDS}\t{KEY.replace('+', ' ')}")
        action.triggered.connect(partial(_pick, widget, one.reference, area))
    if len(offers) > MOST:
        menu.addAction(f"og {len(offers) - MOST} til").setEnabled(False)
    if not offers:
        menu.addAction(f"{WORDS} {UNSAID}.").setEnabled(False)
    menu.popup(widget.mapToGlobal(spot) if spot is not None else area.bottomLeft())
    if offers and spot is None:
        menu.setActiveAction(menu.actions()[1 if len(offers) > 1 else 0])
    return menu


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= WIDE else f"{line[: WIDE - 1].rstrip()}…"


def _pick(widget: Asked, reference: str, area: QRect, _checked: bool = False) -> None:
    widget.ask_origin(reference, area)


def asked_by(focus: QWidget | None) -> Asked | None:
    """Who around the focus has something to be asked about."""
    while focus is not None and not isinstance(focus, Asked):
        focus = focus.parentWidget()
    return focus


def ask_here(widget: Asked) -> None:
    """By the shortcut: at once where there is one thing to ask about, else by the menu."""
    assert isinstance(widget, QWidget)
    offers = sorted_out(widget.offers(None))
    if len(offers) == 1:
        here = widget.offered_at()
        widget.ask_origin(offers[0].reference, QRect(widget.mapToGlobal(here.topLeft()), here.size()))
    else:
        open_menu(widget, None)
