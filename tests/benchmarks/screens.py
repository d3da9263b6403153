"""Switches of patient in a whole shell, with real panels and real keys: for ``record.py``, which says what is measured."""
# ruff: noqa: E402

from __future__ import annotations

import asyncio
import csv
import json
import statistics
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import psutil

from tests.benchmarks import six
from tests.benchmarks.patients import BIG, MANY, figure, one_fetch, put, records
from tests.faults.platform_process import DAY
from workspace.clock import OffsetClock
from workspace.sandbox.fhir import Store

EARLY = 50
"""Switches after which a shell has made all that it keeps."""
LOOKED = 1.5
"""Seconds that are spent on one patient before the next is opened, at the least."""
CHANGES = 40
ARNE = "Arne Storspove"


def shell(folder, painted, switches):
    """A whole shell, real panels and real keys, before a sandbox of its own; nothing is started when neither is wanted."""
    from tests.journeys.conftest import Sandbox

    if not painted and not switches:
        return {}
    sandbox = Sandbox(folder / "sandbox", history=7)
    try:
        sandbox.start()
        while not json.loads(sandbox.get("/health")[1])["history"]["complete"]:
            time.sleep(0.1)
        sandbox.end()
        asyncio.run(add(folder / "sandbox" / "fhir.sqlite"))
        sandbox.start()
        found = six_panels(folder, sandbox, painted) if painted else {}
        return found | own_panels(folder, sandbox, painted, switches)
    finally:
        sandbox.end()


def six_panels(folder, sandbox, painted):
    six.settle(folder / "plugins", folder / "layouts")
    more = ["--layouts", str(folder / "layouts"), "--cold"]
    with sat_down(sandbox, folder / "six", folder / "plugins", more) as nurse:
        return until_painted(nurse, sandbox, painted, "switch_to_six_panels_painted")


def own_panels(folder, sandbox, painted, switches):
    found = {}
    if painted:
        with sat_down(sandbox, folder / "own", more=["--cold"]) as nurse:
            found |= until_painted(nurse, sandbox, painted, "switch_to_own_panels_painted")
            found |= repainted(nurse)
    if switches:
        with sat_down(sandbox, folder / "profile") as nurse:
            found |= many(nurse, switches)
    return found


@contextmanager
def sat_down(sandbox, profile, plugins=None, more=()):
    """A nurse with the patient of 5,000 resources open."""
    from tests.journeys.conftest import Workstation

    nurse = Workstation("tone", sandbox, profile, plugins, more=more)
    try:
        nurse.did("open_patient", name=ARNE)
        nurse.did("stop_listening")
        yield nurse
        nurse.quit()
    finally:
        nurse.end()


def until_painted(nurse, sandbox, switches, name):
    """From Enter on the patient of 5,000 resources until every panel of the activity is painted whole, against plain httpx
    fetching and parsing the very same answers. Each time the nurse comes from another patient, whom she has looked at for a
    moment."""
    ours, plain = [], []
    for _ in range(switches):
        away(nurse)
        time.sleep(LOOKED)
        told = nurse.did("time_switch", name=ARNE)
        ours.append(told["ms"])
        time.sleep(LOOKED)  # the spares for the next patient are started now
        plain.append(1000 * asyncio.run(fetched(sandbox.url, told["asked"])))
    return {
        name: figure(statistics.median(ours) / statistics.median(plain), "x httpx", "<= 2.0", switches),
        f"{name}_ms": figure(statistics.median(ours), "ms", "-", switches),
    }


def away(nurse):
    """To others. Nothing is kept of who was left (`--cold`): each switch is to somebody who was not open a moment ago."""
    for name in residents()[:3]:
        nurse.did("switch_patient", name=name)


def repainted(nurse):
    """From an own change of a measurement until the last panel that shows it is painted, of an ordinary resident: who has
    five thousand resources has so many allergies that the newest values stand below what is seen."""
    nurse.did("switch_patient", name=residents()[0])
    time.sleep(LOOKED)
    told = [nurse.did("change") for _ in range(CHANGES)]
    assert all(len(one["panels"]) > 1 for one in told), told
    times = sorted(one["ms"] for one in told)
    p95 = times[int(0.95 * (len(times) - 1))]
    return {
        "own_change_repainted_p95": figure(p95, "ms", "<= 16", CHANGES),
        "own_change_repainted_median": figure(statistics.median(times), "ms", "-", CHANGES),
    }


def many(nurse, switches):
    """Resident after resident on one screen. Wrong is a screen on which, in any turn of the loop from Enter until all is
    drawn, a panel or the banner was another's than the one the banner names, or where in the end a panel has another's rows
    or any word names another. Memory is that of the shell and all its panels' processes, after the last and after 50."""
    names = residents()
    wrong, early, began = 0, 0, time.perf_counter()
    for number in range(switches):
        name = names[number % len(names)]
        told = nurse.did("switch_patient", name=name, seconds=30)
        wrong += bool(told["mixed"]) or another_stands(nurse.did("sample"), name, told["patient"], names)
        if number + 1 == EARLY:
            early = memory(nurse)
    seconds = time.perf_counter() - began
    late = memory(nurse)
    found = {
        "former_patient_shown": figure(wrong, "screens", "0", switches),
        "switch_in_a_row_ms": figure(seconds / switches * 1000, "ms", "-", switches),
        "memory_after_all": figure(late / 2**20, "MB", "-", switches),
    }
    if switches > EARLY:
        found["memory_after_all_per_after_50"] = figure(late / early, "ratio", "<= 1.05", switches)
    return found


def residents():
    """Whom the nurse of Havblikk goes between: those beside the patient of 5,000 resources."""
    with (ROOT / "resources" / "home" / "residents.csv").open(encoding="utf-8") as lines:
        rows = [row for row in csv.DictReader(lines) if row["unit"] == "havblikk" and row["id"] != BIG]
    return [f"{row['given']} {row['family']}" for row in rows[:6]]


def another_stands(sample, name, patient, names):
    """Whether anything on screen is somebody else's than `name`'s."""
    words = "\n".join(panel["words"] for panel in sample["panels"].values())
    return (
        name not in sample["banner"]
        or bool(sample["mixed"])
        or any(panel["patient"] != patient for panel in sample["panels"].values())
        or any(set(panel["subjects"]) - {patient, ""} for panel in sample["panels"].values())
        or any(other in words or other in sample["banner"] for other in names if other != name)
    )


def memory(nurse):
    """Bytes that the shell and its panels hold now."""
    return sum(psutil.Process(one["pid"]).memory_info().rss for one in nurse.did("pids").values())


async def add(file):
    store = Store(file, OffsetClock(DAY, time.monotonic()))
    await store.start()
    await put(store, records(BIG, *MANY))
    await store.close()


async def fetched(url, addresses):
    """Seconds in which httpx has and parses what stands at `addresses`."""
    from workspace.clock import SystemClock
    from workspace.sandbox import visitor
    from workspace.signon.login import login
    from workspace.signon.platform import discover_platform

    platform = await discover_platform(url)
    session = await login(
        platform, open_browser=lambda address: visitor.choose(address, "tone"), clock=SystemClock(), timeout=30
    )
    try:
        token = await session.access_token()
        return await one_fetch(url, token, addresses)
    finally:
        await session.sign_out()
