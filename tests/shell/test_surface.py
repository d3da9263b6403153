"""The work surface where room is short: panels stand below each other, each wide and high enough, and the page scrolls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QLineEdit

from tests.shell.kit.looking import settle
from workspace.layouts.document import Placement, Split, Tabs
from workspace.shell import theme as themes
from workspace.shell.banner import Banner, BannerText
from workspace.shell.frame import PanelFrame
from workspace.shell.surface import COLUMN, HEIGHT, LEAST, Surface
from workspace.shell.window import ActivityPage

NAMES = ("vitals", "note", "summary", "medications")


def place(name):
    return Tabs(panels=(Placement(instance=name, package="p", view=name),))


TREE = Split(
    direction="row",
    sizes=(42, 58),
    children=(
        Split(direction="column", sizes=(53, 47), children=(place("vitals"), place("note"))),
        Split(direction="column", sizes=(62, 38), children=(place("summary"), place("medications"))),
    ),
)


@pytest.fixture
def page(qapp, qtbot):
    def make(scale: float, width: int, height: int) -> ActivityPage:
        theme = themes.apply(qapp, themes.load("light"), scale)
        frames = {name: PanelFrame(theme, name, "Nordlys", group=1) for name in NAMES}
        banner = Banner(theme)
        banner.say(BannerText("Arne Storspove", "86 år", "098539 22703"))
        made = ActivityPage(theme, Surface(TREE, frames, theme), banner)
        qtbot.addWidget(made)
        made.set_open(True)
        made.frames = frames
        made.resize(width, height)
        made.show()
        made.activateWindow()
        settle()
        return made

    return make


def spots(page):
    """Where the panels are on the surface, in the layout's order."""
    return [page.frames[n].geometry().translated(at(page.frames[n], page.surface)) for n in NAMES]


def at(frame, root):
    return frame.parentWidget().mapTo(root, QPoint())


@pytest.mark.parametrize(("scale", "width"), [(1.0, 684), (1.5, 910), (2.0, 608), (2.0, 1128)])
def test_where_there_is_no_room_beside_they_stand_below_each_other_in_the_layouts_order(page, scale, width):
    made = page(scale, width, 420)
    areas = spots(made)
    assert all(area.width() >= width - 40 for area in areas), "as wide as the page"
    assert all(upper.bottom() < lower.top() for upper, lower in pairwise(areas))
    assert all(area.height() >= HEIGHT * scale for area in areas)
    assert made.area.verticalScrollBar().maximum() > 0, "the rest is scrolled to"
    assert made.banner.isVisible(), "whose it is stays in sight"
    assert made.surface.width() <= made.area.viewport().width(), "nothing is scrolled sidewards"


def test_where_there_is_room_they_stand_as_the_layout_says(page):
    made = page(1.0, 1364, 800)
    vitals, note, summary, _ = spots(made)
    assert vitals.right() < summary.left()
    assert vitals.left() == note.left()
    assert made.area.verticalScrollBar().maximum() == 0
    assert abs(vitals.width() / (vitals.width() + summary.width()) - 0.42) < 0.02


def test_a_narrow_share_is_given_what_it_needs_to_be_read(page):
    made = page(1.0, 2 * COLUMN + 30, 800)
    areas = spots(made)
    assert areas[0].right() < areas[2].left(), "still beside each other"
    assert all(area.width() >= LEAST for area in areas)


def test_it_follows_the_window_and_the_text_size_to_and_fro_and_keeps_what_was_dragged(page, qapp):
    made = page(1.0, 1300, 800)
    told = []
    made.surface.resized.connect(lambda path, sizes: told.append((path, sizes)))
    splitter = made.surface._splitters[()]
    splitter.moveSplitter(800, 1)
    assert [path for path, _ in told] == [()]
    before = spots(made)[0].width()
    made.set_theme(themes.apply(qapp, themes.load("light"), 2.0))
    settle()
    assert splitter.orientation() == Qt.Orientation.Vertical
    splitter.moveSplitter(500, 1)
    assert len(told) == 1, "heights of panels below each other are no shares of the layout's row"
    made.set_theme(themes.apply(qapp, themes.load("light"), 1.0))
    settle()
    assert splitter.orientation() == Qt.Orientation.Horizontal
    assert abs(spots(made)[0].width() - before) < 10


def test_tab_goes_to_what_is_out_of_sight_and_a_panel_that_is_called_for_is_scrolled_to(page, qtbot):
    made = page(2.0, 608, 420)
    editors = {}
    for name in NAMES:
        editors[name] = QLineEdit(made.frames[name])
        editors[name].move(20, 90)
        editors[name].show()
    editors["vitals"].setFocus()
    for _ in range(40):
        if editors["medications"].hasFocus():
            break
        qtbot.keyClick(made.focusWidget(), Qt.Key.Key_Tab)
    assert editors["medications"].hasFocus()
    seen = made.area.viewport().rect()
    assert seen.contains(editors["medications"].mapTo(made.area.viewport(), editors["medications"].rect().center()))
    made.bring("vitals")
    assert seen.contains(made.frames["vitals"].mapTo(made.area.viewport(), QPoint(5, 5)))
    made.bring("medications")
    made.to_top()
    assert made.area.verticalScrollBar().value() == 0


def test_what_is_said_of_the_panels_is_said_whole_above_them(page):
    made = page(2.0, 608, 420)
    made.say_joined("Denne journalen er slått sammen med en annen. Det som er nytt, står i den andre.")
    made.set_fallback(shown=True)
    settle()
    for strip in (made.joined, made._fallback):
        label = strip._words
        assert label.height() >= label.heightForWidth(label.width())
    assert made.banner.height() >= made.banner.minimumHeight()
    assert made.joined.geometry().bottom() < made._fallback.geometry().top()
