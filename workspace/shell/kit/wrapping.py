"""Words on a few lines, for what is painted rather than laid out. The last line is elided; nothing is lost for screen
readers, which get the text itself."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QPainter, QTextLayout, QTextOption

from workspace.shell import fonts
from workspace.shell.fonts import Role
from workspace.shell.theme import Theme


def wrapped(theme: Theme, role: Role, text: str, width: int, lines: int) -> tuple[str, ...]:
    """`text` broken to `width` pixels, on at most `lines` lines."""
    if "\n" not in text and theme.metrics(role).horizontalAdvance(text) <= width:
        return (text,) if text else ()
    return _broken(role, theme.scale, text, max(1, width), lines)


@lru_cache(maxsize=4096)
def _broken(role: Role, scale: float, text: str, width: int, lines: int) -> tuple[str, ...]:
    found: list[str] = []
    font, metrics = fonts.font(role, scale), fonts.metrics(role, scale)
    paragraphs = text.split("\n")
    for number, paragraph in enumerate(paragraphs):
        layout = QTextLayout(paragraph, font)
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        layout.setTextOption(option)
        layout.beginLayout()
        while (line := layout.createLine()).isValid():
            line.setLineWidth(width)
            start = line.textStart()
            if len(found) == lines - 1:
                rest = " ".join([paragraph[start:], *paragraphs[number + 1 :]])
                found.append(metrics.elidedText(rest.strip(), Qt.TextElideMode.ElideRight, width))
                layout.endLayout()
                return tuple(found)
            found.append(paragraph[start : start + line.textLength()].rstrip())
        layout.endLayout()
    return tuple(found)


def paint_lines(
    painter: QPainter, theme: Theme, role: Role, lines: tuple[str, ...], left: int, top: int, width: int
) -> int:
    """Draw lines from `top` down with the painter's pen; returns where the next may begin."""
    tall = theme.line_height(role)
    painter.setFont(theme.font(role))
    for line in lines:
        area = QRect(left, top, width + 2, tall)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, line)
        top += tall
    return top
