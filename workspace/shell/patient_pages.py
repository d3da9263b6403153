"""The pages of the patient: the activities that show one, each with its banner. What stands on one of them stands on all.

Shows what it is told; whose pages they are it does not know.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QRect

from workspace.layouts.document import Layout
from workspace.shell.banner import Banner, BannerText
from workspace.shell.window import ActivityPage, MainWindow

READABLE = 180
"""Pixels at 100 % that a sheet needs."""


class PatientPages:
    """`layout` says which activities they are; their pages are in `window` when anything is asked of them."""

    def __init__(self, window: MainWindow, layout: Layout) -> None:
        self._window = window
        self._ids = [one.id for one in layout.activities if one.context == "patient"]
        self._open_joined: Callable[[], object] | None = None

    def _all(self) -> list[ActivityPage]:
        return [self._window.page(one) for one in self._ids]

    def bring(self, current: str) -> None:
        """One of them in front, where the activity that is (`current`) is none."""
        if current not in self._ids and self._ids:
            self._window.go(self._ids[0])

    def say(self, text: BannerText) -> None:
        for banner in self.banners():
            banner.say(text)

    def say_joined(self, words: str, run: Callable[[], object] | None = None) -> None:
        """Above the panels: the record was joined with another, which `run` opens."""
        self._open_joined = run
        for page in self._all():
            page.say_joined(words)

    def ask_joined(self) -> None:
        if self._open_joined is not None:
            self._open_joined()

    def begin(self) -> None:
        """Another patient is shown from here: open, from the top, and told to screen readers."""
        for page in self._all():
            page.set_open(True)
            page.to_top()
        banner = self.banner()
        if banner is not None and banner.isVisible():
            banner.announce()

    # --- the banner ---

    def banners(self) -> list[Banner]:
        return [page.banner for page in self._all() if page.banner is not None]

    def banner(self) -> Banner | None:
        """The one on screen."""
        page = self._window.pages.currentWidget()
        return page.banner if isinstance(page, ActivityPage) else None

    def below_banner(self) -> QRect:
        """The window's part with the panels; with the banner where the panels alone are too low to read anything over."""
        page, banner = self._window.pages, self.banner()
        free = QRect(page.mapTo(self._window, page.rect().topLeft()), page.size())
        below = free.adjusted(0, banner.height() if banner is not None and banner.isVisible() else 0, 0, 0)
        return below if below.height() >= self._window.theme.px(READABLE) else free

    def watch_banner(self, watcher: QObject) -> None:
        """`watcher` filters the events of the banner on screen: what stands below it has another place when it grows."""
        banner = self.banner()
        if banner is not None:
            banner.installEventFilter(watcher)
