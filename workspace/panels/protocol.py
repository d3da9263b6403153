"""The whole boundary between the shell and a vendor's panel, in one file (DESIGN §3).

JSON-RPC 2.0, one message a line, UTF-8, over the panel's stdin and stdout. Method names are the constants beside each
struct; a struct is the `params` (or, where named `…Result`, the `result`). JSON Schema and the reference page are
generated from here. Unknown fields are ignored. Every message but the process-wide ones carries the instance and the
context token it belongs to; a message with an ended token is dropped and counted.

Order: messages of one direction are handled in the order sent; `ask` is answered after every earlier `event`.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

from workspace.panels.components import Action

PROTOCOL_VERSION = 1
MAX_LINE = 1 << 20  # bytes, a whole message
MAX_RENDER = 256 << 10  # bytes, one render
MAX_NODES = 5_000

Values = dict[str, Any]
"""What is typed and kept by bind: JSON strings, numbers, booleans, lists of strings, or null."""


class Message(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """Base of all params and results; `method` is empty for results."""

    method: ClassVar[str] = ""


# --- shared shapes ------------------------------------------------------------------------------------------


class ContextInfo(Message, frozen=True, omit_defaults=True, kw_only=True):
    """What a panel may know of its context. `patient` ``Patient/<id>`` or `unit` ``Organization/<id>`` with `patients`.
    `user` is who is signed in: ``{"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}``.
    `now` is the clinical time when sent; `offset` of later times is the panel's own monotonic clock."""

    token: str
    kind: Literal["patient", "unit", "none"]
    now: str
    user: dict[str, str] = {}
    patient: str = ""
    unit: str = ""
    patients: list[str] = []


class Result(Message, frozen=True, omit_defaults=True, kw_only=True):
    """A query's outcome. `watch` is its handle for `data` and for bound tables. `error` set: `resources` is what is left
    from before, possibly none. Matches first, then `included` included ones."""

    query: str
    watch: int | None = None
    resources: list[dict[str, Any]] = []
    included: int = 0
    total: int | None = None
    fetched: str = ""
    error: str = ""
    code: str = ""


class State(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Fields and local state as the user left them. `revision` grows by one with every change in the shell."""

    values: Values = {}
    revision: int = 0


# --- host → panel -------------------------------------------------------------------------------------------


class Initialize(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; the first message. Answered with `InitializeResult`."""

    method = "initialize"
    protocol: int = PROTOCOL_VERSION
    locale: str = "nb"
    scopes: list[str] = []


class InitializeResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    name: str
    version: str
    views: list[str]
    protocol: int = PROTOCOL_VERSION


class Open(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with null at once, the first `render` follows. `results` are the manifest's prefetched queries,
    each already watched under its `watch` handle, so that the first render waits for nothing."""

    method = "open"
    instance: str
    view: str
    context: ContextInfo
    settings: dict[str, Any] = {}
    state: State = State()
    results: list[Result] = []


class Close(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with null when the instance is gone."""

    method = "close"
    instance: str
    context: str


class Data(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a watched result, `whole` at first and after trouble, then changes: ids in `gone` are dropped, then
    each ``[index, resource]`` of `put` is placed, lowest index first. `error` without `whole` leaves the rows standing
    as stale. `more` says that further chunks of a whole result follow."""

    method = "data"
    instance: str
    context: str
    watch: int
    whole: Result | None = None
    gone: list[str] = []
    put: list[tuple[int, dict[str, Any]]] = []
    error: str = ""
    code: str = ""
    more: bool = False


class Event(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: what the user did. `state` is everything the user left in the fields, with its revision. Answered with
    `Effects`, or an error whose message is shown in the panel."""

    method = "event"
    instance: str
    context: str
    action: Action
    state: State


class Effects(Message, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to `event`: the host checks all, commits all or none, then applies `state` and `clear`.

    `writes` is one transaction, each entry naming its patient. `state` sets local state (never a field with newer typing
    than `revision`); `clear` empties fields. `message` is told to the user once committed. `raise_` asks for an intent
    (wire name ``raise``). `copy` of nothing else: there are no other effects."""

    writes: list[WriteEntry] = []
    state: Values = {}
    clear: list[str] = []
    revision: int = 0
    message: str = ""
    tone: Literal["ok", "warn", "bad", "neutral"] = "ok"
    raise_: list[Intent] = msgspec.field(default_factory=list, name="raise")


class WriteEntry(Message, frozen=True, omit_defaults=True, kw_only=True):
    """`action` create: `resource` without id, `full_url` a ``urn:uuid:`` that other entries may refer to. update: the
    whole resource with id and `if_match` the version it was read at."""

    action: Literal["create", "update"]
    resource: dict[str, Any]
    full_url: str = ""
    if_match: str = ""


class StateChanged(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: the user typed, a draft was restored, or effects were applied. `values` are only those changed."""

    method = "state/changed"
    instance: str
    context: str
    values: Values
    revision: int


class SettingsChanged(Message, frozen=True, omit_defaults=True, kw_only=True):
    method = "settings/changed"
    instance: str
    context: str
    settings: dict[str, Any] = {}
    locale: str = "nb"


class Ask(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: the patient is about to change. A barrier, answered with `AskResult` after every earlier event."""

    method = "ask"
    instance: str
    context: str


class AskResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """`hold` only for a declared procedure that must not be cut; `reason` is shown to the user."""

    hold: bool = False
    reason: str = ""


class Intent(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Host → panel request (another panel asks), or panel → host (``raise``). `name` is a verb and a type,
    ``open Patient``, ``view Observation``; `context` is typed: ``{"patient": "Patient/BEB-18"}``."""

    method = "intent"
    instance: str = ""
    context_token: str = msgspec.field(default="", name="contextToken")
    name: str
    context: dict[str, Any] = {}


class Resync(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: send the whole tree again."""

    method = "resync"
    instance: str
    context: str


class Visible(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification ``visible`` or ``hidden``: hidden panels need not render."""

    method = "visible"
    instance: str
    context: str


class Hidden(Visible, frozen=True, omit_defaults=True, kw_only=True):
    method = "hidden"


class Cancel(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification, both ways: the answer to request `id` is no longer wanted."""

    method = "cancel"
    id: int


class Ping(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with null. A panel that does not answer in 2 s is shown as not answering."""

    method = "ping"


class Shutdown(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with null, then the panel exits."""

    method = "shutdown"


# --- panel → host -------------------------------------------------------------------------------------------


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """A component in a tree. `children` are whole nodes in a tree, and ids in a `children` operation."""

    id: str
    type: str
    props: dict[str, Any] = {}
    children: list[Node] = []


class AddNode(Message, frozen=True, omit_defaults=True, kw_only=True, tag_field="op", tag="add"):
    """Put `node` (whole) under `parent` at `index`; an id that exists is moved and replaced."""

    parent: str
    index: int
    node: Node


class SetProps(Message, frozen=True, omit_defaults=True, kw_only=True, tag_field="op", tag="props"):
    """Set `props` on node `id`; those in `unset` return to their defaults."""

    id: str
    props: dict[str, Any] = {}
    unset: list[str] = []


class SetChildren(Message, frozen=True, omit_defaults=True, kw_only=True, tag_field="op", tag="children"):
    """The order of `id`'s children, by id. Those left out are gone."""

    id: str
    children: list[str]


class SetRows(Message, frozen=True, omit_defaults=True, kw_only=True, tag_field="op", tag="rows"):
    """Rows of table `id`: keys in `gone` are dropped, then each ``[index, row]`` of `put` is placed, lowest first."""

    id: str
    gone: list[str] = []
    put: list[tuple[int, dict[str, Any]]] = []


class Gone(Message, frozen=True, omit_defaults=True, kw_only=True, tag_field="op", tag="gone"):
    """Node `id` and all under it are gone."""

    id: str


Operation = AddNode | SetProps | SetChildren | SetRows | Gone


class Render(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a whole `tree`, or a `patch` on revision `base`. A base that is not the host's revision is answered
    with `resync`. Within a new context the first render is always whole."""

    method = "render"
    instance: str
    context: str
    revision: int
    tree: Node | None = None
    base: int | None = None
    patch: list[Operation] = []


class Search(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with `Result`."""

    method = "search"
    instance: str
    context: str
    query: str


class Read(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with the resource. `reference` is ``Type/id``."""

    method = "read"
    instance: str
    context: str
    reference: str


class WatchQuery(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request; answered with ``{"watch": handle}``, then `data`. `bound` asks for no data of its own: the shell shows
    the rows through a bound table or trend."""

    method = "watch"
    instance: str
    context: str
    query: str
    bound: bool = False


class Unwatch(Message, frozen=True, omit_defaults=True, kw_only=True):
    method = "unwatch"
    instance: str
    context: str
    watch: int


class Raise(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: an intent outside an event."""

    method = "raise"
    instance: str
    context: str
    intent: Intent


class Notify(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a sentence for the user, shown once in the panel's state line."""

    method = "notify"
    instance: str
    context: str
    text: str
    tone: Literal["ok", "warn", "bad", "neutral"] = "neutral"


class Log(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification for the vendor's own log. Never patient data: the host keeps it out of crash reports."""

    method = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    text: str


HOST_TO_PANEL: tuple[type[Message], ...] = (
    Initialize, Open, Close, Data, Event, StateChanged, SettingsChanged, Ask, Intent, Resync, Visible, Hidden,
    Cancel, Ping, Shutdown,
)  # fmt: skip
PANEL_TO_HOST: tuple[type[Message], ...] = (
    Render, Search, Read, WatchQuery, Unwatch, Raise, Notify, Log, Cancel,
)  # fmt: skip
ANSWERS: dict[str, type[Message] | None] = {
    "initialize": InitializeResult, "event": Effects, "ask": AskResult, "search": Result,
    "open": None, "close": None, "ping": None, "shutdown": None, "intent": None,
}  # fmt: skip


# --- errors -------------------------------------------------------------------------------------------------


class PanelError(Exception):
    """Base of what crosses the wire as a JSON-RPC error. `code` is the number on the wire, `name` the stable word in
    ``error.data.name``; both sides turn it back into the same class. `message` may be shown to the user."""

    code: ClassVar[int] = -32000
    name: ClassVar[str] = "panel-error"

    def __init__(self, message: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}


class ParseError(PanelError):
    code, name = -32700, "parse-error"


class InvalidRequest(PanelError):
    code, name = -32600, "invalid-request"


class MethodNotFound(PanelError):
    code, name = -32601, "method-not-found"


class InvalidParams(PanelError):
    code, name = -32602, "invalid-params"


class InternalError(PanelError):
    code, name = -32603, "internal-error"


class ContextChanged(PanelError):
    """The context has ended; the answer would be about somebody no longer on screen."""

    code, name = -32010, "context-changed"


class ScopeDenied(PanelError):
    code, name = -32011, "scope-denied"


class WrongPatient(PanelError):
    code, name = -32012, "wrong-patient"


class AccessDenied(PanelError):
    code, name = -32013, "access-denied"


class Conflict(PanelError):
    code, name = -32014, "conflict"


class Unavailable(PanelError):
    """The platform cannot be reached; what was fetched before still stands."""

    code, name = -32015, "unavailable"


class TooLarge(PanelError):
    code, name = -32016, "too-large"


class TooMany(PanelError):
    code, name = -32017, "too-many"


class BadQuery(PanelError):
    code, name = -32018, "bad-query"


class Rejected(PanelError):
    """The platform refused what was written; the message says which field and why."""

    code, name = -32019, "rejected"


class Cancelled(PanelError):
    code, name = -32800, "cancelled"


ERRORS: dict[int, type[PanelError]] = {
    cls.code: cls
    for cls in (
        PanelError, ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError, ContextChanged, ScopeDenied,
        WrongPatient, AccessDenied, Conflict, Unavailable, TooLarge, TooMany, BadQuery, Rejected, Cancelled,
    )
}  # fmt: skip
