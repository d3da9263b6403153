"""What went wrong with panels: who crashed how often, when one may start again, who is switched off, and reports.

Kept by package and user, over restarts of the shell when it is given a folder. Never holds patient data: a vendor's log may,
so it is scrubbed, shown to the user first, and stays out unless the user agrees.
"""

from __future__ import annotations

import logging
import os
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from workspace.clock import Clock, instant
from workspace.panels.manifest import Package

log = logging.getLogger(__name__)

Fault = Literal[
    "", "crash", "hang", "flood", "leak", "cpu", "processes", "unreadable", "stray", "slow-start", "mute", "unfit"
]
"""How a panel failed. `mute` never answered `open`; `unfit` drew what cannot be shown; the rest speak for themselves."""

BACKOFF = (0.0, 1.0, 5.0, 30.0)
"""Seconds before a panel starts again by itself: after its first crash within an hour, its second, and so on."""
CRASHES, WITHIN, REMEMBERED = 3, 600.0, 3600.0
FILE = "panels.json"
LOG_FILE, LOG_SIZE = "panels.log", 256 << 10
"""The administrator's log beside it: a JSON object a line; the one before is kept as ``panels.log.1``."""
LOG_LINES = 40


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a crash: switched off, or started again in `again_in` seconds."""

    disabled: bool
    again_in: float


class _Known(msgspec.Struct, omit_defaults=True):
    """One package of one user: real times of crashes (seconds since 1970) and whether it is off, and in which version."""

    version: str
    times: list[float] = []
    disabled: bool = False


Trouble = Callable[[str, str, str, bool], None]
"""``(package, version, reason, disabled)``; no patient data."""


class Crashes:
    """The count for one user (``Practitioner/<id>``), in memory until `keep_in` names a folder."""

    def __init__(self, clock: Clock, user: str) -> None:
        self._clock, self._user = clock, user
        self._file: Path | None = None
        self._all: dict[str, dict[str, _Known]] = {user: {}}
        self._listeners: list[Trouble] = []

    def keep_in(self, folder: Path) -> None:
        """Remember in `folder`, and recall what was there. A broken file is begun anew, and logged."""
        self._file = folder / FILE
        try:
            read = msgspec.json.decode(self._file.read_bytes(), type=dict[str, dict[str, _Known]])
        except FileNotFoundError:
            return
        except (OSError, msgspec.DecodeError, RecursionError) as error:
            log.warning("%s cannot be read and is begun anew: %s", FILE, error)
            return
        self._all = {**read, self._user: {**read.get(self._user, {}), **self._mine}}

    def listen(self, listener: Trouble) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    @property
    def _mine(self) -> dict[str, _Known]:
        return self._all.setdefault(self._user, {})

    def crashed(self, package: Package, reason: str) -> Verdict:
        """Count it, tell the listeners, and say what follows."""
        now = self._clock.real().timestamp()
        known = self._mine.get(package.id)
        if known is None or known.version != package.version:
            known = self._mine[package.id] = _Known(package.version)
        # A clock set back must not keep a panel off for ever.
        known.times = [at for at in known.times if 0 <= now - at <= REMEMBERED] + [now]
        known.disabled = known.disabled or sum(now - at <= WITHIN for at in known.times) >= CRASHES
        self._save()
        self.noticed(package, reason, known.disabled)
        for listener in list(self._listeners):
            listener(package.id, package.version, reason, known.disabled)
        return Verdict(known.disabled, BACKOFF[min(len(known.times), len(BACKOFF)) - 1])

    def noticed(self, package: Package, reason: str, disabled: bool = False) -> None:
        """Into the administrator's log: a crash, or something that is none, such as a panel that hangs."""
        off = "; it is now switched off for this user" if disabled else ""
        log.warning("panel %s@%s of %s: %s%s", package.id, package.version, package.vendor, reason, off)
        if self._file is not None:
            self._tell_administrator(self._file.with_name(LOG_FILE), package, reason, disabled)

    def _tell_administrator(self, path: Path, package: Package, reason: str, disabled: bool) -> None:
        told = {
            "at": instant(self._clock.real()), "user": self._user, "package": package.id, "version": package.version,
            "vendor": package.vendor, "reason": reason, "disabled": disabled,
        }  # fmt: skip
        try:
            if path.exists() and path.stat().st_size > LOG_SIZE:
                os.replace(path, path.with_name(LOG_FILE + ".1"))
            with path.open("ab") as file:
                file.write(msgspec.json.encode(told) + b"\n")
        except OSError as error:
            log.warning("%s cannot be written: %s", LOG_FILE, error)

    def disabled(self, package: Package) -> bool:
        """Whether this version is off for this user; a new version is given a new chance."""
        known = self._mine.get(package.id)
        return known is not None and known.disabled and known.version == package.version

    def count(self, package_id: str) -> int:
        """Crashes in the last hour."""
        now = self._clock.real().timestamp()
        known = self._mine.get(package_id)
        return sum(0 <= now - at <= REMEMBERED for at in known.times) if known is not None else 0

    def enable(self, package_id: str) -> None:
        """The administrator lifts the ban; the count begins anew."""
        if self._mine.pop(package_id, None) is not None:
            self._save()

    def _save(self) -> None:
        if self._file is None:
            return
        draft = self._file.with_name(FILE + ".new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(msgspec.json.format(msgspec.json.encode(self._all), indent=1) + b"\n")
            os.replace(draft, self._file)
        except OSError as error:
            log.warning("%s cannot be written: %s", FILE, error)


# --- reports ------------------------------------------------------------------------------------------------

_HIDDEN = (
    (re.compile(r"\b[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}"), "‹ressurs›"),
    (re.compile(r"«[^»\n]*»|\"[^\"\n]*\"|'[^'\n]*'"), "‹tekst›"),
    (re.compile(r"\S+@\S+"), "‹adresse›"),
    (re.compile(r"\d[\d .:/\-+]{2,}\d|\d{3,}"), "‹tall›"),
)


def scrubbed(text: str) -> str:
    """The last lines of a vendor's log without references, quoted words, addresses and long numbers. It may still hold a
    name: that is for the user to see before it is added to anything."""
    lines = text.strip().splitlines()[-LOG_LINES:]
    for pattern, instead in _HIDDEN:
        lines = [pattern.sub(instead, line) for line in lines]
    return "\n".join(line[:300] for line in lines)


def report(
    folder: Path, clock: Clock, package: Package, *, fault: str, reason: str, tier: str, log_tail: str = ""
) -> Path:
    """Write what the vendor needs to `folder`: package, version, what happened, where. `log_tail` only when the user has
    seen it and agreed. Raises OSError."""
    at = instant(clock.real())
    told = {
        "package": package.id, "name": package.name, "vendor": package.vendor, "version": package.version,
        "protocol": package.protocol, "fault": fault, "reason": reason, "at": at, "confinement": tier,
        "system": f"{platform.system()} {platform.release()}", "python": platform.python_version(),
        "log": log_tail, "log_included": bool(log_tail),
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    stamp = re.sub(r"[^0-9T]", "", at.partition("+")[0])
    path = folder / f"{package.id}-{stamp}.json"
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1) + b"\n")
    return path
