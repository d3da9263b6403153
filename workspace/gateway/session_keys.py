"""Public keys of sessions: who may have sealed what, and when (docs/seams.md, *Sealed transactions*).

A key outlives its session's end by `KEPT`, for what was written in the session may be delivered after it. Its owner, or an
administrator, withdraws it. Holds public keys only; never decides access to a patient.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from workspace.access import seal
from workspace.access.decision import Subject
from workspace.clock import Clock, instant, parse
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.store import GatewayStore
from workspace.gateway.tokens import Bearer
from workspace.problem import Problem

logger = logging.getLogger(__name__)

LONGEST_SESSION = timedelta(hours=16)
"""How long a session that was not signed out may have gone on, away from the platform, since its key was last registered."""
KEPT = timedelta(hours=72)
"""How long after the session's end its key still counts."""
MOST = 8
"""Keys of one person that count at once."""
LEEWAY = timedelta(seconds=120)
"""What the clinical clocks of workstation and gateway may differ."""
PER_MINUTE = 240
"""Sealed transactions of one key; all those of unknown keys share one allowance."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """`starts` and `ends` bound the session in clinical time, `expires` is seconds since 1970, real time."""

    id: str
    public: str
    subject: Subject
    device: str
    starts: datetime
    ends: datetime
    expires: int
    revoked: bool = False

    def told(self) -> dict[str, Any]:
        return {
            "id": self.id, "device": self.device, "made_from": instant(self.starts), "made_until": instant(self.ends),
            "expires": self.expires,
        }  # fmt: skip


class SessionKeys:
    """`register`, `end`, `revoke`; `sealed_by` and `check` for what a device brings."""

    def __init__(self, store: GatewayStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._tasks: set[asyncio.Task[None]] = set()
        self._spent: OrderedDict[str, tuple[int, int]] = OrderedDict()

    async def close(self) -> None:
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def register(self, bearer: Bearer, public: str, device: str) -> SessionKey:
        """The key counts from the session's start; once more by the same person only lengthens it. Raises Refused 400, 403
        ``key-revoked``, 409 ``key-taken`` or ``too-many-keys``."""
        if not seal.is_public(public):
            raise bad_request("bad-key", "Øktens nøkkel kan ikke leses.", "key: 32 bytes in base64url")
        real, now = self._clock.real(), self._clock.now()
        ends = now + LONGEST_SESSION
        expires = int((real + LONGEST_SESSION + KEPT).timestamp())
        fresh = SessionKey(
            seal.thumbprint(public), public, bearer.subject, device, _start(bearer, real, now), ends, expires
        )

        def work(connection: sqlite3.Connection) -> SessionKey:
            connection.execute("DELETE FROM session_key WHERE expires < ?", (int(real.timestamp()),))
            there = _found(connection, fresh.id)
            if there is not None:
                if (there.subject.sub, there.subject.session) != (bearer.subject.sub, bearer.sid):
                    raise Refused(409, "key-taken", "Nøkkelen er en annens.", detail="registered for another session")
                if there.revoked:
                    raise _no("key-revoked", "Nøkkelen er trukket tilbake.")
                connection.execute("UPDATE session_key SET ends = ?, expires = ? WHERE id = ?", (
                    instant(ends), expires, fresh.id))  # fmt: skip
                return SessionKey(fresh.id, public, there.subject, there.device, there.starts, ends, expires)
            counting = "SELECT COUNT(*) FROM session_key WHERE author = ? AND NOT revoked"
            if connection.execute(counting, (bearer.subject.sub,)).fetchone()[0] >= MOST:
                raise Refused(
                    409,
                    "too-many-keys",
                    f"Du har allerede {MOST} økter som kan levere etter utlogging.",
                    "Det du skriver, sendes mens du er logget inn.",
                )
            row = (
                fresh.id, public, bearer.subject.sub, bearer.sid, orjson.dumps(asdict(bearer.subject)), device,
                instant(fresh.starts), instant(ends), expires,
            )  # fmt: skip
            connection.execute("INSERT INTO session_key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)", row)
            return fresh

        return await self._store.run(work)

    def end(self, sid: str) -> None:
        """The session is over: nothing is made in it any more. What was made is still delivered for `KEPT`."""
        task = asyncio.get_running_loop().create_task(self._end(sid), name="gateway-session-key")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _end(self, sid: str) -> None:
        ends, expires = instant(self._clock.now()), int((self._clock.real() + KEPT).timestamp())
        try:
            await self._store.run(
                lambda c: c.execute("UPDATE session_key SET ends = ?, expires = ? WHERE sid = ?", (ends, expires, sid))
            )
        except sqlite3.Error:
            logger.exception("the end of a session cannot be noted")

    async def revoke(self, own: str, by: str, *, administrator: bool) -> SessionKey | None:
        """Withdraw a key at once. None when there is none that `by` may withdraw."""

        def work(connection: sqlite3.Connection) -> SessionKey | None:
            query = "UPDATE session_key SET revoked = 1 WHERE id = ? AND (author = ? OR ?)"
            done = connection.execute(query, (own, by, int(administrator))).rowcount
            return _found(connection, own) if done else None

        return await self._store.run(work)

    async def sealed_by(self, envelope: Mapping[str, Any], transaction: str) -> SessionKey:
        """The key of an envelope whose signature is right and whose session was open when it was made.

        Raises Refused 403 (``key-unknown``, ``key-expired``, ``key-revoked``, ``seal-broken``, ``outside-session``) or 429.
        """
        own = envelope.get("kid")
        key = await self._store.run(lambda c: _found(c, own)) if isinstance(own, str) else None
        self._spend(key.id if key is not None else "")
        if key is None:
            raise _no("key-unknown", "Plattformen kjenner ikke nøkkelen som forsendelsen er seglet med.")
        if key.revoked:
            raise _no("key-revoked", "Nøkkelen som forsendelsen er seglet med, er trukket tilbake.")
        if self._clock.real().timestamp() >= key.expires:
            raise _no("key-expired", "Nøkkelen som forsendelsen er seglet med, er utløpt.")
        self.check(envelope, key, transaction)
        try:
            made = parse(str(envelope.get("made", "")))
        except ValueError as error:
            raise _no("outside-session", "Forsendelsen sier ikke når den ble laget.") from error
        if not key.starts - LEEWAY <= made <= key.ends + LEEWAY:
            raise _no("outside-session", "Forsendelsen er ikke laget mens forfatteren var logget inn.")
        return key

    def check(self, envelope: Mapping[str, Any], key: SessionKey, transaction: str, raw: bytes | None = None) -> None:
        """That `key` sealed this; with `raw`, these bytes. Raises Refused 403 ``seal-broken``."""
        try:
            seal.verify(envelope, transaction=transaction, author=key.subject.practitioner, content=raw)
        except Problem as problem:
            raise Refused(
                403, problem.code, problem.sentence, problem.advice, problem.detail, issue="security"
            ) from problem

    def _spend(self, own: str) -> None:
        """Raises Refused 429 when a key is used more often than `PER_MINUTE`."""
        minute = int(self._clock.monotonic() // 60)
        then, spent = self._spent.pop(own, (minute, 0))
        spent = spent + 1 if then == minute else 1
        self._spent[own] = (minute, spent)
        while len(self._spent) > 1000:
            self._spent.popitem(last=False)
        if spent > PER_MINUTE:
            raise Refused(
                429, "too-many", "Det sendes for mye på en gang.", "Vent litt og prøv igjen.", issue="throttled"
            )


def _found(connection: sqlite3.Connection, own: str) -> SessionKey | None:
    query = "SELECT id, public, subject, device, starts, ends, expires, revoked FROM session_key WHERE id = ?"
    row = connection.execute(query, (own,)).fetchone()
    if row is None:
        return None
    own, public, subject, device, starts, ends, expires, revoked = row
    return SessionKey(
        own, public, Subject(**orjson.loads(subject)), device, parse(starts), parse(ends), expires, bool(revoked)
    )


def _start(bearer: Bearer, real: datetime, now: datetime) -> datetime:
    """When the session began, in clinical time: work done before the platform could take the key counts too."""
    began = bearer.claims.get("auth_time")
    if not isinstance(began, int | float) or isinstance(began, bool):
        return now
    ago = min(max(real.timestamp() - began, 0.0), LONGEST_SESSION.total_seconds())
    return now - timedelta(seconds=ago)


def _no(code: str, sentence: str) -> Refused:
    return Refused(403, code, sentence, "Forfatteren må logge inn for å sende det.", issue="security")
