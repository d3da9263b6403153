"""Somebody at work without the platform: known by a PIN on this workstation, signed on by nobody.

Stands where a `Session` stands. It gives no token, looks now and then whether the platform and the identity provider are
there again, and goes on as a real sign-on of the same person once there is one. Never signs anybody on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from workspace.problem import Problem
from workspace.signon.session import Session, SignedOut, State, Subject, require_same

LOOKS = 5.0
"""Seconds between two looks at whether anybody can sign on."""


class OfflineSession:
    """`away` makes the Problem that the record takes for a platform that does not answer; `look` raises a Problem while
    nobody can sign on. Its state is *offline*, or *expired* once somebody can: the same words and button as for a login
    that ran out. ``start()`` begins to look; close it as a `Session`."""

    def __init__(self, subject: Subject, *, away: Callable[[], Problem], look: Callable[[], Awaitable[object]]) -> None:
        self._subject, self._away, self._look = subject, away, look
        self._state: State = "offline"
        self._real: Session | None = None
        self._listeners: list[Callable[[State], None]] = []
        self._looking: asyncio.Task[None] | None = None
        self._forget: Callable[[], None] = lambda: None

    @property
    def subject(self) -> Subject:
        return self._real.subject if self._real is not None else self._subject

    @property
    def joined(self) -> bool:
        return self._real is not None

    @property
    def state(self) -> State:
        return self._real.state if self._real is not None else self._state

    @property
    def problem(self) -> Problem | None:
        return self._real.problem if self._real is not None else None

    def start(self) -> None:
        if self._looking is None:
            self._looking = asyncio.create_task(self._looks(), name="offline")

    def on_state(self, listener: Callable[[State], None]) -> Callable[[], None]:
        """Call `listener(state)` at every change, now too when it is not *signed-in*; the result undoes it."""
        self._listeners.append(listener)
        if self.state != "signed-in":
            listener(self.state)
        return lambda: self._listeners.remove(listener)

    async def access_token(self, *, force: bool = False) -> str:
        """Raises the Problem of a platform that is away, until there is a real sign-on."""
        if self._real is None:
            raise self._away()
        return await self._real.access_token(force=force)

    async def refresh(self, force: bool = False) -> None:
        if self._real is None:
            raise self._away()
        await self._real.refresh(force)

    async def rejoin(self, other: Session) -> None:
        """As `Session.rejoin`: go on with a sign-on of the same person. Raises Problem ``another-person``."""
        if self._real is not None:
            await self._real.rejoin(other)
            return
        await require_same(self._subject, other)
        await self._stop()
        self._real = other
        self._forget = other.on_state(self._enter)
        self._enter("signed-in")

    async def sign_out(self, open_browser: Callable[[str], None] | None = None) -> SignedOut:
        await self._stop()
        if self._real is not None:
            return await self._real.sign_out(open_browser)
        self._enter("signed-out")
        return SignedOut(False, False)

    async def aclose(self) -> None:
        await self._stop()
        self._forget()
        if self._real is not None:
            await self._real.aclose()

    async def _looks(self) -> None:
        while self._real is None:
            await asyncio.sleep(LOOKS)
            there = False
            with contextlib.suppress(Problem):
                await self._look()
                there = True
            if self._real is None:
                self._enter("expired" if there else "offline")

    def _enter(self, state: State) -> None:
        if self._real is None:
            if state == self._state:
                return
            self._state = state
        for listener in list(self._listeners):
            listener(state)

    async def _stop(self) -> None:
        task, self._looking = self._looking, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
