"""One workstation's course: find the platform, sign on, open the work, sign out. The rooms behind it are handed in.

A failure on the way is a Problem on the sign-in page; nothing that was typed is lost by it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from shiboken6 import isValid

from workspace import settings as settings_room
from workspace.problem import Problem
from workspace.shell.kit import whence
from workspace.shell.leaving import Unattended, may_leave
from workspace.shell.loop import Tasks
from workspace.shell.offline import Offline, joined, readable_units
from workspace.shell.options import Options, Rooms
from workspace.shell.palette import Choice
from workspace.shell.shift import Shift, close_shift
from workspace.shell.stages import Stages
from workspace.shell.status import Notice
from workspace.shell.watchdog import Watchdog
from workspace.shell.window import MainWindow

log = logging.getLogger(__name__)
SETTLED_AFTER = 2.0
"""Seconds after the work is open when the start is over."""


class Desk:
    """`await work()` until the window is closed. Returns the exit code."""

    def __init__(
        self,
        options: Options,
        known: settings_room.Settings,
        rooms: Rooms,
        stages: Stages,
        window: MainWindow,
        *,
        shown_at: float,
        settled: Callable[[], None],
    ) -> None:
        self.options, self._known, self._rooms, self.window = options, known, rooms, window
        self._stages, self.shown_at, self._settled = stages, shown_at, settled
        self.shift: Shift | None = None
        self._platform: Any = None
        self._over = asyncio.Event()
        self.tasks = Tasks(self._failed)
        self.unattended = Unattended(lambda: rooms.deliver(options, self._known, self._platform), self.tasks)
        self._asked_to_leave = False
        self._offline = Offline(options, rooms, stages, window)
        self.watchdog = Watchdog(window)
        self.signing: asyncio.Task[Any] | None = None
        self._grounded: asyncio.Task[Any] | None = None
        self._minute = QTimer(window)
        self._minute.setInterval(10_000)
        self._minute.timeout.connect(self._tick)
        self._broken: list[Problem] = []
        self.prompts = 0
        window.closing.connect(self._over.set)
        window.sign_in.signInAsked.connect(lambda: self._begin(self._sign_in))
        window.sign_in.retryAsked.connect(lambda: self._begin(self._start))
        window.sign_in.offlineAsked.connect(lambda own, pin: self._begin(partial(self._without, own, pin)))
        window.sign_in.cancelAsked.connect(self._cancel)
        window.paletteAsked.connect(self._palette)
        window.top.leave.clicked.connect(lambda: self.tasks.spawn(self._sign_out()))
        window.top.unit.chosen.connect(self._go_unit)

    async def work(self) -> int:
        """The whole course."""
        self.watchdog.start()
        code = 0
        self._grounded = self.tasks.spawn(self._stand())
        try:
            self._begin(self._start)
            if self.options.headless:
                from workspace.shell.headless import Headless

                code = await Headless(self).run()
            else:
                await self._over.wait()
        finally:
            await self._close()
        return code

    # --- finding the platform, signing on ---

    def _begin(self, step: Any) -> None:
        if self.signing is None or self.signing.done():
            self.signing = self.tasks.spawn(self._guarded(step()))

    def _cancel(self) -> None:
        if self.signing is not None:
            self.signing.cancel()
        self._welcome()

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Problem as problem:
            log.warning("%s: %s", problem.code, problem.detail)
            if not self.window.working:  # half opened: whoever tries again begins anew
                await self._drop_shift(sign_out=True)
            self.window.show_sign_in()
            self.window.sign_in.failed(problem)
            await self._offline.offer(problem)
            if self.options.headless:
                self.fatal = problem
                self._over.set()

    fatal: Problem | None = None

    async def _start(self) -> None:
        page = self.window.sign_in
        page.starting("Finner plattformen …", None)
        address = await self.options.locate(lambda share, words: page.starting(words, share))
        await self._stages.ready("http")
        self._platform = await self._rooms.discover(address)
        self._welcome()
        if self.options.visit is not None:
            await self._sign_in()
        else:
            self.unattended.begin()

    async def _stand(self) -> Any:
        """What panels stand on, before anybody has signed on: the processes of those that were used here last are made
        ready while the person is still at the sign-in."""
        installed = await self._stages.ready("panels")
        ground = await self._rooms.ground(installed)
        self._broken = installed.broken
        self.tasks.spawn(ground.warm(installed.last_used))
        return ground

    def _welcome(self) -> None:
        if self._platform is not None:
            self.window.sign_in.welcome(self._platform.name, sandbox=self._platform.sandbox)
            self.window.top.mark.setVisible(self._platform.sandbox)

    async def _sign_in(self) -> None:
        if self._platform is None:
            await self._start()
            return
        visit = self.options.visit
        if visit is None:
            self.window.sign_in.waiting()
            self.prompts += 1
        await self._stages.ready("sign-on")
        signed = await self._rooms.sign_on(self._platform, visit or _open_browser)
        self.window.sign_in.starting("Åpner arbeidsflaten …", 0.8)
        await self._open_work(signed)

    async def _without(self, own: str, pin: str) -> None:
        """Nobody can sign on: open the work of the vault `own` by its person's PIN."""
        await self.unattended.end()
        opened = await self._offline.opened(own, pin)
        if opened is None:
            if self._platform is not None:
                self.unattended.begin()
            return
        self._platform, signed = opened
        await self._open_work(signed)

    # --- the work ---

    async def _open_work(self, signed: Any) -> None:
        await self._stages.ready("work")
        assert self._grounded is not None
        ground = await asyncio.shield(self._grounded)
        await self.unattended.end()
        shift = await self._rooms.open_shift(self.options, self._known, self._platform, signed, ground)
        self.shift = shift
        shift.problems += self._broken
        await self._stages.ready("surface")
        from workspace.shell.surroundings import Surroundings, Ways
        from workspace.shell.workplace import Workplace

        session = signed.session
        subject = session.subject
        window = self.window
        shift.workplace = Workplace(window, shift.host, shift.layout, now=shift.clock.now, spawn=self.tasks.spawn)
        shift.workplace.patientAsked.connect(lambda who: self.tasks.spawn(self.open_patient(who)))
        self.tasks.spawn(shift.workplace.warm())
        self.tasks.spawn(self._ask_ahead(shift))
        await shift.workplace.build()
        window.top.user.set_text(f"{subject.name} · {subject.role}" + ("" if session.joined else " · uten nett"))
        window.top.set_time(shift.clock.now())
        self._minute.start()
        ways = Ways(
            self.open_patient, self._open_unit, partial(self._ask_residents, shift),
            lambda: self._begin(self._sign_in_again),
        )  # fmt: skip
        shift.around = Surroundings(window, shift, shift.workplace, self.tasks, ways)
        shift.units = await readable_units(shift)
        if session.joined:  # also for who has none any more: nothing is readable here that is not hers
            self.tasks.spawn(shift.broker.offline.only_units([unit.reference for unit in shift.units]))
        if not shift.units:
            raise Problem(
                "no-units",
                "Du er logget inn, men er ikke satt opp på noen avdeling nå.",
                "Be avdelingslederen legge deg inn på vakt, og logg inn på nytt.",
            )
        window.show_work()
        await self._open_unit(shift.units[0].reference, self._first_patient)
        if self.options.activity:
            shift.workplace.go(self.options.activity)
        self.tasks.spawn(self._settle())

    async def _ask_ahead(self, shift: Shift) -> None:
        """Who lives in the first unit is on its way while the pages are made; whoever asks in earnest gets that answer."""
        with contextlib.suppress(Problem):
            units = await asyncio.shield(shift.units_asked)
            if units:
                await shift.directory.residents(units[0].reference)

    def _first_patient(self) -> str:
        """Who is opened beside the unit at the start: the one that was asked for; headless, where all is shown, anybody."""
        if self.options.patient:
            return f"Patient/{self.options.patient.removeprefix('Patient/')}"
        residents = self.shift.residents if self.shift is not None else ()
        return residents[0].patient if self.options.headless and residents else ""

    async def _settle(self) -> None:
        await asyncio.sleep(SETTLED_AFTER)
        self._settled()

    async def _sign_in_again(self) -> None:
        """The login ran out: the same person signs on, and everything on screen stays as it was."""
        shift = self.shift
        if shift is None:
            return
        from workspace.clock import SystemClock
        from workspace.signon.login import login

        line = self.window.status
        line.notice("session", Notice("Logg inn i nettleseren som åpnet seg.", "warn"))
        try:
            visit = self.options.visit or _open_browser
            again = await login(self._platform, open_browser=visit, clock=SystemClock())
            first = not shift.session.joined
            await shift.session.rejoin(again)
            shift.record.refresh()
            if first:
                self.tasks.spawn(self._joined(shift))
        except Problem as problem:
            retry = Notice(str(problem), "bad", "Logg inn på nytt", lambda: self._begin(self._sign_in_again))
            line.notice("session", retry)

    async def _joined(self, shift: Shift) -> None:
        await self._keep_offline(shift, await joined(self.window, shift, self._platform.name))

    async def _open_unit(self, reference: str, beside: Callable[[], str] = str) -> None:
        """Open a unit, and the patient that `beside` names once its residents are known."""
        shift = self.shift
        if shift is None or shift.workplace is None:
            return
        unit = next(one for one in shift.units if one.reference == reference)
        shift.unit = reference
        home = self._platform.name
        self.window.top.unit.set_units([(u.reference, u.name) for u in shift.units], reference, home)
        shift.residents = tuple(await shift.directory.residents(reference))
        opening: list[Awaitable[Any]] = [
            shift.workplace.open_unit(reference, unit.name, [one.patient for one in shift.residents])
        ]
        who = beside()
        if who:
            opening.append(self.open_patient(who))
        await asyncio.gather(*opening)
        if shift.around is not None:
            shift.around.look_for_older()
        self.tasks.spawn(self._keep_offline(shift, reference))

    async def _ask_residents(self, shift: Shift) -> None:
        """Who lives in the unit on screen, after somebody turned out to be somebody else."""
        unit = shift.workplace.unit.context.unit if shift.workplace is not None and shift.workplace.unit else ""
        if unit:
            shift.residents = tuple(await shift.directory.residents(unit))

    async def _keep_offline(self, shift: Shift, unit: str) -> None:
        """The unit on screen stays readable when the platform goes away. What is to be seen now comes first."""
        await asyncio.sleep(SETTLED_AFTER)
        if shift is not self.shift or not shift.session.joined:
            return
        from workspace.panels.asked import asked_by

        patients = [one.patient for one in shift.residents]
        asked = asked_by(shift.host.packages.values(), unit, patients)
        await shift.broker.keep_offline(unit, patients, asked, shift.directory.offline_queries(unit, patients))

    async def open_patient(self, reference: str) -> bool:
        """Open a resident by reference (``Patient/<id>``)."""
        shift = self.shift
        if shift is None or shift.workplace is None:
            return False
        from workspace.record.people import age
        from workspace.shell.facts import Facts, of_list

        work, units = shift.workplace, {unit.reference: unit.name for unit in shift.units}
        resident = next((one for one in shift.residents if one.patient == reference), None)
        name = resident.name if resident is not None else "beboeren"
        known = of_list(resident, age(resident.birth_date, shift.clock.now())) if resident is not None else None
        # Asked before the panels ask: what safety needs leaves first, and is there when the banner flips.
        facts = Facts(
            shift.directory,
            reference,
            name,
            known,
            lambda unit: units.get(unit, ""),
            lambda text: work.say(reference, text),
        )
        opened = False
        try:
            opened = await work.open_patient(reference, name, facts)
        finally:
            if not opened or shift is not self.shift:
                facts.close()
        if opened and shift is self.shift:
            former = shift.subscriptions.pop("banner", None)
            if former is not None:
                former.close()
            shift.subscriptions["banner"] = facts
        return opened

    # --- Ctrl+K ---

    def _palette(self) -> None:
        shift = self.shift
        if shift is None or shift.workplace is None or not self.window.working:
            return
        work = shift.workplace
        choices = [
            Choice(one.name, "Beboer", f"rom {one.room}", partial(self._go_patient, one.patient))
            for one in shift.residents
        ]
        choices += [
            Choice(a.title, "Aktivitet", f"Alt {i + 1}", partial(work.go, a.id))
            for i, a in enumerate(shift.layout.activities)
        ]
        choices += [
            Choice(unit.name, "Avdeling", "bytt til", partial(self._go_unit, unit.reference)) for unit in shift.units
        ]
        for title, name in (("Lyst tema", "light"), ("Mørkt tema", "dark"), ("Høy kontrast", "high-contrast")):
            choices.append(Choice(title, "Handling", "", partial(self.set_theme, name)))
        for scale in (100, 125, 150, 200):
            choices.append(Choice(f"Tekst {scale} %", "Handling", "", partial(self.set_theme, "", scale)))
        choices.append(Choice("Paneler på denne maskinen", "Handling", "minne, meldinger, krasj", work.show_panels))
        if shift.around is not None:
            choices.append(Choice("Kladder", "Handling", "begynt, men ikke lagret", shift.around.show_drafts))
            asked = partial(self._ask_origin, shift.around, self.window.focusWidget())
            choices.append(Choice(whence.WORDS, "Handling", whence.KEY.replace("+", " "), asked))
        if shift.wiping is not None:
            choices.append(Choice(shift.wiping.title, "Handling", "spør først", self._wipe))
        if shift.pins is not None and shift.session.joined:
            choices.append(Choice(shift.pins.title, "Handling", "på denne maskinen", shift.pins.open))
        choices.append(Choice("Logg ut", "Handling", "F12", self._leave))
        self.window.palette_.open(choices)

    def _go_patient(self, reference: str) -> None:
        self.tasks.spawn(self.open_patient(reference))

    def _go_unit(self, reference: str) -> None:
        if self.shift is not None and self.shift.workplace is not None:
            wards = [a.id for a in self.shift.layout.activities if a.context == "unit"]
            self.shift.workplace.go(wards[0] if wards else "")
        self.tasks.spawn(self._open_unit(reference))

    def _ask_origin(self, around: Any, focus: Any) -> None:
        """About what had the focus before the list was opened; it has it again."""
        if focus is not None and isValid(focus):
            focus.setFocus(Qt.FocusReason.OtherFocusReason)
            around.origins.ask_focused(focus)

    def _wipe(self) -> None:
        if self.shift is not None and self.shift.wiping is not None:
            self.tasks.spawn(self.shift.wiping.ask())

    def _leave(self) -> None:
        self.tasks.spawn(self._sign_out())

    def set_theme(self, name: str = "", text_scale: int = 0) -> None:
        """Another theme or text size, at once and remembered."""
        import msgspec
        from PySide6.QtWidgets import QApplication

        from workspace.shell import theme

        current = self.window.theme
        made = theme.load(name or current.name)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        dressed = theme.apply(application, made, text_scale / 100 if text_scale else current.scale)
        self.window.set_theme(dressed)
        if self.shift is not None and self.shift.workplace is not None:
            self.shift.workplace.set_theme(dressed)
        self._known = msgspec.structs.replace(self._known, theme=dressed.name, text_scale=round(dressed.scale * 100))
        settings_room.save(self.options.profile, self._known)

    def _tick(self) -> None:
        if self.shift is not None:
            self.window.top.set_time(self.shift.clock.now())
            if self.shift.workplace is not None:
                self.shift.workplace.tick()
            if self.shift.kept is not None:
                self.shift.kept.refresh()

    # --- the end ---

    async def _sign_out(self) -> None:
        shift = self.shift
        if shift is None or self._asked_to_leave:
            return
        self._asked_to_leave = True
        try:
            drafts, durable = shift.broker.drafts, shift.vault.durable
            drafts.press()
            if not await may_leave(self.window.theme, self.window, shift.outbox, drafts, durable=durable):
                return
        finally:
            self._asked_to_leave = False
        self.window.show_sign_in()
        self.window.sign_in.starting("Logger ut …", None)
        await self._drop_shift(sign_out=True)
        if not shift.session.joined:  # what is known of the platform is from another day
            self._platform = None
            self._begin(self._start)
            return
        self._welcome()
        self.unattended.begin()

    async def _drop_shift(self, *, sign_out: bool) -> None:
        shift, self.shift = self.shift, None
        if shift is not None:
            self._minute.stop()
            await close_shift(shift, sign_out=sign_out)
            self.window.clear_pages()

    async def _close(self) -> None:
        self._minute.stop()
        self.watchdog.stop()
        shift, self.shift = self.shift, None
        if self.signing is not None:
            self.signing.cancel()
            await asyncio.gather(self.signing, return_exceptions=True)
        if shift is not None:
            await close_shift(shift, sign_out=False)
        await self.unattended.end()
        await self.tasks.close()
        if self._grounded is not None and not self._grounded.cancelled() and self._grounded.exception() is None:
            await self._grounded.result().close()
        self.window.let_go()

    def _failed(self, fault: BaseException) -> None:
        if isinstance(fault, Problem):
            log.warning("%s: %s", fault.code, fault.detail)
            self.window.status.notice(
                "fault", Notice(str(fault), "warn", "Lukk", lambda: self.window.status.notice("fault", None))
            )
            return
        log.error("a task failed", exc_info=fault)


def _open_browser(url: str) -> None:
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True, name="browser").start()
