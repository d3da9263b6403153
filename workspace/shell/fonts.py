"""The typeface and its sizes: Inter where installed, else Noto Sans or the system's, always with tabular figures.

Sizes are pixels at 100 % and follow the text scale. Never sets the application's font itself (`theme.apply` does).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Literal

from PySide6.QtGui import QFont, QFontDatabase, QFontMetrics

Role = Literal[
    "body", "medium", "strong", "button", "caption", "pill", "key", "label", "mark", "heading", "title", "name"
]

SIZES: dict[Role, tuple[int, QFont.Weight]] = {
    "body": (14, QFont.Weight.Normal),
    "medium": (14, QFont.Weight.Medium),
    "strong": (14, QFont.Weight.DemiBold),
    "button": (13, QFont.Weight.DemiBold),
    "caption": (12, QFont.Weight.Normal),
    "label": (12, QFont.Weight.Medium),
    "pill": (12, QFont.Weight.Medium),
    "mark": (12, QFont.Weight.DemiBold),
    "key": (11, QFont.Weight.Medium),
    "heading": (14, QFont.Weight.DemiBold),
    "title": (16, QFont.Weight.DemiBold),
    "name": (20, QFont.Weight.DemiBold),
}
"""Pixel size and weight at 100 %. Body lines are 20 pixels apart, captions 16 (`Theme.line_height`)."""

PREFERRED = ("Inter", "Noto Sans", "Segoe UI", "SF Pro Text", "DejaVu Sans")


@lru_cache(maxsize=1)
def family() -> str:
    """The first of the preferred families that is installed; the system's own when none is. Needs a QGuiApplication."""
    installed = set(QFontDatabase.families())
    for name in PREFERRED:
        if name in installed:
            return name
    return QFontDatabase.systemFont(QFontDatabase.SystemFont.GeneralFont).family()


@lru_cache(maxsize=256)
def font(role: Role = "body", scale: float = 1.0) -> QFont:
    """A font for `role` at a text scale of 1.0–2.0, figures tabular. Shared: copy it before changing it."""
    size, weight = SIZES[role]
    made = QFont(family())
    made.setPixelSize(round(size * scale))
    made.setWeight(weight)
    made.setFeature(QFont.Tag("tnum"), 1)
    return made


@lru_cache(maxsize=256)
def metrics(role: Role = "body", scale: float = 1.0) -> QFontMetrics:
    """The metrics of `font(role, scale)`, made once."""
    return QFontMetrics(font(role, scale))
