"""Components that tell: text, headings, pills, notices, empty, pending and failed states, dividers, placeholders."""

from __future__ import annotations

from typing import Any, ClassVar

from PySide6.QtCore import QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleEvent, QPainter, QPaintEvent, QPalette, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from workspace.panels.components import Empty, Failed, Heading, Notice, Pending, Pill, Text
from workspace.panels.face import Unknown
from workspace.shell import icons, painters
from workspace.shell.chips import PlainButton
from workspace.shell.fonts import Role
from workspace.shell.kit import when
from workspace.shell.kit.env import Env
from workspace.shell.theme import Theme

SKELETON_AFTER_MS = 300
WORDS_AFTER_MS = 2000
RING = 3
"""What fields keep free around their box for the focus ring; the rest keeps it too, to stand in line."""


def dress(label: QLabel, theme: Theme, token: str) -> None:
    """Give a label an ink."""
    dressed = label.palette()
    dressed.setColor(QPalette.ColorRole.WindowText, theme.color(token))
    label.setPalette(dressed)


class TextWidget(QLabel):
    """Words that wrap. Never interprets mark-up."""

    ROLES: ClassVar[dict[str, tuple[Role, str]]] = {
        "body": ("body", "text"), "muted": ("body", "muted"), "caption": ("caption", "faint"),
        "strong": ("strong", "text"), "number": ("body", "text"),
    }  # fmt: skip

    def __init__(self, component: Text | Heading, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setWordWrap(True)
        self.setContentsMargins(RING, 0, RING, 0)  # in line with the boxes of fields
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_component(component)

    def set_component(self, component: Text | Heading) -> None:
        self._component = component
        theme = self._theme
        if isinstance(component, Heading):
            role: Role = "heading"
            ink = theme.color("text")
            words = component.text
        else:
            role, token = self.ROLES[component.style]
            ink = theme.color(token) if component.tone == "neutral" else theme.tone(component.tone)
            age = when.age(component.at, self._env.now()) if component.at else ""
            words = " · ".join(part for part in (component.text, age, component.source) if part)
        self.setFont(theme.font(role))
        dressed = self.palette()
        dressed.setColor(QPalette.ColorRole.WindowText, ink)
        self.setPalette(dressed)
        self.setText(words)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)

    def tick(self) -> None:
        if getattr(self._component, "at", ""):
            self.set_component(self._component)


class PillWidget(QWidget):
    def __init__(self, component: Pill, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.set_component(component)

    def set_component(self, component: Pill) -> None:
        self._component = component
        self.setAccessibleName(component.label or component.text)
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(painters.pill_width(theme, self._component.text, self._component.shape) + RING, theme.pill + 2)

    def paintEvent(self, event: QPaintEvent) -> None:
        one = self._component
        painters.paint_pill(QPainter(self), self._theme, RING, self.height() / 2, one.text, one.tone, one.shape)


class NoticeWidget(QWidget):
    """A sentence with an icon and a tone edge; announced when it appears."""

    def __init__(self, component: Notice, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._box = QHBoxLayout(self)
        self._box.addWidget(self._words)
        self.set_component(component)

    def set_component(self, component: Notice) -> None:
        self._component = component
        theme = self._theme
        self._box.setContentsMargins(RING + theme.px(34), theme.px(7), RING + theme.px(10), theme.px(7))
        self._words.setFont(theme.font("body"))
        dress(self._words, theme, "text")
        said = f"{component.title}\n{component.text}" if component.title else component.text
        self._words.setText(said)
        self.setAccessibleName(said)
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.set_component(self._component)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme, tone = self._theme, self._component.tone
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.tint(tone))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(RING, 0, -RING, 0), 6, 6)
        size = theme.px(16)
        name = "check" if tone == "ok" else ("info" if tone in ("neutral", "accent") else "alert")
        icons.paint(painter, name, theme.tone(tone), QRectF(RING + theme.px(10), theme.px(9), size, size))


class EmptyWidget(QWidget):
    def __init__(self, component: Empty, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self.set_component(component)

    def set_component(self, component: Empty) -> None:
        self._component = component
        self.setAccessibleName(f"{component.title}. {component.text}")
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(200), self._theme.px(72))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setFont(theme.font("medium"))
        painter.setPen(theme.color("muted"))
        top = self.rect().adjusted(8, theme.px(12), -8, 0)
        painter.drawText(top, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop, self._component.title)
        painter.setFont(theme.font("caption"))
        painter.setPen(theme.color("faint"))
        below = top.adjusted(0, theme.px(22), 0, 0)
        flags = Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop | Qt.TextFlag.TextWordWrap
        painter.drawText(below, flags, self._component.text)


class PendingWidget(QWidget):
    """Nothing at first, a skeleton from 300 ms, words from 2 s: a quick answer never flickers."""

    def __init__(self, component: Pending, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme, self._component, self._stage = env.theme, component, 0
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._later)
        self._timer.start(SKELETON_AFTER_MS)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)

    def _later(self) -> None:
        self._stage += 1
        if self._stage == 1:
            self._timer.start(WORDS_AFTER_MS - SKELETON_AFTER_MS)
        else:
            self.setAccessibleName(self._component.waits_for or "Venter på svar")
        self.update()

    def set_component(self, component: Pending) -> None:
        self._component = component
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(160), self._component.lines * self._theme.px(28))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._stage == 0:
            return
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("ground"))
        for line in range(self._component.lines):
            width = self.width() * (0.9, 0.7, 0.8)[line % 3]
            painter.drawRoundedRect(QRectF(0, line * theme.px(28) + theme.px(8), width, theme.px(12)), 4, 4)
        if self._stage > 1:
            painter.setPen(theme.color("muted"))
            painter.setFont(theme.font("caption"))
            painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._component.waits_for or "Venter på svar …")


class FailedWidget(QWidget):
    def __init__(self, component: Failed, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme = env, env.theme
        self._words = QLabel(self)
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._again = PlainButton(env.theme, "Prøv igjen")
        self._again.clicked.connect(self._retry)
        box = QVBoxLayout(self)
        box.setContentsMargins(RING, 4, RING, 4)
        box.addWidget(self._words)
        box.addWidget(self._again)
        self.set_component(component)

    def set_component(self, component: Failed) -> None:
        self._component = component
        self._words.setFont(self._theme.font("body"))
        dress(self._words, self._theme, "bad")
        self._words.setText(component.text)
        self._again.setVisible(component.retry is not None)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._again.set_theme(theme)
        self.set_component(self._component)

    def _retry(self) -> None:
        if self._component.retry is not None:
            self._env.run(self._component.retry)


class UnknownWidget(QLabel):
    """A component from a newer panel language: its place, labelled."""

    def __init__(self, component: Unknown, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setWordWrap(True)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setContentsMargins(RING, 0, RING, 0)
        self.set_component(component)

    def set_component(self, component: Unknown) -> None:
        dress(self, self._theme, "muted")
        self.setText(f"Denne delen («{component.type}») krever en nyere arbeidsflate.")
        self.setFont(self._theme.font("caption"))

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        dress(self, theme, "muted")
        self.setFont(theme.font("caption"))


class DividerWidget(QWidget):
    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = env.theme
        self.setFixedHeight(1)

    def set_component(self, component: Any) -> None:
        pass

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        QPainter(self).fillRect(self.rect(), self._theme.color("line"))


class SpacerWidget(QWidget):
    def __init__(self, component: Any, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def set_component(self, component: Any) -> None:
        pass

    def set_theme(self, theme: Theme) -> None:
        pass


WIDGETS: dict[str, type[QWidget]] = {
    "text": TextWidget, "heading": TextWidget, "pill": PillWidget, "notice": NoticeWidget, "empty": EmptyWidget,
    "pending": PendingWidget, "failed": FailedWidget, "unknown": UnknownWidget, "divider": DividerWidget,
    "spacer": SpacerWidget,
}  # fmt: skip
