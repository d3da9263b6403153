"""Who is at work, and what shift a moment belongs to. Pure; chooses with the random stream it is given."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Literal

from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Member, Resident

Shift = Literal["day", "evening", "night"]
_WORDS = {"day": "Dagvakt", "evening": "Kveldsvakt", "night": "Nattevakt"}
_SIGNING = frozenset({"sykepleier", "vernepleier", "helsefagarbeider"})


def shift_of(moment: datetime) -> Shift:
    """Day from 07.15, evening from 14.45, night from 22.00."""
    minutes = moment.hour * 60 + moment.minute
    return "day" if 435 <= minutes < 885 else "evening" if 885 <= minutes < 1320 else "night"


class Roster:
    """The staff by unit and shift; those who measure, give and write."""

    def __init__(self, home: Home) -> None:
        self._at: dict[tuple[str, str], tuple[Member, ...]] = {}
        self._shut: dict[str, set[str]] = {}
        for each in home.restrictions:
            self._shut.setdefault(each.resident, set()).add(each.against)
        caring = [one for one in home.staff.values() if one.role in _SIGNING]
        for unit in home.units:
            here = [one for one in caring if unit in one.units]
            for shift, word in _WORDS.items():
                on_shift = tuple(one for one in here if one.shift.startswith(word))
                self._at[unit, shift] = on_shift or tuple(here)

    def someone(self, resident: Resident, moment: datetime, chance: Random) -> Member:
        """One of those at work at the resident's unit, but nobody whom the resident has closed the record to."""
        there = self._at[resident.unit, shift_of(moment)]
        shut = self._shut.get(resident.id)
        if shut:
            there = tuple(one for one in there if one.id not in shut) or there
        return chance.choice(there)
