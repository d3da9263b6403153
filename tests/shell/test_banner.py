"""The banner at every text size: who it is and what must be known are in sight, and nothing stands over anything."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.shell.kit.looking import cut, words
from workspace.shell import theme as themes
from workspace.shell.banner import WHY, Banner, BannerText

ARNE = BannerText(
    "Arne Storspove",
    "86 år · f. 09.05.1939",
    "098539 22703 · rom 210 Havblikk · primærkontakt Eli Havn · lege Ingrid Dahl",
    (("NEWS2 7", "bad", "up"), ("Ingen kjente allergier: bekreft", "warn", "none"), ("HLR+", "neutral", "none")),
    "Du har vakt på Havblikk",
)


@pytest.fixture
def banner(qapp, qtbot):
    def make(scale: float, width: int) -> Banner:
        made = Banner(themes.apply(qapp, themes.load("light"), scale))
        qtbot.addWidget(made)
        made.say(ARNE)
        made.resize(width, made.height())
        made.show()
        made.activateWindow()
        for _ in range(3):
            QApplication.processEvents()
        return made

    return make


@pytest.mark.parametrize(
    ("scale", "width"), [(1.0, 1360), (1.5, 1360), (2.0, 1360), (2.0, 1000), (1.0, 700), (1.5, 640), (2.0, 608)]
)
def test_every_fact_is_seen_whole_and_nothing_covers_the_name(banner, scale: float, width: int):
    made = banner(scale, width)
    drawn = list(words(made))
    for fact, _, _ in ARNE.facts:
        assert fact in [one.text for one in drawn], "a fact is shortened or gone"
    assert [said for one in drawn if (said := cut(one))] == []
    areas = [one.box.translated(one.widget.mapTo(made, one.widget.rect().topLeft())) for one in drawn]
    for index, area in enumerate(areas):
        over = [drawn[other].text for other in range(index) if area.adjusted(1, 2, -1, -2).intersects(areas[other])]
        assert over == [], f"«{drawn[index].text}» stands over {over}"


def test_why_one_may_see_this_is_always_said(banner):
    assert WHY in [one.text for one in words(banner(1.0, 1360))]
    large = banner(2.0, 1000)
    assert WHY not in [one.text for one in words(large)]
    assert "Du har vakt på Havblikk" in large.spoken()


@pytest.mark.parametrize(("scale", "width"), [(2.0, 1000), (2.0, 608), (1.0, 684)])
def test_what_has_no_room_is_shown_when_it_is_asked_for_also_without_a_mouse(banner, scale: float, width: int):
    made = banner(scale, width)
    before = made.height()
    assert made._more.isVisible()
    assert made._more.accessibleName() == "Vis alt om beboeren"
    made.setFocus()
    QTest.keyClick(made, Qt.Key.Key_Tab)
    assert made._more.hasFocus()
    QTest.keyClick(made._more, Qt.Key.Key_Space)
    QApplication.processEvents()
    shown = " ".join(one.text for one in words(made))
    for part in (ARNE.name, ARNE.born, *ARNE.line.split(), WHY, ARNE.why):
        assert part in shown
    assert [said for one in words(made) if (said := cut(one))] == []
    assert made.height() > before
    QTest.keyClick(made._more, Qt.Key.Key_Space)
    assert made.height() == before
    assert not banner(1.0, 1360)._more.isVisible(), "nothing more to show"


def test_on_a_low_page_it_leaves_room_for_the_panels_and_hides_neither_name_nor_facts(banner):
    made = banner(2.0, 608)
    whole = made.height()
    made.set_sight(388)
    QApplication.processEvents()
    assert made.height() < whole
    assert made.height() < 0.55 * 388
    shown = [one.text for one in words(made)]
    assert {ARNE.name, ARNE.born, *(fact for fact, _, _ in ARNE.facts)} <= set(shown)
    assert not made._more.geometry().intersects(made._chips[-1].geometry())
    made._more.click()
    QApplication.processEvents()
    assert "098539" in " ".join(one.text for one in words(made))
    made.say(BannerText("Berit Fjell", about="Patient/BEB-19"))
    assert made.height() < whole, "another resident begins closed"


def test_a_fact_wider_than_the_banner_is_told_whole(banner):
    made = banner(2.0, 608)
    long = "Allergier: penicillin, acetylsalisylsyre, lateks, jod og bivoks"
    made.say(BannerText(ARNE.name, ARNE.born, ARNE.line, ((long, "bad", "up"),), ARNE.why))
    made._more.click()
    QApplication.processEvents()
    shown = " ".join(one.text for one in words(made))
    assert all(part in shown for part in long.split())
