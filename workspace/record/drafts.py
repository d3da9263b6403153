"""Unsaved work: in memory at once, in the vault within a second, on the platform when it is there. Its author's alone, ever.

A key is the joined fields of the broker's `DraftKey`. The newest text wins wherever it was typed, and the one that lost is
kept beside it. Talks to the platform through `DraftSync` alone.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from workspace.clock import Clock, instant, parse
from workspace.fhir import json as exact
from workspace.problem import Problem
from workspace.record.draft import (
    EMPTIED,
    LOST,
    Kept,
    Key,
    Listed,
    Lost,
    as_text,
    goes_on,
    same,
    standing_beside,
    tombstone,
)
from workspace.record.handover import Handover, exchanged, new_stretch
from workspace.record.listening import added, call
from workspace.record.mending import Mends
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
DELAY = 0.25
"""Seconds from what a form hands over to the disk; at most one write in each such time, however fast she types."""


FORGOTTEN = timedelta(days=15)
"""How long an `EMPTIED` draft is remembered for a platform that does not hear of it: a day more than any keeps one (14 days
after it was last saved), so what it would speak of is gone by then."""


TRIED = 1.0
"""Seconds that who leaves waits for the platform to take what no disk has."""


class Drafts:
    """``await start()`` reads this user's drafts; ``await close()`` writes what is not yet on the disk."""

    def __init__(self, vault: Vault, clock: Clock, *, tenant: str, user: str) -> None:
        self._vault, self._clock = vault, clock
        self.tenant, self.user = tenant, user
        self._kept: dict[Key, Kept] = {}
        self._gone: dict[Key, Kept] = {}  # emptied here, since when and at which revision, until the platform has heard
        self.handed: dict[Key, Handover] = {}  # in a transaction, while the form still shows it
        self._dirty: set[Key] = set()
        self._writer: asyncio.Task[None] | None = None
        self._listeners: list[Callable[[Key, Kept | None], None]] = []
        self._touched: list[Callable[[], None]] = []
        self._pressed: list[Callable[[], None]] = []
        self._then: dict[Key, Callable[[], None]] = {}
        self.problem: Problem | None = None
        """Why the disk does not take what stands here; None when it does."""
        self.sync: Syncing | None = None

    async def start(self) -> None:
        def read(database: Any) -> list[tuple[Any, ...]]:
            query = "SELECT key, body, revision, saved, known, other FROM draft WHERE tenant = ? AND user = ?"
            return list(database.execute(query, (self.tenant, self.user)))

        for key, body, revision, saved, known, more in await self._vault.run(read):
            own = tuple(json.loads(key))
            if own in self._dirty:  # what was typed, or forgotten, meanwhile is newer
                continue
            beside = exact.loads(more or "{}")
            if body == EMPTIED:
                self._gone[own] = tombstone(known, saved or instant(self._clock.now()), beside.get("stretch", ""))
            else:
                other = Lost(**beside["other"]) if beside.get("other") else None
                kept = Kept(
                    exact.loads(body), revision, saved, known, beside.get("expires", ""), beside.get("device", "")
                )
                named = beside.get("mends")
                mends = Mends(named[0], tuple(named[1:])) if named else None
                stretch = beside.get("stretch") or kept.stretch
                self._kept[own] = replace(kept, other=other, stretch=stretch, mends=mends)
        self._bury()
        if self.sync is not None:
            for own, gone in self._gone.items():
                self.sync.changed(own, gone)
            await self.sync.start()

    async def close(self) -> None:
        if self.sync is not None:
            await self.sync.close()
        if self._writer is not None:
            self._writer.cancel()
            await asyncio.gather(self._writer, return_exceptions=True)
        await self.flush()

    # Asking ---------------------------------------------------------------------------------------

    def load(self, key: Key) -> Kept | None:
        kept = self._kept.get(key)
        return None if kept is not None and self.is_expired(kept) else kept

    def older(self, key: Key) -> Listed | None:
        """What was typed in an earlier version of the same form, whose fields may have other meanings now: shown as text."""
        found = self.siblings(key)
        if not found:
            return None
        newest = max(found, key=lambda own: self._kept[own].saved)
        return self._listed(newest)

    def siblings(self, key: Key) -> list[Key]:
        """The same draft in other versions of its form."""
        return [own for own in self._kept if own[:6] == key[:6] and own != key]

    def all(self) -> tuple[Listed, ...]:
        """Every draft of this user, the newest first."""
        found = sorted(self._kept, key=lambda own: self._kept[own].saved, reverse=True)
        return tuple(self._listed(own) for own in found)

    def keys(self) -> tuple[Key, ...]:
        return tuple(self._kept)

    def get(self, key: Key) -> Kept | None:
        """Like `load`, the expired ones too."""
        return self._kept.get(key)

    def is_expired(self, kept: Kept) -> bool:
        try:
            return bool(kept.expires) and parse(kept.expires) <= self._clock.now()
        except ValueError:
            return False

    def on_change(self, listener: Callable[[Key, Kept | None], None]) -> Callable[[], None]:
        """Told a draft that changed on another workstation, or None for one that is gone. Returns what ends it."""
        return added(self._listeners, listener)

    def on_touch(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called whenever `all` may say something else; it gets nothing and asks. Returns what ends it."""
        return added(self._touched, listener)

    def on_press(self, listener: Callable[[], None]) -> None:
        """`listener` hands over what is typed and not handed over yet, in this turn; see `press`."""
        self._pressed.append(listener)

    def press(self) -> None:
        """For `DraftSync`, before it compares: a key that was pressed just now is newer than what comes."""
        call(self._pressed)

    async def at_risk(self) -> int:
        """How many drafts neither the disk nor the platform has, now that both were asked once more."""
        if self._dirty:
            with suppress(Problem):
                await self.flush()
        if self._at_risk() and self.sync is not None:
            self.sync.wake()
            with suppress(TimeoutError):
                async with asyncio.timeout(TRIED):
                    while self._at_risk():  # noqa: ASYNC110 - any change of any draft may end it
                        await asyncio.sleep(0.05)
        return self._at_risk()

    def _at_risk(self) -> int:
        return sum(
            not kept.expires and (not self._vault.durable or (self.problem is not None and key in self._dirty))
            for key, kept in self._kept.items()
        )

    def _listed(self, key: Key) -> Listed:
        kept = self._kept[key]
        return Listed(key, kept, self.is_expired(kept), as_text(kept.values))

    # Changing -------------------------------------------------------------------------------------

    def save(self, key: Key, values: Mapping[str, Any], revision: int, then: Callable[[], None] | None = None) -> str:
        """Keep it; an empty `values` forgets it. Returns its instant. `then` is called once the disk or the platform
        has it, unless something newer is kept by then."""
        saved = instant(self._clock.now())
        before = self._kept.get(key)
        self._then.pop(key, None)
        if then is not None:
            self._then[key] = then
        if key in self.handed:
            values = self.handed[key].rest(values)
        if values:
            gone = self._gone.get(key)
            before = self._set_aside(key, values)
            if before is not None:
                mends = before.mends and before.mends.in_draft(values)
                fresh = replace(before, values=dict(values), revision=revision, saved=saved, expires="", device="")
                fresh = replace(fresh, mends=mends)
            else:
                fresh = Kept(dict(values), revision, saved, gone.known if gone else 0)
            self._put(key, fresh)
        else:
            self._put(key, None)
        if self.sync is not None:
            self.sync.changed(key, before)
        self._touch(key)
        return saved

    def _set_aside(self, key: Key, values: Mapping[str, Any]) -> Kept | None:
        """The draft that `values` take the place of. One that has run out stands on this machine alone and in no form: it
        stays beside what is new and does not go on from it."""
        before = self._kept.get(key)
        if before is None or not self.is_expired(before) or goes_on(before.values, values):
            return before
        return replace(before, other=self.beside(key, Lost(before.values, before.saved, before.device)))

    def discard(self, key: Key) -> None:
        """Its author wants it no more: it goes from the form that shows it too."""
        self.press()
        self.save(key, {}, 0)
        self._tell(key, None)

    def beside(self, key: Key, lost: Lost) -> Lost:
        """`lost`, for the draft to keep; a former one that its author has not seen to has a name of its own from now on, but
        for an earlier state of the same text."""
        kept = self._kept.get(key)
        former = kept.other if kept is not None else None
        if former is not None and not (former.device and former.device == lost.device) and not same(former, lost):
            self._leave_other(key, kept)
        return lost

    def mending(self, key: Key) -> Mends | None:
        """The refused item whose words stand there, or are just being sent from there."""
        handed = self.handed.get(key)
        standing = handed.before if handed is not None else self._kept.get(key)
        return standing.mends if standing is not None else None

    def mend(self, key: Key, mends: Mends) -> None:
        """The words of a refused item stand there."""
        standing = self._kept.get(key)
        if standing is not None and mends.in_draft(standing.values):
            self.put(key, replace(standing, mends=mends))

    def drop_other(self, key: Key) -> None:
        """Its author has seen to the text that lost."""
        kept = self._kept.get(key)
        if kept is not None and kept.other is not None:
            self.put(key, replace(kept, other=None))

    def exchange(self, key: Key, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """Put `after` (by bind, None: emptied) where `before` still stands."""
        standing = self._kept.get(key)
        held = standing.values if standing is not None else {}
        values = exchanged(held, before, after)
        if values != dict(held):
            self.save(key, values, (standing.revision if standing is not None else 0) + 1)

    def hand_over(
        self, key: Key, values: Mapping[str, Any], changes: Mapping[str, Any], then: Callable[[], None] | None = None
    ) -> Handover:
        """For a commit from the form of `key`; see `Handover`."""
        return Handover(self, key, values, changes, then)

    def given_back(self, key: Key, changes: Mapping[str, Any], values: Mapping[str, Any]) -> Kept | None:
        """For `GivenBack`: the draft with `values` where the fields are as the commit left them (`changes`). Where something
        newer stands, that stays, and the former text is kept beside it."""
        standing, gone = self._kept.get(key), self._gone.get(key)
        fresh = exchanged(standing.values if standing is not None else {}, changes, values)
        left = {bind: value for bind, value in values.items() if fresh.get(bind) != value}
        now = instant(self._clock.now())
        other = self.beside(key, Lost(left, now)) if left else standing.other if standing is not None else None
        known = standing.known if standing is not None else gone.known if gone is not None else 0
        stretch = standing.stretch if standing is not None else new_stretch()
        revision = (standing.revision if standing is not None else 0) + 1
        mends = standing.mends if standing is not None else None
        return Kept(fresh, revision, now, known, other=other, stretch=stretch, mends=mends) if fresh else None

    def swap(self, key: Key, kept: Kept | None) -> Callable[[Any], None]:
        """For `Handover`: another draft in its place here; returns what writes it, in a transaction of the vault."""
        self._put(key, kept)
        self._dirty.discard(key)
        self._tell_touched()
        row = self._row(key)
        return lambda database: self._write(database, key, row)

    def gone(self, key: Key, known: int, stretch: str) -> None:
        """For `DraftSync`: what was emptied here stands on the platform, as its revision `known` of the `stretch`."""
        self._gone[key] = tombstone(known, instant(self._clock.now()), stretch)
        self._touch(key)

    def heard_gone(self, key: Key) -> None:
        """For `DraftSync`: the platform knows that it is no more."""
        if self._gone.pop(key, None) is not None:
            self._touch(key)

    def put(self, key: Key, kept: Kept | None, *, news: bool = False) -> None:
        """For `DraftSync`: what the platform has. `news` tells listeners."""
        if kept is None:
            self._leave_other(key, self._kept.pop(key, None))
        else:
            self._put(key, kept)
        if news:
            self._then.pop(key, None)
        elif kept is not None and kept.expires:
            self._is_safe(key)
        self._touch(key)
        if news:
            self._tell(key, kept)

    def _put(self, key: Key, kept: Kept | None) -> None:
        before = self._kept.pop(key, None)
        if kept is not None:
            self._kept[key] = kept
            self._gone.pop(key, None)
        elif before is not None:
            self._leave_other(key, before)
            if self.sync is not None:
                self._gone[key] = tombstone(before.known, instant(self._clock.now()), before.stretch)

    def _bury(self) -> None:
        """What was emptied so long ago that the platform has forgotten it by itself needs no telling."""
        for key, gone in list(self._gone.items()):
            if parse(gone.saved) + FORGOTTEN < self._clock.now():
                del self._gone[key]
                self._touch(key)

    def _leave_other(self, key: Key, before: Kept | None) -> None:
        if before is not None and before.other is not None:
            beside, number = (*key[:5], f"{key[5]}{LOST}", *key[6:]), 1
            while beside in self._kept and not same(self._kept[beside], before.other):
                number += 1
                beside = (*key[:5], f"{key[5]}{LOST}{number}", *key[6:])
            self._kept[beside] = Kept(before.other.values, 1, before.other.saved, device=before.other.device)
            self._touch(beside)

    def buried(self) -> tuple[Key, ...]:
        """What was emptied here, and the platform has not heard of."""
        return tuple(self._gone)

    def ended(self, key: Key) -> str:
        """The stretch that was over when it was emptied here; "" when none is known."""
        return self._gone[key].stretch if key in self._gone else ""

    def rename(self, key: Key, fresh: Key) -> None:
        """The patient it is about has another record now. What was emptied may stand under either name there."""
        gone = self._gone.pop(key, None)
        if gone is not None:
            self._touch(key)
            for other in (fresh, standing_beside(key, fresh)):
                if other not in self._kept and other not in self._gone:
                    self._gone[other] = replace(gone, known=0)
                    self._touch(other)
                    if self.sync is not None:
                        self.sync.changed(other, self._gone[other])
        kept = self._kept.pop(key, None)
        if kept is not None:
            known, standing = 0, self._kept.get(fresh)
            if standing is not None and goes_on(standing.values, kept.values):
                known = standing.known  # what went there before, and was typed on in the form that stood open
            elif standing is not None:
                fresh = standing_beside(key, fresh)
            self._kept[fresh] = replace(kept, known=known)
            self._touch(key)
            self._touch(fresh)
            if self.sync is not None:
                self.sync.changed(fresh, None)

    # The vault ------------------------------------------------------------------------------------

    def _touch(self, key: Key) -> None:
        self._dirty.add(key)
        self._tell_touched()
        if self._writer is None or self._writer.done():
            self._writer = asyncio.ensure_future(self._soon())

    def _tell(self, key: Key, kept: Kept | None) -> None:
        call(self._listeners, key, kept)

    def _tell_touched(self) -> None:
        call(self._touched)

    async def _soon(self) -> None:
        while self._dirty:
            await asyncio.sleep(DELAY)
            try:
                await self.flush()
            except Problem as problem:  # a full disk: still in memory, and tried again
                if self.problem is None:
                    log.warning("drafts wait: %s", problem.code)
                    self.problem = problem
                    self._tell_touched()

    async def flush(self) -> None:
        """Everything that is not on the disk yet, in one transaction."""
        keys, self._dirty = self._dirty, set()
        rows = [(key, self._row(key)) for key in keys]
        if not rows:
            return

        def write(database: Any) -> None:
            for key, kept in rows:
                self._write(database, key, kept)

        try:
            await asyncio.shield(self._vault.run(write))
        except BaseException:
            self._dirty |= keys
            raise
        if self.problem is not None:
            self.problem = None
            self._tell_touched()
        if self._vault.durable:
            for key in keys - self._dirty:
                self._is_safe(key)

    def _is_safe(self, key: Key) -> None:
        then = self._then.pop(key, None)
        if then is not None:
            then()

    def _row(self, key: Key) -> Kept | None:
        """What the vault is to hold of it."""
        kept = self._kept.get(key)
        return self._gone.get(key) if kept is None else kept

    def _write(self, database: Any, key: Key, kept: Kept | None) -> None:
        name = json.dumps(key)
        if kept is None:
            database.execute("DELETE FROM draft WHERE key = ?", (name,))
            return
        body = exact.dumps(dict(kept.values)).decode() if kept.values else EMPTIED
        about = key[2] if len(key) > 2 else ""
        row = (name, self.tenant, self.user, about, body, kept.revision, kept.saved, kept.known, kept.more())
        columns = "key, tenant, user, patient, body, revision, saved, known, other"
        database.execute(f"INSERT OR REPLACE INTO draft ({columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", row)


class Syncing:
    """What `Drafts` needs of its way to the platform; `DraftSync` is it."""

    async def start(self) -> None: ...

    async def close(self) -> None: ...

    def wake(self) -> None:
        """Try now what waits."""

    def changed(self, key: Key, before: Kept | None) -> None:
        """`key` has other values now, or none; `before` is what stood there."""

    def address(self, key: Key) -> tuple[str, str]:
        """The draft's id on the platform, and this workstation's name; both empty when there is none."""
        return "", ""
