"""A shift of randomised writes during which networks fail and processes are killed; afterwards the books are balanced.

One seed decides what is written, which fault meets which request, and who dies where. What the store has in the end is
compared with what the writer was told: nothing it called *venter* or *lagret* may be missing, nothing may be there twice.
After each death, what was typed is in a draft or in an item: never in both, never in neither. In the end no draft of what
was written is left on the platform, whatever became of its own way there.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count as counting
from itertools import pairwise
from pathlib import Path
from uuid import UUID

import httpx
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.faults.mortal import POINTS
from tests.faults.platform_process import ISSUER
from tests.faults.proxy import AFTER, BEFORE, FaultProxy
from tests.gateway.conftest import home, pulse

ROOT = Path(__file__).parents[2]
TRANSACTION = "urn:workspace:transaction"
FAULTS = [fault for fault in (*BEFORE, *AFTER, "delay") if fault != "half-close"] + ["half-close"]


@dataclass
class Written:
    """One transaction as the writer knows it. `notes` are the texts it adds to resources that exist, by ``Type/id``."""

    id: str
    creates: int
    notes: dict[str, str] = field(default_factory=dict)
    drafted: bool = False
    acknowledged: bool = False
    state: str = ""


@dataclass
class Balance:
    seed: int
    writes: int
    acknowledged: int
    kills: Counter
    faults: Counter
    lost: list[str]
    doubled: list[str]
    false_saved: list[str]
    refused: list[str]
    undone: list[str]
    both: list[str]
    neither: list[str]
    ghosts: list[str]
    seconds: float

    @property
    def good(self) -> bool:
        wrong = (self.lost, self.doubled, self.false_saved, self.refused, self.undone, self.both, self.neither)
        return not any((*wrong, self.ghosts))

    def text(self) -> str:
        return (
            f"seed {self.seed}: {self.writes} writes, {self.acknowledged} acknowledged, "
            f"{sum(self.kills.values())} kills {dict(sorted(self.kills.items()))}, "
            f"{sum(self.faults.values())} faults {dict(sorted(self.faults.items()))}: "
            f"{len(self.lost)} lost, {len(self.doubled)} doubled, {len(self.false_saved)} falsely called lagret, "
            f"{len(self.refused)} refused, {len(self.undone)} changes undone, "
            f"{len(self.both)} in a draft too, {len(self.neither)} nowhere, "
            f"{len(self.ghosts)} as drafts on the platform; {self.seconds:.0f} s"
        )


class Process:
    """One of the three; started again as often as it dies."""

    module = ""
    """Another program than the role's own."""

    def __init__(self, role, folder, *arguments):
        self.role, self.folder, self.arguments = role, folder, arguments
        self.process = None

    async def start(self):
        module = self.module or ("writer_process" if self.role == "writer" else "platform_process")
        first = () if self.role == "writer" else (self.role,)
        command = [sys.executable, "-m", f"tests.faults.{module}", *first, str(self.folder), *self.arguments]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if self.role == "writer" else {}
        with (self.folder / f"{self.role}.log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                *command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stderr=log, limit=1 << 22, **pipes
            )

    @property
    def dead(self):
        return self.process is None or self.process.returncode is not None

    async def kill(self):
        if not self.dead:
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            await self.process.wait()


class Shift:
    def __init__(self, folder: Path, seed: int, writes: int, kills: int) -> None:
        self.folder, self.seed, self.writes, self.kills = folder, seed, writes, kills
        self.dice = random.Random(seed)
        self.network = random.Random(seed + 1)  # its own: requests come in no fixed order
        self.ledger: dict[str, Written] = {}
        self.own: dict[str, dict] = {}  # newest acknowledged version of each resource we made
        self.touched: set[str] = set()
        self.killed: Counter = Counter()
        self.faults: Counter = Counter()
        self.refusals: dict[str, str] = {}
        self.heard: list[dict] = []
        """What the writer said, in its order, with the time: for a run whose books do not balance."""
        self.both: set[str] = set()
        self.drafts: set[str] = set()
        """Those that a writer found when it started."""
        self.calm = False
        self.numbers = counting()
        self._answers: asyncio.Queue = asyncio.Queue()
        self._reading = None

    # The three processes --------------------------------------------------------------------------

    async def run(self) -> Balance:
        began = time.monotonic()
        key = RSAKey.generate_key(2048, auto_kid=True)
        (self.folder / "keys.json").write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        store_port, gateway_port = free_port(), free_port()
        self.store_url = f"http://127.0.0.1:{store_port}"
        store = Process("store", self.folder, str(store_port))
        gateway = Process("gateway", self.folder, str(gateway_port), self.store_url)
        async with FaultProxy("127.0.0.1", gateway_port, self.choose, delay=0.1) as proxy:
            self.gateway_url, self.token = f"http://127.0.0.1:{gateway_port}", token_of(key)
            writer = Process("writer", self.folder, proxy.url, self.token)
            self.processes = {"store": store, "gateway": gateway, "writer": writer}
            try:
                await asyncio.gather(*(each.start() for each in self.processes.values()))
                await self.until_up(store_port)
                await self.seed_home()
                await self.until_up(gateway_port)
                await self.listen()
                await self.work()
                await self.settle()
                return await self.balance(time.monotonic() - began)
            finally:
                if self._reading:
                    self._reading.cancel()
                    await asyncio.gather(self._reading, return_exceptions=True)
                for each in self.processes.values():
                    await each.kill()
                    if each.process and each.process.stdin:
                        each.process.stdin.close()

    def choose(self, request):
        if not self.calm and request.method == "PUT" and self.network.random() < 0.4:
            fault = self.network.choice([*FAULTS, "late"])
            self.faults[f"{fault} of a draft"] += 1
            return fault
        if self.calm or request.method != "POST" or request.path != "/fhir" or self.network.random() > 0.3:
            return ""
        fault = self.network.choice(FAULTS)
        self.faults[fault] += 1
        return fault

    async def until_up(self, port):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.03)
            else:
                writer.close()
                return
        raise AssertionError(f"nothing listens on {port}")

    async def seed_home(self):
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in home()
        ]
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
            assert (await http.post(f"{self.store_url}/fhir", json=body)).status_code == 200

    async def listen(self):
        """Hear the writer that lives now, until it dies; returns when it is ready."""
        if self._reading:
            await self._reading
        self._ready = asyncio.Event()
        self._reading = asyncio.create_task(self._hear(self.processes["writer"].process))
        async with asyncio.timeout(60):
            await self._ready.wait()

    async def _hear(self, process):
        while line := await process.stdout.readline():
            if not line.endswith(b"\n"):
                return  # it died in the middle of a word
            said = json.loads(line)
            self.heard.append({"at": time.time(), **said})
            if said.get("ready"):
                self._ready.set()
            elif "drafts" in said:
                self._started(said)
            elif "kept" in said:
                self.ledger[said["kept"]].drafted = True
            elif "unsent" in said:
                self._answers.put_nowait(said["unsent"])
            elif "told" in said:
                self._told(said)
            elif "state" in said:
                self.ledger[said["id"]].acknowledged = True
        await process.wait()

    def _started(self, said):
        """What the vault holds after a death: of each, a draft or an item."""
        self.drafts = set(said["drafts"])
        told = {own for own, one in self.ledger.items() if one.acknowledged}
        self.both |= self.drafts & (set(said["items"]) | told)

    def _told(self, said):
        one = self.ledger[said["told"]]
        one.state, one.acknowledged = said["state"], True
        if said["state"] in ("avvist", "konflikt"):
            self.refusals[one.id] = f"{said['state']}: {said['problem']}"
        for resource in said["resources"]:
            if resource and resource["resourceType"] == "Observation":
                name = f"Observation/{resource['id']}"
                self.own[name] = resource

    # The work -------------------------------------------------------------------------------------

    async def work(self):
        deaths = sorted(self.dice.sample(range(2, self.writes), min(self.kills, self.writes - 2)))
        spare = self.kills - len(deaths)
        for number in range(self.writes):
            await self.order(self.write(number))
            while deaths and deaths[0] == number:
                deaths.pop(0)
                await self.die()
            if self.dice.random() < 0.4:
                await asyncio.sleep(self.dice.random() * 0.05)
        for _ in range(spare):
            await self.die()

    def uuid(self):
        return str(UUID(int=self.dice.getrandbits(128), version=4))

    def write(self, number):
        """A create, a set of two, an update of something of ours, or a create with one that names it."""
        kind = self.dice.choice(["one", "two", "update", "update", "named"])
        first = self.uuid()
        if kind == "update" and self.own:
            name = self.dice.choice(sorted(self.own))
            there, text = self.own[name], f"nr {number}.{next(self.numbers)}"
            changed = {**there, "note": [*there.get("note", []), {"text": text}]}
            match = f'W/"{there["meta"]["versionId"]}"'
            entry = {"fullUrl": name, "resource": changed, "request": {"method": "PUT", "url": name, "ifMatch": match}}
            self.ledger[first] = Written(first, 0, {name: text})
            return [{"id": first, "bundle": transaction([entry]), "bases": {name: there}}]
        entries = [self.create(number) for _ in range(2 if kind == "two" else 1)]
        self.ledger[first] = Written(first, len(entries))
        orders = [{"id": first, "bundle": transaction(entries)}]
        if kind == "named":
            second = self.uuid()
            self.ledger[second] = Written(second, 1)
            more = {"derivedFrom": [{"reference": entries[0]["fullUrl"]}]}
            orders.append({"id": second, "bundle": transaction([self.create(number, **more)])})
        return orders

    def create(self, number, **more):
        resource = pulse("BEB-18", value=40 + number % 100, **more)
        return {
            "fullUrl": f"urn:uuid:{self.uuid()}",
            "resource": resource,
            "request": {"method": "POST", "url": "Observation"},
        }

    async def order(self, orders):
        await self.revive()
        writer = self.processes["writer"].process
        with suppress(OSError):
            writer.stdin.write(json.dumps({"bundles": orders}).encode() + b"\n")
            await writer.stdin.drain()

    # Death ----------------------------------------------------------------------------------------

    async def die(self):
        """Kill one of the three: at a named step of a write, or at any moment."""
        role = self.dice.choice(["writer", "writer", "gateway", "store"])
        point = self.dice.choice([*POINTS[role], "anytime"])
        self.killed[f"{role} {point}"] += 1
        process = self.processes[role]
        if point != "anytime":
            (self.folder / f"{role}.die").write_text(point)
            with suppress(TimeoutError):
                async with asyncio.timeout(1.5):
                    await self.order(self.write(self.dice.randrange(10_000, 20_000)))
                    await process.process.wait()
            (self.folder / f"{role}.die").unlink(missing_ok=True)
        await process.kill()
        await self.revive()

    async def revive(self):
        for role, process in self.processes.items():
            if process.dead:
                if role == "writer" and process.process and process.process.stdin:
                    process.process.stdin.close()
                await process.start()
                if role == "writer":
                    await self.listen()

    async def settle(self):
        """All that waits must come through: over the bad network, and in the end over a calm one."""
        began = time.monotonic()
        while time.monotonic() < began + 300 + self.writes / 2:
            self.calm = time.monotonic() > began + 10 + self.writes / 4
            await self.revive()
            writer = self.processes["writer"].process
            with suppress(OSError, TimeoutError):
                writer.stdin.write(b'{"unsent": true}\n')
                await writer.stdin.drain()
                async with asyncio.timeout(10):
                    if await self._answers.get() == 0:
                        return
            await asyncio.sleep(0.1)

    # The books ------------------------------------------------------------------------------------

    async def balance(self, seconds) -> Balance:
        """A create is found by its transaction's tag; an update by the version that brought its text: one that was joined
        with somebody else's change goes out under another key, and its tag says so."""
        found: Counter = Counter()
        notes: dict[str, list[str]] = {}
        updates: Counter = Counter()
        async with httpx.AsyncClient(trust_env=False, timeout=60) as http:
            for each in await rows(http, f"{self.store_url}/fhir/Observation?patient=Patient/BEB-18&_count=1000"):
                name = f"Observation/{each['id']}"
                notes[name] = texts(each)
                history = await rows(http, f"{self.store_url}/fhir/{name}/_history?_count=1000")
                history.sort(key=lambda version: int(version["meta"]["versionId"]))
                assert [version["meta"]["versionId"] for version in history] == [
                    str(n + 1) for n in range(len(history))
                ]
                found[tag(history[0])] += 1
                for former, version in pairwise(history):
                    for text in (Counter(texts(version)) - Counter(texts(former))).elements():
                        updates[name, text] += 1
            drafts = await self.drafted(http)
        lost, doubled, false, undone, neither = [], [], [], [], []
        ghosts = sorted(drafts & {one.id for one in self.ledger.values() if one.state == "lagret"})
        for one in self.ledger.values():
            written = {(name, text): updates[name, text] for name, text in one.notes.items()}
            there = found[one.id] == one.creates and all(written.values())
            absent = found[one.id] == 0 and not any(written.values())
            if one.acknowledged and not there and one.id not in self.refusals:
                lost.append(one.id)
            if one.state == "lagret" and not there:
                false.append(one.id)
            if found[one.id] > one.creates or any(count > 1 for count in written.values()):
                doubled.append(one.id)
            if not absent and not there:
                undone.append(f"half of {one.id}")
            for name, text in one.notes.items():
                count = notes.get(name, []).count(text)
                if there and count != 1:
                    undone.append(f"{text} in {name}: {count}")
            if self.drafts & {one.id} and not absent:
                self.both.add(one.id)
            if one.drafted and absent and one.id not in self.drafts:
                neither.append(one.id)
        refused = [f"{own} {why}" for own, why in self.refusals.items()]
        acknowledged = sum(one.acknowledged for one in self.ledger.values())
        return Balance(
            self.seed, len(self.ledger), acknowledged, self.killed, self.faults, lost, doubled, false, refused, undone,
            sorted(self.both), neither, ghosts, seconds,
        )  # fmt: skip

    async def drafted(self, http):
        """The names of the drafts that the platform has, when nothing is on its way there any more."""
        await asyncio.sleep(0.3)
        answer = await http.get(f"{self.gateway_url}/drafts", headers={"Authorization": f"Bearer {self.token}"})
        assert answer.status_code == 200, answer.text
        return {each["key"]["draft"] for each in answer.json()["drafts"]}


def texts(resource):
    return [note["text"] for note in resource.get("note", ())]


def transaction(entries):
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def tag(resource):
    held = (resource.get("meta") or {}).get("tag") or ()
    return next((each["code"] for each in held if each.get("system") == TRANSACTION), "")


async def rows(http, url):
    found, base = [], url.partition("/fhir/")[0]
    while url:
        answer = await http.get(url)
        assert answer.status_code == 200, f"{url}: {answer.status_code} {answer.text[:300]}"
        body = answer.json()
        found += [entry["resource"] for entry in body.get("entry", ())]
        url = next((link["url"] for link in body.get("link", ()) if link["relation"] == "next"), "")
        if url and not url.startswith("http"):  # the store here knows no address of its own
            url = f"{base}/fhir/{url.removeprefix('/')}"
    return found


def token_of(key):
    now = int(time.time())
    held = {
        "iss": ISSUER, "aud": "http://gateway.test", "sub": "sub-tone", "name": "Tone", "fhirUser": "Practitioner/tone",
        "role": "sykepleier", "sid": "sid-tone", "iat": now, "exp": now + 8 * 3600,
        "helseid://claims/identity/security_level": "4",
    }  # fmt: skip
    return jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, held, key)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
