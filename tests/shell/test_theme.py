from __future__ import annotations

from dataclasses import fields

import pytest
from PySide6.QtGui import QPalette

from workspace.problem import Problem
from workspace.shell import theme as themes

TONES = ("accent", "group1", "group2", "ok", "warn", "bad")
GROUNDS = ("ground", "surface", "field", "hover", "selection")
PAIRS = [
    *((ink, ground) for ink in ("text", "muted", "faint") for ground in ("ground", "surface", "field", "hover")),
    *((ink, ground) for ink in ("text", "muted") for ground in ("selection", *(f"{tone}_tint" for tone in TONES))),
    *((tone, f"{tone}_tint") for tone in TONES),
    *((tone, ground) for tone in TONES for ground in GROUNDS),
    ("on_accent", "accent"),
    ("rail_text", "rail"),
    ("on_rail", "rail_active"),
    ("surface", "text"),  # tool tips
]


@pytest.mark.parametrize("name", themes.NAMES)
@pytest.mark.parametrize(("ink", "ground"), PAIRS, ids=lambda one: one)
def test_every_text_can_be_read_on_every_ground_it_stands_on(name: str, ink: str, ground: str):
    theme = themes.load(name)
    ratio = themes.contrast(getattr(theme, ink), getattr(theme, ground))
    assert ratio >= theme.contrast, f"{ink} on {ground} in {name}: {ratio:.2f}"
    assert theme.contrast >= 4.5


@pytest.mark.parametrize("name", themes.NAMES)
@pytest.mark.parametrize("ground", ["surface", "ground", "field"])
def test_the_focus_ring_is_seen(name: str, ground: str):
    theme = themes.load(name)
    assert themes.contrast(theme.focus, getattr(theme, ground)) >= 3


def test_contrast_is_that_of_wcag():
    assert themes.contrast("#000000", "#ffffff") == pytest.approx(21)
    assert themes.contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert themes.contrast("#123456", "#123456") == 1


@pytest.mark.parametrize("name", themes.NAMES)
def test_every_colour_is_a_colour(name: str):
    theme = themes.load(name)
    colors = [f.name for f in fields(theme) if f.type == "str" and f.name not in ("name", "title")]
    assert [token for token in colors if not theme.color(token).isValid()] == []


def test_measures_follow_the_text_scale_and_touch_is_roomier(qapp):
    small, large = themes.load("light"), themes.load("light", 2.0)
    assert (large.row, large.control, large.pill) == (2 * small.row, 2 * small.control, 2 * small.pill)
    assert large.metrics("body").height() > 1.8 * small.metrics("body").height()
    assert large.gap("m") == 1.5 * small.gap("m")
    assert themes.load("light", density="touch").control >= 44
    assert themes.load("light", 9.0).scale == 2.0


def test_the_groups_tone_is_that_of_its_context():
    theme = themes.load("light")
    assert theme.tone("group").name() == theme.group1
    assert theme.for_group(2).tone("group").name() == theme.group2
    assert theme.for_group(2).tint("group").name() == theme.group2_tint
    assert theme.tone("neutral").name() == theme.muted


def test_a_damaged_theme_is_told_in_norwegian(tmp_path):
    (tmp_path / "light.toml").write_text('name = "light"', encoding="utf-8")
    with pytest.raises(Problem) as caught:
        themes.load("light", folder=tmp_path)
    assert caught.value.code == "theme-damaged"
    assert "Fargetemaet" in str(caught.value)


def test_applying_a_theme_dresses_the_application_and_a_second_one_undresses_it(qapp):
    dark = themes.apply(qapp, themes.load("dark"), 1.5)
    assert dark.scale == 1.5
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == dark.surface
    light = themes.apply(qapp, themes.load("light"))
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == light.surface
    assert qapp.font().pixelSize() == 14
    assert light.line in qapp.styleSheet()
    assert dark.line not in qapp.styleSheet()
