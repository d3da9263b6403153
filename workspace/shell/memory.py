"""What a crash may leave of this process: nothing. A core file would hold every open patient in clear.

Children inherit it, so it holds for the panels too. Where the system has neither limit nor filter, it changes nothing.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

FILTER = Path("/proc/self/coredump_filter")


def keep_off_the_disk() -> None:
    """No core file, and no memory in what a crash collector of the system is handed instead (it heeds no limit)."""
    with contextlib.suppress(ImportError, OSError, ValueError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))
    with contextlib.suppress(OSError):
        FILTER.write_text("0")
