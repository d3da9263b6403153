"""Leaving with work that is not saved: what happens to it, in words, one press to go on and one to stay; and the courier
that works while nobody is signed in.

Shows and waits; what waits is the outbox's, and how it is sent the record's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from workspace.shell.chips import PlainButton
from workspace.shell.loop import Tasks
from workspace.shell.sheet import Sheet
from workspace.shell.theme import Theme

QUIET = 2.0
"""Seconds after which nobody seems to sign on at once: opening the work comes first."""


def words_of(goes: int, stays: int, refused: int, drafts: int = 0, *, durable: bool) -> str:
    """What becomes of what is not saved when its author signs out; empty when all is saved. `drafts`: those that neither the
    disk nor the platform has."""
    said = []
    waiting = goes + stays
    one = waiting == 1
    if waiting and not durable:
        said.append(f"{waiting} venter på plattformen og er bare i minnet: logger du ut nå, er det borte.")
    elif waiting:
        said.append(f"{waiting} venter på plattformen.")
        if not stays:
            said.append(
                f"{'Den' if one else 'De'} sendes fra denne maskinen når den svarer, også etter at du har logget ut."
            )
        elif not goes:
            said.append(f"{'Den er trygg' if one else 'De er trygge'} her, og sendes neste gang du logger inn her.")
        else:
            said.append(f"{goes} sendes fra denne maskinen når den svarer, også etter at du har logget ut.")
            said.append(f"{stays} sendes neste gang du logger inn her.")
    if refused:
        alone = refused == 1
        said.append(f"{refused} ble ikke lagret og må ses over.")
        if durable:
            said.append(f"{'Den' if alone else 'De'} ligger her til du gjør det.")
        else:
            said.append(
                f"{'Den' if alone else 'De'} er bare i minnet: logger du ut nå, er {'den' if alone else 'de'} borte."
            )
    if drafts:
        alone = drafts == 1
        said.append(f"{drafts} {'kladd' if alone else 'kladder'} er bare i minnet: logger du ut nå, er")
        said.append("den borte." if alone else "de borte.")
    return " ".join(said)


async def may_leave(theme: Theme, window: QWidget, outbox: Any, drafts: Any, *, durable: bool) -> bool:
    """Whether the user goes on with signing out; asked only when something is not saved."""
    at_risk = await drafts.at_risk()
    goes = len(outbox.deliverable())
    words = words_of(goes, outbox.unsent() - goes, len(outbox.refused()), at_risk, durable=durable)
    return not words or await _ask(theme, window, words)


async def _ask(theme: Theme, window: QWidget, words: str) -> bool:
    sheet = Sheet(theme, window, "Logge ut?", words)
    answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def settle(goes: bool) -> None:
        if not answer.done():
            answer.set_result(goes)

    leave, stay = PlainButton(theme, "Logg ut", primary=True), PlainButton(theme, "Bli her")
    leave.clicked.connect(lambda: settle(True))
    stay.clicked.connect(lambda: settle(False))
    sheet.closed.connect(lambda: settle(False))
    row = QHBoxLayout()
    row.addWidget(leave)
    row.addWidget(stay)
    row.addStretch(1)
    sheet.inside.addLayout(row)
    sheet.inside.addStretch(1)
    sheet.open()
    leave.setFocus(Qt.FocusReason.OtherFocusReason)
    try:
        return await answer
    finally:
        sheet.close_()
        sheet.deleteLater()


class Unattended:
    """`begin` once nobody is signed in, ``await end()`` before somebody is: both may be called at any time. `start` gives
    what is to be closed, or None."""

    def __init__(self, start: Callable[[], Awaitable[Any]], tasks: Tasks) -> None:
        self._start, self._tasks = start, tasks
        self._beginning: asyncio.Task[Any] | None = None
        self._working: Any = None

    def begin(self) -> None:
        if self._beginning is None:
            self._beginning = self._tasks.spawn(self._begin())

    async def end(self) -> None:
        beginning, self._beginning = self._beginning, None
        if beginning is not None:
            beginning.cancel()
            await asyncio.gather(beginning, return_exceptions=True)
        working, self._working = self._working, None
        if working is not None:
            await working.close()

    async def _begin(self) -> None:
        await asyncio.sleep(QUIET)
        starting = asyncio.ensure_future(self._start())
        try:
            self._working = await asyncio.shield(starting)
        except asyncio.CancelledError:
            # Opened half is worse than opened: what has begun is taken over, and closed.
            done = (await asyncio.gather(starting, return_exceptions=True))[0]
            self._working = None if isinstance(done, BaseException) else done
            raise
