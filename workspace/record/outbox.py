"""Writes on their way: durable before they are called *venter*, acknowledged before they are called *lagret*.

First in, first out for each patient. A transaction keeps its id however often it is sent; the platform answers a repeat
with the first outcome, so replays never make two. What is refused stays in sight with the platform's own words.
Signing by the author's session key and delivery after sign-out are not here yet: what waits is sent when its author is
back.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal
from uuid import uuid4

from workspace.clock import Clock, instant
from workspace.problem import Problem
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
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
        self._queues: dict[str, list[Item]] = {}
        self._refused: dict[str, Item] = {}
        self._senders: dict[str, asyncio.Task[None]] = {}
        self._waiting: dict[str, asyncio.Future[Item]] = {}
        self._listeners: list[Callable[[Item], None]] = []
        self._known: dict[str, str] = {}
        self._keeping: set[asyncio.Future[None]] = set()

    async def start(self) -> None:
        """Take up what a crash or a cut network left, in its order; what was refused is in sight again."""

        def read(database: Any) -> list[tuple[Any, ...]]:
            query = "SELECT id, patient, body, state FROM outbox WHERE user = ? ORDER BY seq"
            return list(database.execute(query, (self._user,)))

        for own, patient, body, state in await self._vault.run(read):
            kept = json.loads(body)
            item = Item(own, patient, kept["bundle"], Asker(tuple(kept["packages"]), "", kept["purpose"]), state)
            if state == "venter":
                self._enqueue(item)
            else:
                self._refused[own] = replace(item, problem=Problem(*kept.get("problem", ("rejected", ""))))

    async def close(self) -> None:
        """Stop sending; what waits stays in the vault."""
        await asyncio.gather(*self._keeping, return_exceptions=True)
        senders = list(self._senders.values())
        for task in senders:
            task.cancel()
        await asyncio.gather(*senders, return_exceptions=True)

    def on_change(self, listener: Callable[[Item], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener) if listener in self._listeners else None

    def unsent(self) -> int:
        """How many still wait."""
        return sum(len(queue) for queue in self._queues.values())

    def refused(self) -> tuple[Item, ...]:
        """What the platform did not take, oldest first, until somebody has seen to it (`forget`)."""
        return tuple(self._refused.values())

    async def forget(self, own: str) -> None:
        """The author has seen to a refused item."""
        if self._refused.pop(own, None) is not None:
            query = "DELETE FROM outbox WHERE id = ? AND state <> 'venter'"
            await self._vault.run(lambda database: list(database.execute(query, (own,))))

    async def commit(
        self, bundle: Mapping[str, Any], patient: str, asker: Asker, wait: float = 2.0, *, own: str = ""
    ) -> Item:
        """Durable when this returns; answered within `wait` seconds if the platform is there, else still waiting. In a
        vault that is in memory only, what still waits carries the Problem ``not-durable``.

        `own` is the transaction's id, a new UUID; made here when it is not given."""
        item = Item(own or str(uuid4()), patient, _named(bundle, self._known), asker)
        settled = self._waiting[item.id] = asyncio.get_running_loop().create_future()
        try:
            keeping = asyncio.ensure_future(self._keep(item))
            self._keeping.add(keeping)
            keeping.add_done_callback(self._keeping.discard)
            # Shielded: a panel that goes away meanwhile must not leave it on the disk with nobody to send it.
            await asyncio.shield(keeping)
            return await asyncio.wait_for(settled, wait)
        except TimeoutError:
            waiting = item if self._vault.durable else replace(item, problem=_only_in_memory())
            self._tell(waiting)
            return waiting
        finally:
            self._waiting.pop(item.id, None)

    async def _keep(self, item: Item) -> None:
        row = (item.id, self._user, item.patient, _body(item.bundle, item.asker), instant(self._clock.now()))

        def write(database: Any) -> None:
            query = "INSERT INTO outbox (id, user, patient, state, body, made) VALUES (?, ?, ?, 'venter', ?, ?)"
            database.execute(query, row)

        await self._vault.run(write)
        while (named := _named(item.bundle, self._known)) != item.bundle:  # an earlier one was answered meanwhile
            item = replace(item, bundle=named)
            await self._vault.run(partial(_rewrite, item=item))
        self._enqueue(item)

    def _enqueue(self, item: Item) -> None:
        self._queues.setdefault(item.patient, []).append(item)
        if item.patient not in self._senders:
            self._senders[item.patient] = asyncio.ensure_future(self._send_all(item.patient))

    async def _send_all(self, patient: str) -> None:
        queue = self._queues[patient]
        try:
            while queue:
                await self._send(queue)
        finally:
            del self._senders[patient]
            if not queue:
                del self._queues[patient]

    async def _send(self, queue: list[Item]) -> None:
        """Bring the first of `queue` to its end, however often it takes."""
        item, pause = queue[0], FIRST_WAIT
        while True:
            try:
                answer = await self._client.transaction(item.bundle, item.id, item.asker)
            except PlatformProblem as problem:
                if not _may_still_pass(problem):
                    state: State = "konflikt" if problem.status == 412 else "avvist"
                    await self._end(queue, replace(item, state=state, problem=problem))
                    return
            except Problem as problem:  # signed out: it waits for its author
                log.info("outbox waits: %s", problem.code)
            else:
                if _is_answer(answer.body, item):
                    self._hand_over(answer.body, item.id)
                    await self._end(queue, replace(item, state="lagret", answer=answer.body))
                    return
                log.warning("outbox waits: the answer is not about what was sent")
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_WAIT)

    def _hand_over(self, answer: Mapping[str, Any], own: str) -> None:
        try:
            self._delivered(answer, own)
        except Exception:  # a fault in a watch must not hold back what others typed
            log.exception("the record could not take an answer")

    async def _end(self, queue: list[Item], item: Item) -> None:
        learnt = _learnt(item) if item.state == "lagret" else {}
        self._known.update(learnt)
        # Later items that name what was made now are rewritten in the same step as this one goes: a crash in between
        # must not send one of them under two bodies, or with a name that nobody knows.
        # The first of each queue is this one, or is on its way already and keeps its body.
        others = [one for other in self._queues.values() for one in other[1:]]
        fresh = {one.id: replace(one, bundle=_named(one.bundle, learnt)) for one in others if learnt}
        changed = [fresh[one.id] for one in others if one.id in fresh and fresh[one.id].bundle != one.bundle]

        def write(database: Any) -> None:
            for one in changed:
                _rewrite(database, one)
            if item.state == "lagret":
                database.execute("DELETE FROM outbox WHERE id = ?", (item.id,))
            else:
                row = (item.state, _body(item.bundle, item.asker, item.problem), item.id)
                database.execute("UPDATE outbox SET state = ?, body = ? WHERE id = ?", row)

        try:
            await self._vault.run(write)
        except Problem as problem:
            # Told all the same: the platform has answered. The next start sends it again and gets the same answer.
            log.warning("outbox could not note an outcome: %s", problem.code)
        queue.pop(0)
        rewritten = {one.id: one for one in changed}
        for waiting in self._queues.values():
            waiting[:] = [rewritten.get(one.id, one) for one in waiting]
        if item.state != "lagret":
            self._refused[item.id] = item
        self._tell(item)
        settled = self._waiting.get(item.id)
        if settled is not None and not settled.done():
            settled.set_result(item)

    def _tell(self, item: Item) -> None:
        for listener in list(self._listeners):
            try:
                listener(item)
            except Exception:  # what shows it must not stop what sends it
                log.exception("a listener of the outbox failed")


def _rewrite(database: Any, item: Item) -> None:
    database.execute("UPDATE outbox SET body = ? WHERE id = ?", (_body(item.bundle, item.asker), item.id))


def _only_in_memory() -> Problem:
    return Problem(
        "not-durable",
        "Plattformen svarer ikke, og denne maskinen har ikke noe trygt sted å ta vare på det du skrev.",
        "Ikke lukk programmet før det er lagret.",
    )


def _is_answer(answer: Mapping[str, Any], item: Item) -> bool:
    entries = answer.get("entry")
    asked = item.bundle.get("entry") or ()
    return isinstance(entries, list) and len(entries) == len(asked) and all(isinstance(one, dict) for one in entries)


def _may_still_pass(problem: PlatformProblem) -> bool:
    """Whether it is worth sending again: no outcome known, a login that ran out, or somebody else answered (a hotel's or
    a hospital's portal redirects). Only the platform's own no is a no."""
    return problem.unknown_outcome or problem.status < 400 or problem.status in (401, 407, 408, 425)


def _body(bundle: Mapping[str, Any], asker: Asker, problem: Problem | None = None) -> str:
    kept: dict[str, Any] = {"bundle": bundle, "packages": list(asker.packages), "purpose": asker.purpose}
    if problem is not None:
        kept["problem"] = [problem.code, problem.sentence, problem.advice, problem.detail]
    return json.dumps(kept, ensure_ascii=False)


def _learnt(item: Item) -> dict[str, str]:
    """What each ``urn:uuid`` of an acknowledged item became, so that later ones can name it."""
    pairs = zip(item.bundle.get("entry") or (), (item.answer or {}).get("entry") or (), strict=False)
    found = {str(asked.get("fullUrl", "")): reference_of(got) for asked, got in pairs}
    return {name: reference for name, reference in found.items() if name.startswith("urn:uuid:") and reference}


def reference_of(entry: Mapping[str, Any]) -> str:
    """``Type/id`` of an answered entry, from its resource or its location."""
    resource = entry.get("resource") or {}
    if resource.get("id") and resource.get("resourceType") != "OperationOutcome":
        return f"{resource.get('resourceType', '')}/{resource['id']}"
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
