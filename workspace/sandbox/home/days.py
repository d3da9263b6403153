"""The home's days: everything that happened between two dates, the same whatever window it is asked in.

Every draw has a stream of its own, seeded by the resident, the day and the kind, so a day never depends on another.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from workspace.fhir.service import Resource
from workspace.sandbox.home.care import Care
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Resident
from workspace.sandbox.home.people import Roster
from workspace.sandbox.home.plans import Work
from workspace.sandbox.home.talks import Talks
from workspace.sandbox.home.vitals import Vitals


def generate(
    home: Home, first_day: date, last_day: date, *, work: bool = True, rest: bool = True
) -> Iterator[Resource]:
    """What happened from `first_day` to `last_day`, both included, oldest day first. Nothing after `home.now`.

    `work` are the tasks of the care plans, `rest` is all else: the two may be asked for apart.
    """
    made = Maker(home)
    for back in range((min(last_day, home.now.date()) - first_day).days + 1):
        yield from made.day(first_day + timedelta(days=back), work=work, rest=rest)


class Maker:
    """Makes days of one home, in any order; kept by those who ask for many."""

    def __init__(self, home: Home) -> None:
        roster = Roster(home)
        self._home = home
        self._kinds = (Vitals(home, roster), Care(home, roster), Talks(home, roster))
        self._work = Work(home, roster)

    def day(self, day: date, *, work: bool = True, rest: bool = True) -> Iterator[Resource]:
        for one in self._here(day):
            if rest:
                for kind in self._kinds:
                    yield from kind.day(one, day)
            if work:
                yield from self._work.day(one, day)

    def _here(self, day: date) -> Iterator[Resident]:
        """Who lived here on `day`."""
        yield from (one for one in self._home.residents.values() if one.here(day))
        if day < self._home.former_until:
            yield from (one for stays in self._home.former.values() for one in stays if one.here(day))
