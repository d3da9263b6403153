"""Writes on their way: durable before they are called *venter*, acknowledged before they are called *lagret*.

First in, first out for each patient. A transaction keeps its id however often it is sent; the platform answers a repeat
with the first outcome, so replays never make two. What is refused stays in sight with the platform's own words.
Signing by the author's session key and delivery after sign-out are not here yet: what waits is sent when its author is
back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import uuid4

from workspace.clock import Clock, instant
from workspace.problem import Problem
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.vault.vault import Vault

State = Literal["venter", "lagret", "konflikt", "avvist"]
FIRST_WAIT, LONGEST_WAIT = 0.5, 15.0


@dataclass(frozen=True, slots=True)
class Item:
    """One transaction. `answer` is the platform's bundle once `state` is lagret."""

    id: str
    patient: str
    bundle: Mapping[str, Any]
    asker: Asker
    state: State = "venter"
    problem: Problem | None = None
    answer: Mapping[str, Any] | None = None


class Outbox:
    """`delivered` is handed each answered bundle at once, so that every watch shows it."""

    def __init__(
        self,
        vault: Vault,
        client: Client,
        clock: Clock,
        *,
        user: str,
        delivered: Callable[[Mapping[str, Any], str], None] = lambda bundle, transaction: None,
    ) -> None:
        self._vault, self._client, self._clock, self._user = vault, client, clock, user
        self._delivered = delivered
        self._queues: dict[str, list[str]] = {}
        self._items: dict[str, Item] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._listeners: list[Callable[[Item], None]] = []
        self._known: dict[str, str] = {}
        self._settled: dict[str, asyncio.Event] = {}

    async def start(self) -> None:
        """Take up what a crash or a cut network left, in its order."""

        def read(database: Any) -> list[tuple[Any, ...]]:
            query = "SELECT id, patient, body FROM outbox WHERE user = ? AND state = 'venter' ORDER BY seq"
            return list(database.execute(query, (self._user,)))

        for own, patient, body in await self._vault.run(read):
            kept = json.loads(body)
            self._enqueue(Item(own, patient, kept["bundle"], Asker(tuple(kept["packages"]), "", kept["purpose"])))

    async def close(self) -> None:
        """Stop sending; what waits stays in the vault."""
        senders = list(self._senders.values())
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    def on_change(self, listener: Callable[[Item], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def unsent(self) -> int:
        """How many still wait."""
        return sum(item.state == "venter" for item in self._items.values())

    async def commit(self, bundle: Mapping[str, Any], patient: str, asker: Asker, wait: float = 2.0) -> Item:
        """Durable when this returns; answered within `wait` seconds if the platform is there, else still waiting."""
        own = str(uuid4())
        kept = {"bundle": bundle, "packages": list(asker.packages), "purpose": asker.purpose}
        body, made = json.dumps(kept, ensure_ascii=False), instant(self._clock.now())

        def write(database: Any) -> None:
            query = "INSERT INTO outbox (id, user, patient, state, body, made) VALUES (?, ?, ?, 'venter', ?, ?)"
            database.execute(query, (own, self._user, patient, body, made))

        await self._vault.run(write)
        self._enqueue(Item(own, patient, bundle, asker))
        try:
            await asyncio.wait_for(self._settled[own].wait(), wait)
        except TimeoutError:
            self._tell(self._items[own])
        return self._items[own]

    def _enqueue(self, item: Item) -> None:
        self._items[item.id] = item
        self._settled[item.id] = asyncio.Event()
        self._queues.setdefault(item.patient, []).append(item.id)
        sender = self._senders.get(item.patient)
        if sender is None or sender.done():
            self._senders[item.patient] = asyncio.ensure_future(self._send_all(item.patient))

    async def _send_all(self, patient: str) -> None:
        queue = self._queues[patient]
        while queue:
            item = self._items[queue[0]]
            await self._send(item)
            queue.pop(0)

    async def _send(self, item: Item) -> None:
        pause = FIRST_WAIT
        while True:
            try:
                answer = await self._client.transaction(_named(item.bundle, self._known), item.id, item.asker)
            except PlatformProblem as problem:
                if not problem.unknown_outcome:
                    await self._end(
                        replace(item, state="konflikt" if problem.status == 412 else "avvist", problem=problem)
                    )
                    return
            except Problem as problem:  # signed out: it waits for its author
                self._items[item.id] = replace(item, problem=problem)
            else:
                self._learn(item.bundle, answer.body)
                self._delivered(answer.body, item.id)
                await self._end(replace(item, state="lagret", answer=answer.body))
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    async def _end(self, item: Item) -> None:
        def write(database: Any) -> None:
            if item.state == "lagret":
                database.execute("DELETE FROM outbox WHERE id = ?", (item.id,))
            else:
                database.execute("UPDATE outbox SET state = ? WHERE id = ?", (item.state, item.id))

        self._items[item.id] = item
        await self._vault.run(write)
        self._settled[item.id].set()
        self._tell(item)

    def _tell(self, item: Item) -> None:
        for listener in list(self._listeners):
            listener(item)

    def _learn(self, bundle: Mapping[str, Any], answer: Mapping[str, Any]) -> None:
        """What each ``urn:uuid`` became, so that later items can name it."""
        for asked, got in zip(bundle.get("entry") or (), answer.get("entry") or (), strict=False):
            reference = reference_of(got)
            if asked.get("fullUrl", "").startswith("urn:uuid:") and reference:
                self._known[asked["fullUrl"]] = reference


def reference_of(entry: Mapping[str, Any]) -> str:
    """``Type/id`` of an answered entry, from its resource or its location."""
    resource = entry.get("resource") or {}
    if resource.get("id") and resource.get("resourceType") != "OperationOutcome":
        return f"{resource['resourceType']}/{resource['id']}"
    location = str((entry.get("response") or {}).get("location") or "")
    parts = location.split("/_history")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 else ""


def _named(bundle: Mapping[str, Any], known: Mapping[str, str]) -> Mapping[str, Any]:
    """The bundle with acknowledged creates of earlier items under their real names."""
    own = {entry.get("fullUrl") for entry in bundle.get("entry") or ()}
    outer = {name: reference for name, reference in known.items() if name not in own}

    def walk(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: outer.get(part, part) if key == "reference" and isinstance(part, str) else walk(part)
                for key, part in value.items()
            }
        return [walk(part) for part in value] if isinstance(value, list) else value

    named: Mapping[str, Any] = walk(bundle) if outer else bundle
    return named
