"""The status line: service lights, what is unsent, what was registered and reused; panels and vendors to the right.

A light is a dot and words: colour never stands alone. What needs the user now (a login that ran out, a platform that is
away, something that was not saved) stands first, on a tint over the whole line, with one thing to do about it. The line
keeps its height whatever it says: nothing above it moves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QWidget

from workspace.shell.theme import Theme

ALL = "Mer"
URGENCY = {"bad": 0, "warn": 1, "neutral": 2}


@dataclass(frozen=True, slots=True)
class Notice:
    """`tone` bad, warn or neutral; `run` is done when `action` (a verb) is pressed."""

    words: str
    tone: str = "warn"
    action: str = ""
    run: Callable[[], None] | None = None


class LineButton(QAbstractButton):
    """Text that can be pressed: underlined under the pointer, a ring with the focus. As high as the line allows."""

    def __init__(self, theme: Theme, *, strong: bool = False) -> None:
        super().__init__()
        self._theme, self._strong, self._tinted = theme, strong, False
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def say(self, words: str) -> None:
        self.setText(words)
        self.setAccessibleName(words)
        self.setVisible(bool(words))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def on_tint(self, tinted: bool) -> None:
        """Whether it stands on a tint, where muted text would be too faint."""
        self._tinted = tinted
        self.update()

    def _advance(self) -> int:
        return self._theme.metrics("pill" if self._strong else "caption").horizontalAdvance(self.text())

    def sizeHint(self) -> QSize:
        return QSize(self._advance() + self._theme.px(20 if self._strong else 12), self._theme.px(24))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1, 1, -1, -1)
        hot = self.underMouse()
        if self._strong:
            painter.setPen(QPen(theme.color("field_line"), 1))
            painter.setBrush(theme.color("hover" if hot else "surface"))
            painter.drawRoundedRect(area, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area, 5, 5)
        font = type(theme.font("caption"))(theme.font("pill" if self._strong else "caption"))
        font.setUnderline(hot and not self._strong)
        painter.setFont(font)
        painter.setPen(theme.color("text" if self._strong or hot or self._tinted else "muted"))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self.text())


class StatusLine(QWidget):
    """`savedAsked`: the user wants to see what waits and what was not saved; `allAsked`: all that the line has to say, where
    there is no room for it."""

    savedAsked = Signal()
    allAsked = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._lights: dict[str, tuple[str, str]] = {}
        self._notices: dict[str, Notice] = {}
        self._counts = ""
        self._right = ""
        self._words = QLabel()
        self._words.setTextFormat(Qt.TextFormat.PlainText)
        self._act = LineButton(theme, strong=True)
        self._saved = LineButton(theme)
        self._all = LineButton(theme)
        self._fits: set[str] = set()
        self._all.clicked.connect(self.allAsked.emit)
        self._act.clicked.connect(self._acted)
        self._saved.clicked.connect(self.savedAsked.emit)
        self._box = QHBoxLayout(self)
        self._box.setSpacing(10)
        self._box.addWidget(self._words)
        self._box.addWidget(self._act)
        self._box.addSpacing(0)
        self._box.addWidget(self._saved)
        self._box.addStretch(1)
        self._box.addWidget(self._all)
        self._box.setSizeConstraint(QHBoxLayout.SizeConstraint.SetNoConstraint)  # it makes do with what it is given
        self._all.say(ALL)
        self._all.hide()
        self._words.hide()
        self._act.hide()
        self._saved.say("")
        self.setAccessibleName("Status")
        self._dress()

    # --- what it is told ---

    def set_light(self, service: str, tone: str, words: str = "") -> None:
        """`tone` ok, warn or bad; `words` such as «treg siden 15:02»."""
        self._lights[service] = (tone, f"{service}: {words}" if words else service)
        self._told()

    def set_saved(self, words: str) -> None:
        """«Alt er lagret», «2 venter på plattformen»: pressed, it shows which."""
        self._saved.say(words)
        self._told()

    def set_counts(self, words: str) -> None:
        self._counts = words
        self._told()

    def set_right(self, words: str) -> None:
        self._right = words
        self._told()

    def notice(self, key: str, notice: Notice | None) -> None:
        """Say something that needs the user, or take it back (None). The most urgent one is shown."""
        before = self.shown_notice()
        if notice is None:
            self._notices.pop(key, None)
        else:
            self._notices[key] = notice
        now = self.shown_notice()
        if now != before:
            self._show(now)

    def shown_notice(self) -> Notice | None:
        return min(self._notices.values(), key=lambda one: URGENCY.get(one.tone, 3), default=None)

    def text(self) -> str:
        """Everything the line says, in words."""
        now = self.shown_notice()
        lights = [words for _, words in self._lights.values()]
        parts = ([now.words] if now is not None else []) + [*lights, self._saved.text(), self._counts, self._right]
        return " · ".join(part for part in parts if part)

    def lines(self) -> list[tuple[str, str]]:
        """The same line by line but for what is `saved`, each with its tone: every notice, the lights, what is counted."""
        notices = sorted(self._notices.values(), key=lambda one: URGENCY.get(one.tone, 3))
        found = [(one.words, one.tone) for one in notices]
        for tone, words in self._lights.values():
            found.append((f"{words}: i orden" if tone == "ok" and ": " not in words else words, tone))
        return found + [(words, "neutral") for words in (self._counts, self._right) if words]

    def saved(self) -> str:
        """«Alt er lagret», «2 venter på plattformen»."""
        return self._saved.text()

    # --- inside ---

    def _show(self, now: Notice | None) -> None:
        self._words.setVisible(now is not None)
        self._act.say(now.action if now is not None else "")
        self._saved.on_tint(now is not None)
        self._all.on_tint(now is not None)
        self._dress()
        self._told()
        if now is not None:
            self.setAccessibleName(f"Status: {now.words}")
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))
        else:
            self.setAccessibleName("Status")

    def _acted(self) -> None:
        now = self.shown_notice()
        if now is not None and now.run is not None:
            now.run()

    def _told(self) -> None:
        self.setAccessibleDescription(self.text())
        self._place()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._act.set_theme(theme)
        self._saved.set_theme(theme)
        self._all.set_theme(theme)
        self._dress()
        self._place()
        self.update()

    def _dress(self) -> None:
        theme = self._theme
        self.setFixedHeight(theme.px(30))
        self._box.setContentsMargins(theme.px(14), 0, theme.px(14), 0)
        self._words.setFont(theme.font("pill"))
        now = self.shown_notice()
        colours = self._words.palette()
        colours.setColor(self._words.foregroundRole(), theme.tone(now.tone) if now is not None else theme.color("text"))
        self._words.setPalette(colours)

    def _place(self) -> None:
        """What needs the user is said first and as whole as it can be; then what is saved, the lights (painted in the gap
        before that), the counts, and the rest. What has no room is left out, no half words, and *Mer* has it."""
        now, theme, gap = self.shown_notice(), self._theme, self._box.spacing()
        caption = theme.metrics("caption").horizontalAdvance
        whole = theme.metrics("pill").horizontalAdvance(now.words) + 2 if now is not None else 0
        fixed = 2 * theme.px(14) + 2 * gap + (self._act.sizeHint().width() + gap if self._act.text() else 0)
        wanted = {
            "words": whole,
            "saved": self._saved.sizeHint().width() + gap if self._saved.text() else 0,
            "lights": self._lights_width() + theme.px(18) if self._lights else 0,
            "counts": caption(self._counts) + theme.px(20) if self._counts else 0,
            "right": caption(self._right) + theme.px(20) if self._right else 0,
        }
        short = fixed + sum(wanted.values()) > self.width()
        room = self.width() - fixed - (self._all.sizeHint().width() + gap if short else 0)
        self._fits = set()
        for part, wide in wanted.items():
            if wide > room:
                break
            self._fits.add(part)
            room -= wide
        self._all.setVisible(short)
        self._saved.setVisible(bool(self._saved.text()) and "saved" in self._fits)
        if now is not None:
            text = theme.metrics("pill").elidedText(now.words, Qt.TextElideMode.ElideRight, max(1, room))
            self._words.setText(now.words if "words" in self._fits else text)
        item = self._box.itemAt(2)
        space = item.spacerItem() if item is not None else None
        if space is not None:
            wide = wanted["lights"] if "lights" in self._fits else 0
            space.changeSize(wide, 1, QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Minimum)
            self._box.invalidate()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def _lights_width(self) -> int:
        theme = self._theme
        each = [theme.px(14) + theme.metrics("caption").horizontalAdvance(words) for _, words in self._lights.values()]
        return sum(each) + theme.px(20) * max(0, len(each) - 1)

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        now = self.shown_notice()
        painter.fillRect(self.rect(), theme.tint(now.tone) if now is not None else theme.color("surface"))
        painter.fillRect(0, 0, self.width(), 1, theme.color("line"))
        painter.setFont(theme.font("caption"))
        left = self._lights_left()
        for tone, words in self._lights.values() if "lights" in self._fits else ():
            size = theme.px(8)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.tone(tone))
            painter.drawEllipse(QRectF(left, (self.height() - size) / 2, size, size))
            painter.setPen(theme.color("text" if now is not None else "muted"))
            painter.drawText(left + theme.px(14), 0, 9999, self.height(), Qt.AlignmentFlag.AlignVCenter, words)
            left += theme.px(14) + theme.metrics("caption").horizontalAdvance(words) + theme.px(20)
        after = self._saved.geometry().right() + theme.px(14) if "saved" in self._fits and self._saved.text() else left
        painter.setPen(theme.color("text" if now is not None else "muted"))
        if "counts" in self._fits:
            painter.drawText(after, 0, 9999, self.height(), Qt.AlignmentFlag.AlignVCenter, self._counts)
        if "right" in self._fits:
            room = self.rect().adjusted(after, 0, -theme.px(14), 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, self._right)

    def _lights_left(self) -> int:
        before = self._act if self._act.isVisible() else self._words
        if not self._words.isVisible():
            return self._theme.px(14)
        return before.geometry().right() + self._theme.px(16)
