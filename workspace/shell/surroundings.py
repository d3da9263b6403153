"""What stands around the panels while one person is signed in: the status line and its notices, the lists of what is unsent
and of drafts, the questions a save may ask. Put together here and closed with the shift; decides nothing itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from workspace.layouts.document import placements
from workspace.problem import Problem
from workspace.shell.attention import Attention
from workspace.shell.drafts import DraftList
from workspace.shell.existing import ask_existing
from workspace.shell.forms import Forms
from workspace.shell.loop import Tasks
from workspace.shell.merged import Merged
from workspace.shell.origins import Origins
from workspace.shell.pin import Pins
from workspace.shell.shift import Shift
from workspace.shell.status import Notice
from workspace.shell.unsent import Unsent
from workspace.shell.window import MainWindow
from workspace.shell.wiping import Wiping
from workspace.shell.workplace import Workplace

log = logging.getLogger(__name__)
KEYLESS = "Nøkkelen til det som er lagret på denne maskinen, er ikke i nøkkelringen. Lås den opp, eller be om hjelp."
UNKEPT = "Kladder kan ikke lagres på denne maskinen nå."


@dataclass(frozen=True, slots=True)
class Ways:
    """Where the desk takes the user."""

    open_patient: Callable[[str], Coroutine[Any, Any, bool]]
    open_unit: Callable[[str], Coroutine[Any, Any, None]]
    ask_residents: Callable[[], Coroutine[Any, Any, None]]
    sign_in_again: Callable[[], None]


class Surroundings:
    """Made once the workplace is there; its parts are the shift's, which closes them."""

    def __init__(self, window: MainWindow, shift: Shift, work: Workplace, tasks: Tasks, ways: Ways) -> None:
        self._window, self._shift, self._work, self._tasks, self._ways = window, shift, work, tasks, ways
        self._forms = Forms(work, shift.host)
        self._unkept: Problem | None = None
        self._lists()
        self._line()
        work.patientShown.connect(lambda _who: self.look_for_older())

    def _lists(self) -> None:
        window, shift, work, spawn = self._window, self._shift, self._work, self._tasks.spawn
        shift.wiping = Wiping(window, shift.broker.offline, shift.orders, self._wiped)
        if shift.vault.durable:
            shift.pins = Pins(window, shift.vaults, shift.vault, self._tasks)
            spawn(shift.pins.look())
        shift.unsent = Unsent(
            window, shift.broker.pending, shift.outbox, spawn=spawn, title_of=self._title, who_of=self._who,
            open_form=lambda item: self._open_form(item, item.values), mark_rows=work.set_marks,
        )  # fmt: skip
        shift.kept = DraftList(
            window, shift.broker.kept, spawn=spawn, title_of=self._forms.title, who_of=self._whose,
            version_of=self._forms.version, labels_of=self._forms.labels,
            open_form=lambda one, values: self._open_form(one.key, values),
        )  # fmt: skip
        shift.subscriptions["merged"] = Merged(
            shift.record, shift.directory, work, open_patient=self._ways.open_patient, gone=self._ways.ask_residents,
            moved=shift.broker.merged, spawn=spawn,
        )  # fmt: skip
        self.origins = Origins(window, shift.broker, work, spawn=spawn, title_of=self._title)
        shift.subscriptions["origins"] = self.origins
        shift.broker.on_duplicates(lambda found: ask_existing(window.theme, window, found, self._title))
        shift.broker.drafts.on_change(self._drafted)
        shift.broker.drafts.on_press(self._forms.keep)
        shift.broker.drafts.on_touch(self._kept_or_not)
        shift.broker.pending.on_exchange(self._forms.exchange)

    def _line(self) -> None:
        line, shift = self._window.status, self._shift

        def counts(now: Any) -> None:
            line.set_counts(f"Denne vakten: {now.registered} registrert, {now.reused} gjenbrukt")

        line.set_light("Journalplattform", "ok")
        line.set_light("Innlogging", "ok")
        shift.attention = Attention(line, sign_in=self._ways.sign_in_again, show_unsent=self.show_unsent)
        shift.attention.follow(session=shift.session, record=shift.record, outbox=shift.outbox, vault=shift.vault)
        shift.attention.follow_abilities(shift.abilities)
        shift.broker.on_counts(counts)
        if not shift.vault.durable:
            line.set_light("Kladder", "warn", "bare i minnet på denne maskinen")
        if shift.keyless:
            line.notice("keyless", Notice(KEYLESS, "warn", "Lukk", lambda: line.notice("keyless", None)))
        if shift.problems:
            line.set_light("Paneler", "warn", shift.problems[0].sentence)
            for problem in shift.problems:
                log.warning("%s: %s", problem.code, problem.detail)
        places = [place for activity in shift.layout.activities for place in placements(activity.tree)]
        vendors = {shift.host.packages[p.package].vendor for p in places if p.package in shift.host.packages}
        line.set_right(f"{len(places)} paneler · {len(vendors)} leverandører")

    # --- asked for ---

    def show_unsent(self) -> None:
        if self._shift.unsent is not None:
            self._shift.unsent.show()

    def show_drafts(self) -> None:
        if self._shift.kept is not None:
            self._shift.kept.show()

    def look_for_older(self) -> None:
        """What an earlier version of an open form left is offered."""
        if self._shift.kept is not None:
            self._shift.kept.opened(self._forms.open())

    # --- inside ---

    def _wiped(self) -> None:
        if self._shift.pins is not None:
            self._tasks.spawn(self._shift.pins.look())

    def _drafted(self, key: tuple[str, ...], kept: Any) -> None:
        """An open form follows what its user typed, saved or emptied on another workstation."""
        self._forms.follow(key, kept.values if kept is not None else {})

    def _kept_or_not(self) -> None:
        """Whether what is typed reaches the disk."""
        problem = self._shift.broker.drafts.problem
        if problem is not self._unkept:
            self._unkept = problem
            notice = Notice(f"{UNKEPT} {problem}", "warn") if problem is not None else None
            self._window.status.notice("unkept", notice)

    def _title(self, package: str) -> str:
        packages = self._shift.host.packages
        return str(packages[package].name) if package in packages else package

    def _who(self, patient: str) -> str:
        """«rom 210 Arne Storspove» of a resident of the unit on screen; nothing of others."""
        known = next((one for one in self._shift.residents if one.patient == patient), None)
        return f"rom {known.room} {known.name}" if known is not None else ""

    def _whose(self, about: str) -> str:
        """Like `_who`, and in words for a unit and for a resident of another one."""
        units = {unit.reference: unit.name for unit in self._shift.units}
        return self._who(about) or units.get(about) or ("beboer på en annen avdeling" if about else "")

    async def _open_form(self, where: Any, values: Any) -> bool:
        """The form that a refused item or a draft came from, with what was typed. What an earlier version of the form left
        is shown as text: its fields may have other meanings now."""
        about, unit = where.patient, self._work.unit
        if about.startswith("Patient/"):
            if not await self._ways.open_patient(about):
                return False
        elif about in {one.reference for one in self._shift.units} and (unit is None or unit.context.unit != about):
            await self._ways.open_unit(about)
        fits = self._forms.version(where.package, where.view) == where.state_version
        opened = self._forms.fill(where.package, where.view, values if fits else {})
        if not fits:
            self.show_drafts()
        return opened or not fits
