"""Wires the rooms together: the only place that knows them all.

The window is painted first; everything else is imported, found and fetched behind it. Never knows which of a part's
embeddings it has (DESIGN §2): it is given an address.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace import settings as settings_room

if TYPE_CHECKING:
    from workspace.shell.theme import Theme

log = logging.getLogger(__name__)
Progress = Callable[[float | None, str], None]
STARTED = time.perf_counter()
HEADLESS_SECONDS = 60.0


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


def process_started() -> float:
    """perf_counter at the start of this process, from the system where it tells."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        import os

        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return time.perf_counter() - (uptime - ticks / os.sysconf("SC_CLK_TCK"))
    except (OSError, ValueError, IndexError):
        return STARTED


def run(options: Options) -> int:
    """Open the window and stay until it is closed (or, headless, until all is shown)."""
    import os

    if options.headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtWidgets import QApplication

    known = settings_room.load(options.profile)
    application = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(application, QApplication)
    application.setApplicationName("Klinisk arbeidsflate")
    application.setQuitOnLastWindowClosed(False)
    theme = dress(application, options.theme or known.theme, options.text_scale or known.text_scale)
    from workspace.shell.window import MainWindow

    window = MainWindow(theme)
    window.show()
    application.processEvents()
    shown = time.perf_counter()

    from workspace.desk import Desk
    from workspace.shell import loop

    async def main() -> int:
        desk = Desk(options, known, window, shown_at=shown)
        return await desk.work()

    return loop.run(application, main)


def dress(application: Any, name: str, text_scale: int) -> Theme:
    """The theme by name, or the system's own choice of light and dark."""
    from PySide6.QtCore import Qt

    from workspace.shell import theme

    if name == "system":
        dark = application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        name = "dark" if dark else "light"
    return theme.apply(application, theme.load(name), text_scale / 100)


def doctor(profile: Path, *, as_json: bool) -> int:
    """What works here, in words or as JSON. Returns 1 when something that is needed does not."""
    import platform

    from PySide6 import __version__ as qt_version

    from workspace.panels import confinement
    from workspace.vault import keys

    tier = confinement.probe()
    rows = {
        "python": platform.python_version(),
        "pyside6": qt_version,
        "confinement": str(getattr(tier, "name", tier)),
        "keyring": type(ring).__module__ if (ring := keys.safe_keyring()) is not None else "ingen trygg nøkkelring",
        "profile": "kan skrives" if _writable(profile) else "kan ikke skrives",
    }
    if as_json:
        sys.stdout.write(json.dumps(rows, ensure_ascii=False) + "\n")
    else:
        for name, value in rows.items():
            sys.stdout.write(f"{name:12} {value}\n")
    return 0 if rows["profile"] == "kan skrives" else 1


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True
