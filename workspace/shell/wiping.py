"""Deleting what was copied to this machine: asked for with Ctrl+K, or ordered by the platform, and said on the status line.

Asks once and says what goes and what stays. Deletes nothing itself: the record's copies do, and unsent work is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from workspace.problem import Problem
from workspace.shell.chips import PlainButton
from workspace.shell.sheet import Sheet
from workspace.shell.status import Notice
from workspace.shell.window import MainWindow

TITLE = "Slett det som er kopiert til denne maskinen"
GOES = (
    "Slettes, for alle som bruker denne maskinen: kopiene som gjør avdelingen lesbar når plattformen er borte, PIN-er for å"
    " arbeide uten nett, og lageret til hver som ikke har noe usendt (ditt når du logger ut)."
)
STAYS = (
    "Slettes ikke: det som venter på plattformen, det den ikke tok imot, og kladder. Ingenting på plattformen slettes."
)
AFTER = "Det kopieres ikke på nytt før neste innlogging: blir plattformen borte, kan du bare lese det du har oppe."


LONGEST = 60


class Wiping:
    """One for each shift. `offline` are the copies, `orders` the platform's, `after` is called when something was deleted;
    `close` ends the listening."""

    title = TITLE

    def __init__(self, window: MainWindow, offline: Any, orders: Any, after: Callable[[], None]) -> None:
        self._window, self._offline, self._after = window, offline, after
        self._sheet: Sheet | None = None
        self._off = orders.on_wiped(self._ordered) if orders is not None else lambda: None

    def close(self) -> None:
        self._off()
        if self._sheet is not None:
            self._sheet.close_()
        self._window.status.notice("wiped", None)

    async def ask(self) -> bool:
        """Ask, and delete when the user says so. Whether it was done. Raises Problem."""
        if self._sheet is not None or not await self._meant():
            return False
        try:
            count = await self._offline.wipe()
        except Problem:
            self._after()  # what could go has gone
            raise
        self._say(f"Det som var kopiert til denne maskinen, er slettet ({_counted(count)}).")
        return True

    async def _meant(self) -> bool:
        sheet = self._sheet = Sheet(self._window.theme, self._window, TITLE, GOES)
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

        def answered(meant: bool) -> None:
            if not answer.done():
                answer.set_result(meant)

        button = PlainButton(sheet.theme, "Slett kopiene", primary=True)
        button.clicked.connect(lambda: answered(True))
        sheet.closed.connect(lambda: answered(False))
        for words in (STAYS, AFTER):
            sheet.inside.addWidget(sheet.label(words))
        sheet.inside.addWidget(button)
        sheet.inside.addStretch(1)
        sheet.open()
        sheet.shut.setFocus()  # Enter alone must not delete
        try:
            return await answer
        finally:
            self._sheet = None
            sheet.close_()
            sheet.deleteLater()

    def _ordered(self, reason: str, count: int) -> None:
        done = f"Etter ordre fra plattformen er kopiene på denne maskinen slettet ({_counted(count)})."
        self._say(f"{done} Grunn: {_short(reason)}")

    def _say(self, words: str) -> None:
        self._after()
        line = self._window.status
        line.notice("wiped", Notice(words, "warn", "Lukk", lambda: line.notice("wiped", None)))


def _short(reason: str) -> str:
    """The line has one row."""
    return reason if len(reason) <= LONGEST else f"{reason[: LONGEST - 1].rstrip()}…"


def _counted(count: int) -> str:
    return "1 kopi" if count == 1 else f"{count} kopier"
