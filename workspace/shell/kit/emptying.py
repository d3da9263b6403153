"""Empties a layout: its items go, its widgets stay."""

from __future__ import annotations

import shiboken6
from PySide6.QtWidgets import QLayout, QWidget


def take_out(box: QLayout) -> list[QWidget]:
    """Every widget in `box`, in order; none stands in it any more. Layouts within it are left alone.

    WORKAROUND PySide 6.11: nobody deletes the item that `takeAt` returns, and its widget goes on telling that one when it
    wants other room. A layout that it is put into later never hears of it, and keeps measures that were true once. To go
    when the item belongs to who has taken it."""
    found = []
    while box.count():
        item = box.takeAt(0)
        if item is None or item.layout() is not None:
            continue
        widget = item.widget()
        if widget is not None:
            found.append(widget)
        shiboken6.delete(item)
    return found
