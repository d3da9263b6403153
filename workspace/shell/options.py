"""What the start of the program is told. Plain data, light to import: the window is painted before anything else."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from workspace.settings import Settings

Progress = Callable[[float | None, str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """`locate` finds the platform and tells how it goes; `visit` plays the browser (sandbox only)."""

    profile: Path
    locate: Callable[[Progress], Awaitable[str]]
    visit: Callable[[str], Awaitable[None]] | None = None
    headless: bool = False
    report: Path | None = None
    screenshot: Path | None = None
    theme: str | None = None
    text_scale: int | None = None
    activity: str | None = None
    patient: str | None = None


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the desk needs made for it.

    `stages` gives what is to be imported behind the window, by name and in order: ``panels`` (its work returns what
    `ground` needs), ``http``, ``sign-on`` and ``work``. `ground` makes what panels stand on, before anybody has signed on;
    `sign_on` lets a person sign on, given (platform, browser); `open_shift` makes the rooms of one session from (options,
    settings, platform, what `sign_on` gave, ground); `deliver` sends what those who have left wrote here, given (options,
    settings, platform), until what it returns is closed. `away` gives who may work without the platform, from (options);
    `offline` opens one's work by PIN, given (options, the vault's id, the PIN): (platform, what `sign_on` gives)."""

    stages: Callable[[Options], list[tuple[str, Callable[[], Any]]]]
    ground: Callable[[Any], Awaitable[Any]]
    discover: Callable[[str], Awaitable[Any]]
    sign_on: Callable[[Any, Callable[[str], Any]], Awaitable[Any]]
    open_shift: Callable[[Options, Settings, Any, Any, Any], Awaitable[Any]]
    deliver: Callable[[Options, Settings, Any], Awaitable[Any]]
    away: Callable[[Options], Awaitable[list[Any]]]
    offline: Callable[[Options, str, str], Awaitable[tuple[Any, Any]]]
