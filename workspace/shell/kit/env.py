"""What every component widget is handed: the theme, the clock, and the ways back to the panel's instance. No state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QRect

from workspace.panels.components import Action
from workspace.panels.face import BoundRows
from workspace.shell.theme import Theme


def no_blob(_handle: str) -> tuple[str, bytes] | None:
    return None


@dataclass(frozen=True, slots=True)
class RowMark:
    """The state of what is not saved yet about a row's thing, in a word, and why."""

    words: str
    tone: str
    shape: str
    reason: str = ""


def no_mark(_about: str) -> RowMark | None:
    return None


def no_origin(_reference: str, _area: QRect) -> None:
    return None


@dataclass(slots=True)
class Env:
    """`now` is clinical time; `run` starts an action; `bound` gives a watch's rows; `value` and `typed` are the fields'
    memory, kept by the panel's instance and never by the widget; `blob` gives (media type, bytes) of a handle; `mark` what
    is not saved yet about a ``Type/id``; `origin` asks where the ``Type/id`` shown at a place of the screen comes from."""

    theme: Theme
    now: Callable[[], datetime]
    run: Callable[[Action], None]
    bound: Callable[[int], BoundRows]
    value: Callable[[str], Any]
    typed: Callable[[str, Any], None]
    blob: Callable[[str], tuple[str, bytes] | None] = no_blob
    mark: Callable[[str], RowMark | None] = no_mark
    origin: Callable[[str, QRect], None] = no_origin
