"""Everything in the least window at 200 % text (WCAG 1.4.4, 1.4.10): what has no room is scrolled to, by keyboard too."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from PySide6.QtCore import QEvent, QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from tests.shell.kit.looking import cut, settle, words
from tests.shell.test_panels_view import Host
from workspace.layouts.document import Activity, Placement, Tabs
from workspace.shell import theme as themes
from workspace.shell.banner import Banner
from workspace.shell.frame import PanelFrame
from workspace.shell.palette import Choice
from workspace.shell.panels_view import PanelsView
from workspace.shell.pin import PinField
from workspace.shell.sheet import Sheet
from workspace.shell.surface import Surface
from workspace.shell.window import ActivityPage, MainWindow

LEAST = (760, 520)
LONG = "Når plattformen ikke svarer, åpner PIN-en arbeidet ditt på denne maskinen. Da kan du lese avdelingen. " * 3


@pytest.fixture
def window(qapp, qtbot):
    made = MainWindow(themes.apply(qapp, themes.load("light"), 2.0))
    qtbot.addWidget(made)
    made.resize(*LEAST)
    made.show_work()
    made.show()
    made.activateWindow()
    settle()
    assert made.size().toTuple() == LEAST
    yield made
    made.let_go()


def area(widget: QWidget, root: QWidget) -> QRect:
    return widget.rect().translated(widget.mapTo(root, QPoint()))


def test_a_sheet_says_its_title_whole_and_shows_what_has_the_focus(window, qtbot):
    sheet = Sheet(window.theme, window, "Velg PIN for å arbeide uten nett når plattformen er borte", LONG)
    fields = [PinField(window.theme, f"PIN {number}") for number in range(4)]
    for field in fields:
        sheet.inside.addWidget(field)
    sheet.inside.addStretch(1)
    sheet.open()
    settle()
    title = sheet._title
    assert title.height() >= title.heightForWidth(title.width())
    assert window.rect().contains(area(sheet.shut, window))
    for field in fields:
        field.setFocus(Qt.FocusReason.TabFocusReason)
        qtbot.waitUntil(lambda field=field: area(sheet._area, window).contains(area(field.editor, window)))
    label = sheet._words
    QTest.keyClick(sheet, Qt.Key.Key_PageUp)
    QTest.keyClick(sheet, Qt.Key.Key_PageUp)
    QTest.keyClick(sheet, Qt.Key.Key_PageUp)
    assert area(sheet._area, window).contains(area(label, window).topLeft())
    sheet.close_()
    sheet.deleteLater()


def test_the_palette_stands_in_the_window_and_cuts_no_word_without_saying_so(window):
    hint = "minne, meldinger, krasj og alt annet som hører til"
    window.palette_.open([Choice("Paneler på denne maskinen", "Handling", hint, list)] * 12)
    settle()
    assert window.rect().contains(window.palette_.geometry())
    drawn = list(words(window.palette_.list.viewport()))
    assert [one.text for one in drawn if one.text == hint] == []
    assert any(one.text.startswith("minne") and one.text.endswith("…") for one in drawn)
    for one in drawn:
        beside = [other for other in drawn if other is not one and other.box.intersects(one.box.adjusted(1, 2, -1, -2))]
        assert beside == [], one.text
    window.palette_.close_()


def test_eight_activities_are_all_in_sight(window):
    tree = Tabs(panels=(Placement(instance="p", package="p", view="v"),))
    many = [Activity(id=f"a{n}", title=f"Avdeling {n}", icon="bed", context="unit", tree=tree) for n in range(8)]
    window.rail.set_activities(many)
    settle()
    rows = [area(button, window.rail) for button in window.rail._buttons.values()]
    assert all(window.rail.rect().contains(row) and row.height() >= 40 for row in rows)
    assert all(upper.bottom() < lower.top() for upper, lower in pairwise(rows))
    assert [one.toolTip() for one in window.rail._buttons.values()][7] == "Avdeling 7 (Alt+8)"
    window.rail.set_activities(many[:2])
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
    settle()
    assert [one.text for one in words(window.rail)] == ["Avdeling 0", "Avdeling 1"]


@pytest.mark.parametrize(("scale", "size"), [(2.0, (588, 300)), (1.0, (260, 150)), (1.5, (390, 225))])
def test_what_can_be_done_about_a_dead_panel_is_whole_and_reached(qapp, qtbot, scale, size):
    window = QWidget()
    made = PanelFrame(themes.apply(qapp, themes.load("light"), scale), "Vitale målinger", "Nordlys Helse", group=1)
    made.setParent(window)
    made.resize(*size)
    window.resize(*size)
    qtbot.addWidget(window)
    window.show()
    window.activateWindow()
    made.fail("«Vitale målinger» fra Nordlys Helse stanset: det krasjet (kode 1).")
    settle()
    for button in made._notice.buttons():
        assert button.height() >= button.sizeHint().height()
        button.setFocus(Qt.FocusReason.TabFocusReason)
        made._notice._front.ensureWidgetVisible(button, 0, 0)
        assert made.rect().contains(area(button, made))
    made.warn("«Journalnotat» fra Polarvakt svarer ikke.")
    settle()
    strip = made._strip
    assert [wrong for one in words(strip) if (wrong := cut(one))] == []
    seen = [button for button in strip.buttons() if button.isVisible()]
    assert seen[0].text() == "Start på nytt"
    assert all(button.width() >= button.sizeHint().width() for button in seen)


def test_no_name_is_cut_among_the_panels_of_the_machine(window, qapp):
    host = Host()
    host.rows = [replace(one, name="Rapport siste døgn", vendor="Nordlys Helse") for one in host.rows]
    view = PanelsView(window.theme, host, window)
    view.resize(*LEAST)
    view.show()
    settle()
    for column in (0, 1):
        shown = view.table.fontMetrics().horizontalAdvance(view.table.item(0, column).text())
        assert view.table.columnWidth(column) > shown
    assert view.table.horizontalScrollBar().maximum() > 0, "the rest is scrolled to"
    view.close()
    view.deleteLater()


def test_nobody_open_is_said_whole(window):
    tree = Tabs(panels=(Placement(instance="p", package="p", view="v"),))
    frame = PanelFrame(window.theme, "P", "V")
    page = ActivityPage(window.theme, Surface(tree, {"p": frame}, window.theme), Banner(window.theme))
    window.add_page("beboer", page)
    window.go("beboer")
    settle()
    (empty,) = (one for one in page.findChildren(QLabel) if one.text().startswith("Ingen beboer"))
    assert empty.isVisible()
    assert [wrong for one in words(empty) if (wrong := cut(one))] == []
    window.clear_pages()


def test_no_hits_are_said_in_the_palette(window, qtbot):
    window.palette_.open([Choice("Paneler", "Handling", "på denne maskinen", list)])
    window.palette_.edit.setText("xyzzy")
    drawn = [one.text for one in words(window.palette_.list.viewport())]
    assert any("Ingen treff" in one for one in drawn)
    window.palette_._run()
    assert window.palette_.isVisible(), "there is nothing to run"
    window.palette_.close_()
