"""The banner at every text size: who it is and what must be known are in sight, and nothing stands over anything."""

from __future__ import annotations

import pytest
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
        for _ in range(3):
            QApplication.processEvents()
        return made

    return make


@pytest.mark.parametrize(("scale", "width"), [(1.0, 1360), (1.5, 1360), (2.0, 1360), (2.0, 1000), (1.0, 700)])
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
