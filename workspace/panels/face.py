"""What the shell sees of a running panel, and what it is told. Plain Python: no Qt here, no wire there.

The host keeps each instance's tree (validated components by id), its typed values and its bound results; the shell
draws them and tells the host what the user does. States are named before the code:

    starting → running → closed
                 ↘ silent (no answer in 2 s) → running
                 ↘ dead (process gone) → starting (by itself after a while, or at *Start på nytt*)
                 ↘ disabled (three crashes in ten minutes)
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from workspace.broker.context import Context
from workspace.broker.door import Receipt
from workspace.fhir.service import Resource
from workspace.panels.components import Action, Component, TableRow
from workspace.panels.faults import Fault

PanelState = Literal["starting", "running", "silent", "dead", "disabled", "closed"]


class Unknown(Component, frozen=True, kw_only=True):
    """A component this shell does not know: drawn as a labelled placeholder."""

    kind = "unknown"
    type: str


@dataclass(slots=True)
class TreeNode:
    """`component` is the validated struct (or `Unknown`); `children` are ids in order."""

    id: str
    component: Component
    parent: str | None
    children: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RowsChange:
    """What happened to a table's rows: keys gone, then rows put at their final places. The table's component already
    holds the outcome."""

    gone: tuple[str, ...]
    put: tuple[tuple[int, TableRow], ...]


@dataclass(frozen=True, slots=True)
class TreeChange:
    """One drained render. `whole`: forget everything and draw anew. Else: ids `removed`, `added` (parents before
    children), `changed` (component replaced; same type), `reordered` (order or set of children), `rows` by table id."""

    whole: bool = False
    removed: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    reordered: tuple[str, ...] = ()
    rows: Mapping[str, RowsChange] = field(default_factory=dict)


COMING, NOT_HAD = "Henter …", "Kunne ikke hentes."


@dataclass(frozen=True, slots=True)
class BoundRows:
    """A watched result for bound tables and trends: `resources` in order; `error` when they are stale, or could not be had.
    `more`: there are further ones; `newest`: these are the newest of them; `ready`: an answer has come."""

    resources: tuple[Resource, ...] = ()
    included: int = 0
    error: str = ""
    fetched: str = ""
    more: bool = False
    newest: bool = False
    ready: bool = True

    def nothing(self, empty: str) -> str:
        """What is said where there are no rows: `empty` only when that is known."""
        return COMING if not self.ready else NOT_HAD if self.error else empty


@dataclass(frozen=True, slots=True)
class PanelInfo:
    """From the manifest: what the panel's frame shows."""

    package: str
    version: str
    vendor: str
    view: str
    title: str
    confinement: str  # "confined" or the label of the lower tier
    minimum: tuple[int, int] = (20, 8)  # in text columns and rows


@dataclass(frozen=True, slots=True)
class ActOutcome:
    """How an action ended. `problem` is a Norwegian sentence for the panel's state line; the fields are then
    untouched."""

    ok: bool
    message: str = ""
    tone: Literal["ok", "warn", "bad", "neutral"] = "ok"
    receipt: Receipt | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Paper:
    """What a panel wants printed: `text` in lines, or components (`nodes` by id from `root`)."""

    title: str
    text: str = ""
    root: str | None = None
    nodes: Mapping[str, TreeNode] = field(default_factory=dict)


class PanelListener(Protocol):
    """The shell's side of an instance. Called on the event loop, never re-entrantly."""

    def rendered(self, change: TreeChange) -> None: ...

    def values_changed(self, binds: tuple[str, ...]) -> None:
        """Fields changed by something else than typing: a draft restored, effects applied, a save that cleared them."""
        ...

    def bound_changed(self, watch: int) -> None: ...

    def in_sight(self) -> bool:
        """Whether anybody sees the panel; one that nobody sees is told of changes after the others."""
        ...

    def state_changed(self) -> None: ...

    def draft_saved(self, at: str) -> None: ...

    def told(self, text: str, tone: str) -> None: ...

    def raised(self, name: str, context: Mapping[str, Any]) -> None:
        """An intent for the shell itself, such as ``open Patient``."""
        ...

    def blob_changed(self, handle: str) -> None:
        """`PanelInstance.blob(handle)` gives something else than before."""
        ...

    def wanted(self, source: str) -> None:
        """Another panel (`source`, its title and vendor) asks this one for something that the user does here: bring it
        in front and put the focus in its first field."""
        ...

    async def choose(self, question: str, choices: Sequence[str]) -> int | None:
        """Ask the user which of `choices` is meant; None when none is."""
        ...

    async def printing(self, paper: Paper) -> tuple[bool, str]:
        """Show what the panel wants printed and ask the user. Whether it was, and why not."""
        ...


class QuietListener:
    """A listener that hears nothing, and answers no: for tools and tests that care for a few calls only."""

    def rendered(self, change: TreeChange) -> None: ...

    def values_changed(self, binds: tuple[str, ...]) -> None: ...

    def bound_changed(self, watch: int) -> None: ...

    def in_sight(self) -> bool:
        return True

    def state_changed(self) -> None: ...

    def draft_saved(self, at: str) -> None: ...

    def told(self, text: str, tone: str) -> None: ...

    def raised(self, name: str, context: Mapping[str, Any]) -> None: ...

    def blob_changed(self, handle: str) -> None: ...

    def wanted(self, source: str) -> None: ...

    async def choose(self, question: str, choices: Sequence[str]) -> int | None:
        return None

    async def printing(self, paper: Paper) -> tuple[bool, str]:
        return False, "Ingen kan skrive ut her."


class PanelInstance(Protocol):
    """One open panel. Cheap to ask; everything slow is awaited."""

    @property
    def id(self) -> str: ...
    @property
    def info(self) -> PanelInfo: ...
    @property
    def context(self) -> Context: ...
    @property
    def state(self) -> PanelState: ...
    @property
    def problem(self) -> str:
        """Why it is dead, silent or disabled, in Norwegian."""
        ...

    @property
    def log_tail(self) -> str:
        """What the panel wrote to its log: the vendor's words, which may hold patient data."""
        ...

    @property
    def fault(self) -> Fault:
        """How it failed last, for the frame and for reports; "" while all is well."""
        ...

    @property
    def pid(self) -> int | None: ...
    @property
    def first_render_ms(self) -> float | None:
        """From `open` asked of the host to the first tree validated."""
        ...

    @property
    def root(self) -> str | None: ...
    @property
    def nodes(self) -> Mapping[str, TreeNode]: ...
    @property
    def values(self) -> Mapping[str, Any]: ...

    def bound(self, watch: int) -> BoundRows: ...

    def typed(self, bind: str, value: Any) -> None:
        """The user typed: kept at once, drafted within a second, told to the panel in the next batch."""
        ...

    def keep(self) -> None:
        """What is typed is handed over as a draft now, not within the second."""
        ...

    def follow(self, key: Sequence[str], values: Mapping[str, Any]) -> tuple[str, ...]:
        """What the draft `key` (`DraftKey.parts`) became on another workstation of the user; empty when it was saved or
        emptied there. Returns the fields that changed here: none when it is not this form's, or newer typing stands."""
        ...

    def exchange(self, key: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        """Sent from the list of what is not saved, or back from there: where `before` still stands in this form, `after`
        does (by bind, None: empty). Returns the fields that changed: none when `key` is not this form's draft."""
        ...

    async def act(self, action: Action) -> ActOutcome:
        """Run an action to its effects. Concurrent acts of one instance are queued; each is answered."""
        ...

    def cancel(self) -> bool:
        """The user no longer wants the action that runs. Whether there was one that could still be cancelled: what is
        being committed cannot."""
        ...

    async def undo(self, receipt: Receipt) -> ActOutcome: ...

    def blob(self, handle: str) -> tuple[str, bytes] | None:
        """Type and bytes of what the panel handed over under `handle`, once all has come."""
        ...

    def show(self, visible: bool) -> None: ...

    async def restart(self) -> None: ...

    async def close(self) -> None: ...
