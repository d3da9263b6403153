"""One workstation's course: find the platform, sign on, open the work, sign out. The rooms behind it are handed in.

A failure on the way is a Problem on the sign-in page; nothing that was typed is lost by it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QTimer

from workspace import settings as settings_room
from workspace.clock import OffsetClock, SystemClock
from workspace.problem import Problem
from workspace.shell.attention import Attention
from workspace.shell.banner import BannerText
from workspace.shell.loop import Tasks
from workspace.shell.options import Options, Rooms
from workspace.shell.palette import Choice
from workspace.shell.status import Notice
from workspace.shell.unsent import Unsent
from workspace.shell.watchdog import Watchdog
from workspace.shell.window import MainWindow
from workspace.shell.workplace import Workplace

log = logging.getLogger(__name__)
STARTED = time.perf_counter()
HEADLESS_SECONDS = 60.0


@dataclass
class Shift:
    """Everything that lives as long as one person is signed in, in the order it is closed."""

    session: Any
    client: Any
    vault: Any
    record: Any
    outbox: Any
    drafts: Any
    broker: Any
    host: Any
    clock: OffsetClock
    directory: Any
    layout: Any
    problems: list[Problem] = field(default_factory=list)
    workplace: Workplace | None = None
    units: list[Any] = field(default_factory=list)
    residents: tuple[Any, ...] = ()
    attention: Attention | None = None
    unsent: Unsent | None = None
    subscriptions: dict[str, Any] = field(default_factory=dict)


class Desk:
    """`await work()` until the window is closed. Returns the exit code."""

    def __init__(
        self, options: Options, known: settings_room.Settings, rooms: Rooms, window: MainWindow, *, shown_at: float
    ) -> None:
        self.options, self._known, self._rooms, self.window = options, known, rooms, window
        self._shown_at = shown_at
        self.shift: Shift | None = None
        self._platform: Any = None
        self._over = asyncio.Event()
        self.tasks = Tasks(self._failed)
        self._watchdog = Watchdog(window)
        self._signing: asyncio.Task[Any] | None = None
        self._minute = QTimer(window)
        self._minute.setInterval(10_000)
        self._minute.timeout.connect(self._tick)
        self._painted_all: float | None = None
        self.prompts = 0
        window.closing.connect(self._over.set)
        window.sign_in.signInAsked.connect(lambda: self._begin(self._sign_in))
        window.sign_in.retryAsked.connect(lambda: self._begin(self._start))
        window.sign_in.cancelAsked.connect(self._cancel)
        window.paletteAsked.connect(self._palette)
        window.top.leave.clicked.connect(lambda: self.tasks.spawn(self._sign_out()))
        window.top.unit.chosen.connect(self._go_unit)

    async def work(self) -> int:
        """The whole course."""
        self._watchdog.start()
        code = 0
        try:
            self._begin(self._start)
            if self.options.headless:
                code = await self._headless()
            else:
                await self._over.wait()
        finally:
            await self._close()
        return code

    # --- finding the platform, signing on ---

    def _begin(self, step: Any) -> None:
        if self._signing is None or self._signing.done():
            self._signing = self.tasks.spawn(self._guarded(step()))

    def _cancel(self) -> None:
        if self._signing is not None:
            self._signing.cancel()
        self._welcome()

    async def _guarded(self, work: Any) -> None:
        try:
            await work
        except Problem as problem:
            log.warning("%s: %s", problem.code, problem.detail)
            self.window.show_sign_in()
            self.window.sign_in.failed(problem)
            if self.options.headless:
                self._fatal = problem
                self._over.set()

    _fatal: Problem | None = None

    async def _start(self) -> None:
        page = self.window.sign_in
        page.starting("Finner plattformen …", None)
        heavy = asyncio.to_thread(self._rooms.prepare)
        address, _ = await asyncio.gather(self.options.locate(lambda share, words: page.starting(words, share)), heavy)
        from workspace.signon.platform import discover_platform

        self._platform = await discover_platform(address)
        self._welcome()
        if self.options.visit is not None:
            await self._sign_in()

    def _welcome(self) -> None:
        if self._platform is not None:
            self.window.sign_in.welcome(self._platform.name, sandbox=self._platform.sandbox)
            self.window.top.mark.setVisible(self._platform.sandbox)

    async def _sign_in(self) -> None:
        if self._platform is None:
            await self._start()
            return
        from workspace.signon.login import login

        visit = self.options.visit
        if visit is None:
            self.window.sign_in.waiting()
            self.prompts += 1
        session = await login(self._platform, open_browser=visit or _open_browser, clock=SystemClock())
        self.window.sign_in.starting("Åpner arbeidsflaten …", 0.8)
        await self._open_work(session)

    # --- the work ---

    async def _open_work(self, session: Any) -> None:
        self.shift = shift = await self._rooms.open_shift(self.options, self._known, self._platform, session)
        subject = session.subject
        window = self.window
        shift.workplace = Workplace(window, shift.host, shift.layout, now=shift.clock.now, spawn=self.tasks.spawn)
        shift.workplace.patientAsked.connect(lambda who: self.tasks.spawn(self.open_patient(who)))
        self.tasks.spawn(shift.workplace.warm())
        window.top.user.set_text(f"{subject.name} · {subject.role}")
        window.top.set_time(shift.clock.now())
        self._minute.start()
        self._status(shift)
        shift.units = await shift.directory.units(subject.fhir_user)
        if not shift.units:
            raise Problem(
                "no-units",
                "Du er logget inn, men er ikke satt opp på noen avdeling nå.",
                "Be avdelingslederen legge deg inn på vakt, og logg inn på nytt.",
            )
        window.show_work()
        await self._open_unit(shift.units[0].reference)
        if self.options.patient:
            await self.open_patient(f"Patient/{self.options.patient.removeprefix('Patient/')}")
        if self.options.activity:
            shift.workplace.go(self.options.activity)

    def _status(self, shift: Shift) -> None:
        line = self.window.status

        def counts(now: Any) -> None:
            line.set_counts(f"I dag: {now.registered} registrert, {now.reused} gjenbrukt")

        line.set_light("Journalplattform", "ok")
        line.set_light("Innlogging", "ok")
        shift.attention = Attention(
            line, sign_in=lambda: self._begin(self._sign_in_again), show_unsent=self._show_unsent
        )
        shift.unsent = Unsent(
            self.window, shift.outbox, spawn=self.tasks.spawn, title_of=partial(_title, shift.host.packages),
            who_of=self._who, open_form=self._open_form,
        )  # fmt: skip
        shift.attention.follow(session=shift.session, record=shift.record, outbox=shift.outbox, vault=shift.vault)
        shift.broker.on_counts(counts)
        if not shift.vault.durable:
            line.set_light("Kladder", "warn", "bare i minnet på denne maskinen")
        if shift.problems:
            line.set_light("Paneler", "warn", shift.problems[0].sentence)
            for problem in shift.problems:
                log.warning("%s: %s", problem.code, problem.detail)
        from workspace.layouts.document import placements

        places = [place for activity in shift.layout.activities for place in placements(activity.tree)]
        vendors = {shift.host.packages[p.package].vendor for p in places if p.package in shift.host.packages}
        line.set_right(f"{len(places)} paneler · {len(vendors)} leverandører")

    def _show_unsent(self) -> None:
        if self.shift is not None and self.shift.unsent is not None:
            self.shift.unsent.show()

    def _who(self, patient: str) -> str:
        """«rom 210 Arne Storspove» of a resident of the unit on screen; nothing of others."""
        residents = self.shift.residents if self.shift is not None else ()
        known = next((one for one in residents if one.patient == patient), None)
        return f"rom {known.room} {known.name}" if known is not None else ""

    async def _open_form(self, item: Any) -> bool:
        """The form that a refused item came from, with what was typed."""
        return await self.open_patient(item.patient) if item.patient.startswith("Patient/") else False

    async def _sign_in_again(self) -> None:
        """The login ran out: the same person signs on, and everything on screen stays as it was."""
        shift = self.shift
        if shift is None:
            return
        from workspace.signon.login import login

        line = self.window.status
        line.notice("session", Notice("Logg inn i nettleseren som åpnet seg.", "warn"))
        try:
            visit = self.options.visit or _open_browser
            again = await login(self._platform, open_browser=visit, clock=SystemClock())
            await shift.session.rejoin(again)
            shift.record.refresh()
        except Problem as problem:
            retry = Notice(str(problem), "bad", "Logg inn på nytt", lambda: self._begin(self._sign_in_again))
            line.notice("session", retry)

    async def _open_unit(self, reference: str) -> None:
        shift = self.shift
        if shift is None or shift.workplace is None:
            return
        unit = next(one for one in shift.units if one.reference == reference)
        home = self._platform.name
        self.window.top.unit.set_units([(u.reference, u.name) for u in shift.units], reference, home)
        shift.residents = tuple(await shift.directory.residents(reference))
        await shift.workplace.open_unit(reference, unit.name, [one.patient for one in shift.residents])

    async def open_patient(self, reference: str) -> bool:
        """Open a resident by reference (``Patient/<id>``)."""
        shift = self.shift
        if shift is None or shift.workplace is None:
            return False
        known = next((one for one in shift.residents if one.patient == reference), None)
        name = known.name if known is not None else "beboeren"
        if not await shift.workplace.open_patient(reference, name, self._known_of(known)):
            return False
        old = shift.subscriptions.pop("banner", None)
        if old is not None:
            old.close()
        shift.subscriptions["banner"] = shift.directory.watch_banner(
            reference, lambda facts: self._facts(reference, facts)
        )
        return True

    def _known_of(self, resident: Any) -> BannerText | None:
        """Who she is, from the ward's list: name, birth and number stand from the first moment."""
        shift = self.shift
        if resident is None or shift is None:
            return None
        from workspace.record.people import BannerFacts, age

        unit = next((u.name for u in shift.units if u.reference == resident.unit), "")
        years = age(resident.birth_date, shift.clock.now())
        return banner_text(BannerFacts(resident, years, (), resident.flags, None, "", "", ""), unit)

    def _facts(self, reference: str, facts: Any) -> None:
        if self.shift is not None and self.shift.workplace is not None:
            unit = next((u.name for u in self.shift.units if u.reference == facts.resident.unit), "")
            self.shift.workplace.say(reference, banner_text(facts, unit))

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
        choices.append(Choice("Logg ut", "Handling", "F12", self._leave))
        self.window.palette_.open(choices)

    def _go_patient(self, reference: str) -> None:
        self.tasks.spawn(self.open_patient(reference))

    def _go_unit(self, reference: str) -> None:
        if self.shift is not None and self.shift.workplace is not None:
            wards = [a.id for a in self.shift.layout.activities if a.context == "unit"]
            self.shift.workplace.go(wards[0] if wards else "")
        self.tasks.spawn(self._open_unit(reference))

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

    # --- the end ---

    async def _sign_out(self) -> None:
        shift, self.shift = self.shift, None
        if shift is None:
            return
        self.window.show_sign_in()
        self.window.sign_in.starting("Logger ut …", None)
        await close_shift(shift, sign_out=True)
        self.window.clear_pages()
        self._minute.stop()
        self._welcome()

    async def _close(self) -> None:
        self._minute.stop()
        self._watchdog.stop()
        shift, self.shift = self.shift, None
        if self._signing is not None:
            self._signing.cancel()
            await asyncio.gather(self._signing, return_exceptions=True)
        if shift is not None:
            await close_shift(shift, sign_out=False)
        await self.tasks.close()
        self.window.let_go()

    def _failed(self, fault: BaseException) -> None:
        if isinstance(fault, Problem):
            log.warning("%s: %s", fault.code, fault.detail)
            self.window.status.notice(
                "fault", Notice(str(fault), "warn", "Lukk", lambda: self.window.status.notice("fault", None))
            )
            return
        log.error("a task failed", exc_info=fault)

    # --- headless: show all, report, end ---

    async def _headless(self) -> int:
        assert self._signing is not None
        started = process_started()
        done, _ = await asyncio.wait({self._signing}, timeout=HEADLESS_SECONDS)
        if done and self._fatal is None and self.options.visit is None:
            return await self._headless_sign_in()
        if not done or self._fatal is not None or self.shift is None or self.shift.workplace is None:
            raise self._fatal or Problem(
                "headless-unready", "Arbeidsflaten ble ikke klar i tide.", "Se i loggen i profilmappen."
            )
        work = self.shift.workplace
        unit_seats = list(work.unit.seats.values()) if work.unit else []
        if not self.options.activity:
            await work.painted(unit_seats, HEADLESS_SECONDS)
        if work.patient is None and self.shift.residents:
            await self.open_patient(self.shift.residents[0].patient)
        times = work.seats()
        last = 0.0
        for activity in self.shift.layout.activities:
            work.go(activity.id)
            kind = work.unit if activity.context == "unit" else work.patient
            seats = list(kind.seats.values()) if kind else []
            painted = await work.painted(seats, 20.0)
            last = max(last, painted or 0.0) if painted is not None or not seats else float("inf")
        work.go(self.options.activity or self.shift.layout.activities[0].id)
        await asyncio.sleep(0.4)
        if self.options.screenshot is not None:
            await asyncio.sleep(0.8)
            self._picture()
        if self.options.report is not None:
            self.options.report.write_text(json.dumps(self._report(times, started, last), ensure_ascii=False, indent=1))
        if last == float("inf"):
            names = [s.instance.info.title for s in times.values() if s.instance is not None and s.painted_at is None]
            raise Problem(
                "panels-unready", f"Ikke alle panelene ble vist: {', '.join(names)}.", "Kjør «workspace doctor»."
            )
        return 0

    async def _headless_sign_in(self) -> int:
        """Nobody is to be signed in: the sign-in page is what there is to show."""
        await asyncio.sleep(0.2)
        if self.options.screenshot is not None:
            self._picture()
        if self.options.report is not None:
            self.options.report.write_text(json.dumps({"signed_in_as": None, "panels": []}))
        return 0

    def _picture(self) -> None:
        assert self.options.screenshot is not None
        self.options.screenshot.parent.mkdir(parents=True, exist_ok=True)
        if not self.window.grab().save(str(self.options.screenshot)):
            raise Problem("screenshot-failed", "Bildet kunne ikke skrives.", "Sjekk at mappen finnes og kan skrives i.")

    def _report(self, seats: dict[str, Any], started: float, last: float) -> dict[str, Any]:
        assert self.shift is not None
        subject = self.shift.session.subject
        return {
            "signed_in_as": subject.username,
            "layout": self.shift.layout.id,
            "credential_prompts": self.prompts,
            "window_shown_ms": round((self._shown_at - started) * 1000, 1),
            "all_panels_painted_ms": _ms(last, started),
            "event_loop_longest_block_ms": round(self._watchdog.longest_ms, 1),
            "panels": [
                {
                    "id": seat.instance.info.package,
                    "instance": name,
                    "vendor": seat.instance.info.vendor,
                    "pid": seat.instance.pid,
                    "first_render_ms": None
                    if seat.instance.first_render_ms is None
                    else round(seat.instance.first_render_ms, 1),
                    "painted_ms": _ms(seat.painted_at, started),
                    "confinement": seat.instance.info.confinement,
                }
                for name, seat in seats.items()
            ],
        }


def _ms(moment: float | None, start: float) -> float | None:
    """Milliseconds from `start`; None for what never happened."""
    return None if moment is None or moment == float("inf") else round((moment - start) * 1000, 1)


def _title(packages: Any, package: str) -> str:
    return packages[package].name if package in packages else package


def banner_text(facts: Any, unit: str) -> BannerText:
    """The banner's words from the directory's facts."""
    who = facts.resident
    born = (
        f"{facts.age} år · f. {who.birth_date:%d.%m.%Y}" if facts.age is not None and who.birth_date else "alder ukjent"
    )
    number = f"{who.national_id[:6]} {who.national_id[6:]}" if len(who.national_id) == 11 else who.national_id
    room = f"rom {who.room} {unit}".strip() if who.room else unit
    parts = [number, room]
    parts += [f"primærkontakt {facts.primary_contact}"] if facts.primary_contact else []
    parts += [f"lege {facts.doctor}"] if facts.doctor else []
    chips: list[tuple[str, str, str]] = []
    if facts.news2 is not None:
        score, single, _ = facts.news2
        tone, shape = (
            ("bad", "up") if score >= 7 else (("warn", "diamond") if score >= 5 or single else ("neutral", "dot"))
        )
        chips.append((f"NEWS2 {score}", "ok" if score == 0 else tone, shape))
    chips += [(text, tone, "none") for text, tone in facts.allergies[:2]]
    chips += [
        (flag, "bad" if "HLR" in flag and ("−" in flag or "-" in flag) else "neutral", "none")
        for flag in facts.flags[:4]
    ]
    if facts.problem:
        chips.append((facts.problem, "warn", "none"))
    why = f"Du har vakt på {unit}" if unit else ""
    return BannerText(who.name, born, " · ".join(part for part in parts if part), chips, why)


async def close_shift(shift: Shift, *, sign_out: bool) -> None:
    """Everything of one person's session, in order; nothing that waits is lost."""
    for part in (shift.attention, shift.unsent):
        if part is not None:
            part.close()
    for subscription in shift.subscriptions.values():
        subscription.close()
    steps = []
    if shift.workplace is not None:
        steps.append(shift.workplace.close)
    steps += [shift.host.close, shift.broker.close, shift.record.close, shift.outbox.close, shift.drafts.close]
    steps += [shift.vault.close, shift.client.aclose, shift.session.sign_out if sign_out else shift.session.aclose]
    for step in steps:
        try:
            await step()
        except Exception:
            log.exception("closing")


def _open_browser(url: str) -> None:
    import threading
    import webbrowser

    threading.Thread(target=webbrowser.open, args=(url,), daemon=True, name="browser").start()


def process_started() -> float:
    """perf_counter at the start of this process, from the system where it tells."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return float(time.perf_counter() - (uptime - ticks / os.sysconf("SC_CLK_TCK")))
    except (OSError, ValueError, IndexError):
        return STARTED
