"""Plays one person at one workstation: runs the real application in this process and does what it is told, with real
key presses and mouse clicks on the real widgets.

``python tests/journeys/driver.py --as tone --sandbox DIR --profile DIR``. One JSON command a line on stdin
(``{"do": "type", "bind": "pulse", "text": "112"}``), one JSON answer a line on stdout (``{"ok": true, ...}`` or
``{"ok": false, "problem": "..."}``). Never calls a panel's or the broker's code to get something done: what a person
could not do with keyboard and mouse, it cannot do either. The exceptions are named: `kill` and what only looks.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QPoint, Qt  # noqa: E402
from PySide6.QtTest import QTest  # noqa: E402
from PySide6.QtWidgets import QAbstractButton, QLabel, QLineEdit, QPlainTextEdit  # noqa: E402

from workspace import app as app_room  # noqa: E402
from workspace.shell.sheet import Sheet  # noqa: E402

sys.path.insert(0, str(Path(__file__).resolve().parent))
import timed  # noqa: E402
from looks import Fault, Looks  # noqa: E402
from repaints import after_a_change  # noqa: E402
from told import Wire  # noqa: E402

LEFT = Qt.MouseButton.LeftButton


class Driver(Looks):
    """The commands; each is a method named `do_<command>` and returns what is answered."""

    @staticmethod
    def visible(widget, what):
        if not widget.isVisible() or not widget.isEnabled():
            raise Fault(f"{what} is not there for a person: visible {widget.isVisible()}, enabled {widget.isEnabled()}")
        return widget

    def click(self, widget, what):
        self.visible(widget, what)
        QTest.mouseClick(
            widget, LEFT, Qt.KeyboardModifier.NoModifier, QPoint(widget.width() // 2, widget.height() // 2)
        )

    async def _activate(self):
        """As a person who clicks into the window."""
        self.window.activateWindow()
        for _ in range(100):
            if self.window.isActiveWindow():
                return
            await asyncio.sleep(0.01)
        raise Fault("the window cannot be made active")

    async def do_wait_ready(self, seconds=60.0):
        """Until somebody is signed in and every panel of the unit has drawn itself."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            signing = self.desk.signing
            shift = self.desk.shift
            if shift is not None and shift.workplace is not None and shift.workplace.unit is not None:
                seats = shift.workplace.unit.seats.values()
                if seats and signing.done() and all(seat.rendered_first.is_set() for seat in seats):
                    subject = shift.session.subject
                    await self._activate()
                    return {
                        "subject": {"username": subject.username, "name": subject.name, "role": subject.role},
                        "user": subject.fhir_user,
                        "prompts": self.desk.prompts,
                        "layout": shift.layout.id,
                        "activities": [one.title for one in shift.layout.activities],
                        "url": self.desk._platform.fhir,
                    }
            if signing is not None and signing.done() and shift is None:
                words = " ".join(label.text() for label in self.window.sign_in.findChildren(QLabel))
                raise Fault(f"not signed in: {words} {self.window.sign_in.accessibleName()}")
            await asyncio.sleep(0.02)
        raise Fault("not ready in time")

    async def do_sign_out(self):
        """The button for it."""
        self.click(self.window.top.leave, "Logg ut")
        return {}

    async def do_act(self, title):
        """Ctrl+K, the words of an action, Enter."""
        await self._palette()
        QTest.keyClicks(self.window.palette_.edit, title)
        item = self.window.palette_.list.item(0)
        if item is None or title not in item.text():
            raise Fault(f"Ctrl+K finds {item.text() if item else 'nothing'} for {title!r}")
        QTest.keyClick(self.window.palette_.edit, Qt.Key.Key_Return)
        return {}

    async def do_keys(self, text):
        """Keys where the focus is, one after another."""
        for letter in text:
            QTest.keyClicks(self.window.focusWidget() or self.window, letter)
            await asyncio.sleep(0)
        return {}

    async def do_quit(self):
        """As a person who closes the window."""
        self.window.close()
        return {}

    # --- doing ---

    async def do_open_patient(self, name, by="mouse", seconds=10.0):
        """From the resident list, as a person does."""
        seat = self.seat("residents")
        if self.work.current() != "avdeling":
            await self.do_go("avdeling")
        deadline = time.monotonic() + seconds
        while (found := self._row(seat, name)) is None:  # the list may still be on its way
            if time.monotonic() > deadline:
                raise Fault(f"{name} is not in the resident list")
            await asyncio.sleep(0.01)
        view, index = found
        self.visible(view, "the resident list")
        view.scrollTo(index)
        if by == "mouse":
            middle = view.visualRect(index.siblingAtColumn(1)).center()
            QTest.mouseClick(view.viewport(), LEFT, Qt.KeyboardModifier.NoModifier, middle)
        else:
            view.setFocus()
            view.setCurrentIndex(index)
            QTest.keyClick(view, Qt.Key.Key_Return)
        return await self._settled(name, seconds)

    def _row(self, seat, name):
        """The table and the row of `name`, once it stands in the panel."""
        for node_id in seat.instance.nodes:
            widget = seat.body.widget(node_id)
            if widget is None or not hasattr(widget, "view"):
                continue
            model = widget.model
            for row in range(model.rowCount()):
                if any(name in str(model.index(row, c).data() or "") for c in range(model.columnCount())):
                    return widget.view, model.index(row, 0)
        return None

    async def do_switch_patient(self, name, seconds=10.0):
        """Ctrl+K, the name, Enter. Answers with what was wrong in any turn of the loop meanwhile."""
        before = len(self.wire.messages)
        await self._palette()
        QTest.keyClicks(self.window.palette_.edit, name)
        item = self.window.palette_.list.item(0)
        if item is None or name.split()[-1] not in item.text():
            raise Fault(f"Ctrl+K finds {item.text() if item else 'nobody'} for {name!r}")
        QTest.keyClick(self.window.palette_.edit, Qt.Key.Key_Return)
        settled = await self._settled(name, seconds)
        return {**settled, "messages_from": before}

    async def do_time_switch(self, name, seconds=10.0):
        """As `switch_patient`, until all is painted; nothing is looked through on the way."""
        await self._palette()
        QTest.keyClicks(self.window.palette_.edit, name)
        edit = self.window.palette_.edit
        told = await timed.switch(self.work, lambda: QTest.keyClick(edit, Qt.Key.Key_Return), name, seconds)
        if told["ms"] is None:
            raise Fault(f"{name} is not painted whole after {seconds} s")
        return told

    async def do_joined(self, press=False):
        """What the page says of the record on screen having been joined with another; `press` opens that one."""
        page = self.window.pages.currentWidget()
        if press:
            self.click(page.joined.again, "the button of the record that stays")
        return {
            "words": page.joined.words() if page.joined.isVisible() else "",
            "button": page.joined.again.text(),
            "patient": self.work.patient.context.patient,
        }

    async def do_open_unit(self, name, seconds=10.0):
        """Ctrl+K, the unit's name, Enter; until its panels have drawn."""
        await self._palette()
        QTest.keyClicks(self.window.palette_.edit, name)
        item = self.window.palette_.list.item(0)
        if item is None or name not in item.text():
            raise Fault(f"Ctrl+K finds {item.text() if item else 'nothing'} for {name!r}")
        QTest.keyClick(self.window.palette_.edit, Qt.Key.Key_Return)
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            group = self.work.unit
            if group.name == name and all(map(self.stands, group.seats.values())):
                return {"unit": group.context.unit}
            await asyncio.sleep(0.01)
        raise Fault(f"the unit on screen is {self.work.unit.name!r}")

    async def _palette(self):
        focus = self.window.focusWidget() or self.window
        QTest.keyClick(focus, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
        for _ in range(50):
            if self.window.palette_.isVisible():
                return
            await asyncio.sleep(0.01)
        raise Fault("Ctrl+K does not open")

    async def _settled(self, name, seconds=10.0):
        """Until the banner says `name` and every panel of the patient has drawn; what was mixed on the way."""
        began, faults, flipped = time.monotonic(), [], None
        while time.monotonic() - began < seconds:
            faults += [fault for fault in self.mixed() if fault not in faults]
            group = self.work.patient
            if name in self.spoken() and group is not None:
                flipped = flipped or time.monotonic()
                if all(map(self.stands, group.seats.values())):
                    return {
                        "banner": self.spoken(),
                        "patient": group.context.patient,
                        "mixed": faults,
                        "flip_ms": round((flipped - began) * 1000),
                        "all_ms": round((time.monotonic() - began) * 1000),
                    }
            await asyncio.sleep(0.002)
        told = {n: [s.instance.state, s.frame._state.text()] for n, s in self.work.seats().items()}
        raise Fault(
            f"{name} is not shown whole after {seconds} s; banner {self.spoken()!r}; mixed {faults}; panels {told}"
        )

    async def do_type(self, bind, text, instance=""):
        """Click into the field and press its keys, one after another."""
        _, widget, editor = self.by_bind(bind, instance)
        if not isinstance(editor, QLineEdit | QPlainTextEdit):
            raise Fault(f"{bind} is not typed into: {type(widget).__name__}")
        self.click(editor if isinstance(editor, QLineEdit) else editor.viewport(), bind)
        if not editor.hasFocus():
            raise Fault(f"{bind} did not take the focus")
        for letter in text:
            QTest.keyClicks(editor, letter)
            await asyncio.sleep(0)
        self.typed[bind] = self.typed.get(bind, 0) + 1
        shown = editor.text() if isinstance(editor, QLineEdit) else editor.toPlainText()
        return {"keys": len(text), "times": self.typed[bind], "shown": shown}

    async def do_choose(self, bind, keys, instance=""):
        """A menu choice by its letter."""
        _, widget, _ = self.by_bind(bind, instance)
        button = getattr(widget, "_menu", None)
        if button is None:
            raise Fault(f"{bind} is not a menu")
        self.visible(button, bind).setFocus(Qt.FocusReason.TabFocusReason)
        QTest.keyClicks(button, keys)
        self.typed[bind] = self.typed.get(bind, 0) + 1
        await asyncio.sleep(0)
        return {"keys": len(keys), "times": self.typed[bind], "shown": widget.shown()}

    async def do_press(self, text, instance):
        """A button by (the beginning of) its text."""
        seat = self.seat(instance)
        for button in [*seat.body.findChildren(QAbstractButton), *seat.frame.findChildren(QAbstractButton)]:
            if button.isVisible() and self.words(button).startswith(text):
                self.click(button, text)
                return {"text": self.words(button), "said": button.accessibleName()}
        there = [f"{self.words(b)} (visible {b.isVisible()})" for b in seat.frame.findChildren(QAbstractButton)]
        raise Fault(f"no button {text!r} in {instance}; there are {there}")

    async def do_key(self, key, ctrl=False):
        """A key where the focus is, ``{"key": "S", "ctrl": true}``."""
        focus = self.window.focusWidget() or self.window
        modifier = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
        QTest.keyClick(focus, getattr(Qt.Key, f"Key_{key}"), modifier)
        return {"focus": type(focus).__name__}

    async def do_go(self, activity):
        """Alt+1, Alt+2: the activity at that number."""
        number = [one.id for one in self.desk.shift.layout.activities].index(activity) + 1
        focus = self.window.focusWidget() or self.window
        QTest.keyClick(focus, getattr(Qt.Key, f"Key_{number}"), Qt.KeyboardModifier.AltModifier)
        began = time.monotonic()
        while time.monotonic() - began < 1.0:
            if self.work.current() == activity:
                return {"ms": round((time.monotonic() - began) * 1000)}
            await asyncio.sleep(0.005)
        raise Fault(f"Alt+{number} leaves {self.work.current()!r} on screen")

    # --- looking ---

    async def do_kill(self, instance):
        """Not a person: a fault from outside."""
        pid = self.seat(instance).instance.pid
        os.kill(pid, signal.SIGKILL)
        return {"pid": pid}

    async def do_press_status(self, text):
        """A button on the status line."""
        for button in self.window.status.findChildren(QAbstractButton):
            if button.isVisible() and button.text().startswith(text):
                self.click(button, text)
                return {"text": button.text()}
        raise Fault(f"no button {text!r} on the status line: {self.window.status.text()}")

    async def do_press_sheet(self, text):
        """A button on the sheet over the work, as soon as it is there."""
        for _ in range(100):
            for sheet in self.window.findChildren(Sheet):
                for button in sheet.findChildren(QAbstractButton):
                    if sheet.isVisible() and button.isVisible() and button.text().startswith(text):
                        self.click(button, text)
                        return {"text": button.text()}
            await asyncio.sleep(0.02)
        raise Fault(f"no button {text!r} on a sheet")

    async def do_expire(self):
        """Not a person: the identity provider forgets the sign-on."""
        from workspace.problem import Problem
        from workspace.signon.tokens import revoke_token

        session = self.desk.shift.session
        await revoke_token(session._provider, session._client_id, session._tokens.refresh_token)
        try:
            await session.refresh(force=True)
        except Problem as problem:
            return {"state": session.state, "said": str(problem)}
        raise Fault("the provider still knows it")

    async def do_change(self):
        """Not a person: the platform's answer to a write of this workstation."""
        return await after_a_change(self.work, self.desk.shift.record)

    # --- the line ---

    async def obey(self, commands):
        while True:
            line = await commands.get()
            if not line:
                self.window.close()
                return
            command = json.loads(line)
            do = command.pop("do")
            try:
                answer = {"ok": True, **await getattr(self, f"do_{do}")(**command)}
            except Fault as fault:
                answer = {"ok": False, "problem": str(fault)}
            except Exception as error:  # noqa: BLE001 - told to the test, which fails on it
                answer = {"ok": False, "problem": f"{do}: {type(error).__name__}: {error}"}
            sys.stdout.write(json.dumps(answer, ensure_ascii=False, default=str) + "\n")
            sys.stdout.flush()
            if do == "quit":
                return


def read_lines(loop, commands):
    """A thread of its own: a pipe on stdin cannot be waited for by every Qt loop."""
    for line in sys.stdin:
        loop.call_soon_threadsafe(commands.put_nowait, line)
    loop.call_soon_threadsafe(commands.put_nowait, "")


def main():
    known = argparse.ArgumentParser()
    known.add_argument("--as", dest="username", required=True)
    known.add_argument("--sandbox", type=Path, required=True)
    known.add_argument("--profile", type=Path, required=True)
    known.add_argument("--history", type=int, default=14)
    known.add_argument("--plugins", type=Path)
    known.add_argument("--layouts", type=Path)
    known.add_argument("--platform", default="", help="an address, instead of a sandbox that is started")
    known.add_argument("--cold", action="store_true", help="nothing is kept of a patient who was left")
    known.add_argument("--copies-soon", action="store_true", help="the unit is copied at once")
    given = known.parse_args()
    if given.copies_soon:
        from workspace.record import offline

        offline.BEFORE = offline.BETWEEN = 0.0

    if given.cold:
        from workspace.record import queries

        queries.IDLE = 0.0

    async def locate(progress):
        if given.platform:
            return given.platform
        from workspace.sandbox import attach

        return await attach.ensure(given.sandbox, history_days=given.history, progress=progress)

    async def visit(address):
        from workspace.sandbox import visitor

        await visitor.choose(address, given.username)

    if given.plugins:
        beside_the_own_packages(given.plugins)
    if given.layouts:
        instead_of_the_role_layouts(given.layouts)
    wire = Wire()
    wire.listen()
    beside(wire)
    code = app_room.run(app_room.Options(profile=given.profile, locate=locate, visit=visit, theme="light"))
    sys.stdout.flush()
    os._exit(code)  # the thread that reads stdin would hold the interpreter's end


def beside_the_own_packages(folder):
    """Instead of the packages that came with the program, those in `folder`: a site that installed something broken."""
    from workspace.panels import manifest

    discover = manifest.discover
    manifest.discover = lambda _own, *more: discover(folder, *more)


def instead_of_the_role_layouts(folder):
    """A site with layouts of its own."""
    from workspace.layouts import role

    choose = role.choose
    role.choose = lambda _own, who: choose(folder, who)


def beside(wire):
    """Obey commands for as long as the desk works."""
    from workspace.shell.desk import Desk

    work = Desk.work

    async def both(desk):
        commands = asyncio.Queue()
        threading.Thread(target=read_lines, args=(asyncio.get_running_loop(), commands), daemon=True).start()
        obeying = asyncio.ensure_future(Driver(desk, desk.window, wire).obey(commands))
        try:
            return await work(desk)
        finally:
            obeying.cancel()
            await asyncio.gather(obeying, return_exceptions=True)

    Desk.work = both


if __name__ == "__main__":
    main()
