"""Themes: design tokens from token files, turned into a QPalette, the Fusion style and a handful of style rules.

Widgets read colours and measures from the `Theme` they were given and ask for them by their job (`accent`, `line`), never
by value. Never holds a current theme: who shows something is handed one. A large style sheet is slow (hundreds of rules
cost more than a tenth of a second on a live window), so the sheet here stays under ten rules.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal, cast

from PySide6.QtGui import QColor, QFont, QFontMetrics, QPalette
from PySide6.QtWidgets import QApplication

from workspace.problem import Problem
from workspace.shell import fonts

FOLDER = Path(__file__).resolve().parents[2] / "themes"
NAMES = ("light", "dark", "high-contrast")
SCALES = (1.0, 1.25, 1.5, 1.75, 2.0)
GAPS = {"none": 0, "xs": 4, "s": 8, "m": 12, "l": 20}

Density = Literal["normal", "touch"]


@dataclass(frozen=True, slots=True)
class Theme:
    """Every token. Colours are ``#rrggbb``; measures are methods, in device-independent pixels, that follow `scale`."""

    name: str
    title: str
    dark: bool
    contrast: float
    ground: str
    surface: str
    line: str
    text: str
    muted: str
    faint: str
    accent: str
    accent_tint: str
    on_accent: str
    group1: str
    group1_tint: str
    group2: str
    group2_tint: str
    ok: str
    ok_tint: str
    warn: str
    warn_tint: str
    bad: str
    bad_tint: str
    rail: str
    rail_text: str
    rail_active: str
    on_rail: str
    field: str
    field_line: str
    hover: str
    selection: str
    focus: str
    scale: float = 1.0
    density: Density = "normal"
    group: int = 1

    def color(self, token: str) -> QColor:
        """The colour of a token, e.g. ``accent_tint``. Raises AttributeError for a token that is not there."""
        return QColor(cast(str, getattr(self, token)))

    def tone(self, tone: str) -> QColor:
        """The ink of a tone of the panel language; neutral is `muted`, group is the colour of the context group."""
        return self.color(self._tone_token(tone) or "muted")

    def tint(self, tone: str) -> QColor:
        """The ground behind a tone's text; neutral is `ground`."""
        token = self._tone_token(tone)
        return self.color(f"{token}_tint" if token else "ground")

    def _tone_token(self, tone: str) -> str:
        if tone == "group":
            return f"group{self.group}"
        return tone if tone in ("accent", "ok", "warn", "bad") else ""

    def for_group(self, group: int) -> Theme:
        """The same theme where the tone *group* is context group 1 or 2."""
        return replace(self, group=2 if group == 2 else 1)

    def px(self, pixels: float) -> int:
        """A measure at 100 % → at this text scale."""
        return round(pixels * self.scale)

    def gap(self, token: str) -> int:
        """A spacing token (none, xs, s, m, l) on the 4-pixel grid. Grows half as fast as the text."""
        return round(GAPS.get(token, 8) * (1 + (self.scale - 1) / 2))

    @property
    def row(self) -> int:
        """Height of a row: 36, or 44 in touch density."""
        return self.px(44 if self.density == "touch" else 36)

    @property
    def control(self) -> int:
        """Height of a field's box: 34, or 44 in touch density."""
        return self.px(44 if self.density == "touch" else 34)

    @property
    def button(self) -> int:
        """Height of a button that stands alone: 28, or 44 in touch density."""
        return self.px(44 if self.density == "touch" else 28)

    @property
    def pill(self) -> int:
        """Height of a pill: 22."""
        return self.px(22)

    @property
    def radius(self) -> int:
        """Of a panel."""
        return 10

    @property
    def field_radius(self) -> int:
        return 8

    @property
    def pill_radius(self) -> int:
        return 5

    def font(self, role: fonts.Role = "body") -> QFont:
        """A font by role at this text scale."""
        return fonts.font(role, self.scale)

    def metrics(self, role: fonts.Role = "body") -> QFontMetrics:
        return fonts.metrics(role, self.scale)

    def line_height(self, role: fonts.Role = "body") -> int:
        """20 for body text, 16 for captions, 26 for the name, at 100 %."""
        size = fonts.SIZES[role][0]
        return self.px({11: 14, 12: 16, 13: 18, 14: 20, 16: 22, 20: 26}.get(size, round(size * 1.4)))


def load(name: str, scale: float = 1.0, density: Density = "normal", folder: Path = FOLDER) -> Theme:
    """A theme from ``<folder>/<name>.toml``. `scale` is clamped to 1.0–2.0. Raises Problem ``theme-damaged``."""
    path = folder / f"{name}.toml"
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        tokens: dict[str, Any] = {key: document[key] for key in ("name", "title", "dark", "contrast")}
        tokens |= document["colors"]
        known = {field.name for field in fields(Theme)}
        return Theme(
            **{key: value for key, value in tokens.items() if key in known},
            scale=min(2.0, max(1.0, scale)),
            density=density,
        )
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise Problem(
            "theme-damaged",
            "Fargetemaet kan ikke leses.",
            "Velg et annet tema i innstillingene.",
            f"{path.name}: {error}",
        ) from error


def palette(theme: Theme) -> QPalette:
    """The theme as Qt's roles, for everything that we do not paint ourselves."""
    made = QPalette()
    roles = {
        QPalette.ColorRole.Window: "surface",
        QPalette.ColorRole.WindowText: "text",
        QPalette.ColorRole.Base: "field",
        QPalette.ColorRole.AlternateBase: "hover",
        QPalette.ColorRole.Text: "text",
        QPalette.ColorRole.PlaceholderText: "faint",
        QPalette.ColorRole.Button: "surface",
        QPalette.ColorRole.ButtonText: "text",
        QPalette.ColorRole.BrightText: "bad",
        QPalette.ColorRole.Highlight: "accent",
        QPalette.ColorRole.HighlightedText: "on_accent",
        QPalette.ColorRole.Link: "accent",
        QPalette.ColorRole.LinkVisited: "accent",
        QPalette.ColorRole.ToolTipBase: "text",
        QPalette.ColorRole.ToolTipText: "surface",
        QPalette.ColorRole.Light: "hover",
        QPalette.ColorRole.Midlight: "line",
        QPalette.ColorRole.Mid: "line",
        QPalette.ColorRole.Dark: "field_line",
        QPalette.ColorRole.Shadow: "line",
        QPalette.ColorRole.Accent: "accent",
    }
    for role, token in roles.items():
        made.setColor(role, theme.color(token))
    for role in (QPalette.ColorRole.WindowText, QPalette.ColorRole.Text, QPalette.ColorRole.ButtonText):
        made.setColor(QPalette.ColorGroup.Disabled, role, theme.color("faint"))
    return made


def sheet(theme: Theme) -> str:
    """The few style rules that a palette cannot say: thin scroll bars, tool tips, the list under a menu field."""
    thickness = 10
    return f"""
QScrollBar:vertical {{ background: transparent; width: {thickness}px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: {thickness}px; margin: 0; }}
QScrollBar::handle {{ background: {theme.line}; border-radius: 3px; margin: 2px; min-height: 28px; min-width: 28px; }}
QScrollBar::handle:hover {{ background: {theme.faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QToolTip {{ background: {theme.text}; color: {theme.surface}; border: 0; padding: {theme.px(4)}px; }}
QComboBox {{ combobox-popup: 0; }}
"""


def apply(app: QApplication, theme: Theme, text_scale: float | None = None) -> Theme:
    """Dress the application in `theme`, at start or while running; returns the theme at `text_scale`.

    Widgets that paint themselves must be handed the returned theme as well (`PanelBody.set_theme`).
    """
    dressed = theme if text_scale is None else replace(theme, scale=min(2.0, max(1.0, text_scale)))
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setPalette(palette(dressed))
    app.setFont(dressed.font("body"))
    rules = sheet(dressed)
    if app.styleSheet() != rules:
        app.setStyleSheet(rules)
    return dressed


def contrast(first: str, second: str) -> float:
    """WCAG 2.2 contrast ratio (1–21) of two ``#rrggbb`` colours."""

    def luminance(text: str) -> float:
        def linear(part: float) -> float:
            return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

        red, green, blue = (linear(int(text[i : i + 2], 16) / 255) for i in (1, 3, 5))
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)
