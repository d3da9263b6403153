"""The sandbox's folder: where its files are, who holds it, and how small files are written whole.

Light on purpose: whoever looks for a running sandbox imports this first. Never deletes data; what is damaged is set
aside under a new name.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace.problem import Problem


@dataclass(frozen=True)
class Running:
    """What `running.json` says: the origin, ``http://127.0.0.1:8650``, and the process that serves it."""

    url: str
    pid: int


class Folder:
    """The files of one sandbox (docs/seams.md, *Files*)."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.fhir = path / "fhir.sqlite"
        self.gateway = path / "gateway.sqlite"
        self.gateway_key = path / "gateway.key"
        self.identity = path / "identity.json"
        self.clock = path / "clock.json"
        self.seed = path / "seed.json"
        self.running = path / "running.json"
        self.stopped = path / "stopped.json"
        self.lock = path / "sandbox.lock"
        self.log = path / "sandbox.log"

    def make(self) -> None:
        """Make the folder, for its owner only. Raises Problem ``sandbox-folder``."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            usable = os.access(self.path, os.W_OK | os.X_OK)
        except OSError as error:
            raise self.unusable(str(error)) from error
        if not usable:
            raise self.unusable("not writable")

    def unusable(self, detail: str) -> Problem:
        return Problem(
            "sandbox-folder",
            f"Sandkassens mappe {self.path} kan ikke lages eller skrives i.",
            "Velg en annen mappe med --sandbox, eller rett tilgangen til denne.",
            detail,
        )

    def read_running(self) -> Running | None:
        """Who serves this folder, if the file says so; it may be a leftover: see `is_held`."""
        told = read_json(self.running)
        url, pid = told.get("url"), told.get("pid")
        return Running(url, pid) if isinstance(url, str) and isinstance(pid, int) else None

    def is_held(self) -> bool:
        """Whether a process holds this folder's lock at this moment."""
        try:
            handle = os.open(self.lock, os.O_RDWR)
        except OSError:
            return False
        try:
            return not _try_lock(handle)
        finally:
            os.close(handle)

    def set_aside(self, path: Path, stamp: str) -> Path | None:
        """Keep the file `path` under a new name; None when there is none. Raises OSError."""
        if not path.exists():
            return None
        aside = path.with_name(f"{path.name}.skadet-{stamp}")
        number = 1
        while aside.exists():
            number += 1
            aside = path.with_name(f"{path.name}.skadet-{stamp}-{number}")
        path.rename(aside)
        return aside


class Lock:
    """This process's hold on a folder; ends with the process at the latest."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    @classmethod
    def take(cls, folder: Folder) -> Lock | None:
        """Hold `folder` exclusively; None when another process does. Raises OSError."""
        handle = os.open(folder.lock, os.O_RDWR | os.O_CREAT, 0o600)
        if _try_lock(handle):
            return cls(handle)
        os.close(handle)
        return None

    def release(self) -> None:
        """Let go. May be called twice."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`; empty when there is none or it cannot be read."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write_json(path: Path, content: dict[str, Any], *, durable: bool = False) -> None:
    """Put `content` into `path`, whole or not at all; `durable` waits for the disk. Raises OSError."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _try_lock(handle: int) -> bool:
    """Whether the exclusive lock could be had; it goes when the handle is closed."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
