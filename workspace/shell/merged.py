"""Two records that turn out to be one, while the one that goes is on the screen: it says so, and opens the one that stays.

Without a word its panels would merely become empty. Never switches by itself: a person is in the middle of something.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

from workspace.problem import Problem
from workspace.shell.workplace import Workplace

WORDS = "Journalen er slått sammen med {name}. Det som var skrevet her, hører til der."


class Merged:
    """`open_patient` switches; `gone` is called when somebody has left the list of residents for good; `moved(gone, stays)`
    brings what was typed for the one to the other, also what was typed after they were joined."""

    def __init__(
        self,
        record: Any,
        directory: Any,
        work: Workplace,
        *,
        open_patient: Callable[[str], Coroutine[Any, Any, Any]],
        gone: Callable[[], Coroutine[Any, Any, Any]],
        moved: Callable[[str, str], None],
        spawn: Callable[[Coroutine[Any, Any, Any]], Any],
    ) -> None:
        self._directory, self._work, self._spawn = directory, work, spawn
        self._open_patient, self._gone, self._moved = open_patient, gone, moved
        self._on_screen = ""
        self._stays: dict[str, str] = {}
        self._end = record.on_merge(self._merged)
        work.patientShown.connect(self._shown)

    def close(self) -> None:
        """Idempotent."""
        self._end()
        self._stays.clear()

    def _merged(self, gone: str, stays: str) -> None:
        self._stays[gone] = stays
        self._spawn(self._gone())
        group = self._work.patient
        if group is not None and group.context.patient == gone:
            self._shown(gone)

    def _shown(self, patient: str) -> None:
        former, self._on_screen = self._on_screen, patient
        if former in self._stays and former != patient:
            self._moved(former, self._stays[former])
        self._work.pages.say_joined("")
        if patient in self._stays:
            self._spawn(self._say(patient))

    async def _say(self, patient: str) -> None:
        stays = self._stays[patient]
        name = "en annen"
        with contextlib.suppress(Problem):  # it is said all the same
            name = await self._directory.name_of_patient(stays) or name
        group = self._work.patient
        if group is not None and group.context.patient == patient:
            self._work.pages.say_joined(WORDS.format(name=name), lambda: self._open(patient, stays))

    def _open(self, gone: str, stays: str) -> None:
        for seat in self._work.seats().values():
            if seat.instance is not None:
                seat.instance.keep()
        self._moved(gone, stays)
        self._spawn(self._open_patient(stays))
