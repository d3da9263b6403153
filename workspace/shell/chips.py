"""Small labels that the shell itself uses: a quiet pill, a plain button with its shortcut, the SANDKASSE mark.

Panels have their own components in `kit/`; these stand in the window's own bars only.
"""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from workspace.shell.fonts import Role
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme


class Chip(QWidget):
    """A fact in a tinted or hairlined pill. `tone` is a tone of the panel language; `shape` ▲ ◆ ● or none."""

    def __init__(self, theme: Theme, text: str = "", tone: str = "neutral", shape: str = "none") -> None:
        super().__init__()
        self._theme, self._text, self._tone, self._shape = theme, text, tone, shape
        self._brief = ""
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def set_text(self, text: str, tone: str | None = None) -> None:
        self._text, self._tone = text, tone or self._tone
        self.setAccessibleName(text)
        self.setVisible(bool(text))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        return self._text

    def shorten(self, brief: str) -> None:
        """Show only `brief` of it, "" for all; a tip and screen readers have the whole text."""
        if brief != self._brief:
            self._brief = brief
            self.updateGeometry()
            self.update()
        self.setToolTip(plain_tip(self._text) if brief else "")

    def wide(self, text: str) -> int:
        """What `text` takes in it."""
        mark = self._theme.px(14) if self._shape != "none" else 0
        return self._theme.metrics("pill").horizontalAdvance(text) + self._theme.px(18) + mark

    def sizeHint(self) -> QSize:
        return QSize(self.wide(self._brief or self._text), self._theme.px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5)
        quiet = self._tone == "neutral"
        painter.setPen(QPen(theme.color("line"), 1) if quiet else Qt.PenStyle.NoPen)
        painter.setBrush(theme.tint(self._tone))
        painter.drawRoundedRect(area, theme.pill_radius, theme.pill_radius)
        ink = theme.tone(self._tone)
        left = theme.px(9)
        if self._shape != "none":
            paint_shape(
                painter, self._shape, QRectF(left, (self.height() - theme.px(9)) / 2, theme.px(9), theme.px(9)), ink
            )
            left += theme.px(14)
        painter.setPen(ink)
        painter.setFont(theme.font("pill"))
        room = self.width() - left - theme.px(6)
        words = theme.metrics("pill").elidedText(self._brief or self._text, Qt.TextElideMode.ElideRight, room)
        painter.drawText(self.rect().adjusted(left, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)


def paint_shape(painter: QPainter, shape: str, area: QRectF, ink: object) -> None:
    """▲, ◆ or ● as a path, so that it looks the same in every font."""
    path = QPainterPath()
    if shape == "up":
        path.addPolygon(QPolygonF([QPointF(area.center().x(), area.top()), area.bottomRight(), area.bottomLeft()]))
        path.closeSubpath()
    elif shape == "diamond":
        middle = area.center()
        path.addPolygon(
            QPolygonF(
                [
                    QPointF(middle.x(), area.top()),
                    QPointF(area.right(), middle.y()),
                    QPointF(middle.x(), area.bottom()),
                    QPointF(area.left(), middle.y()),
                ]
            )
        )
        path.closeSubpath()
    else:
        path.addEllipse(area.adjusted(1, 1, -1, -1))
    painter.fillPath(path, ink)  # type: ignore[arg-type]


class SandboxMark(QWidget):
    """SANDKASSE on stripes: nobody shall take these patients for real ones."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.setAccessibleName("Sandkasse: øvelsesdata, ingen virkelige personer")
        self.setToolTip("Sandkasse: øvelsesdata, ingen virkelige personer")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(theme.metrics("pill").horizontalAdvance("SANDKASSE") + theme.px(22), theme.px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(self.rect()), 4, 4)
        painter.setClipPath(clip)
        painter.setPen(QPen(theme.color("warn_tint"), 8))
        for x in range(-self.height(), self.width() + self.height(), 20):
            painter.drawLine(x, self.height() + 4, x + self.height() + 8, -4)
        painter.setPen(theme.color("warn"))
        font = theme.font("pill")
        font = type(font)(font)
        font.setBold(True)
        painter.setFont(font)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, "SANDKASSE")


class PlainButton(QAbstractButton):
    """A button of the shell's own: hairline or filled, with its shortcut as a key cap."""

    def __init__(self, theme: Theme, text: str, key: str = "", *, primary: bool = False, quiet: bool = False) -> None:
        super().__init__()
        self._theme, self._key, self._primary, self._quiet = theme, key, primary, quiet
        self._key_shown = bool(key)
        self.setText(text)
        self.setAccessibleName(text)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        if key:
            self.setShortcut(key)

    def show_key(self, shown: bool) -> None:
        """Whether its key stands on it; it works all the same, and the tip has it."""
        if shown != self._key_shown:
            self._key_shown = shown
            self.setToolTip("" if shown else self._key)
            self.updateGeometry()
            self.update()

    def set_primary(self, primary: bool) -> None:
        """Whether it is the thing to do here."""
        self._primary = primary
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def _role(self) -> Role:
        return "medium" if self._quiet else "button"

    def wide(self, *, key: bool) -> int:
        """What it takes, with its key on it or without."""
        theme = self._theme
        width = theme.metrics(self._role()).horizontalAdvance(self.text()) + theme.px(10 if self._quiet else 26)
        if key:
            width += theme.metrics("key").horizontalAdvance(self._key) + theme.px(18)
        return width + 4

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(self.wide(key=self._key_shown), theme.button + (theme.px(8) if self._primary else 0) + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(2.5, 2.5, -2.5, -2.5)
        hot = self.underMouse() and self.isEnabled()
        ink = theme.color("on_accent" if self._primary else "text")
        if not self._quiet:
            primary = self._primary and self.isEnabled()
            ground = theme.color("accent" if primary else ("hover" if hot else "surface"))
            painter.setPen(Qt.PenStyle.NoPen if primary else QPen(theme.color("line"), 1))
            painter.setBrush(ground)
            painter.drawRoundedRect(area, 8, 8)
        elif hot:
            ink = theme.color("accent")
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 9, 9)
        painter.setPen(ink if self.isEnabled() else theme.color("faint"))
        painter.setFont(theme.font(self._role()))
        left = int(area.left()) + theme.px(3 if self._quiet else 11)
        width = theme.metrics(self._role()).horizontalAdvance(self.text())
        painter.drawText(left, 0, width + 4, self.height(), Qt.AlignmentFlag.AlignVCenter, self.text())
        if self._key_shown:
            key_cap(painter, theme, self._key, left + width + theme.px(8), self.height(), on_accent=self._primary)


def key_cap(painter: QPainter, theme: Theme, key: str, left: int, height: int, *, on_accent: bool = False) -> int:
    """A key's name in a small hairline box; returns its width."""
    text = key.replace("+", " ")
    width = theme.metrics("key").horizontalAdvance(text) + theme.px(10)
    box = QRectF(left + 0.5, (height - theme.px(18)) / 2 + 0.5, width, theme.px(18))
    ink = theme.color("on_accent" if on_accent else "muted")
    edge = type(ink)(ink)
    edge.setAlpha(120 if on_accent else 90)
    painter.setPen(QPen(edge, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush if on_accent else theme.color("surface"))
    painter.drawRoundedRect(box, 4, 4)
    painter.setPen(ink)
    painter.setFont(theme.font("key"))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    return width
