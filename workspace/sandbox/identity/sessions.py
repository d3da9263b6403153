"""Sign-on sessions and their refresh tokens, and the answer to «is this session ended?».

A session is a family of refresh tokens: each is good once, and one used twice ends the whole family (RFC 9700
§4.14.2), because then either the user or a thief holds a copy. Keeps only SHA-256 of a token. Never signs.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import timedelta

from workspace.clock import Clock
from workspace.sandbox.identity.store import Store

LIFETIME = timedelta(hours=12)
"""A shift and its overlap; then the person signs in anew."""


@dataclass
class SignOn:
    """One person's session. Times are seconds since 1970 (real time)."""

    sid: str
    username: str
    client_id: str
    scope: str
    auth_time: int
    expires: int
    current: str = ""
    spent: list[str] = field(default_factory=list)


class Sessions:
    """All sessions that are alive. A sid that is not here is ended."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._alive = {item["sid"]: SignOn(**item) for item in store.get("sessions") or []}
        self._listeners: list[Callable[[str], None]] = []

    def start(self, username: str, client_id: str, scope: str, auth_time: int) -> SignOn:
        """A new session for `username`, who chose at `auth_time`."""
        now = int(self._clock.real().timestamp())
        sign_on = SignOn(
            sid=secrets.token_urlsafe(16),
            username=username,
            client_id=client_id,
            scope=scope,
            auth_time=auth_time,
            expires=now + int(LIFETIME.total_seconds()),
        )
        self._alive[sign_on.sid] = sign_on
        self._save()
        return sign_on

    def get(self, sid: str) -> SignOn | None:
        """The living session, or None."""
        return None if self.ended(sid) else self._alive[sid]

    def ended(self, sid: str) -> bool:
        """True when the session was signed out, revoked, has run out, or never was. No waiting, no file."""
        sign_on = self._alive.get(sid)
        return sign_on is None or self._clock.real().timestamp() >= sign_on.expires

    def end(self, sid: str) -> bool:
        """End a session and tell the listeners; False when it had ended before."""
        if self._alive.pop(sid, None) is None:
            return False
        self._save()
        for listener in list(self._listeners):
            listener(sid)
        return True

    def on_end(self, listener: Callable[[str], None]) -> Callable[[], None]:
        """Call `listener(sid)` when a session is ended before its time; the result undoes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def issue_refresh(self, sign_on: SignOn) -> str:
        """A new refresh token; the former one is spent."""
        token = secrets.token_urlsafe(32)
        if sign_on.current:
            sign_on.spent.append(sign_on.current)
        sign_on.current = _hash(token)
        self._save()
        return token

    def by_refresh(self, token: str) -> SignOn | None:
        """The session whose current refresh token this is. A spent token ends its session, and gives None."""
        found = self.of_refresh(token)
        if found is None or self.ended(found.sid):
            return None
        if found.current != _hash(token):
            self.end(found.sid)
            return None
        return found

    def of_refresh(self, token: str) -> SignOn | None:
        """The session this refresh token was ever issued in, without judging it."""
        mark = _hash(token)
        return next((s for s in self._alive.values() if s.current == mark or mark in s.spent), None)

    def _save(self) -> None:
        now = self._clock.real().timestamp()
        self._alive = {sid: kept for sid, kept in self._alive.items() if kept.expires > now}
        self._store.put("sessions", [asdict(kept) for kept in self._alive.values()])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
