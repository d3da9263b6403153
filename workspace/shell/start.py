"""Start-up: the window painted first, the loop after it. Nothing heavy is imported before that."""

from __future__ import annotations

import gc
import os
import sys
import time
from importlib import import_module
from typing import Any

from workspace import settings as settings_room
from workspace.shell.memory import keep_off_the_disk
from workspace.shell.options import Options, Rooms


def run(options: Options, rooms: Rooms) -> int:
    """Open the window and stay until it is closed (or, headless, until all is shown)."""
    gc.disable()  # what is made now is here to stay: the collector is spared it until the start is over (`_settled`)
    try:
        return _run(options, rooms)
    finally:
        _settled()


def _run(options: Options, rooms: Rooms) -> int:
    if options.headless:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    keep_off_the_disk()
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
    # From here threads import while the window answers: they are to let go of the interpreter often.
    sys.setswitchinterval(SWITCH)
    from workspace.shell.stages import Stages

    stages = Stages([*rooms.stages(options), ("surface", _surface)])
    try:
        from workspace.shell import loop
        from workspace.shell.desk import Desk

        async def main() -> int:
            try:
                return await Desk(options, known, rooms, stages, window, shown_at=shown, settled=_settled).work()
            finally:
                stages.close()  # while there is a loop that what is imported last can be told to

        return loop.run(application, main)
    finally:
        stages.close()


SWITCH = 0.001
"""Seconds a thread may hold the interpreter when another waits; Python's own choice is five times that."""


def _surface() -> None:
    """The work surface and every component: not needed before somebody has signed on."""
    for name in ("workplace", "facts", "existing", "unsent", "pin"):
        import_module(f"workspace.shell.{name}")


def _settled() -> None:
    """The start is over: what stands is taken to be permanent, and the collector works on what comes after."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def dress(application: Any, name: str, text_scale: int) -> Any:
    """The theme by name, or the system's own choice of light and dark."""
    from PySide6.QtCore import Qt

    from workspace.shell import theme

    if name == "system":
        dark = application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        name = "dark" if dark else "light"
    return theme.apply(application, theme.load(name), text_scale / 100)
