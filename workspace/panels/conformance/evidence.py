"""What was seen of a package: its files, and every view opened, typed in, pressed, asked, killed and closed.

Plain data for the checks, which judge and never run anything. Filled in by `run`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from workspace.broker.context import Context
from workspace.panels.conformance.stand_in import Mode, StandIn
from workspace.panels.manifest import Package, View

Message = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Passed:
    """One line on the wire. `at` in seconds from the start of the run; `body` {} when it cannot be read."""

    at: float
    to_panel: bool
    pid: int
    instance: str
    token: str
    size: int
    body: Message

    @property
    def method(self) -> str:
        return str(self.body.get("method") or "")

    @property
    def params(self) -> Message:
        held = self.body.get("params")
        return held if isinstance(held, dict) else {}


@dataclass(frozen=True, slots=True)
class Node:
    """A drawn component: validated properties as JSON, defaults left out."""

    id: str
    type: str
    props: Message
    parent: str | None
    children: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Look:
    """The whole tree as it stood after a render, in reading order. `when` says what had happened before it."""

    when: str
    nodes: tuple[Node, ...]

    def all(self, *types: str) -> list[Node]:
        return [node for node in self.nodes if node.type in types]


@dataclass(frozen=True, slots=True)
class Pressed:
    """An action that was run: what it is called on screen, how it ended, and the panel's answer as it stood on the wire."""

    text: str
    name: str
    ok: bool
    problem: str
    seconds: float
    effects: Message | None
    error: Message | None


@dataclass(slots=True)
class Visit:
    """One view opened once, in a context and a process of its own."""

    view: View
    mode: Mode
    context: Context
    looks: list[Look] = field(default_factory=list)
    pressed: list[Pressed] = field(default_factory=list)
    typed: dict[str, Any] = field(default_factory=dict)
    drew: bool = False
    first_render: float | None = None  # seconds
    problems: list[str] = field(default_factory=list)  # what the shell would have told the user
    log: str = ""
    unanswered: list[str] = field(default_factory=list)  # pings and questions without an answer, in words
    dropped: int = 0
    idle_renders: int | None = None
    resyncs: int = 0
    memory: int | None = None  # bytes, proportional set size of the panel's own processes
    processes: int | None = None
    binds_before: frozenset[str] = frozenset()
    binds_after: frozenset[str] | None = None  # after the kill
    values_after: dict[str, Any] = field(default_factory=dict)
    left: float | None = None  # seconds from `shutdown` to the end
    locales: dict[str, Look] = field(default_factory=dict)

    @property
    def where(self) -> str:
        return f"{self.view.id}, {WORDS[self.mode]}"


WORDS: dict[Mode, str] = {
    "full": "with data", "none": "without data", "failing": "with failing queries", "holes": "with fields missing",
    "late": "with late data", "many": "with many rows",
}  # fmt: skip


@dataclass(slots=True)
class Evidence:
    """`package` None when the manifest is broken (`manifest` says how); `unrun` why nothing was run."""

    folder: Path
    files: dict[str, bytes] = field(default_factory=dict)
    odd: list[str] = field(default_factory=list)  # entries that are no plain files
    package: Package | None = None
    manifest: str = ""
    sealed: str = ""  # what is wrong with the archive it came in
    unrun: str = ""
    confinement: str = ""
    start: str = ""  # why it would not start
    greeting: Message = field(default_factory=dict)
    hello: float | None = None
    door: StandIn = field(default_factory=lambda: StandIn(drafts=False))
    passed: list[Passed] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    crashes: list[str] = field(default_factory=list)

    def of(self, *modes: Mode) -> list[Visit]:
        return [visit for visit in self.visits if visit.mode in modes]

    def messages(self, visit: Visit, to_panel: bool = False) -> list[Passed]:
        return [one for one in self.passed if one.token == visit.context.token and one.to_panel == to_panel]

    @property
    def from_panel(self) -> list[Passed]:
        return [one for one in self.passed if not one.to_panel]


def decoded(raw: bytes) -> Message:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
