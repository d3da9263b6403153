"""Two people changed the same: field by field, mine and theirs with who and when, and a choice for each (DESIGN §4).

Shows what the record compared and collects the choices; it chooses nothing itself and writes nothing.
"""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from workspace.fhir.describe import describe, path_words, value_words
from workspace.fhir.withdrawn import called_off
from workspace.shell.chips import PlainButton
from workspace.shell.kit import when
from workspace.shell.kit.tips import plain_tip
from workspace.shell.sheet import Sheet
from workspace.shell.sides import Side
from workspace.shell.theme import Theme

JOINABLE = ("text", "div", "description", "comment")
"""Last steps of paths to free text, where both can stand."""


class VersionChoice(Side):
    """One side of a field: who and when above, the value below. Chosen by click, Space or the arrow keys."""

    def __init__(self, theme: Theme, who: str, value: str, choice: Any) -> None:
        super().__init__(theme, value, choice, 8)
        self._who = who
        self.setAccessibleName(f"{who}: {value}")
        self.setToolTip(plain_tip(value) if len(value) > 60 else "")
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(self.theme.px(150), self.theme.px(58))

    def minimumSizeHint(self) -> QSize:
        return QSize(self.theme.px(110), self.theme.px(58))

    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self.theme
        painter = QPainter(self)
        self.paint_frame(painter)
        self._dot(painter, self.isChecked())
        left = theme.px(34)
        room = self.width() - left - theme.px(10)
        painter.setPen(theme.color("muted"))
        painter.setFont(theme.font("caption"))
        words = theme.metrics("caption").elidedText(self._who, Qt.TextElideMode.ElideRight, room)
        painter.drawText(left, theme.px(8), room, theme.px(18), Qt.AlignmentFlag.AlignVCenter, words)
        painter.setPen(theme.color("text"))
        painter.setFont(theme.font("medium"))
        words = theme.metrics("medium").elidedText(self.text(), Qt.TextElideMode.ElideRight, room)
        painter.drawText(left, theme.px(27), room, theme.px(22), Qt.AlignmentFlag.AlignVCenter, words)

    def _dot(self, painter: QPainter, chosen: bool) -> None:
        theme = self.theme
        size = theme.px(14)
        ring = QRectF(theme.px(13), (self.height() - size) / 2, size, size)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(theme.color("accent" if chosen else "muted"), 2 if chosen else 1.5))
        painter.drawEllipse(ring)
        if chosen:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("accent"))
            painter.drawEllipse(ring.adjusted(4, 4, -4, -4))


class ConflictPage(QWidget):
    """`settled` carries the choices, ``{"Type/id": {path: choice}}``; `left` when the user goes back without choosing."""

    settled = Signal(object)
    left = Signal()

    def __init__(self, sheet: Sheet, conflict: Any) -> None:
        super().__init__()
        self._sheet, self._conflict = sheet, conflict
        self._groups: dict[tuple[str, str], QButtonGroup] = {}
        self._box = QVBoxLayout(self)
        self._box.setContentsMargins(0, 0, 0, 0)
        self._box.setSpacing(sheet.theme.gap("s"))
        for versions in conflict.resources:
            self._resource(versions)
        self._end()

    def choices(self) -> dict[str, dict[str, Any]]:
        """What has been chosen by now."""
        found: dict[str, dict[str, Any]] = {}
        for (name, path), group in self._groups.items():
            side = group.checkedButton()
            if isinstance(side, VersionChoice):
                found.setdefault(name, {})[path] = side.choice
        return found

    def _resource(self, versions: Any) -> None:
        sheet = self._sheet
        self._box.addWidget(sheet.label(describe(versions.mine), "medium"))
        for side in versions.comparison.withdrawn[:1]:
            mine = side == "mine"
            who = "Du" if mine else _name(versions.theirs_by)
            how = value_words(called_off(versions.mine if mine else versions.theirs))
            self._box.addWidget(sheet.label(f"{who} har merket dette som {how}.", "body", "bad"))
        joined = [one for one in versions.comparison.fields if one.side != "both"]
        for field in versions.comparison.open:
            self._box.addWidget(sheet.label(path_words(versions.mine, field.path), "caption", "muted"))
            self._box.addLayout(self._sides(versions, field))
        if joined:
            words = ", ".join(dict.fromkeys(path_words(versions.mine, one.path) for one in joined))
            self._box.addWidget(sheet.label(f"Slås sammen av seg selv: {words}", "caption", "muted"))
        self._box.addSpacing(sheet.theme.gap("s"))

    def _sides(self, versions: Any, field: Any) -> QVBoxLayout:
        theme = self._sheet.theme
        mine, theirs = value_words(field.mine), value_words(field.theirs)
        sides = [
            VersionChoice(theme, f"Du{_at(versions.mine_by)}", mine, "mine"),
            VersionChoice(theme, f"{_name(versions.theirs_by)}{_at(versions.theirs_by)}", theirs, "theirs"),
        ]
        group = self._groups[(versions.name, field.path)] = QButtonGroup(self)
        beside = QHBoxLayout()
        beside.setSpacing(theme.px(8))
        below = QVBoxLayout()
        below.setSpacing(theme.px(6))
        below.addLayout(beside)
        for side in sides:
            group.addButton(side)
            beside.addWidget(side, 1)
        if field.path.rpartition(".")[2] in JOINABLE and isinstance(field.mine, str) and isinstance(field.theirs, str):
            both = VersionChoice(theme, "Begge, kollegaens først", f"{theirs} {mine}", {"value": joined(field)})
            group.addButton(both)
            below.addWidget(both)
        group.buttonClicked.connect(self._chosen)
        return below

    def _end(self) -> None:
        theme = self._sheet.theme
        self._save = PlainButton(theme, "Lagre valget", primary=True)
        self._save.clicked.connect(lambda: self.settled.emit(self.choices()))
        back = PlainButton(theme, "Tilbake")
        back.clicked.connect(self.left.emit)
        row = QHBoxLayout()
        row.addWidget(self._save)
        row.addWidget(back)
        row.addStretch(1)
        self._box.addLayout(row)
        self._hint = self._sheet.label("", "caption", "muted")
        self._box.addWidget(self._hint)
        self._box.addStretch(1)
        self._chosen()

    def _chosen(self, _side: object = None) -> None:
        missing = sum(1 for group in self._groups.values() if group.checkedButton() is None)
        self._save.setEnabled(not missing)
        words = "Det du ikke velger, står fortsatt i historikken."
        self._hint.setText(f"Velg for {missing} felt til. {words}" if missing else words)
        self._save.setAccessibleDescription(self._hint.text())


def joined(field: Any) -> str:
    """Both texts, the colleague's first; within one ``div`` when they are narratives."""
    if field.path.endswith("div") and field.theirs.rstrip().endswith("</div>"):
        inner = field.mine.strip()
        inner = inner[inner.index(">") + 1 :].removesuffix("</div>") if inner.startswith("<div") else inner
        return f"{field.theirs.rstrip().removesuffix('</div>')}<br/>{inner}</div>"
    return f"{field.theirs}\n{field.mine}"


def _name(author: Any) -> str:
    return author.name or author.reference.rpartition("/")[2] or "En kollega"


def _at(author: Any) -> str:
    return f" · {when.clock(author.at)}" if author.at else ""
