"""The gallery: every component with its states, in any theme and at any text size. For vendors and for us.

Draws with the shell's own kit, through the real SDK and the real tree; needs no platform, no process and no sign-in.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize, Qt
from PySide6.QtGui import (
    QCloseEvent,
    QColor,
    QImage,
    QImageWriter,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QListWidget,
    QListWidgetItem,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from workspace.clock import OSLO
from workspace.panels.components import COMPONENTS, ChoiceField, Option
from workspace.problem import Problem
from workspace.shell import theme as themes
from workspace.shell.exhibits import overview
from workspace.shell.exhibits.exhibit import GROUPS, Exhibit, load, page
from workspace.shell.exhibits.records import MANY
from workspace.shell.exhibits.stand import Stand
from workspace.shell.frame import PanelFrame
from workspace.shell.kit.body import PanelBody
from workspace.shell.kit.choice import ChoiceWidget
from workspace.shell.kit.containers import tall_as_wide
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Box, LineEdit
from workspace.shell.kit.ink import ink
from workspace.shell.kit.row import Flow
from workspace.shell.theme import Theme

NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)
SIZE = (1440, 900)
SCALES = (100, 125, 150, 175, 200)
OVERVIEW = ""
TITLES = {"light": "Lyst", "dark": "Mørkt", "high-contrast": "Høy kontrast"}


def wound() -> bytes:
    """A drawn picture as PNG: the gallery carries no photograph."""
    image = QImage(360, 240, QImage.Format.Format_RGB32)
    image.fill(QColor("#e9c9b6"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for width, color in ((190, "#d9a28c"), (150, "#c46a5c"), (90, "#a63d3a")):
        painter.setBrush(QColor(color))
        painter.drawEllipse(QRectF(180 - width / 2, 120 - width / 3, width, width / 1.5))
    painter.end()
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def blobs() -> dict[str, tuple[str, bytes]]:
    return {"wound": ("image/png", wound()), "broken": ("image/png", b"<svg/>")}


def many(count: int = 10_000) -> list[dict[str, Any]]:
    """Observations for the table that is bound to a search."""
    code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    return [
        {
            "resourceType": "Observation",
            "id": f"puls-{number}",
            "code": code,
            "effectiveDateTime": f"2025-{1 + number % 12:02d}-{1 + number % 28:02d}T{number % 24:02d}:15:00+01:00",
            "valueQuantity": {"value": 60 + number * 7 % 60, "unit": "/min"},
            "performer": [{"display": ("Tone", "Eli", "Mia", "Sara")[number % 4]}],
        }
        for number in range(count)
    ]


def stand(kind: str) -> Stand:
    """The instance that shows a component's page, or the overview."""
    values = overview.VALUES if kind == OVERVIEW else {}
    view = overview.view if kind == OVERVIEW else page(kind)
    return Stand(view, NOW.isoformat(), {MANY: many()} if kind == "table" else {}, blobs(), values)


def purpose(kind: str) -> str:
    """What a component is for, from the panel language itself."""
    text = inspect.cleandoc(COMPONENTS[kind].__doc__ or "")
    return " ".join(text.replace("`", "").replace("*", "").split())


class Runner:
    """Runs what a body spawns: at once, for nothing in the gallery waits."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()

    def __call__(self, work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        task = self.loop.create_task(work)
        self.loop.run_until_complete(asyncio.wait([task]))
        return task

    def close(self) -> None:
        self.loop.close()


class Gallery(QWidget):
    """Search and list to the left, theme and text size above, the component's page in a panel's frame."""

    def __init__(self, theme: Theme, *, kind: str = OVERVIEW) -> None:
        super().__init__()
        self.theme, self._kind = theme, kind
        self._runner = Runner()
        self._exhibits = load()
        self.setWindowTitle("Komponentgalleri")
        self.resize(*SIZE)
        self._search = LineEdit(theme)
        self._search_box = Box(theme, self._search)
        self._list = QListWidget()
        self._title, self._purpose = QLabel("Komponentgalleri"), QLabel()
        self._chosen = {"theme": theme.name, "scale": str(round(theme.scale * 100))}
        self._themes = self._switch("theme", "Fargetema", [(name, TITLES[name]) for name in themes.NAMES])
        self._scales = self._switch("scale", "Tekststørrelse", [(str(scale), f"{scale} %") for scale in SCALES])
        self._frame: PanelFrame | None = None
        self._stand: Stand | None = None
        self._place = QVBoxLayout()
        self._build()
        self._fill("")
        self.set_theme(theme)
        self.show_page(kind)

    # --- what stands where ----------------------------------------------------------------------------------

    def _switch(self, bind: str, label: str, options: list[tuple[str, str]]) -> ChoiceWidget:
        env = Env(self.theme, lambda: NOW, lambda _: None, lambda _: None, self._chosen.get, self._switched)  # type: ignore[arg-type, return-value]
        given = [Option(value=value, label=words) for value, words in options]
        return ChoiceWidget(ChoiceField(bind=bind, label=label, options=given, style="segments"), env)

    def _build(self) -> None:
        self._search.setPlaceholderText("Finn komponent")
        self._search.setAccessibleName("Finn komponent")
        self._search.textChanged.connect(self._fill)
        self._search.returnPressed.connect(lambda: self._list.setFocus(Qt.FocusReason.TabFocusReason))
        self._list.setAccessibleName("Komponenter")
        self._list.setFrameShape(QListWidget.Shape.NoFrame)
        self._list.currentItemChanged.connect(self._picked)
        for label in (self._title, self._purpose):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self._purpose.setWordWrap(True)
        self._purpose.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        QShortcut(QKeySequence("Ctrl+K"), self, self._search.setFocus)
        left = QVBoxLayout()
        left.addWidget(self._search_box)
        left.addWidget(self._list, 1)
        self._side = QWidget()
        self._side.setLayout(left)
        bar = QWidget()
        tall_as_wide(bar)
        self._head = Flow(bar)
        for widget in (self._title, self._themes, self._scales):
            self._head.addWidget(widget)
        right = QVBoxLayout()
        right.addWidget(bar)
        right.addWidget(self._purpose)
        right.addLayout(self._place, 1)
        self._right = right
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        box.addWidget(self._side)
        box.addLayout(right, 1)

    def _fill(self, text: str) -> None:
        self._list.blockSignals(True)
        self._list.clear()
        words = text.casefold().split()
        if not words:
            self._add("Oversikt", OVERVIEW)
        for group, title in GROUPS.items():
            found = [one for one in self._exhibits.values() if one.group == group and self._fits(one, words)]
            if found:
                self._head_line(title)
            for one in found:
                self._add(one.kind, one.kind)
        if self._list.count() == 0:
            self._head_line("Ingen treff")
        self._list.blockSignals(False)
        self._dress_list()
        self._mark()

    def _dress_list(self) -> None:
        theme = self.theme
        for row in range(self._list.count()):
            item = self._list.item(row)
            head = item.data(Qt.ItemDataRole.UserRole) is None
            item.setFont(theme.font("label" if head else "body"))
            item.setForeground(theme.color("faint" if head else "text"))
            item.setSizeHint(QSize(10, theme.px(30 if head else 24)))
            item.setTextAlignment(Qt.AlignmentFlag.AlignBottom if head else Qt.AlignmentFlag.AlignVCenter)

    @staticmethod
    def _fits(one: Exhibit, words: list[str]) -> bool:
        known = f"{one.kind} {GROUPS[one.group]} {purpose(one.kind)} {' '.join(one.states)}".casefold()
        return all(word in known for word in words)

    def _add(self, words: str, kind: str) -> None:
        item = QListWidgetItem(words)
        item.setData(Qt.ItemDataRole.UserRole, kind)
        self._list.addItem(item)

    def _head_line(self, words: str) -> None:
        item = QListWidgetItem(words)
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        self._list.addItem(item)

    def _mark(self) -> None:
        self._list.blockSignals(True)
        for row in range(self._list.count()):
            if self._list.item(row).data(Qt.ItemDataRole.UserRole) == self._kind:
                self._list.setCurrentRow(row)
        self._list.blockSignals(False)

    def _picked(self, item: QListWidgetItem | None, _former: object = None) -> None:
        kind = item.data(Qt.ItemDataRole.UserRole) if item is not None else None
        if kind is not None:
            self.show_page(kind)

    # --- a page ---------------------------------------------------------------------------------------------

    @property
    def body(self) -> PanelBody:
        assert self._frame is not None
        assert self._frame.body is not None
        return self._frame.body

    def show_page(self, kind: str) -> None:
        """The component's page, or the overview."""
        self.close_page()
        self._kind = kind
        shown = self._exhibits.get(kind)
        self._purpose.setText(purpose(kind) if shown else "Alt et klinisk panel trenger, tegnet av arbeidsflaten.")
        frame = PanelFrame(self.theme, kind or "Oversikt", "Arbeidsflaten", locked=True)
        body = PanelBody(self.theme, lambda: NOW, self._runner)
        body.acted.connect(lambda outcome: frame.tell(outcome.message) if outcome.message else None)
        frame.set_body(body)
        frame.show_body()
        self._place.addWidget(frame, 1)
        self._frame, self._stand = frame, stand(kind)
        self._stand.listener = body
        body.attach(self._stand)  # type: ignore[arg-type]
        self._mark()

    def close_page(self) -> None:
        if self._stand is not None:
            self._stand.listener = None
        if self._frame is not None:
            self._frame.hide()
            self._place.removeWidget(self._frame)
            self._frame.deleteLater()
        self._frame = self._stand = None

    # --- looks ----------------------------------------------------------------------------------------------

    def _switched(self, bind: str, value: Any) -> None:
        self._chosen[bind] = str(value)
        app = QApplication.instance()
        assert isinstance(app, QApplication)
        made = themes.load(self._chosen["theme"], int(self._chosen["scale"]) / 100)
        self.set_theme(themes.apply(app, made))

    def set_theme(self, theme: Theme) -> None:
        self.theme = theme
        self._search.dress(theme)
        self._search_box.set_theme(theme)
        self._themes.set_theme(theme)
        self._scales.set_theme(theme)
        self._list.setFont(theme.font("body"))
        dressed = self._list.palette()
        dressed.setColor(QPalette.ColorRole.Highlight, theme.color("selection"))
        dressed.setColor(QPalette.ColorRole.HighlightedText, theme.color("accent"))
        dressed.setColor(QPalette.ColorRole.Base, theme.color("surface"))
        self._list.setPalette(dressed)
        self._dress_list()
        self._title.setFont(theme.font("title"))
        self._purpose.setFont(theme.font("caption"))
        ink(self._title, theme, "text")
        ink(self._purpose, theme, "muted")
        self._side.setFixedWidth(theme.px(190))
        self._right.setContentsMargins(theme.px(8), theme.px(12), theme.px(16), theme.px(16))
        self._right.setSpacing(theme.px(8))
        self._head.setSpacing(theme.px(14))
        if self._frame is not None:
            self._frame.set_theme(theme)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self.theme.color("ground"))
        side = self._side.geometry()
        painter.fillRect(side, self.theme.color("surface"))
        painter.fillRect(side.right(), 0, 1, self.height(), self.theme.color("line"))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.close_page()
        self._runner.close()
        super().closeEvent(event)


def settle(app: QApplication, done: Callable[[], bool] = lambda: False) -> None:
    """Let layouts come to rest."""
    for _ in range(6):
        app.processEvents()
        if done():
            return


def run(*, theme: str, scale: int, page: str = "", screenshots: Path | None = None) -> int:
    """Opens the gallery at `page` (a component's kind, "" the overview) and returns when it is closed. With `screenshots`, a
    folder, writes ``gallery-<theme>.png`` of that page there instead and returns. Raises Problem for an unknown page."""
    if page and page not in COMPONENTS:
        known = ", ".join(sorted(COMPONENTS))
        raise Problem("gallery-page", f"Galleriet har ingen side «{page}».", f"Velg en av disse: {known}.")
    app = QApplication.instance() or QApplication(["workspace"])
    assert isinstance(app, QApplication)
    name = theme if theme in themes.NAMES else "light"
    dressed = themes.apply(app, themes.load(name, scale / 100))
    window = Gallery(dressed, kind=page)
    window.show()
    if screenshots is None:
        code: int = app.exec()
        return code
    settle(app)
    screenshots.mkdir(parents=True, exist_ok=True)
    saved = window.grab().save(str(screenshots / f"gallery-{name}.png"))
    window.close()
    window.deleteLater()
    settle(app)
    return 0 if saved else 1
