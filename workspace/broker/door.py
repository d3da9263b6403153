"""The door itself, as the panels' host sees it. `broker.Broker` is the one implementation (law 1).

Errors are subclasses of `Refused`; their `code` survives the wire to the panel. Queries are FHIR searches as text,
``Observation?category=vital-signs&_sort=-date``: within a patient context the broker adds the patient itself, within
a unit context the unit's patients; a query that names another patient is refused and logged (law 3).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from workspace.broker.context import Context
from workspace.broker.grant import Grant
from workspace.fhir.service import Resource
from workspace.problem import Problem


class Refused(Problem):
    """The door stays shut: wrong scope, wrong patient, ended context, too much. Never carries patient data."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """`resources` in the order asked for, matches first, then included ones (`included` of them, at the end).
    `total` is None when the platform did not say. `fetched` is the clinical instant of the newest fetch. `more`: the
    answer was cut, and further rows lie behind the last one."""

    resources: tuple[Resource, ...]
    included: int = 0
    total: int | None = None
    fetched: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A watched result moved on: drop the rows in `gone` (``Type/id``), then put each `(index, resource)` of `put`
    at its final place, lowest index first. `whole` replaces everything. `error` is a Norwegian sentence when the
    result is stale; `code` its stable name. `more` says anew whether there are further rows; None: as before."""

    whole: SearchResult | None = None
    gone: tuple[str, ...] = ()
    put: tuple[tuple[int, Resource], ...] = ()
    error: str = ""
    code: str = ""
    more: bool | None = None


WatchListener = Callable[[Change], None]
"""Called on the event loop; the first call is always a whole result (or an error)."""


class Watch(Protocol):
    """A live query. `close()` is idempotent; no call to the listener follows it."""

    def close(self) -> None: ...


WriteState = Literal["venter", "lagret", "konflikt", "avvist"]


@dataclass(frozen=True, slots=True)
class Write:
    """One entry of a transaction. `create` has a resource without id (its `full_url` a ``urn:uuid:`` that other entries
    may name), `update` a resource with id and the version it was read at, `delete` does not exist: nothing clinical is
    deleted, it becomes entered-in-error."""

    action: Literal["create", "update"]
    resource: Resource
    full_url: str = ""
    if_match: str = ""


@dataclass(frozen=True, slots=True)
class Form:
    """Where a commit comes from: the view, and what stood in its fields (by bind) when it was sent. A refused or conflicting
    commit opens there again with these values. `changes` is what becomes of the fields once it is durable (by bind, None
    for an emptied one): its draft is without them in the same step."""

    view: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    state_version: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A commit: durable from the moment it exists. `references` (``Type/id``) are known once `state` is lagret;
    `problem` is the reason for konflikt or avvist."""

    id: str
    state: WriteState
    references: tuple[str, ...] = ()
    problem: Problem | None = None
    undoable: bool = True


@dataclass(frozen=True, slots=True)
class Prefetch:
    """A query that a panel will ask as soon as it opens, sent ahead of it. `safety` ones leave first."""

    grant: Grant
    query: str
    safety: bool = False


@dataclass(frozen=True, slots=True)
class DraftKey:
    """Whose unsaved work this is (DESIGN §4). The shell owns what is typed; only its author sees it."""

    tenant: str
    user: str
    patient: str
    package: str
    view: str
    draft: str = ""
    state_version: int = 1

    def parts(self) -> tuple[str, ...]:
        """As the drafts keep it: (tenant, user, patient, package, view, draft, state version)."""
        return (self.tenant, self.user, self.patient, self.package, self.view, self.draft, str(self.state_version))


@dataclass(frozen=True, slots=True)
class Draft:
    values: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    saved: str = ""  # clinical instant


class Door(Protocol):
    """What the panels' host may ask for. All methods run on the event loop and never block it."""

    async def search(self, grant: Grant, query: str) -> SearchResult: ...

    async def read(self, grant: Grant, reference: str) -> Resource: ...

    def watch(self, grant: Grant, query: str, listener: WatchListener) -> Watch: ...

    async def prefetch(self, queries: Sequence[Prefetch]) -> None:
        """Merge, send and keep; later `search` and `watch` of the same query answer from it at once."""
        ...

    async def commit(self, grant: Grant, writes: Sequence[Write], form: Form | None = None) -> Receipt:
        """All or none. Returns when the transaction is durable or acknowledged, at the latest after 2 s; a later
        change of state reaches `on_receipt` listeners. `form` is where it was typed, so that a refused one can be opened
        there again."""
        ...

    async def undo(self, receipt_id: str) -> Receipt: ...

    def on_receipt(self, listener: Callable[[Receipt], None]) -> Callable[[], None]: ...

    def opened(self, grant: Grant) -> None:
        """A panel opened its context: audited as an opening (DESIGN §5)."""
        ...

    def end(self, context: Context) -> None:
        """The context is over: watches close, requests in flight are dropped with ``context-changed``."""
        ...

    def load_draft(self, key: DraftKey) -> Draft | None: ...

    def save_draft(self, key: DraftKey, draft: Draft, then: Callable[[], None] | None = None) -> None:
        """In memory at once, in the vault within a second: `then` is called when it is there, or on the platform, unless
        something newer is kept by then. An empty `values` forgets the draft."""
        ...
