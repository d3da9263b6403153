"""«Arbeid uten nett» on the sign-in page and the sheet where a PIN is chosen, by keyboard alone."""

from __future__ import annotations

import asyncio

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel

from tests.vault.test_people import DAHL, TONE, opened, signs_on
from workspace.problem import Problem
from workspace.shell import theme
from workspace.shell.attention import Attention
from workspace.shell.chips import PlainButton
from workspace.shell.loop import Tasks
from workspace.shell.pin import CHANGE, CHOOSE, PinField, Pins
from workspace.shell.sheet import Sheet
from workspace.shell.signin import SignInPage
from workspace.shell.status import StatusLine
from workspace.shell.window import MainWindow
from workspace.vault import pin as pin_module
from workspace.vault.people import Person

GONE = Problem("platform-unreachable", "Ingen svarer.", "Prøv igjen.")
PEOPLE = [Person("a", DAHL, pin=True), Person("b", TONE, pin=True)]


@pytest.fixture
def light(qapp):
    return theme.apply(qapp, theme.load("light"), 1.0)


@pytest.fixture
def page(qtbot, light):
    made = SignInPage(light)
    qtbot.addWidget(made)
    made.resize(1000, 800)
    made.show()
    made.activateWindow()
    qtbot.waitUntil(made.isActiveWindow)
    made.failed(GONE)
    return made


def words(widget):
    return " ".join(one.text() for one in widget.findChildren(QLabel) if one.isVisibleTo(widget))


def test_a_person_is_chosen_and_the_pin_typed_without_a_mouse(page):
    asked = []
    page.offlineAsked.connect(lambda own, pin: asked.append((own, pin)))
    page.offer(PEOPLE)
    assert "Arbeid uten nett" in words(page)
    assert "Ingen svarer." in words(page), "what is wrong stands still"
    assert page.focusWidget().accessibleName() == "Dahl Storspove, lege"
    QTest.keyClick(page.focusWidget(), Qt.Key.Key_Down)
    assert page.focusWidget().accessibleName() == "Tone Multebær, sykepleier"
    page._without.pin.setFocus()
    QTest.keyClicks(page.focusWidget(), "73x0214")  # letters are not taken
    assert "730214" not in page.focusWidget().displayText()
    QTest.keyClick(page.focusWidget(), Qt.Key.Key_Return)
    assert asked == [("b", "730214")]
    assert page.focusWidget().text() == "", "it does not stay on screen"
    QTest.keyClick(page.focusWidget(), Qt.Key.Key_Return)
    assert len(asked) == 1, "nothing typed, nothing asked: it would be a try"


def test_why_it_did_not_open_stands_by_the_field_and_who_is_alone_types_at_once(page):
    page.offer(PEOPLE[1:])
    assert page.focusWidget().accessibleName() == "PIN"
    page.refused(Problem("pin-wrong", "PIN-en er feil.", "Du har 4 forsøk igjen."))
    assert "PIN-en er feil. Du har 4 forsøk igjen." in words(page)
    assert page.focusWidget().accessibleDescription() == "PIN-en er feil. Du har 4 forsøk igjen."


def test_where_nobody_has_a_pin_the_page_is_as_it_was_and_it_goes_with_what_was_wrong(page, qtbot):
    before = page.grab().toImage()
    page.offer([])
    assert page.grab().toImage() == before
    page.offer(PEOPLE)
    page.welcome("Fjellheim", sandbox=False)
    assert "Arbeid uten nett" not in words(page)
    page.failed(GONE)
    assert page.grab().toImage().size() == before.size()
    assert "Arbeid uten nett" not in words(page)


def test_many_persons_and_large_text_keep_the_pin_in_sight(qtbot, qapp):
    made = SignInPage(theme.apply(qapp, theme.load("dark"), 2.0))
    qtbot.addWidget(made)
    made.resize(1280, 800)
    made.show()
    made.failed(GONE)
    made.offer([Person(str(number), TONE, pin=True) for number in range(9)])
    qtbot.wait(20)
    box = made._without
    bottom = box.pin.mapTo(made, box.pin.rect().bottomLeft()).y()
    assert bottom < made.height()
    assert box._list.geometry().bottom() < box.pin.geometry().top(), "nothing lies over another"

    made.resize(760, 520)  # the least window: it scrolls, and what has the focus is in sight
    for field in (box._sides[0], box.pin.editor, made._again, box.go):
        field.setFocus()
        qtbot.waitUntil(lambda field=field: made.rect().contains(seen(field, made)))
        card = seen(made._card, made)
        assert card.left() >= 0, "no wider than the window"
        assert card.right() < made.width()
    assert seen(made._title, made).top() < 0, "the page has scrolled"
    theme.apply(qapp, theme.load("light"), 1.0)


def seen(widget, page):
    return QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())


async def settled(true):
    async with asyncio.timeout(5):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_a_pin_is_chosen_changed_and_taken_away_on_the_sheet(qtbot, light, tmp_path, monkeypatch):
    monkeypatch.setattr(pin_module, "COST", 2)
    window = MainWindow(light)
    qtbot.addWidget(window)
    window.show_work()
    window.show()

    def sheet():
        return next(one for one in window.findChildren(Sheet) if one.isVisible())

    def types(first, second):
        for field, pin in zip(sheet().findChildren(PinField), (first, second), strict=True):
            QTest.keyClicks(field.editor, pin)
            QTest.keyClick(field.editor, Qt.Key.Key_Return)

    def press(text):
        next(one for one in sheet().findChildren(PlainButton) if one.text() == text).click()

    async def scene():
        vaults = await opened(tmp_path)
        hers = await signs_on(vaults, TONE)
        tasks = Tasks(lambda fault: pytest.fail(repr(fault)))
        pins = Pins(window, vaults, hers, tasks)
        await pins.look()
        assert pins.title == CHOOSE
        pins.open()
        types("730214", "730215")
        await settled(lambda: "De to er ikke like" in words(sheet()))
        types("123456", "123456")
        await settled(lambda: "blant de første" in words(sheet()))
        types("730214", "730214")
        await settled(lambda: "PIN-en er lagret" in window.status.text())
        assert (await vaults.person(hers)).pin
        assert pins.title == CHANGE
        pins.open()
        press("Fjern PIN")
        await settled(lambda: "PIN-en er fjernet" in window.status.text())
        assert not (await vaults.person(hers)).pin
        await vaults.set_pin(hers, "730214")
        for _ in range(5):
            with pytest.raises(Problem):
                await vaults.open_with((await vaults.person(hers)).id, "111222")
        await pins.look()
        assert "PIN-en din ble fjernet etter fem feil forsøk" in window.status.text()
        pins.open()
        types("846291", "846291")
        await settled(lambda: "PIN-en er lagret" in window.status.text())
        assert (await vaults.person(hers)).pin, "the new one stays"
        for _ in range(5):
            with pytest.raises(Problem):
                await vaults.open_with((await vaults.person(hers)).id, "111222")
        await pins.look()
        pins.open()
        sheet().close_()  # she does not want another
        await settled(lambda: "fem feil forsøk" not in window.status.text())
        assert not (await vaults.person(hers)).spent
        pins.close()
        await tasks.close()
        await vaults.close()

    asyncio.run(scene())
    window._may_close = True


class Session:
    state, joined = "offline", False

    def on_state(self, listener):
        self.tell = listener
        listener(self.state)
        return lambda: None


class Quiet:
    durable = True

    def __getattr__(self, name):
        return {"unsent": lambda: 2, "refused": tuple}.get(name, lambda listener: lambda: None)


def test_the_status_line_says_that_and_how_old_and_asks_for_a_sign_on_when_it_can_be_had(qtbot, light):
    line, asked, session = StatusLine(light), [], Session()
    qtbot.addWidget(line)
    line.resize(1440, 30)
    line.show()
    attention = Attention(line, sign_in=lambda: asked.append(1), show_unsent=lambda: None)
    attention.follow(session=session, record=Quiet(), outbox=Quiet(), vault=Quiet())
    attention.aged("14.01. kl. 14:45")
    assert line.text().startswith("Du arbeider uten nett. Det du leser, ble hentet 14.01. kl. 14:45 eller senere.")
    assert "Innlogging: uten nett" in line.text()
    session.tell("expired")
    assert line.text().startswith("Plattformen svarer igjen. Logg inn, så sendes det som venter.")
    QTest.mouseClick(line._act, Qt.MouseButton.LeftButton)
    assert asked == [1]
    session.joined = True
    session.tell("signed-in")
    assert line.shown_notice() is None
    session.tell("expired")
    assert line.text().startswith("Innloggingen er utløpt."), "from here on it is a session as any other"
    attention.close()
