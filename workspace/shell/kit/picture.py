"""The picture component: a blob's bytes, decoded with care. A vendor's file may be anything: only five formats are read, by
their first bytes, no larger than the limits, and never by a plug-in that the file chose."""

from __future__ import annotations

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import QImage, QImageReader, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Picture
from workspace.shell.kit.about import Asking
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.wrapping import paint_lines, wrapped
from workspace.shell.theme import Theme

HEIGHTS = {"s": 120, "m": 240, "l": 420}
MAX_BYTES = 8 << 20
MAX_SIDE = 8192
MAX_PIXELS = {b"jpeg": 24_000_000}
FEW_PIXELS = 4_000_000
"""JPEG is decoded at the size it is shown in; the rest whole, which must not hold up the window (a tenth of a second at
12 million pixels)."""
FORMATS = ((b"\x89PNG\r\n\x1a\n", b"png"), (b"\xff\xd8\xff", b"jpeg"), (b"GIF8", b"gif"), (b"BM", b"bmp"))
MISSING = "Bildet er ikke kommet."
BROKEN = "Bildet kan ikke vises."
TOO_LARGE = "Bildet er for stort til å vises."


def kind_of(data: bytes) -> bytes:
    """The format by its first bytes; b"" for anything else, SVG among it."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return b"webp"
    return next((name for magic, name in FORMATS if data.startswith(magic)), b"")


def decoded(data: bytes, most: QSize) -> tuple[QImage | None, QSize, str]:
    """The image scaled down to `most` if it is larger, its own size, and why there is none."""
    name = kind_of(data)
    if not name:
        return None, QSize(), BROKEN
    if len(data) > MAX_BYTES:
        return None, QSize(), TOO_LARGE
    held = QByteArray(data)
    device = QBuffer(held)
    device.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(device, QByteArray(name))
    reader.setAutoDetectImageFormat(False)
    reader.setAutoTransform(True)
    size = reader.size()
    if not size.isValid():
        return None, QSize(), BROKEN
    if max(size.width(), size.height()) > MAX_SIDE or size.width() * size.height() > MAX_PIXELS.get(name, FEW_PIXELS):
        return None, QSize(), TOO_LARGE
    if size.width() > most.width() or size.height() > most.height():
        reader.setScaledSize(size.scaled(most, Qt.AspectRatioMode.KeepAspectRatio))
    image = reader.read()
    return (None, QSize(), BROKEN) if image.isNull() else (image, image.size(), "")


class PictureWidget(Asking, QWidget):
    """The picture, or a frame with words while there is none; the caption below."""

    def __init__(self, component: Picture, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.env, self._theme = env, env.theme
        self._image: QImage | None = None
        self._why = MISSING
        policy = QSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        self._component = component
        self.set_component(component, force=True)

    def set_component(self, component: Picture, *, force: bool = False) -> None:
        if force or (component.blob, component.height) != (self._component.blob, self._component.height):
            self._component = component
            self._read()
        self._component = component
        self.spoken = Spoken(Role.Graphic)
        self.setAccessibleName(component.label or component.text)
        self.stands_in(component, component.text, self._why or component.caption)
        self.updateGeometry()
        self.update()

    def blob_changed(self, handle: str) -> None:
        """A blob has come or gone."""
        if handle == self._component.blob:
            self.set_component(self._component, force=True)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def failed(self) -> str:
        """Why there is no picture, in words; "" when there is."""
        return self._why

    def _read(self) -> None:
        found = self.env.blob(self._component.blob)
        if found is None:
            self._image, self._why = None, MISSING
            return
        tall = self._tall() * 2  # sharp at 200 % and on dense screens
        self._image, _, self._why = decoded(found[1], QSize(4 * tall, tall))

    def _tall(self) -> int:
        return HEIGHTS[self._component.height]

    def _shown(self, width: int) -> QSize:
        room = QSize(max(1, width - 2 * RING), self._theme.px(self._tall()))
        if self._image is None:
            return QSize(room.width(), self._theme.px(64))
        size = self._image.size()
        over = size.width() > room.width() or size.height() > room.height()
        return size.scaled(room, Qt.AspectRatioMode.KeepAspectRatio) if over else size

    def _caption(self, width: int) -> tuple[str, ...]:
        return wrapped(self._theme, "caption", self._component.caption, width - 2 * RING, 3)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        below = self._caption(width)
        lines = len(below) * self._theme.line_height("caption") + self._theme.px(4) if below else 0
        return self._shown(width).height() + lines

    def sizeHint(self) -> QSize:
        width = max(self.width(), self._theme.px(240))
        return QSize(self._theme.px(240), self.heightForWidth(width))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        size = self._shown(self.width())
        area = QRectF(RING, 0, size.width(), size.height())
        if self._image is not None:
            painter.drawImage(area, self._image)
        else:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.setBrush(theme.color("ground"))
            painter.drawRoundedRect(area.adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("caption"))
            words = f"{self._component.text}\n{self._why}"
            painter.drawText(area, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, words)
        painter.setPen(theme.color("faint"))
        top = size.height() + theme.px(4)
        paint_lines(painter, theme, "caption", self._caption(self.width()), RING, top, self.width() - 2 * RING)


WIDGETS: dict[str, type[QWidget]] = {"picture": PictureWidget}
