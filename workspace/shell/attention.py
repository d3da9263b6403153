"""What needs the user now, as one sentence on the status line and one thing to do about it.

Listens to the session, the platform's light, the outbox and the vault, and ranks what they say. Decides nothing and
fetches nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workspace.shell.status import Notice, StatusLine

SIGNED_OUT = "Innloggingen er utløpt. Det du skriver, blir tatt vare på her."
OFFLINE = "Du arbeider uten nett.{age} Det du skriver, venter trygt her."
BACK = "Plattformen svarer igjen. Logg inn, så sendes det som venter."
AWAY = "Journalplattformen svarer ikke{since}. Du kan lese det som er hentet, og skrive: det venter trygt her."
AWAY_IN_MEMORY = "Journalplattformen svarer ikke{since}. Det du skriver er bare i minnet: ikke lukk programmet."


class Attention:
    """One for each signed-in user. `sign_in` and `show_unsent` are what the buttons do; `close` ends all listening."""

    def __init__(self, line: StatusLine, *, sign_in: Callable[[], None], show_unsent: Callable[[], None]) -> None:
        self._line, self._sign_in, self._show_unsent = line, sign_in, show_unsent
        self._durable = True
        self._refused = self._waiting = 0
        self._state, self._age = "", ""
        self._joined: Callable[[], bool] = lambda: True
        self._away: Any = None
        self._ends: list[Callable[[], None]] = []
        line.savedAsked.connect(show_unsent)

    def follow(self, *, session: Any, record: Any, outbox: Any, vault: Any) -> None:
        """Begin to listen; each source is told about at once."""
        self._durable = bool(vault.durable)
        self._joined = lambda: bool(session.joined)
        self._ends.append(session.on_state(self.session))
        self._ends.append(record.on_service(self.platform))
        self._ends.append(outbox.on_change(lambda _item: self.outbox(outbox)))
        self._ends.append(outbox.on_marks(lambda: self._seen_to(outbox)))
        self.outbox(outbox)

    def close(self) -> None:
        for end in self._ends:
            end()
        self._ends.clear()
        self._line.savedAsked.disconnect(self._show_unsent)
        for key in ("session", "platform", "refused"):
            self._line.notice(key, None)

    def aged(self, words: str) -> None:
        """From when that is which is read without the platform, for who has not signed on."""
        self._age = f" Det du leser, ble hentet {words} eller senere." if words else ""
        self.session(self._state)

    def session(self, state: str) -> None:
        self._state = state
        if not self._joined() and state in ("offline", "expired"):
            back = state == "expired"
            self._line.set_light("Innlogging", "warn", "kan logge inn" if back else "uten nett")
            if back:
                self._line.set_light("Journalplattform", "warn", "svarer igjen")
            words = BACK if back else OFFLINE.format(age=self._age)
            self._line.notice("session", Notice(words, "warn", "Logg inn" if back else "", self._sign_in))
            return
        expired = state == "expired"
        self._line.set_light("Innlogging", "bad" if expired else "ok", "utløpt" if expired else "")
        notice = Notice(SIGNED_OUT, "bad", "Logg inn på nytt", self._sign_in) if expired else None
        self._line.notice("session", notice)

    def platform(self, state: Any) -> None:
        """`state` is a `record.rows.ServiceState`."""
        tone = {"ok": "ok", "treg": "warn", "ukjent": "warn"}.get(state.state, "bad")
        quiet = state.state == "ok" and getattr(state, "follows", "strøm") == "strøm"
        self._line.set_light("Journalplattform", tone, "" if quiet else state.text)
        if tone != "bad":
            self._line.notice("platform", None)
            return
        since = f" siden {state.since}" if getattr(state, "since", "") else ""
        words = (AWAY if self._durable else AWAY_IN_MEMORY).format(since=since)
        self._line.notice("platform", Notice(words, "warn" if self._durable else "bad"))

    def _seen_to(self, outbox: Any) -> None:
        """What the user has seen to, or has taken back, leaves the line; a write in its ordinary time is no news."""
        if len(outbox.refused()) < self._refused or outbox.unsent() < self._waiting:
            self.outbox(outbox)

    def outbox(self, outbox: Any) -> None:
        """Counts what the platform did not take; what merely waits stands quietly beside the lights."""
        refused = outbox.refused()
        self._refused = len(refused)
        waiting = self._waiting = outbox.unsent()
        rest = "Alt annet er lagret" if refused else "Alt er lagret"
        self._line.set_saved(f"{waiting} venter på plattformen" if waiting else rest)
        if not refused:
            self._line.notice("refused", None)
            return
        conflicts = sum(1 for one in refused if one.state == "konflikt")
        if conflicts == len(refused):
            words = (
                "En kollega har endret det samme som deg."
                if conflicts == 1
                else f"{conflicts} endringer er i konflikt."
            )
        else:
            words = "1 registrering ble ikke lagret." if len(refused) == 1 else f"{len(refused)} ble ikke lagret."
        self._line.notice("refused", Notice(words, "bad", "Se hva", self._show_unsent))
