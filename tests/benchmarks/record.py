"""The shared record in figures, in one run: ``python tests/benchmarks/record.py --json``.

Needs nothing: it makes a home with a patient of 5,000 resources in a temporary folder and starts a platform of its own
(gateway and store in one process). Two kinds of figure:

* At the door (switch told, own change, other workstation, requests): the shell's own record, broker, outbox and feed, where
  six panels are six watching listeners. Nothing is drawn.
* On the screen (painted, former patient, memory): a whole shell in a process of its own, real panels in theirs, drawn off
  screen before a sandbox and told with real keys (``tests/journeys/driver.py``). *Former patient* counts the screens, of
  ``--switches``, that showed anything of another than the banner names: looked at in every turn of the loop on the way, and
  word by word at the end. *Memory* is the resident set of the shell and all its panels, after the last switch to after 50.
  The issue's own count is ``--switches 500``. ``--painted 0 --switches 0`` leaves both out.

Ratios are to plain httpx in the same run.
"""
# ruff: noqa: E402

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import httpx
from joserfc.jwk import RSAKey

from tests.benchmarks.patients import BIG, SMALL, figure, fill, one_fetch, tell
from tests.benchmarks.screens import shell
from tests.benchmarks.six import QUERIES
from tests.faults.platform_process import DAY
from tests.faults.shift import token_of
from tests.gateway.conftest import pulse
from workspace.broker import context
from workspace.broker.broker import Broker
from workspace.broker.door import Prefetch, Write
from workspace.broker.grant import Grant
from workspace.clock import OffsetClock, instant
from workspace.fhir.search import format_query, parse_query
from workspace.record import queries
from workspace.record.client import Asker, Client
from workspace.record.drafts import Drafts
from workspace.record.outbox import Outbox
from workspace.record.record import Record
from workspace.vault.vault import Vault

OVERLAPPING = (
    *QUERIES.values(),
    "Observation?category=vital-signs&_sort=-date",
    "Composition?_count=20&_sort=-date",
    "Condition?_count=100",
    "AllergyIntolerance?_count=50",
    "Observation?category=vital-signs&_count=20&_sort=-date",
    "Observation?code=8867-4&_sort=-date",
    "Observation?code=8867-4,9279-1&_sort=-date",
    "Composition?_count=5&_sort=-date",
)
SCOPES = ("patient/*.crus",)
BREATH = 0.03
"""Seconds between two changes: no panel may ask for more than fifty things a second, and this machine can be as quick."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--switches", type=int, default=60)
    parser.add_argument("--changes", type=int, default=60)
    parser.add_argument("--painted", type=int, default=6, help="switches in a whole shell")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tell(measure(Path(folder), options), as_json=options.json)
    return 0


def measure(folder, options):
    key = RSAKey.generate_key(2048, auto_kid=True)
    (folder / "keys.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
    asyncio.run(fill(folder))
    command = [sys.executable, "-m", "tests.faults.platform_process", "whole", str(folder), "0"]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        origin = f"http://127.0.0.1:{asyncio.run(until_up(folder / 'port', process))}"
        token = token_of(key)
        found = asyncio.run(switches(origin, token, options.runs))
        found |= asyncio.run(changes(origin, token, options.changes))
    finally:
        process.terminate()
        process.wait(10)
    return found | shell(folder, options.painted, options.switches)


async def until_up(file, process):
    """The port it answers on."""
    async with asyncio.timeout(60):
        while True:
            if process.poll() is not None:
                raise SystemExit(f"the platform ended with {process.returncode} before it answered")
            try:
                port = int(file.read_text())
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return port


# A workstation ----------------------------------------------------------------------------------------


class Counting(httpx.AsyncBaseTransport):
    """Every request for clinical data on the wire."""

    def __init__(self):
        self.inner = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=24, max_keepalive_connections=12))
        self.asked = []

    async def handle_async_request(self, request):
        if request.url.path.startswith("/fhir") and request.method == "GET":
            self.asked.append(str(request.url))
        return await self.inner.handle_async_request(request)

    async def aclose(self):
        await self.inner.aclose()


class Tokens:
    def __init__(self, token):
        self.token = token

    async def access_token(self, *, force=False):
        return self.token


class Pc:
    """Record, outbox and broker of one who is signed on; `panels` open six of them on a patient."""

    def __init__(self, origin, token):
        self.transport = Counting()
        where = SimpleNamespace(
            fhir=f"{origin}/fhir", changes=f"{origin}/changes", audit=f"{origin}/audit", time=f"{origin}/time"
        )
        self.client = Client(where, Tokens(token), self.transport)
        self.clock = OffsetClock(DAY, time.monotonic())

    async def __aenter__(self):
        vault = self.vault = await Vault.open(None, None, self.clock)
        who = "Practitioner/tone"
        self.record = Record(self.client, clock=self.clock, user=who)
        self.drafts = Drafts(vault, self.clock, tenant="311000101", user=who)
        self.outbox = Outbox(vault, self.client, self.clock, user=who, delivered=self.record.apply)
        self.broker = Broker(
            self.record, self.outbox, self.drafts, self.client, self.clock, user=who, tenant="311000101"
        )
        await self.record.start()
        await self.outbox.start()
        return self

    async def __aexit__(self, *_):
        await self.broker.close()
        await self.record.close()
        await self.outbox.close()
        await self.drafts.close()
        await self.client.aclose()
        await self.vault.close()

    def grants(self, patient):
        where = context.for_patient(f"Patient/{patient}")
        return {name: Grant(f"v.{name}", "1.0.0", "V", SCOPES, name, where) for name in QUERIES}

    async def switch(self, patient, told=lambda name, change: None):
        """Seconds until each of six panels on `patient` has its rows."""
        grants = self.grants(patient)
        waiting, done = set(QUERIES), asyncio.Event()

        def listener(name):
            def heard(change):
                told(name, change)
                if change.whole is not None:
                    waiting.discard(name)
                    if not waiting:
                        done.set()

            return heard

        began = time.perf_counter()
        ahead = asyncio.ensure_future(
            self.broker.prefetch([Prefetch(grants[name], text, name == "allergies") for name, text in QUERIES.items()])
        )
        for name, text in QUERIES.items():
            self.broker.watch(grants[name], text, listener(name))
        await done.wait()
        seconds = time.perf_counter() - began
        await ahead
        return seconds, grants["vitals"].context


# The figures ------------------------------------------------------------------------------------------


async def switches(origin, token, runs):
    """One patient opened, against plain httpx fetching and parsing the very same answers; and what went over the wire."""
    ours, plain, wire = [], [], []
    queries.IDLE = 0.0  # each switch is to somebody who was not open a moment ago
    async with Pc(origin, token) as pc:
        await pc.switch(SMALL)
        for _ in range(runs):
            gc.collect()
            pc.transport.asked.clear()
            seconds, where = await pc.switch(BIG)
            ours.append(seconds)
            urls = list(pc.transport.asked)
            pc.broker.end(where)
            plain.append(await one_fetch(origin, token, urls))
        asked = [text.replace("?", f"?patient=Patient/{BIG}&", 1) for text in OVERLAPPING]
        distinct = {format_query(parse_query(text)) for text in asked}
        for _ in range(3):
            pc.transport.asked.clear()
            where = context.new_token()
            await pc.record.prefetch([(text, Asker(("v.x@1",), where), False) for text in asked])
            pages = sum("_page=" in url for url in pc.transport.asked)
            wire.append(len(pc.transport.asked) / (len(distinct) + pages))
            pc.record.release(where)
    ratios = [one / other for one, other in zip(ours, plain, strict=True)]
    return {
        "switch_to_six_panels_told": figure(statistics.median(ratios), "x httpx", "<= 2.0", runs),
        "switch_seconds": figure(statistics.median(ours) * 1000, "ms", "-", runs),
        "requests_per_distinct_query": figure(statistics.median(wire), "ratio", "<= 1.0", len(wire)),
    }


async def changes(origin, token, many):
    """A value the record hears of until every watching panel has it; and one saved here until another workstation has it,
    from the press of the button."""
    here_, whole_, there_, trips = [], [], [], []
    async with Pc(origin, token) as pc, Pc(origin, token) as other:
        _, where = await pc.switch(BIG)
        grants = {name: Grant(f"v.{name}", "1.0.0", "V", SCOPES, name, where) for name in QUERIES}
        heard_here, heard_there = Heard(), Heard()
        for number in range(6):
            grant = Grant(f"v.w{number}", "1.0.0", "V", SCOPES, f"w{number}", where)
            pc.broker.watch(grant, QUERIES["vitals"], heard_here.listener(number))
        theirs = context.for_patient(f"Patient/{BIG}")
        other.broker.watch(Grant("v.w", "1.0.0", "V", SCOPES, "w", theirs), QUERIES["vitals"], heard_there.listener(0))
        async with asyncio.timeout(30):
            while len(heard_here.whole) < 6 or not heard_there.whole:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        changed = pc.record._queries.changed
        known = []

        def timed(batch):
            known.append(time.perf_counter())
            changed(batch)

        pc.record._queries.changed = timed  # what the record has heard of, from the answer or the feed
        for number in range(many):
            write = pulse(BIG, "tone", 60 + number % 30, effectiveDateTime=instant(pc.clock.now()))
            known.clear()
            heard_here.expect(6)
            heard_there.expect(1)
            began = time.perf_counter()
            receipt = await pc.broker.commit(grants["vitals"], [Write("create", write, f"urn:uuid:{uuid4()}")])
            assert receipt.state == "lagret", receipt.problem
            await heard_here.done.wait()
            here_.append(heard_here.last - known[0])
            whole_.append(heard_here.last - began)
            async with asyncio.timeout(10):
                await heard_there.done.wait()
            there_.append(heard_there.last - began)
            trips.append(await round_trip(pc.client))
            await asyncio.sleep(BREATH)
    p95 = statistics.quantiles(here_, n=20)[-1] * 1000
    trip = statistics.median(trips)
    away = statistics.median(there_)
    return {
        "own_change_to_six_panels_p95": figure(p95, "ms", "<= 16", many),
        "own_save_to_six_panels_p95": figure(statistics.quantiles(whole_, n=20)[-1] * 1000, "ms", "-", many),
        "other_workstation": figure(max(0.0, away - 0.1) / trip, "round trips", "<= 3 (+ 100 ms)", many),
        "other_workstation_ms": figure(away * 1000, "ms", "-", many),
    }


async def round_trip(client):
    began = time.perf_counter()
    await client.time()
    return time.perf_counter() - began


class Heard:
    """When the last of the listeners was told."""

    def __init__(self):
        self.whole, self.left, self.last, self.done = set(), 0, 0.0, asyncio.Event()

    def expect(self, many):
        self.left = many
        self.done.clear()

    def listener(self, number):
        def heard(change):
            if change.whole is not None:
                self.whole.add(number)
            if change.put:
                self.left -= 1
                self.last = time.perf_counter()
                if self.left <= 0:
                    self.done.set()

        return heard


if __name__ == "__main__":
    raise SystemExit(main())
