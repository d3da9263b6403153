"""The top bar in every width and text size: nothing is cut, and what has no room stands behind one button."""

from __future__ import annotations

from datetime import datetime

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from tests.shell.kit.looking import cut, settle, words
from workspace.clock import OSLO
from workspace.shell import theme as themes
from workspace.shell.bars import TopBar

UNITS = (("Location/havblikk", "Havblikk"), ("Location/solvik", "Solvik"))
USER, HOME = "Tone Nilsen · sykepleier", "Fjellheim sykehjem"


@pytest.fixture
def bar(qapp, qtbot):
    def make(scale: float, width: int, user: str = USER) -> TopBar:
        made = TopBar(themes.apply(qapp, themes.load("light"), scale))
        qtbot.addWidget(made)
        made.user.set_text(user)
        made.unit.set_units(UNITS, UNITS[0][0], HOME)
        made.set_time(datetime(2026, 1, 14, 15, 4, tzinfo=OSLO))
        made.mark.show()
        made.resize(width, made.sizeHint().height())
        made.show()
        made.activateWindow()
        settle()
        return made

    return make


def said(bar):
    return [one.text for one in words(bar)]


@pytest.mark.parametrize("scale", [1.0, 1.5, 2.0])
@pytest.mark.parametrize("width", [608, 684, 760, 872, 1024, 1128, 1364])
def test_nothing_is_cut_and_nothing_lies_over_another(bar, scale, width):
    made = bar(scale, width)
    drawn = list(words(made))
    assert [wrong for one in drawn if (wrong := cut(one))] == []
    assert not [one.text for one in drawn if "…" in one.text]
    areas = [one.box.translated(one.widget.mapTo(made, one.widget.rect().topLeft())) for one in drawn]
    for index, area in enumerate(areas):
        assert not [drawn[n].text for n in range(index) if area.adjusted(1, 2, -1, -2).intersects(areas[n])]
    assert "SANDKASSE" in said(made), "nobody may take these for real persons"
    assert made.search.said()[0]


def test_all_is_said_where_there_is_room_and_the_clock_is_shortened_first(bar):
    wide = bar(1.0, 1364)
    assert {"onsdag 14.01.2026 15:04", f"{HOME} · Havblikk", USER, "Logg ut", "F12"} <= set(said(wide))
    shorter = bar(1.0, 1120)
    assert {"15:04", f"{HOME} · Havblikk", USER, "Logg ut"} <= set(said(shorter))
    assert shorter.clock.accessibleName() == "onsdag 14.01.2026 15:04"
    shorter.resize(1364, shorter.height())
    settle()
    assert "onsdag 14.01.2026 15:04" in said(shorter), "it comes back with the room"
    assert not shorter.gathered.isVisible()


def test_who_works_without_the_platform_is_told_that_in_few_words_too(bar):
    assert "Tone Nilsen · uten nett" in said(bar(1.0, 900, f"{USER} · uten nett"))


def test_what_has_no_room_stands_behind_one_button(bar, qtbot):
    made = bar(2.0, 608)
    assert made.gathered.isVisible()
    assert not made.leave.isVisible()
    for words_ in (USER, f"{HOME} · Havblikk", "onsdag 14.01.2026 15:04"):
        assert words_ in made.gathered.accessibleName()
    assert made.gathered.focusPolicy() == Qt.FocusPolicy.StrongFocus
    menu = made.gathered.menu()
    texts = [one.text() for one in menu.actions() if one.text()]
    assert texts == [USER, f"{HOME} · Havblikk", "onsdag 14.01.2026 15:04", "Havblikk", "Solvik", "Logg ut\tF12"]
    gone, left = [], []
    made.unit.chosen.connect(gone.append)
    made.leave.clicked.connect(lambda: left.append(1))
    menu.actions()[texts.index("Solvik") + 1].trigger()
    menu.actions()[-1].trigger()
    menu.deleteLater()
    assert (gone, left) == (["Location/solvik"], [1])
    made.gathered.setFocus()
    QTest.keyClick(made.gathered, Qt.Key.Key_F12)
    assert left == [1, 1], "the key works though its button is not seen"
    made.resize(1400, made.height())
    settle()
    QTest.keyClick(made.search, Qt.Key.Key_F12)
    qtbot.waitUntil(lambda: not made.leave.isDown() and len(left) > 2)
    assert left == [1, 1, 1], "and once where it is"
