"""What waits behind an item that was done: it names what that one made, and builds on what it changed.

What may have reached the platform keeps its bytes until that is known not to have them: two bodies under one key are
refused, and under two keys done twice.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from uuid import uuid4

from workspace.fhir.service import Resource
from workspace.record import chain, refusal
from workspace.record.attempts import Attempts
from workspace.record.chain import Done
from workspace.record.conflict import Conflict
from workspace.record.items import Item
from workspace.record.sealing import Sealing
from workspace.record.settling import Settling


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an item that was done means for those behind it. `absent`: ids of those that the platform does not have."""

    names: Mapping[str, str] = field(default_factory=dict)
    done: Mapping[str, Done] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


class Behind:
    def __init__(self, settling: Settling, sealing: Sealing, attempts: Attempts) -> None:
        self._settling, self._sealing, self._attempts = settling, sealing, attempts
        self._owed: dict[str, Mapping[str, Done]] = {}  # what those build on that could not be written anew, by id

    async def outcome(self, item: Item, waiting: Sequence[Item]) -> Outcome:
        """Asks the platform for what is not known here. Raises nothing."""
        if item.state != "lagret":
            return Outcome()
        done = chain.changed(item)
        behind = [one for one in waiting if one.id != item.id and set(one.updates) & set(done)]
        if behind:
            done = await self._settling.with_bases(item, done, behind)
        absent = [one.id for one in behind if await self._attempts.is_absent(one)]
        return Outcome(chain.learnt(item), done, frozenset(absent))

    def rewritten(self, outcome: Outcome, waiting: Sequence[Item], busy: Container[str]) -> list[Item]:
        """Those of `waiting` that must go out in another shape, sealed; what is `busy` keeps its own."""
        found = []
        for one in waiting:
            if one.id in busy:
                self._owe(one, outcome)
                continue
            may = one.id in outcome.absent or not self._attempts.may_have_left(one.id)
            fresh = chain.after(one, outcome.names, outcome.done if may else {})
            if one.updates == fresh.updates:
                self._owe(one, outcome)
            elif fresh is not one and self._attempts.may_have_left(one.id):
                fresh = replace(fresh, key=str(uuid4()))  # should the former come late, its versions are gone by then
                self._attempts.unused(fresh.sent_as)
            if fresh is not one:
                found.append(self._sealing.sealed(fresh))
        return found

    def _owe(self, item: Item, outcome: Outcome) -> None:
        if concerned := {name: now for name, now in outcome.done.items() if name in item.updates}:
            before = self._owed.get(item.id, {})
            self._owed[item.id] = {**before, **{name: _since(before.get(name), now) for name, now in concerned.items()}}

    def upon_own(self, item: Item, shown: Conflict) -> Item | None:
        """`item`, refused for its version, upon what an earlier one of its author's has made; None when somebody else's
        stands there, or it cannot be put upon it."""
        done = self._owed.get(item.id, {})
        bases: dict[str, Resource] = dict(item.bases)
        for one in shown.resources:
            ours = done.get(one.name)
            version = (one.theirs.get("meta") or {}).get("versionId")
            if ours is None or one.base is None or (ours.now.get("meta") or {}).get("versionId") != version:
                return None
            bases[one.name] = one.base
        fresh = chain.after(replace(item, bases=bases), {}, {one.name: done[one.name] for one in shown.resources})
        if any(fresh.updates[one.name] == item.updates[one.name] for one in shown.resources):
            return None
        return self._sealing.sealed(replace(fresh, key=str(uuid4())))

    def ended(self, own: str) -> None:
        self._owed.pop(own, None)


def _since(before: Done | None, now: Done) -> Done:
    """`now`, from the version that `before` was made from when nobody else's lies between the two."""
    if before is None or now.formerly or (before.now.get("meta") or {}).get("versionId") != now.match:
        return now
    return replace(now, match=before.match, formerly=before.formerly, joined=before.joined)


def orphans(names: Set[str], waiting: Iterable[Item]) -> list[Item]:
    """Those of `waiting` that name what will never be made, as they are from then on."""
    problem = refusal.orphaned()
    return [replace(one, state="avvist", problem=problem) for one in waiting if one.uses & names]
