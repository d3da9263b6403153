"""Start-up: the window painted first, the loop after it. Nothing heavy is imported before that."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from workspace import settings as settings_room
from workspace.shell.options import Options, Rooms


def run(options: Options, rooms: Rooms) -> int:
    """Open the window and stay until it is closed (or, headless, until all is shown)."""
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

    from workspace.shell import loop
    from workspace.shell.desk import Desk

    async def main() -> int:
        return await Desk(options, known, rooms, window, shown_at=shown).work()

    return loop.run(application, main)


def dress(application: Any, name: str, text_scale: int) -> Any:
    """The theme by name, or the system's own choice of light and dark."""
    from PySide6.QtCore import Qt

    from workspace.shell import theme

    if name == "system":
        dark = application.styleHints().colorScheme() == Qt.ColorScheme.Dark
        name = "dark" if dark else "light"
    return theme.apply(application, theme.load(name), text_scale / 100)
