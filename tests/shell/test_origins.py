"""The sheet that tells where a value comes from: its words, the ways to it, and that it goes with its patient."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel, QMenu

from tests.shell.test_workplace import A, B, surface  # noqa: F401 - a fixture
from workspace.broker.door import Refused
from workspace.record.origin import Origin
from workspace.record.trace import Person, Source, Step, Trace
from workspace.shell import origins as origins_room
from workspace.shell.banner import BannerText
from workspace.shell.kit.env import RowMark
from workspace.shell.origins import ELSEWHERE, NEWS, Origins, told
from workspace.shell.sheet import Sheet

TONE, ELI = Person("Practitioner/tone", "Tone Nilsen"), Person("Practitioner/eli", "Eli Havn")
VITALS = Origin(
    "Practitioner/tone", "", "nordlys.vitals", "1.0.0", "2026-01-14T14:20:00+01:00", "2026-01-14T14:21:00+01:00"
)
PULSE = Trace("Observation/1", "Puls 112 /min", "lagret", (TONE,), VITALS, at=VITALS.at, version="1")
TITLES = {"nordlys.vitals": "Vitale målinger"}


def said(trace, mark=None):
    return [one.spoken for one in told(trace, lambda package: TITLES.get(package, package), mark)]


def test_who_in_which_panel_and_version_when_it_happened_and_when_it_was_recorded():
    assert said(PULSE) == [
        "Hvem: Tone Nilsen",
        "Hvor: Vitale målinger 1.0.0",
        "Skjedde: 14.01.2026 kl. 14:20",
        "Registrert: 14.01.2026 kl. 14:21",
        "Tilstand: Lagret · versjon 1",
    ]


def test_what_came_from_elsewhere_says_so_and_by_which_way():
    other = replace(PULSE, origin=replace(VITALS, package="", version=""), people=(), source="urn:lab:unn")
    assert said(other)[:2] == ["Hvem: Ikke oppgitt", "Hvor: Utenfor arbeidsflaten (urn:lab:unn)"]
    assert said(replace(other, source=""))[1] == "Hvor: Utenfor arbeidsflaten"


def test_what_waits_is_called_so_and_what_is_in_conflict_here_too():
    assert said(replace(PULSE, state="venter", version=""))[3:] == [
        "Skrevet: 14.01.2026 kl. 14:21",
        "Tilstand: Venter på plattformen",
    ]
    late = said(PULSE, RowMark("konflikt", "bad", "diamond", "Endret av en annen"))[-1]
    assert late == "Tilstand: Lagret · versjon 1, En endring herfra: konflikt (Endret av en annen)"


def test_a_correction_tells_what_was_done_by_whom_and_why():
    made = Step("CREATE", (ELI,), "nordlys.vitals", "0.9.0", "2026-01-14T13:00:00+01:00")
    mended = Step("UPDATE", (TONE,), "nordlys.vitals", "1.0.0", "2026-01-14T14:21:00+01:00", "Feil arm")
    assert said(replace(PULSE, state="rettet", version="2", steps=(mended, made)))[3:] == [
        "Registrert: 14.01.2026 kl. 13:00",
        "Sist endret: 14.01.2026 kl. 14:21",
        "Tilstand: Rettet · versjon 2",
        "Hva som er gjort: 14.01.2026 kl. 14:21 · Rettet av Tone Nilsen i Vitale målinger 1.0.0 · Feil arm, "
        "14.01.2026 kl. 13:00 · Opprettet av Eli Havn i Vitale målinger 0.9.0",
    ]


def test_what_was_reused_is_told_set_by_set_and_what_may_not_be_seen_is_only_counted():
    first = Source("Observation/2", "Pust 24 /min", replace(VITALS, name="Eli Havn"))
    found = said(replace(PULSE, sources=(first, replace(first, words="SpO₂ 92 %")), unseen=1, whole=False))
    assert found[5:] == [
        "Gjenbrukt fra: Pust 24 /min, SpO₂ 92 %, Eli Havn · Vitale målinger 1.0.0 · 14.01.2026 kl. 14:20",
        "1 opplysning som ikke kan vises her",
        "Plattformen svarer ikke nå: det kan finnes mer å vise.",
    ]


class Answers:
    """As much of the broker as the sheet asks: `trace` once `gate` is open, or the no that it has in its place. `news` tells
    those who follow."""

    def __init__(self, trace=PULSE):
        self.trace, self.gate, self.asked, self.heard = trace, asyncio.Event(), [], []
        self._told = {}

    def follow_origin(self, context, reference, told):
        self._told[reference] = told
        return SimpleNamespace(heard=self.heard.append, close=lambda: self._told.pop(reference, None))

    def news(self):
        for tell in list(self._told.values()):
            tell()

    async def origin(self, context, reference):
        self.asked.append((context.patient, reference))
        await self.gate.wait()
        if isinstance(self.trace, str):
            raise Refused(self.trace, "Du har ikke tilgang til dette.")
        return self.trace


async def painted():
    """As long as it takes Qt to lay out and paint."""
    for _ in range(5):
        QApplication.sendPostedEvents()
        await asyncio.sleep(0.005)


def words(window):
    sheets = [one for one in window.findChildren(Sheet) if one.isVisible()]
    return [label.text() for one in sheets for label in one.findChildren(QLabel) if label.isVisible() and label.text()]


@pytest.fixture
def asked(surface):  # noqa: F811
    """``asked(play)`` runs ``await play(work, origins, answers, settle)`` with a patient open."""

    def run(play, trace=PULSE):
        async def inside(work, host):
            tasks, answers = set(), Answers(trace)

            def spawn(work_):
                tasks.add(asyncio.ensure_future(work_))

            async def settle(trace=None):
                """What is under way is answered; with a `trace`, that is what is told from now on, and it is news."""
                answers.gate.set()
                if trace is not None:
                    await asyncio.gather(*tasks)
                    answers.trace = trace
                    answers.news()
                await asyncio.gather(*tasks)

            origins = Origins(work._window, answers, work, spawn=spawn, title_of=lambda one: TITLES.get(one, one))
            try:
                assert await work.open_patient(A, "Arne")
                work.say(A, BannerText("Arne", about=A, facts=[("HLR+", "neutral", "none")], sources=["Flag/1"]))
                await play(work, origins, answers, settle)
            finally:
                await settle()
                origins.close()

        surface(inside)

    return run


def test_the_sheet_stands_below_the_banner_and_escape_gives_the_focus_back(asked):
    async def play(work, origins, answers, settle):
        window, banner = work._window, work.pages.banner()
        banner.setFocus()
        work.originAsked.emit(work.patient.context, "Flag/1", QRect())
        assert words(window) == ["Hvor kommer dette fra?", "Henter …"]
        await settle()
        assert answers.asked == [(A, "Flag/1")]
        assert words(window)[:5] == ["Hvor kommer dette fra?", "Puls 112 /min", "Hvem", "Tone Nilsen", "Hvor"]
        (sheet,) = (one for one in window.findChildren(Sheet) if one.isVisible())
        assert sheet.y() >= banner.mapTo(window, banner.rect().bottomLeft()).y(), "it covers whose it is"
        for tall in (banner.height() + 30, banner.height()):
            banner.setFixedHeight(tall)
            await painted()
            assert sheet.y() == banner.mapTo(window, banner.rect().bottomLeft()).y() + 1, (
                "it is not where the banner ends"
            )
        assert "Tone Nilsen" in window.focusWidget().accessibleDescription()
        QTest.keyClick(window.focusWidget(), Qt.Key.Key_Escape)
        assert words(window) == []
        assert window.focusWidget() is banner

    asked(play)


def test_it_goes_in_the_turn_of_the_flip_and_an_answer_that_comes_late_is_not_shown(asked):
    async def play(work, origins, answers, settle):
        seen = []
        work.contextLeft.connect(lambda context: seen.append(words(work._window)))
        work.pages.banner().ask_origin("Flag/1", QRect())
        assert words(work._window)
        assert await work.open_patient(B, "Berit")
        assert seen == [[]], "the sheet outlives its patient's panels"
        await settle()
        assert words(work._window) == []
        assert answers.asked == [(A, "Flag/1")]

    asked(play)


def test_a_no_is_said_and_nothing_else_is_shown(asked):
    async def play(work, origins, answers, settle):
        work.pages.banner().ask_origin("Flag/1", QRect())
        await settle()
        assert words(work._window) == ["Hvor kommer dette fra?", "Du har ikke tilgang til dette."]

    asked(play, trace="access-denied")


WAITING = replace(PULSE, reference="Observation/own", state="venter", version="")


def test_what_waited_is_saved_in_sight_under_its_own_name_and_only_that_is_said(asked, monkeypatch):
    spoken = []
    monkeypatch.setattr(origins_room, "announce", lambda widget, said: spoken.append(said))

    async def play(work, origins, answers, settle):
        window = work._window
        work.pages.banner().ask_origin("Observation/own", QRect())
        await settle()
        assert "Venter på plattformen" in words(window)
        (sheet,) = (one for one in window.findChildren(Sheet) if one.isVisible())
        work.pages.banner().setFocus()
        await settle(PULSE)
        assert "Lagret · versjon 1" in words(window)
        assert "Venter på plattformen" not in words(window)
        assert window.focusWidget() is work.pages.banner()
        assert spoken[1:] == [f"{NEWS}. Registrert: 14.01.2026 kl. 14:21. Tilstand: Lagret · versjon 1"]
        assert "Lagret · versjon 1" in sheet.accessibleDescription()
        assert answers.heard[-1] is PULSE  # it is followed under the name that it has now
        await settle(PULSE)
        assert len(spoken) == 2, "nothing is other"
        answers.gate.clear()
        before = len(answers.asked)
        for _ in range(5):
            answers.news()
            await asyncio.sleep(0)
        assert len(answers.asked) == before + 1, "the next waits for the answer"
        await settle(replace(PULSE, state="feilført", version="2"))
        assert "Feilført, trukket tilbake · versjon 2" in words(window)
        assert len(answers.asked) == before + 3

    asked(play, trace=WAITING)


def test_where_it_was_scrolled_to_stands(asked):
    steps = [
        Step("UPDATE", (TONE,), "nordlys.vitals", "1.0.0", f"2026-01-14T{hour}:00:00+01:00") for hour in range(10, 18)
    ]

    async def play(work, origins, answers, settle):
        work.pages.banner().ask_origin("Observation/1", QRect())
        await settle()
        (sheet,) = (one for one in work._window.findChildren(Sheet) if one.isVisible())
        await painted()
        bar = sheet._area.verticalScrollBar()
        bar.setValue(bar.maximum() - 200)  # what comes is a line shorter
        assert (here := bar.value()) > 0
        await settle(replace(long, version="9", steps=tuple(steps[1:])))
        assert bar.value() == here
        await painted()
        assert bar.value() == here
        assert "Rettet · versjon 9" in words(work._window)

    long = replace(PULSE, words="Notat: " + "sov godt, " * 300, state="rettet", version="8", steps=tuple(steps))
    asked(play, trace=long)


@pytest.mark.parametrize(
    ("code", "mark", "says", "stands"),
    [
        ("unavailable", None, "Plattformen svarer ikke nå: det kan finnes mer å vise.", True),
        ("not-found", RowMark("ikke lagret", "bad", "up", "Enheten mangler"), "Ikke lagret", True),
        ("not-found", None, "Du har ikke tilgang til dette.", False),
        ("access-denied", None, "Du har ikke tilgang til dette.", False),
        ("wrong-patient", None, ELSEWHERE, True),
    ],
)
def test_what_cannot_be_had_any_more_is_told_and_stands_only_where_it_may(asked, code, mark, says, stands):
    async def play(work, origins, answers, settle):
        work.pages.banner().ask_origin("Observation/own", QRect())
        await settle()
        work.set_marks({"Observation/own": mark} if mark else {})
        await settle(code)
        assert says in words(work._window)
        assert ("Puls 112 /min" in words(work._window)) == stands
        if stands and code == "unavailable":
            await settle(PULSE)
            assert says not in words(work._window)

    asked(play, trace=WAITING)


def test_a_sheet_that_is_closed_or_gone_with_its_patient_follows_no_more(asked):
    async def play(work, origins, answers, settle):
        work.pages.banner().ask_origin("Flag/1", QRect())
        await settle()
        assert answers._told
        QTest.keyClick(work._window.focusWidget(), Qt.Key.Key_Escape)
        assert answers._told == {}
        work.pages.banner().ask_origin("Flag/1", QRect())
        late = answers._told["Flag/1"]
        assert await work.open_patient(B, "Berit")
        assert answers._told == {}
        late()
        await settle()
        assert len(answers.asked) == 2

    asked(play)


@pytest.mark.qt_log_ignore("does not support (raise|grabbing)", extend=True)
def test_the_shortcut_asks_about_what_has_the_focus_or_says_what_to_do_first(asked):
    async def play(work, origins, answers, settle):
        window = work._window
        window.activateWindow()
        window.top.leave.setFocus()
        QTest.keyClick(window.top.leave, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        assert window.status.shown_notice().words.startswith("Velg først")
        banner = work.pages.banner()
        banner.setFocus()
        QTest.keyClick(banner, Qt.Key.Key_I, Qt.KeyboardModifier.ControlModifier)
        (menu,) = banner.findChildren(QMenu)
        assert [action.text() for action in menu.actions() if not action.isSeparator()] == ["Arne", "HLR+"]
        menu.actions()[-1].trigger()
        menu.close()
        await settle()
        assert answers.asked == [(A, "Flag/1")]
        assert window.status.shown_notice() is None

    asked(play)
