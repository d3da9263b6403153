"""A small real door over a dict, panels as programs, and a listener that remembers."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from workspace.broker.context import Context, for_patient
from workspace.broker.door import Change, Draft, DraftKey, Form, Prefetch, Receipt, Refused, SearchResult, Write
from workspace.broker.grant import Grant
from workspace.clock import SystemClock
from workspace.panels.components import Action
from workspace.panels.confinement import Policy, Tier, probe
from workspace.panels.face import Paper, QuietListener, TreeChange
from workspace.panels.host import PanelHost
from workspace.panels.instance import Instance
from workspace.panels.manifest import discover

PROGRAMS = Path(__file__).parent / "ill_behaved"
PLUGINS = Path(__file__).parents[2] / "plugins"
USER = {"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}

MANIFEST = """
[panel]
id = "prove.{id}"
name = "Prøvepanel {name}"
vendor = "Prøveverk"
version = "1.0.0"
protocol = 1
languages = ["nb"]
start = ["python", "panel.py"]

[[views]]
id = "main"
title = "Prøve {name}"

[[views.prefetch]]
query = "Observation?code=8867-4"

[access]
scopes = ["patient/Observation.crus"]

[intents]
raises = ["open Patient"]
"""
RAISES = 'raises = ["open Patient", "measure pulse"]'
HELPERS = ("helper", "other_helper")
"""Programs whose manifest says that they handle «measure pulse»."""


class MemoryDoor:
    """`workspace.broker.door.Door` over a dict: types, codes and patients are matched, nothing else."""

    def __init__(self) -> None:
        self.resources: dict[str, dict[str, Any]] = {}
        self.watches: list[tuple[Grant, str, Callable[[Change], None]]] = []
        self.commits: list[list[Write]] = []
        self.forms: list[Form] = []
        self.drafts: dict[DraftKey, Draft] = {}
        self.openings: list[Grant] = []
        self.ended: list[str] = []
        self.prefetched: list[list[tuple[str, str, int]]] = []
        self.slow = 0.0
        self.refuse: Refused | None = None
        self.commit_gate: asyncio.Event | None = None
        self._receipts: list[Callable[[Receipt], None]] = []

    def put(self, resource: dict[str, Any]) -> None:
        """Something happened on the platform: every watch hears of it."""
        reference = f"{resource['resourceType']}/{resource['id']}"
        self.resources[reference] = resource
        for grant, query, listener in list(self.watches):
            rows = self._rows(grant, query)
            if resource in rows:
                listener(Change(put=((rows.index(resource), resource),)))

    def pulse(self, id: str, value: float, patient: str = "Patient/BEB-18") -> dict[str, Any]:
        code = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
        resource = {
            "resourceType": "Observation", "id": id, "status": "final", "code": code,
            "subject": {"reference": patient}, "valueQuantity": {"value": value, "unit": "/min"},
        }  # fmt: skip
        self.put(resource)
        return resource

    def _rows(self, grant: Grant, query: str) -> list[dict[str, Any]]:
        kind, _, tail = query.partition("?")
        wanted = dict(parse_qsl(tail))
        if "patient" in wanted and not grant.context.allows(wanted["patient"]):
            raise Refused("wrong-patient", "Søket gjelder en annen pasient.")
        found = []
        for reference, resource in self.resources.items():
            codes = [c["code"] for c in resource.get("code", {}).get("coding", [])]
            about = resource.get("subject", {}).get("reference", "")
            if (
                reference.startswith(f"{kind}/")
                and grant.context.allows(about)
                and wanted.get("code", "") in ("", *codes)
            ):
                found.append(resource)
        return found

    async def search(self, grant: Grant, query: str) -> SearchResult:
        await asyncio.sleep(self.slow)
        return SearchResult(tuple(self._rows(grant, query)))

    async def read(self, grant: Grant, reference: str) -> dict[str, Any]:
        resource = self.resources.get(reference)
        if resource is None or not grant.context.allows(resource["subject"]["reference"]):
            raise Refused("wrong-patient", "Ressursen gjelder en annen pasient.")
        return resource

    def watch(self, grant: Grant, query: str, listener: Callable[[Change], None]) -> Any:
        entry = (grant, query, listener)
        self._rows(grant, query)
        self.watches.append(entry)

        def first() -> None:
            if entry in self.watches:
                listener(Change(whole=SearchResult(tuple(self._rows(grant, query)))))

        asyncio.get_running_loop().call_later(self.slow, first)
        door = self

        class Watch:
            def close(self) -> None:
                if entry in door.watches:
                    door.watches.remove(entry)

        return Watch()

    async def prefetch(self, queries: Sequence[Prefetch]) -> None:
        self.prefetched.append([(query.grant.instance, query.query, len(self.watches)) for query in queries])

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        self.forms += [form] if form is not None else []
        if self.commit_gate is not None:
            await self.commit_gate.wait()
        if self.refuse is not None:
            raise self.refuse
        self.commits.append(list(writes))
        references = []
        for write in writes:
            resource = {**write.resource, "id": write.resource.get("id") or f"ny-{len(self.resources)}"}
            self.put(resource)
            references.append(f"{resource['resourceType']}/{resource['id']}")
        return Receipt(f"kvittering-{len(self.commits)}", "lagret", tuple(references))

    async def undo(self, receipt_id: str) -> Receipt:
        return Receipt(receipt_id, "lagret", undoable=False)

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]:
        self._receipts.append(listener)
        return lambda: self._receipts.remove(listener)

    def opened(self, grant: Grant) -> None:
        self.openings.append(grant)

    def end(self, context: Context) -> None:
        self.ended.append(context.token)
        self.watches = [entry for entry in self.watches if entry[0].context.token != context.token]

    def load_draft(self, key: DraftKey) -> Draft | None:
        return self.drafts.get(key)

    def save_draft(self, key: DraftKey, draft: Draft, then: Callable[[], None] | None = None) -> None:
        if draft.values:
            self.drafts[key] = draft
        else:
            self.drafts.pop(key, None)
        if then is not None:
            then()


class Shell(QuietListener):
    """A listener that remembers what it was told, and on which turn; `choice` and `prints` are what the user answers."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.choice: int | None = None
        self.prints = (True, "")

    def rendered(self, change: TreeChange) -> None:
        self.calls.append(("rendered", change))

    def values_changed(self, binds: tuple[str, ...]) -> None:
        self.calls.append(("values", binds))

    def bound_changed(self, watch: int) -> None:
        self.calls.append(("bound", watch))

    def state_changed(self) -> None:
        self.calls.append(("state", None))

    def draft_saved(self, at: str) -> None:
        self.calls.append(("draft", at))

    def told(self, text: str, tone: str) -> None:
        self.calls.append(("told", (text, tone)))

    def raised(self, name: str, context: Mapping[str, Any]) -> None:
        self.calls.append(("raised", (name, dict(context))))

    def blob_changed(self, handle: str) -> None:
        self.calls.append(("blob", handle))

    def wanted(self, source: str) -> None:
        self.calls.append(("wanted", source))

    async def choose(self, question: str, choices: Sequence[str]) -> int | None:
        self.calls.append(("choose", list(choices)))
        return self.choice

    async def printing(self, paper: Paper) -> tuple[bool, str]:
        self.calls.append(("printing", paper))
        return self.prints

    def heard(self, kind: str) -> list[Any]:
        return [value for name, value in self.calls if name == kind]


class Bench:
    """A host with prepared programs as packages, its door, and what passed on the wires."""

    def __init__(self, host: PanelHost, door: MemoryDoor) -> None:
        self.host, self.door = host, door
        self.passed: list[tuple[str, int, str, str, dict[str, Any]]] = []  # direction, pid, instance, context, message
        host.on_message(self._tap)

    def _tap(self, direction: str, package: str, pid: int, instance: str, context: str, raw: bytes) -> None:
        try:
            message = json.loads(raw)
        except ValueError:
            message = {}
        self.passed.append((direction, pid, instance, context, message))

    def sent(self, method: str) -> list[dict[str, Any]]:
        return [m["params"] for direction, *_, m in self.passed if direction == "out" and m.get("method") == method]

    def open(
        self, name: str, context: Context | None = None, instance: str = "p1", **more: Any
    ) -> tuple[Instance, Shell]:
        shell = Shell()
        package = name if "." in name else "prove." + name.replace("_", "-")
        view = more.pop("view", "main")
        panel = self.host.open(instance, package, view, context or for_patient("Patient/BEB-18"), shell, **more)
        return panel, shell

    async def shown(self, name: str, context: Context | None = None, **more: Any) -> tuple[Instance, Shell]:
        panel, shell = self.open(name, context, **more)
        await until(lambda: panel.root is not None and panel.state == "running", panel)
        return panel, shell


async def until(good: Callable[[], object], panel: Instance | None = None, timeout: float = 10.0) -> None:
    """Wait for what a user would wait for; fails with the panel's own words."""
    try:
        async with asyncio.timeout(timeout):
            while not good():  # noqa: ASYNC110 - what is waited for is on the other side of a process
                await asyncio.sleep(0.005)
    except TimeoutError:
        told = f"{panel.state}: {panel.problem}\n{panel.log_tail}" if panel is not None else ""
        pytest.fail(f"waited {timeout} s in vain. {told}")


@pytest.fixture(scope="session")
def tier() -> Tier:
    return probe()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def _install(folder: Path, names: Sequence[str]) -> None:
    for name in names:
        package = folder / name
        package.mkdir(parents=True)
        manifest = MANIFEST.format(name=name, id=name.replace("_", "-"))
        more = '\nhandles = ["measure pulse"]' if name in HELPERS else ""
        manifest = manifest.replace('raises = ["open Patient"]', RAISES + more)
        (package / "panel.toml").write_text(manifest, encoding="utf-8")
        shutil.copy2(PROGRAMS / f"{name}.py", package / "panel.py")
        for shared in ("polite.py", "puppet.py"):
            shutil.copy2(PROGRAMS / shared, package / shared)


@pytest.fixture
def bench(tmp_path: Path, tier: Tier) -> Iterator[Callable[..., Any]]:
    """``async with bench("good", "crash") as b:`` — programs of `ill_behaved/` as packages, run by a real host."""

    @asynccontextmanager
    async def make(*names: str, warm: bool = False, **more: Any) -> AsyncIterator[Bench]:
        folder = tmp_path / "packages"
        folder.mkdir(exist_ok=True)
        _install(folder, [name for name in names if not (folder / name).exists()])
        packages, problems = discover(folder)
        assert not problems
        if more.pop("plugins", False):
            packages = {**packages, **discover(PLUGINS)[0]}
        door = more.pop("door", None) or MemoryDoor()
        options = {"clock": SystemClock(), "user": USER, "tenant": "fjellheim", "tier": tier} | more
        host = PanelHost(door, packages, policy=Policy(allow_unconfined=True), **options)
        made = Bench(host, door)
        try:
            if warm:
                assert await host.warm(packages) == []
            yield made
        finally:
            await host.close()

    return make  # type: ignore[return-value]


class Puppeteer:
    """Pulls the strings of one `ill_behaved/puppet.py`: what it says on the wire, and what it hears."""

    def __init__(self, panel: Instance) -> None:
        self.panel = panel
        self._number = 1000

    async def say(self, *messages: dict[str, Any], raw: Sequence[str] = ()) -> None:
        outcome = await self.panel.act(Action("say", {"messages": list(messages), "raw": list(raw)}))
        assert outcome.ok, outcome.problem

    async def heard(self, method: str = "", **more: Any) -> list[dict[str, Any]]:
        args = {**({"method": method} if method else {}), **more}
        outcome = await self.panel.act(Action("heard", args))
        assert outcome.ok, outcome.problem
        found: list[dict[str, Any]] = self.panel.values.get("heard") or []
        return found

    async def ask(self, method: str, /, **params: Any) -> dict[str, Any]:
        """A request and its answer: the whole message, with ``result`` or ``error``."""
        number = await self.start(method, **params)
        return await self.answer(number)

    async def start(self, method: str, /, **params: Any) -> int:
        self._number += 1
        await self.say({"id": self._number, "method": method, "params": params})
        return self._number

    async def answer(self, number: int, timeout: float = 10.0) -> dict[str, Any]:
        async with asyncio.timeout(timeout):
            while not (found := await self.heard(id=number)):  # noqa: ASYNC110 - it is on the other side of a process
                await asyncio.sleep(0.01)
        return found[0]
