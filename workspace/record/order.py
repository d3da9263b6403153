"""What can be delivered without its author, and in which order. Pure functions on items; sends and keeps nothing."""

from __future__ import annotations

from collections.abc import Iterable

from workspace.record import chain
from workspace.record.items import Item


def next_of(waiting: Iterable[tuple[Item, str]], known: set[str], left: Iterable[str] = ()) -> list[Item]:
    """The first of each patient's line that may go now."""
    found: list[Item] = []
    busy: set[tuple[str, str]] = set()
    for item in going(waiting, known, left):
        lanes = {(item.author, lane) for lane in item.lanes}
        if not lanes & busy:
            found.append(item)
        busy |= lanes
    return found


def going(waiting: Iterable[tuple[Item, str]], known: set[str], left: Iterable[str] = ()) -> list[Item]:
    """What can be delivered without its author, in its order: sealed with a key that the platform knows, resting on nothing
    that must be answered first, and with nothing before it in its patient's line that stays."""
    left = frozenset(left)
    found: list[Item] = []
    before: list[Item] = []
    stays: set[tuple[str, str]] = set()
    for item, state in waiting:
        mine = [one for one in before if one.author == item.author]
        held = chain.holder(item, mine) if state == "venter" else None
        before.append(item if held is None else chain.hold(item, held))
        if state != "venter" or held is not None:
            continue
        lanes = {(item.author, lane) for lane in item.lanes}
        may = item.seal.get("kid") in known and item.id not in left and item.wire
        if may and not lanes & stays and not any(rests_on(item, one) for one in mine):
            found.append(item)
        else:
            stays |= lanes
    return found


def rests_on(item: Item, earlier: Item) -> bool:
    """Whether `item` must be written anew once `earlier` is answered, which only its author may do."""
    if earlier.seq >= item.seq:
        return False
    return bool(item.uses & earlier.creates or set(item.updates) & set(earlier.updates))
