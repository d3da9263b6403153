"""Our icons: 24-grid strokes from ``resources/icons``, tinted at run time, crisp at any scale.

Qt draws ``currentColor`` as black, so the colour is put into the SVG text before it is rendered. Rendered pixmaps are
kept in a small cache. Never decides a colour: the caller takes it from its theme.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

FOLDER = Path(__file__).resolve().parents[2] / "resources" / "icons"
NAME = re.compile(r"[a-z0-9-]{1,40}", re.ASCII)
MISSING = "help"
"""Shown for a name we have no drawing of: a layout may come from a newer version."""


def names() -> list[str]:
    """Every icon there is, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.svg"))


@lru_cache(maxsize=128)
def _source(name: str) -> str:
    path = FOLDER / f"{name}.svg"
    if NAME.fullmatch(name) is None or not path.is_file():
        path = FOLDER / f"{MISSING}.svg"
    return path.read_text(encoding="utf-8")


@lru_cache(maxsize=512)
def _rendered(name: str, color: str, device_size: int) -> QPixmap:
    renderer = QSvgRenderer(QByteArray(_source(name).replace("currentColor", color).encode()))
    made = QPixmap(QSize(device_size, device_size))
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    renderer.render(painter, QRectF(0, 0, device_size, device_size))
    painter.end()
    return made


def pixmap(name: str, color: QColor | str, size: int = 20, ratio: float = 1.0) -> QPixmap:
    """The icon as a pixmap of `size` device-independent pixels for a screen of device pixel ratio `ratio`."""
    text = color if isinstance(color, str) else color.name()
    made = QPixmap(_rendered(name, text, round(size * ratio)))
    made.setDevicePixelRatio(ratio)
    return made


def icon(name: str, color: QColor | str, size: int = 20, disabled: QColor | str | None = None) -> QIcon:
    """A QIcon for menus and buttons of Qt's own, with pixmaps for ordinary and double density."""
    made = QIcon()
    for ratio in (1.0, 2.0):
        made.addPixmap(pixmap(name, color, size, ratio))
        if disabled is not None:
            made.addPixmap(pixmap(name, disabled, size, ratio), QIcon.Mode.Disabled)
    return made


def paint(painter: QPainter, name: str, color: QColor | str, rect: QRectF) -> None:
    """Draw the icon centred in `rect`, as large as fits in its shorter side."""
    size = int(min(rect.width(), rect.height()))
    if size <= 0:
        return
    ratio = painter.device().devicePixelRatio()
    made = pixmap(name, color, size, ratio)
    corner = QPointF(
        rect.x() + round((rect.width() - size) / 2),
        rect.y() + round((rect.height() - size) / 2),
    )
    painter.drawPixmap(corner, made)
