"""What the change feed sends, and one open stream's waiting line. Never looks anything up."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace.access.kinds import GLOBAL_TYPES, served
from workspace.fhir import json
from workspace.gateway.asking import Asking

RESTRICTION = "restriction"
"""Marks a Consent that closes something: nobody's workstation is told."""
WAITING = 1_000
"""Changes that may wait for one reader before it must fetch anew."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """One numbered event: its `name`, and its `data` as JSON. `patients` decide who gets a `change` or a `merge`."""

    seq: int
    name: str
    kind: str
    patients: tuple[str, ...]
    data: bytes
    marks: frozenset[str] = frozenset()
    """What a patient's restriction may name of it."""
    body: Mapping[str, Any] | None = None
    """The data once more, for types that are not shown to everybody alike."""
    left: Numbered | None = None
    """What those are told, under the same number, who saw the version before and do not see this one: that it is gone."""

    def frame(self, asking: Asking) -> bytes:
        """As a server-sent event."""
        return framed(self.name, self._shown(asking), self.seq)

    def entry(self, asking: Asking) -> bytes:
        """As one of a poll's events."""
        return b'{"event":"' + self.name.encode() + b'","data":' + self._shown(asking) + b"}"

    def _shown(self, asking: Asking) -> bytes:
        if self.body is None:
            return self.data
        resource = self.body["resource"]
        shown = asking.shown(resource, self.patients)
        return self.data if shown is resource else json.dumps({**self.body, "resource": shown})


@dataclass(slots=True, eq=False)
class Reader:
    """One open stream."""

    session: str
    author: str
    waiting: deque[Numbered] = field(default_factory=deque)
    notes: dict[str, bytes] = field(default_factory=dict)
    """The latest word on each of the author's drafts."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    resync: str = ""
    ended: bool = False

    def put(self, change: Numbered) -> None:
        if len(self.waiting) >= WAITING:
            self.again("slow")
        self.waiting.append(change)
        self.awake.set()

    def note(self, draft: str, told: bytes) -> None:
        self.notes[draft] = told
        self.awake.set()

    def again(self, reason: str) -> None:
        """Whoever fetches anew learns all but that two records were one: that is told still."""
        self.waiting = deque(each for each in self.waiting if each.name == "merge")
        self.resync = reason
        self.awake.set()

    def end(self) -> None:
        self.ended = True
        self.awake.set()

    def taken(self, asking: Asking) -> bytes:
        """The frames of what waits and may be seen, at most a hundred changes at a time."""
        frames = list(self.notes.values())
        self.notes.clear()
        count = 0
        while self.waiting and count < 100:
            change = told_of(asking, self.waiting.popleft())
            if change is not None:
                frames.append(change.frame(asking))
                count += 1
        return b"".join(frames)


def told_of(asking: Asking, change: Numbered) -> Numbered | None:
    """What a session is told of `change`: itself, that it left their sight, or nothing."""
    if sees(asking, change):
        return change
    return change.left if change.left is not None and sees(asking, change.left) else None


def sees(asking: Asking, change: Numbered) -> bool:
    """Whether a session is told: nobody's data go to everybody, a patient's only to those who may see them."""
    if change.name == "resync":
        return True
    if not served(change.kind):
        return False
    if change.kind in GLOBAL_TYPES:
        return True
    if not change.patients:
        return False
    if RESTRICTION in change.marks or asking.hides(change.patients, change.marks):
        return False
    return asking.decide("read", change.kind, change.patients).permitted


def event(name: str, data: Mapping[str, Any]) -> bytes:
    """One server-sent event without a number."""
    return framed(name, json.dumps(data))


def framed(name: str, data: bytes, seq: int | None = None) -> bytes:
    head = f"event: {name}\n" + (f"id: {seq}\n" if seq is not None else "")
    return head.encode() + b"data: " + data + b"\n\n"
