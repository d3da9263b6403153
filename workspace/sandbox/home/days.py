"""The home's days: everything that happened between two dates, the same whatever window it is asked in.

Every draw has a stream of its own, seeded by the resident, the day and the kind, so a day never depends on another.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from workspace.fhir.service import Resource
from workspace.sandbox.home.care import Care
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.people import Roster
from workspace.sandbox.home.vitals import Vitals


def generate(home: Home, first_day: date, last_day: date) -> Iterator[Resource]:
    """What happened from `first_day` to `last_day`, both included, oldest day first. Nothing after `home.now`."""
    roster = Roster(home)
    vitals, care = Vitals(home, roster), Care(home, roster)
    for back in range((min(last_day, home.now.date()) - first_day).days + 1):
        day = first_day + timedelta(days=back)
        for one in home.residents.values():
            if one.here(day):
                yield from vitals.day(one, day)
                yield from care.day(one, day)
        for stays in home.former.values() if day < home.former_until else ():
            for one in stays:
                if one.here(day):
                    yield from vitals.day(one, day)
                    yield from care.day(one, day)
