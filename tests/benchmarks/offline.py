"""How soon a person sees that the platform is away: ``python tests/benchmarks/offline.py --json``.

Needs nothing: it starts a sandbox of its own and a whole shell before it (``tests/journeys/driver.py``), drawn off screen,
with a resident open. *Frozen*: the platform's process is stopped by a signal, so connections stay open and nothing is
answered. *Stopped*: the process is killed, so connections end and new ones are refused. Each from the signal until the
banner with its words is painted; and until it is gone again once the platform is back.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from tests.benchmarks.patients import figure, tell
from tests.journeys import away
from tests.journeys.conftest import Sandbox, Workstation

ARNE = "Arne Storspove"
STEP = 0.8
"""Seconds by which each run begins later in the beat of the feed: when a platform goes away is nobody's choice."""


def freeze(sandbox):
    sandbox.signal(signal.SIGSTOP)


def thaw(sandbox):
    sandbox.signal(signal.SIGCONT)


def kill(sandbox):
    sandbox.process.kill()
    sandbox.process.wait()


def start(sandbox):
    sandbox.start(sandbox.url.rpartition(":")[2])


def measure(nurse, sandbox, goes, comes, runs):
    """Seconds until the banner is painted, and until it is gone, in each of `runs`."""
    seen, gone = [], []
    for number in range(runs):
        time.sleep(1.0 + STEP * number)
        began = time.monotonic()
        goes(sandbox)
        nurse.until(lambda: nurse.did("notice")["words"], 30, "that the platform is away")
        seen.append(nurse.did("notice")["at"] - began)
        comes(sandbox)
        gone.append(away.seconds_until_gone(nurse, time.monotonic()))
    return seen, gone


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=4)
    options = parser.parse_args()
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        sandbox, nurse = Sandbox(Path(folder) / "sandbox", history=7), None
        try:
            sandbox.start()
            nurse = Workstation("tone", sandbox, Path(folder) / "profile")
            nurse.did("open_patient", name=ARNE)
            for name, goes, comes in (("frozen", freeze, thaw), ("stopped", kill, start)):
                seen, gone = measure(nurse, sandbox, goes, comes, options.runs)
                figures |= {
                    f"{name}_banner": figure(statistics.median(seen), "s", f"<= {away.AIM:.0f}", options.runs),
                    f"{name}_banner_longest": figure(max(seen), "s", f"<= {away.AIM:.0f}", options.runs),
                    f"{name}_banner_gone": figure(statistics.median(gone), "s", f"<= {away.BACK:.0f}", options.runs),
                }
            nurse.quit()
        finally:
            if nurse is not None:
                nurse.end()
            sandbox.end()
    tell(figures, as_json=options.json)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
