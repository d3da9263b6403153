"""What rows about a resource show beside them while a write of it is not settled. Plain data; keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workspace.record.items import Item, State


@dataclass(frozen=True, slots=True)
class Mark:
    """What a row about a resource shows beside it: the newest unsettled write of it, and why it waits."""

    state: State
    item: str
    made: str
    reason: str = ""


def marks_of(items: Iterable[Item]) -> dict[str, Mark]:
    """By ``Type/id``: the state of the newest of `items` that is about a resource, or about something that belongs to it.
    What is not on the platform yet has the id it is shown by (`waiting`)."""
    found = {}
    for item in sorted(items, key=lambda each: each.seq):
        reason = item.problem.sentence if item.problem else ""
        for name in item.concerns | item.made_names:
            found[name] = Mark(item.state, item.id, item.made, reason)
    return found
