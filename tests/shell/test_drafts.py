"""«Kladder»: what is begun stands in words, what needs her is said, and nothing goes that she has not given up twice."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from workspace.broker.kept import KeptDrafts
from workspace.clock import OSLO, SystemClock, instant
from workspace.record.draft import Lost
from workspace.record.drafts import Drafts
from workspace.shell import loop, theme
from workspace.shell.chips import PlainButton
from workspace.shell.drafts import EMPTY, DraftList, in_words
from workspace.shell.window import MainWindow
from workspace.vault.vault import Vault

NOW = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)
NOTE = ("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note", "", "2")
OLD = (*NOTE[:6], "1")
PULSE = (*NOTE[:3], "nordlys.vitals", "vitals", "", "1")
GONE = (*NOTE[:3], "borte.panel", "main", "", "1")
BESIDE = (*NOTE[:5], "~BEB-19", "2")
TITLES = {"note": "Journalnotat", "vitals": "Vitale målinger"}


class Clock(SystemClock):
    def now(self):
        return NOW


@pytest.fixture
def played(qapp):
    """``played(play)`` runs ``await play(drafts, window, shown, opened)`` with a list over real drafts."""

    def run(play):
        window = MainWindow(theme.apply(qapp, theme.load("light"), 1.0))
        window.resize(1100, 800)
        faults, opened = [], []

        async def open_form(one, values):
            opened.append((one.key.parts(), dict(values)))
            return True

        async def main():
            vault = await Vault.open(None, None, Clock())
            drafts = Drafts(vault, Clock(), tenant=NOTE[0], user=NOTE[1])
            await drafts.start()
            tasks = loop.Tasks(faults.append)
            window.show_work()
            window.show()
            window.activateWindow()
            window.top.search.setFocus()
            shown = DraftList(
                window, KeptDrafts(drafts, Clock()), spawn=tasks.spawn,
                title_of=lambda package, view: TITLES.get(view, package),
                who_of=lambda who: "rom 210 Arne", version_of=lambda _package, view: {"note": 2, "vitals": 1}.get(view),
                labels_of=lambda _package, view: {"text": "Notat"} if view == "note" else {}, open_form=open_form,
            )  # fmt: skip
            try:
                await asyncio.wait_for(play(drafts, window, shown, opened), 20)
            finally:
                shown.close()
                await drafts.close()
                await vault.close()
                await tasks.close()
                window.let_go()
            return 0

        loop.run(qapp, main)
        assert not faults

    return run


def words(shown):
    return [label.text() for label in shown._sheet.findChildren(QLabel) if label.isVisible()]


def buttons(shown):
    return [one for one in shown._sheet.findChildren(PlainButton) if one.isVisible()]


def button(shown, text):
    return next(one for one in buttons(shown) if one.text() == text)


def keep(drafts, key, values, **more):
    drafts.save(key, values, 1)
    drafts.put(key, replace(drafts.get(key), **more))


def test_each_says_what_it_is_and_what_may_be_done(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Sov <b>godt</b>"}, expires=instant(NOW + timedelta(days=13)), known=3)
        keep(drafts, OLD, {"text": "Fra før", "puls": 72.5, "våken": True, "tom": ""})
        keep(drafts, PULSE, {"pulse": 81}, expires=instant(NOW + timedelta(hours=5)), device="pc-2")
        keep(drafts, GONE, {"x": ["a", "b"]})
        keep(drafts, BESIDE, {"text": "Den andres"}, other=Lost({"text": "Tapte"}, instant(NOW), "pc-2"))
        shown.refresh()
        assert window.status.shown_notice().words == "5 kladder bør ses på."
        window.status.shown_notice().run()
        said = words(shown)
        for text in (
            "Notat: Sov <b>godt</b>", "Notat: Fra før", "puls: 72,5", "våken: ja", "x: a, b", "Notat: Den andres",
            "Notat: Tapte", "Journalnotat · rom 210 Arne", "borte.panel · rom 210 Arne",
        ):  # fmt: skip
            assert text in said
        assert any("utløper 14.01.2026 19:45" in one and "på en annen maskin" in one for one in said), said
        assert [one.text() for one in buttons(shown)].count("Åpne") == 2, "what a form here can take, and no more"
        assert [one.text() for one in buttons(shown)].count("Kopier tekst") == 4

    played(play)


def test_an_empty_one_says_what_it_is_for_and_the_status_line_says_nothing(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Sov"})
        shown.refresh()
        assert window.status.shown_notice() is None, "an ordinary draft needs nobody"
        drafts.discard(NOTE)
        shown.show()
        assert EMPTY in words(shown)

    played(play)


def test_opened_in_its_form_and_what_has_run_out_is_put_there_again(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Sov"})
        shown.show()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
        while not opened:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert shown._sheet is None
        keep(drafts, NOTE, {"text": "Sov"}, expires=instant(NOW - timedelta(hours=1)))
        shown.refresh()
        assert window.status.shown_notice().words == "En kladd er utløpt."
        shown.show()
        button(shown, "Åpne").click()
        while len(opened) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        assert opened == [(NOTE, {}), (NOTE, {"text": "Sov"})]

    played(play)


def test_a_text_is_copied_and_goes_only_when_it_is_given_up_twice_by_keyboard(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, OLD, {"text": "Sov godt", "puls": 72})
        before = window.focusWidget()
        shown.show()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
        assert QGuiApplication.clipboard().text() == "Notat: Sov godt\npuls: 72"
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
        assert window.focusWidget().text() == "Behold", "Enter alone does not delete"
        assert "Forkaste for godt?" in words(shown)
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Space)
        assert drafts.get(OLD) is not None
        button(shown, "Forkast").click()
        button(shown, "Ja, forkast").click()
        assert drafts.get(OLD) is None
        assert EMPTY in words(shown)
        assert window.status.shown_notice() is None
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
        assert window.focusWidget() is before

    played(play)


def test_the_text_that_lost_goes_alone(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Nyere"}, other=Lost({"text": "Eldre"}, instant(NOW)))
        shown.show()
        assert window.status.shown_notice().words == "En tekst du skrev, måtte vike for en nyere."
        lost = [one for one in buttons(shown) if one.text() == "Forkast"][1]
        lost.click()
        button(shown, "Ja, forkast").click()
        assert "Notat: Eldre" not in words(shown)
        assert "Notat: Nyere" in words(shown)
        assert dict(drafts.get(NOTE).values) == {"text": "Nyere"}

    played(play)


def test_the_text_that_lost_stays_when_the_one_it_lost_to_is_saved(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Nyere"}, other=Lost({"text": "Eldre"}, instant(NOW)))
        drafts.save(NOTE, {}, 2)
        shown.show()
        assert [one.text() for one in buttons(shown)] == ["Lukk", "Kopier tekst", "Forkast"]
        assert "Notat: Eldre" in words(shown)
        button(shown, "Forkast").click()
        button(shown, "Ja, forkast").click()
        assert EMPTY in words(shown)
        assert drafts.all() == ()

    played(play)


def test_a_form_that_opens_says_that_an_earlier_version_left_something(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, OLD, {"text": "Fra før"})
        told = []
        shown.opened([(("Patient/BEB-18", "polarvakt.note", "note", 2), lambda *said: told.append(said))])
        assert told == [("Eldre tekst finnes: se Kladder", "warn")]
        assert window.status.shown_notice().words == "«Journalnotat» har tekst fra en eldre utgave av skjemaet."
        shown.opened([(("Patient/BEB-19", "polarvakt.note", "note", 2), lambda *said: told.append(said))])
        assert len(told) == 1
        assert window.status.shown_notice().words == "Du har tekst fra en eldre utgave av et skjema."

    played(play)


def test_an_open_sheet_follows_what_is_typed_and_keeps_its_focus(played):
    async def play(drafts, window, shown, opened):
        keep(drafts, NOTE, {"text": "Sov"})
        shown.show()
        drafts.save(PULSE, {"pulse": 81}, 1)
        while "pulse: 81" not in words(shown):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        assert window.focusWidget().accessibleName().startswith("Åpne: Journalnotat")

    played(play)


def test_values_in_words():
    values = {"a": "x", "b": None, "c": {"value": 7.5, "unit": "mmol/l"}, "d": False, "e": []}
    assert in_words(values, {"a": "Navn"}) == ["Navn: x", "c: 7,5 mmol/l", "d: nei"]
