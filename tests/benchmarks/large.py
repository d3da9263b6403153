"""Whether a record of 50,000 resources stays smooth: ``python tests/benchmarks/large.py --json``.

A whole shell in a process of its own, real panels in theirs, before a sandbox whose resident has as many resources as
``--resources`` says (filled at first: that takes most of the time). Told is, against a resident of some hundred resources in
the same shell: the switch until all panels are painted, and the longest time that the shell did not answer, while switching
and while a set of vital signs is typed and saved.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.benchmarks.patients import BIG, MANY, figure, put, records, tell
from tests.benchmarks.screens import ARNE, away
from tests.faults.platform_process import DAY
from tests.journeys.conftest import Sandbox, Workstation
from workspace.clock import OffsetClock
from workspace.sandbox.fhir import Store

SMALL = "Einar Furukongle"


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--resources", type=int, default=50_000)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tell(measure(Path(folder), options), as_json=options.json)
    return 0


def measure(folder, options):
    sandbox, nurse = Sandbox(folder / "sandbox", history=7), None
    try:
        sandbox.start()
        while not json.loads(sandbox.get("/health")[1])["history"]["complete"]:
            time.sleep(0.1)
        sandbox.end()
        asyncio.run(fill(folder / "sandbox" / "fhir.sqlite", options.resources))
        sandbox.start()
        nurse = Workstation("tone", sandbox, folder / "profile")
        nurse.did("open_patient", name=ARNE)
        found = switching(nurse, options.runs) | saving(nurse, options.runs)
        nurse.quit()
        return found
    finally:
        if nurse is not None:
            nurse.end()
        sandbox.end()


async def fill(file, resources):
    """Measurements and notes of many years; diagnoses, drugs and allergies do not grow with the years in a home."""
    store = Store(file, OffsetClock(DAY, time.monotonic()))
    await store.start()
    vitals, labs, notes, *few = MANY
    times = (resources - sum(few)) / (vitals + labs + notes)
    await put(store, records(BIG, *(round(times * number) for number in (vitals, labs, notes)), *few))
    await store.close()


def switching(nurse, runs):
    large, small, blocks = [], [], []
    for _ in range(runs):
        away(nurse)
        small.append(nurse.did("switch_patient", name=SMALL)["all_ms"])
        nurse.did("longest_block", anew=True)
        large.append(nurse.did("switch_patient", name=ARNE, seconds=30)["all_ms"])
        blocks.append(nurse.did("longest_block")["ms"])
    ratios = [one / statistics.median(small) for one in large]
    return {
        "switch_per_small_resident": figure(statistics.median(ratios), "x", "<= 1.5", runs),
        "switch_ms": figure(statistics.median(large), "ms", "-", runs),
        "switch_longest_block": figure(max(blocks), "ms", "<= 50", runs),
    }


def saving(nurse, runs):
    blocks = []
    for number in range(runs):
        nurse.did("longest_block", anew=True)
        nurse.did("type", bind="text", text=f"Ro på rommet, natt {number}", instance="note")
        nurse.did("press", text="Signer", instance="note")
        nurse.until(lambda: not nurse.did("values", instance="note")["values"].get("text"), 20, "that it is saved")
        nurse.until(lambda: "Alt er lagret" in nurse.did("status")["words"], 20, "that all is saved")
        blocks.append(nurse.did("longest_block")["ms"])
    return {"type_and_save_longest_block": figure(max(blocks), "ms", "<= 50", runs)}


if __name__ == "__main__":
    raise SystemExit(main())
