"""The banner that says that the platform is away: when a person could see it, and whether it says what works."""

from __future__ import annotations

import re
import time

AIM = 5.0
"""Seconds; measured by ``tests/benchmarks/offline.py`` and printed by the tests, which assert `MOST`."""
BACK = 3.0
"""Seconds from the platform's first answer until it is gone; measured there too, held by ``tests/faults/test_feed.py``."""
MOST = 10.0
SAYS = (
    r"Journalplattformen svarer ikke siden \d\d:\d\d\.",  # how old what is on the screen may be
    r"Du kan lese det som er hentet",
    r"og skrive: det venter trygt her",
)


def seconds_until_seen(nurse, since):
    """From `since` (``time.monotonic()``) until the banner was painted, whole; the test fails after `MOST` seconds."""
    nurse.until(lambda: nurse.did("notice")["words"], max(0.1, since + MOST - time.monotonic()), "that it is away")
    seen = nurse.did("notice")
    assert [one for one in SAYS if not re.search(one, seen["words"])] == [], seen
    assert seen["whole"], "no word of it is cut off"
    took = seen["at"] - since
    assert 0 < took < MOST
    print(f"the banner stood after {took:.1f} s (aim {AIM:.0f})")
    return took


def seconds_until_gone(nurse, since):
    """From `since` until it is gone again, the platform being there."""
    nurse.until(lambda: not nurse.did("notice")["words"], 2 * MOST, "that it is back")
    return time.monotonic() - since
