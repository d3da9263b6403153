"""Who is at work, and what shift a moment belongs to. Pure; chooses with the random stream it is given."""

from __future__ import annotations

from datetime import datetime
from random import Random
from typing import Literal

from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Member

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
        caring = [one for one in home.staff.values() if one.role in _SIGNING]
        for unit in home.units:
            here = [one for one in caring if unit in one.units]
            for shift, word in _WORDS.items():
                on_shift = tuple(one for one in here if one.shift.startswith(word))
                self._at[unit, shift] = on_shift or tuple(here)

    def someone(self, unit: str, moment: datetime, chance: Random) -> Member:
        return chance.choice(self._at[unit, shift_of(moment)])
