"""One of several: a field that opens a list, toggles in a row, or a closed group of segments."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import QEvent, QObject, QRectF, QSize, Qt
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QMenu, QSizePolicy, QWidget

from workspace.panels.components import ChoiceField, Option
from workspace.shell import icons
from workspace.shell.kit.access import Role, Spoken
from workspace.shell.kit.arranger import Arranged
from workspace.shell.kit.containers import tall_as_wide
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Labelled, below
from workspace.shell.kit.ink import RING
from workspace.shell.kit.painting import guarded
from workspace.shell.kit.row import Flow
from workspace.shell.kit.tips import plain_tip
from workspace.shell.theme import Theme


class MenuButton(QAbstractButton):
    """The box of a menu choice: value, unit, chevron. A letter chooses; Space, Enter or Down opens the list."""

    def __init__(self, choice: ChoiceWidget, theme: Theme) -> None:
        super().__init__()
        self._choice = choice
        self._theme = theme
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.clicked.connect(self.open)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(self._theme.px(96), self._theme.control + 2 * RING)

    def open(self) -> None:
        """The list of options under the box."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.setMinimumWidth(self.width() - 2 * RING)
        current = self._choice.value()
        for option in self._choice.component.options:
            words = option.label + (f"   {option.hint}" if option.hint else "")
            action = menu.addAction(words.replace("&", "&&"))
            action.triggered.connect(partial(self._pick, option.value))
            action.setCheckable(True)
            action.setChecked(option.value == current)
            if option.value == current:
                menu.setActiveAction(action)
        menu.popup(self.mapToGlobal(self.rect().bottomLeft()))

    def _pick(self, value: str, _checked: bool = False) -> None:
        self._choice.choose(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Down, Qt.Key.Key_Up) and not event.modifiers():
            self._choice.step(1 if event.key() == Qt.Key.Key_Down else -1)
            return
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_F4):
            self.open()
            return
        typed = event.text().casefold()
        for option in self._choice.component.options:
            if typed.strip() and typed == (option.key or option.label[:1]).casefold():
                self._choice.choose(option.value)
                return
        super().keyPressEvent(event)

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        inner = QRectF(self.rect()).adjusted(RING + 0.5, RING + 0.5, -RING - 0.5, -RING - 0.5)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.drawRoundedRect(inner.adjusted(-2, -2, 2, 2), theme.field_radius + 2, theme.field_radius + 2)
        wrong = bool(self._choice.component.error)
        painter.setPen(QPen(theme.color("bad" if wrong else ("focus" if self.hasFocus() else "line")), 1))
        painter.setBrush(theme.color("field"))
        painter.drawRoundedRect(inner, theme.field_radius, theme.field_radius)
        size = theme.px(14)
        right = inner.right() - theme.px(6) - size
        area = QRectF(right, (self.height() - size) / 2, size, size)
        icons.paint(painter, "chevron-down", theme.color("faint"), area)
        text, unit = self._choice.shown() or "Velg", self._choice.component.unit
        wide = theme.metrics("body").horizontalAdvance(text) + theme.metrics("caption").horizontalAdvance(unit)
        if unit and wide + theme.px(22) <= right - inner.left():
            width = theme.metrics("caption").horizontalAdvance(unit)
            right -= width + theme.px(6)
            painter.setPen(theme.color("faint"))
            painter.setFont(theme.font("caption"))
            painter.drawText(QRectF(right, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, unit)
        painter.setPen(theme.color("text" if self._choice.shown() else "faint"))
        painter.setFont(theme.font("body"))
        room = int(right - inner.left() - theme.px(12))
        words = theme.metrics("body").elidedText(text, Qt.TextElideMode.ElideRight, room)
        spot = QRectF(inner.left() + theme.px(9), 0, room + 4, self.height())
        painter.drawText(spot, Qt.AlignmentFlag.AlignVCenter, words)


class ChipButton(QAbstractButton):
    """A toggle: tinted when chosen, hairline when not."""

    def __init__(self, option: Option, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.set_option(option)
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)

    def set_option(self, option: Option) -> None:
        """Not `setText`: an ampersand in it would become a shortcut."""
        self.option = option
        self.setAccessibleName(option.label)
        self.setToolTip(plain_tip(option.hint))
        self.updateGeometry()
        self.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        theme = self._theme
        return QSize(theme.metrics("pill").horizontalAdvance(self.option.label) + theme.px(20), theme.px(26))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self.sizeHint().width(), self._theme.px(120)), self.sizeHint().height())

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme = self._theme
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(self.rect()).adjusted(1.5, 1.5, -1.5, -1.5)
        chosen = self.isChecked()
        edge = QPen(theme.color("focus"), 2) if self.hasFocus() else QPen(theme.color("line"), 1)
        painter.setPen(edge if self.hasFocus() or not chosen else Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("accent_tint" if chosen else ("hover" if self.underMouse() else "ground")))
        painter.drawRoundedRect(area, theme.pill_radius, theme.pill_radius)
        painter.setPen(theme.color("accent" if chosen else "muted"))
        painter.setFont(theme.font("pill"))
        room = self.width() - theme.px(12)
        words = theme.metrics("pill").elidedText(self.option.label, Qt.TextElideMode.ElideRight, room)
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, words)


class SegmentButton(ChipButton):
    """A part of a closed group: one frame around all, the chosen one lifted out of it. One place in the tab order."""

    def __init__(self, option: Option, theme: Theme) -> None:
        super().__init__(option, theme)
        self.first = self.last = False

    def set_option(self, option: Option) -> None:
        super().set_option(option)
        self.spoken = Spoken(Role.RadioButton, checked=self.isChecked())

    def set_place(self, index: int, count: int) -> None:
        self.first, self.last = index == 0, index == count - 1
        self.update()

    def sizeHint(self) -> QSize:
        theme = self._theme
        wide = theme.metrics("pill").horizontalAdvance(self.option.label) + theme.px(24)
        return QSize(wide, max(theme.px(28), theme.button if theme.density == "touch" else 0))

    @guarded
    def paintEvent(self, event: QPaintEvent) -> None:
        theme, chosen = self._theme, self.isChecked()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(theme.color("ground"))
        # the frame of the whole group: what belongs to the neighbours is drawn outside of us
        over = QRectF(self.rect()).adjusted(0.5 if self.first else -12, 1.5, -0.5 if self.last else 12, -1.5)
        painter.drawRoundedRect(over, 7, 7)
        inside = QRectF(self.rect()).adjusted(3, 4, -3, -4)
        if chosen:
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.setBrush(theme.color("surface"))
            painter.drawRoundedRect(inside.adjusted(0.5, 0.5, -0.5, -0.5), 5, 5)
        elif self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("hover"))
            painter.drawRoundedRect(inside, 5, 5)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 7, 7)
        painter.setPen(theme.color("accent" if chosen else "muted"))
        painter.setFont(theme.font("pill"))
        words = theme.metrics("pill").elidedText(
            self.option.label, Qt.TextElideMode.ElideRight, self.width() - theme.px(12)
        )
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextSingleLine, words)


class ChoiceWidget(Labelled):
    """The component in any of its three styles."""

    WIDE = 0

    def __init__(self, component: ChoiceField, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(env, parent)
        self.component = component
        self._menu: MenuButton | None = None
        self._chips: list[ChipButton] = []
        self._row = Arranged()
        flows = self.wraps = component.style == "chips" and component.slot == "body"
        self._line = self._row.box = Flow(self._row) if flows else QHBoxLayout(self._row)
        self._line.setContentsMargins(0, 0, 0, 0)
        if component.style == "menu":
            self._menu = MenuButton(self, env.theme)
            self._line.addWidget(self._menu)
        elif flows:
            tall_as_wide(self)
            tall_as_wide(self._row)
        else:
            self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        if self._menu is not None:
            self.WIDE = 320
        self._hold(self._row, self._menu or self._row)
        self.set_component(component)

    def value(self) -> Any:
        value = self._env.value(self.component.bind)
        return self.component.initial or None if value is None else value

    def shown(self) -> str:
        value = self.value()
        return next((option.label for option in self.component.options if option.value == value), "")

    def choose(self, value: str) -> None:
        """The user chose; a chip of a `multiple` choice toggles."""
        if not self.component.multiple:
            self._env.typed(self.component.bind, value)
        else:
            chosen = list(self.value() or [])
            chosen.remove(value) if value in chosen else chosen.append(value)
            self._env.typed(self.component.bind, chosen)
        self.value_changed()

    def step(self, by: int) -> None:
        """The next or previous option; stops at the ends."""
        values = [option.value for option in self.component.options]
        here = values.index(self.value()) if self.value() in values else (-1 if by > 0 else len(values))
        if values:
            self.choose(values[min(len(values) - 1, max(0, here + by))])

    def set_component(self, component: ChoiceField) -> None:
        self.component = component
        focus: QWidget = self._menu or self._row
        self._describe(focus, component.label, component.error, below(component, self._env), component.required)
        self._label.setVisible(bool(component.label) and component.style == "menu")
        self._line.setSpacing(0 if component.style == "segments" else 6)
        if self._menu is None:
            self._row.setAccessibleName(component.label)
            self._fill()
        self.value_changed()

    def forget(self) -> None:
        focus: QWidget = self._menu or self._row
        self.component = ChoiceField(label="", bind="", options=[], style=self.component.style)
        for chip in self._chips:
            chip.set_option(Option(value="", label=""))
            chip.setChecked(False)
            chip.setAccessibleDescription("")
        self._row.setAccessibleName("")
        self._forget(focus)

    def _fill(self) -> None:
        for index, option in enumerate(self.component.options):
            if index < len(self._chips):
                self._chips[index].set_option(option)
                continue
            chip = SegmentButton(option, self._theme) if self._closed() else ChipButton(option, self._theme)
            chip.clicked.connect(lambda _=False, one=chip: self.choose(one.option.value))
            chip.installEventFilter(self)
            self._chips.append(chip)
            self._line.addWidget(chip)
            chip.show()
        while len(self._chips) > len(self.component.options):
            gone = self._chips.pop()
            gone.hide()
            gone.deleteLater()
        for index, chip in enumerate(self._chips):
            chip.setAccessibleDescription(
                ". ".join(part for part in (self.component.label, self._words.text()) if part)
            )
            if isinstance(chip, SegmentButton):
                chip.set_place(index, len(self._chips))
        self._row.rearrange()

    def _closed(self) -> bool:
        return self.component.style == "segments" and not self.component.multiple

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Left and Right, in segments and chips alike: a segment is chosen by them, a chip only reached."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress and watched in self._chips:
            by = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}.get(Qt.Key(event.key()))
            here = self._chips.index(watched)
            if by is not None and 0 <= here + by < len(self._chips):
                there = self._chips[here + by]
                there.setFocus(Qt.FocusReason.TabFocusReason)
                if self._closed():
                    self.choose(there.option.value)
                return True
        return super().eventFilter(watched, event)

    def value_changed(self) -> None:
        value = self.value()
        for chip in self._chips:
            chosen = chip.option.value in value if isinstance(value, list) else chip.option.value == value
            chip.setChecked(chosen)
            if isinstance(chip, SegmentButton):
                chip.spoken = Spoken(Role.RadioButton, checked=chosen)
        if self._closed() and self._chips:  # one place in the tab order: the chosen one, else the first
            held = next((chip for chip in self._chips if chip.isChecked()), self._chips[0])
            for chip in self._chips:
                chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus if chip is held else Qt.FocusPolicy.ClickFocus)
        if self._menu is not None:
            self._menu.setAccessibleName(f"{self.component.label}: {self.shown() or 'ikke valgt'}")
            self._menu.update()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        for chip in self._chips:
            chip.set_theme(theme)
        if self._menu is not None:
            self._menu.set_theme(theme)
        self.set_component(self.component)


WIDGETS: dict[str, type[QWidget]] = {"choice-field": ChoiceWidget}
