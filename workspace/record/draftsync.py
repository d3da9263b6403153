"""Drafts on their way to the platform and from other workstations (docs/seams.md, *Drafts*).

Sends what is newest here, takes what is newer there, and keeps the one that lost beside the one that won. Never reads what
stands in a draft and never makes typing wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

from workspace.clock import parse
from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.draft import Kept, Key, Lost
from workspace.record.drafts import Drafts, Syncing
from workspace.record.handover import exchanged, new_stretch
from workspace.record.patience import Patience
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
GATHER = 0.8
"""Seconds between a change and its sending, so that a sentence is one request."""
FIRST_LOOK = 1.5
"""Seconds that sign-on waits for drafts from elsewhere."""
NOT_NOW = frozenset({403, 409, 413, 422})
"""The platform does not take this one: it stays here, and is tried again when it changes."""


class DraftSync(Syncing):
    """`device` is this workstation's own name for itself."""

    def __init__(self, drafts: Drafts, client: Client, *, device: str) -> None:
        self._drafts, self._client, self._device = drafts, client, device[:64]
        self._outgoing: dict[Key, None] = {}
        self._gone: dict[Key, int] = {}  # forgotten here, with the platform's revision; 0: unknown
        self._newest = 0  # the highest revision up to which all is known here: told by the feed, or fetched
        self._seen = False
        self._task: asyncio.Task[None] | None = None
        self._awake = asyncio.Event()
        self._woken = 0
        self._closed = False
        drafts.sync = self

    async def start(self) -> None:
        """Fetch what was typed elsewhere, if the platform answers at once; go on behind."""
        self._outgoing.update(dict.fromkeys(key for key in self._drafts.keys() if self._unsent(key)))  # noqa: SIM118
        self._task = asyncio.ensure_future(self._work())
        try:
            async with asyncio.timeout(FIRST_LOOK):
                await self._fetch_all()
        except (Problem, TimeoutError):
            log.info("drafts of other workstations come later")

    async def close(self) -> None:
        """Send what is waiting, once, then end."""
        self._closed = True
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        try:
            async with asyncio.timeout(FIRST_LOOK):
                await self._send_all()
        except (Problem, TimeoutError):
            log.info("drafts stay on this workstation until the platform answers")

    def changed(self, key: Key, before: Kept | None) -> None:
        if self._drafts.get(key) is None:
            self._outgoing.pop(key, None)
            if before is not None:
                self._gone[key] = before.known
        else:
            self._gone.pop(key, None)
            self._outgoing[key] = None
        self._awake.set()

    def address(self, key: Key) -> tuple[str, str]:
        return draft_id(key), self._device

    def heard(self, change: Mapping[str, Any] | None, revision: int) -> None:
        """From the change feed: one draft, or (None) the newest revision there is."""
        if change is not None and change.get("device") == self._device:
            self._newest = max(self._newest, revision)
        elif revision > self._newest or (change is not None and change.get("gone")):
            self._seen = False
            self._awake.set()

    def wake(self) -> None:
        """The platform is there again."""
        self._woken += 1
        self._awake.set()

    def merged(self, gone: str, stays: str) -> None:
        """Two patients are one: what is unsaved about the one who goes is about the one who stays."""
        for key in (*self._drafts.keys(), *self._drafts.buried()):
            if key[2] == gone:
                self._gone.pop(key, None)
                self._drafts.rename(key, (*key[:2], stays, *key[3:]))
        self._seen = False
        self._awake.set()

    # Working --------------------------------------------------------------------------------------

    async def _work(self) -> None:
        patience = Patience()
        while True:
            await self._awake.wait()
            await asyncio.sleep(GATHER)
            self._awake.clear()
            woken = self._woken
            try:
                if not self._seen:
                    await self._fetch_all()
                await self._send_all()
                patience = Patience()
            except Problem as problem:
                log.info("drafts wait: %s", problem.code)
                pause = patience.next(problem)
                if self._woken == woken:  # else it came back while this was failing
                    self._awake.clear()
                try:
                    async with asyncio.timeout(pause):
                        await self._awake.wait()
                except TimeoutError:
                    self._awake.set()

    async def _send_all(self) -> None:
        for key, known in list(self._gone.items()):
            await self._forget(key, known)
        for key in list(self._outgoing):
            await self._send(key)

    async def _forget(self, key: Key, known: int) -> None:
        """It was saved or emptied here: it goes from the platform too, but for what was typed elsewhere since."""
        own, device, stretch = draft_id(key), self._device, self._drafts.ended(key)
        try:
            status, answer = await self._client.draft("DELETE", own, device=device, match=str(known), stretch=stretch)
        except PlatformProblem as problem:
            if problem.status not in NOT_NOW:
                raise
            log.warning("a draft cannot be taken from the platform now: %s", problem.code)
            return
        standing = answer.get("draft") if status == 412 and isinstance(answer, dict) else None
        if isinstance(standing, dict) and self._sent_from_here(standing, key):  # and the answer was lost
            match = str(standing.get("revision") or 0)
            status, answer = await self._client.draft("DELETE", own, device=device, match=match, stretch=stretch)
            standing = answer.get("draft") if status == 412 and isinstance(answer, dict) else None
        if self._gone.pop(key, None) is not None:
            self._drafts.heard_gone(key)
            if isinstance(standing, dict):
                self._take(standing, key)

    async def _send(self, key: Key) -> None:
        kept = self._drafts.get(key)
        self._outgoing.pop(key, None)
        if kept is None:
            return
        body = {"key": _told(key), "values": dict(kept.values), "device": self._device, "stretch": kept.stretch}
        known = kept.known or self._overtakes(key)
        match = str(known) if known else ""
        try:
            status, answer = await self._client.draft("PUT", draft_id(key), body, device=self._device, match=match)
        except PlatformProblem as problem:
            if problem.status in NOT_NOW:
                log.warning("a draft stays on this workstation: %s", problem.code)
                return
            self._outgoing.setdefault(key)
            raise
        except BaseException:
            self._outgoing.setdefault(key)
            raise
        if status == 412:
            said = answer if isinstance(answer, dict) else {}
            if isinstance(over := said.get("over"), list):
                self._over(key, kept, over)
            else:
                self._meet(key, said.get("draft"))
            return
        now = self._drafts.get(key)
        if status in (200, 201) and isinstance(answer, dict):
            known = int(answer.get("revision") or 0)
            if now is None:  # saved or emptied while this was on its way: what came there must go as well
                self._gone[key] = known
                self._drafts.gone(key, known, kept.stretch)
                self._awake.set()
                return
            self._overtaken(key)
            # What was typed while this was on its way is not there yet.
            expires = str(answer.get("expires") or "") if now is kept else ""
            self._drafts.put(key, replace(now, known=known, expires=expires))

    def _over(self, key: Key, sent: Kept, spent: Collection[str]) -> None:
        """What was sent belongs to what was committed, here or where it was taken over: in the fields `spent` it says what
        was written there. What else is typed here is new, and goes under a name of its own."""
        mine = self._drafts.get(key)
        if mine is None:
            return
        if mine.stretch == sent.stretch:
            left = exchanged(mine.values, sent.values, dict.fromkeys(spent))
            fresh = replace(mine, values=left, stretch=new_stretch()) if left else None
            self._drafts.put(key, fresh, news=left != mine.values)
        if self._drafts.get(key) is not None:
            self._outgoing[key] = None
            self._awake.set()

    def _meet(self, key: Key, standing: Any) -> None:
        """Another revision stands than the one this was typed on."""
        self._drafts.press()
        mine = self._drafts.get(key)
        if mine is None:
            return
        if not isinstance(standing, dict):  # gone there, typed here since: it is new
            self._overtaken(key)
            self._drafts.put(key, replace(mine, known=0))
            self._outgoing[key] = None
            self._awake.set()
            return
        self._take(standing, key)
        other = self._key_of(standing)
        if int(other[6]) < int(key[6]):  # the newer form goes on where the older one was; its text is kept beside, here
            self._drafts.put(key, replace(mine, known=int(standing.get("revision") or 0)))
            self._outgoing[key] = None
            self._awake.set()

    def _sent_from_here(self, standing: Mapping[str, Any], key: Key) -> bool:
        return standing.get("device") == self._device and self._key_of(standing) == key

    def _overtakes(self, key: Key) -> int:
        """The platform's revision of the same draft in an older version of its form: a newer one takes its place there."""
        older = [own for own in self._drafts.siblings(key) if int(own[6]) < int(key[6])]
        return max((kept.known for own in older if (kept := self._drafts.get(own)) is not None), default=0)

    def _overtaken(self, key: Key) -> None:
        """Another version of the form stands on the platform now: what an older one left here stays until it is seen to."""
        for own in self._drafts.siblings(key):
            kept = self._drafts.get(own)
            if kept is not None and kept.known and int(own[6]) < int(key[6]):
                self._drafts.put(own, replace(kept, known=0))

    # Taking ---------------------------------------------------------------------------------------

    async def _fetch_all(self) -> None:
        self._seen = True  # what is heard of from here on may not be in the answer
        try:
            status, answer = await self._client.draft("GET", "")
        except BaseException:
            self._seen = False
            raise
        self._drafts.press()
        if status != 200 or not isinstance(answer, dict):
            return  # a platform that keeps no drafts
        revision = int(answer.get("revision") or 0)
        there, emptied = {}, {*self._gone, *self._drafts.buried()}  # also while the vault still writes that it is
        for standing in answer.get("drafts") or ():
            key = self._key_of(standing)
            there[key[:6]] = standing
            if key not in emptied:
                self._take(standing, key)
        for key in self._drafts.keys():  # noqa: SIM118
            kept = self._drafts.get(key)
            # What was typed since, and the platform has not or does not take, stays.
            if kept is None or not kept.known or key[:6] in there or key in self._outgoing or self._unsent(key):
                continue
            if not self._drafts.is_expired(kept) and kept.known <= revision:
                # Saved, emptied or moved elsewhere. What has expired stays in sight until its author has seen to it.
                self._drafts.put(key, None, news=True)
        self._newest = max(self._newest, revision)

    def _take(self, standing: Mapping[str, Any], key: Key) -> None:
        """What stands on the platform meets what stands here: the newest wins, the other is kept beside it."""
        theirs = Kept(
            dict(standing.get("values") or {}), 0, str(standing.get("saved") or ""), int(standing.get("revision") or 0),
            str(standing.get("expires") or ""), str(standing.get("device") or ""), stretch=self._stretch(standing),
        )  # fmt: skip
        key = (*key[:6], str((standing.get("key") or {}).get("state_version") or key[6]))
        self._drafts.press()
        self._overtaken(key)
        mine = self._drafts.get(key)
        if mine is None:
            self._drafts.put(key, replace(theirs, revision=1), news=True)
        elif mine.known == theirs.known:
            return
        elif dict(mine.values) == dict(theirs.values):
            self._drafts.put(key, replace(mine, known=theirs.known, expires=theirs.expires))
            self._outgoing.pop(key, None)
        elif self._sent_from_here(standing, key) and self._unsent(key):
            # An earlier text of this one, whose answer was lost: nobody else typed it, and some of it may be saved by now.
            self._drafts.put(key, replace(mine, known=theirs.known))
            self._outgoing[key] = None
            self._awake.set()
        elif not self._unsent(key) or _later(theirs.saved, mine.saved):
            alone = self._unsent(key) or self._drafts.is_expired(mine)
            lost = self._drafts.beside(key, Lost(mine.values, mine.saved, mine.device)) if alone else mine.other
            self._outgoing.pop(key, None)
            self._drafts.put(key, replace(theirs, revision=mine.revision + 1, other=lost), news=True)
        else:
            lost = self._drafts.beside(key, Lost(theirs.values, theirs.saved, theirs.device))
            self._drafts.put(key, replace(mine, known=theirs.known, other=lost))
            self._outgoing[key] = None
            self._awake.set()

    def _stretch(self, standing: Mapping[str, Any]) -> str:
        """What was typed elsewhere goes on there under its own name; what is typed on it here has another."""
        own = standing.get("stretch") if standing.get("device") == self._device else ""
        return str(own or new_stretch())

    def _unsent(self, key: Key) -> bool:
        """Whether the platform does not have what stands here: its answer to a save is the time when it expires."""
        kept = self._drafts.get(key)
        return kept is not None and not kept.expires

    def _key_of(self, standing: Mapping[str, Any]) -> Key:
        key = standing.get("key") or {}
        names = (str(key.get(name) or "") for name in ("patient", "package", "view", "draft"))
        return (self._drafts.tenant, self._drafts.user, *names, str(key.get("state_version") or 1))


async def workstation(vault: Vault) -> str:
    """This workstation's own name for itself, the same for as long as its vault."""
    name = await vault.setting("workstation")
    if name is None:
        name = str(uuid4())
        await vault.set_setting("workstation", name)
    return name


def draft_id(key: Key) -> str:
    return hashlib.sha256("\x1f".join((key[1], key[2], key[3], key[4], key[5])).encode()).hexdigest()


def _told(key: Key) -> dict[str, Any]:
    return {"patient": key[2], "package": key[3], "view": key[4], "draft": key[5], "state_version": int(key[6])}


def _later(one: str, other: str) -> bool:
    try:
        return parse(one) > parse(other)
    except ValueError:
        return False
