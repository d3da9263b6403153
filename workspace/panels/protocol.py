"""The whole boundary between the shell and a vendor's panel, in one file (DESIGN §3).

JSON-RPC 2.0, one message a line, UTF-8, over the panel's stdin and stdout. Method names are the constants beside each
struct; a struct is the `params` (or, where named `…Result`, the `result`). JSON Schema and the reference page are
generated from here. Unknown fields are ignored, and so are notifications whose method is unknown.

Every message but the process-wide ones carries the `instance` and the `context` token it belongs to. A message with an
ended token is dropped and counted; a request with one is answered with `context-changed`."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

import msgspec
from msgspec import Meta

from workspace.panels.bounds import HEAVIEST, MAX_CHIPS, MAX_CHOICES
from workspace.panels.components import Action

PROTOCOL_VERSION = 1
"""The newest version this host speaks."""
OLDEST_PROTOCOL = 1
"""The oldest version it still speaks."""

# --- limits -------------------------------------------------------------------------------------------------

MAX_LINE = 1 << 20  # bytes, a whole message, either way
MAX_RENDER = 256 << 10  # bytes, one render
MAX_NODES = 5_000
MAX_DEPTH = 40
MAX_ROWS = 10_000  # rows of one table that a panel computed itself
MAX_STRING = 20_000  # characters, one string in a tree
MAX_WATCHES = 64  # of one instance
MAX_PENDING = 64  # requests of one process under way at a time
MAX_RAISED = 8  # intents of one instance waiting for their result
MAX_WRITES = 200  # in one transaction
MAX_STATE = 256 << 10  # bytes, what effects set at a time
MAX_BLOBS = 8 << 20  # bytes, all blobs of one instance
MAX_CHUNK = 512 << 10  # bytes, one part of a blob or of a long result
MESSAGES = (400.0, 2_000.0)  # a second, and at once
BYTES = (8.0 * (1 << 20), 24.0 * (1 << 20))
RENDERS = (120.0, 300.0)
BAD_LINES = 3  # lines in a row that are no message

ANSWER_TIMEOUT = 2.0  # seconds without a sign of life while an answer is owed: the panel is `silent`
INITIALIZE_TIMEOUT = 10.0
EVENT_TIMEOUT = 60.0
SHUTDOWN_TIMEOUT = 0.5

BLOB_TYPES = ("image/png", "image/jpeg", "image/gif", "image/bmp", "image/webp", "application/pdf")

LIMITS: tuple[tuple[str, str, str], ...] = (
    ("a line, either way", f"{MAX_LINE >> 10} KiB", "the process is ended at once"),
    ("messages of a process", f"{MESSAGES[0]:.0f} a second, {MESSAGES[1]:.0f} at once", "the process is ended"),
    ("bytes of a process", f"{BYTES[0] / (1 << 20):.0f} MiB a second, {BYTES[1] / (1 << 20):.0f} MiB at once",
     "the process is ended"),
    ("lines in a row that are no message", str(BAD_LINES), "the process is ended"),
    ("renders of an instance", f"{RENDERS[0]:.0f} a second, {RENDERS[1]:.0f} at once", "the process is ended"),
    ("a render", f"{MAX_RENDER >> 10} KiB", "not drawn; a patch is answered with `resync`"),
    ("nodes of a tree", f"{MAX_NODES:,}", "not drawn"),
    ("nesting of a tree", f"{MAX_DEPTH} levels", "not drawn"),
    ("what a tree costs to draw", f"{HEAVIEST:,}: a text 1, a button 3, a field 5–12, a table 29", "not drawn"),
    ("options of a choice", f"{MAX_CHOICES:,} in a menu, {MAX_CHIPS} as chips", "not drawn"),
    ("rows of a table that the panel computed", f"{MAX_ROWS:,}", "not drawn"),
    ("one string in a tree", f"{MAX_STRING:,} characters", "not drawn"),
    ("requests of a process under way", str(MAX_PENDING), "`too-many`"),
    ("watches of an instance", str(MAX_WATCHES), "`too-many`"),
    ("intents of an instance under way", str(MAX_RAISED), "`too-many`"),
    ("writes of a transaction", str(MAX_WRITES), "nothing is saved"),
    ("state that effects set", f"{MAX_STATE >> 10} KiB", "nothing is saved"),
    ("blobs of an instance", f"{MAX_BLOBS >> 20} MiB in all, {MAX_CHUNK >> 10} KiB a part", "`too-large`"),
    ("a sign of life while an answer is owed", f"{ANSWER_TIMEOUT:.0f} s", "the user is told; lifted by any message"),
    ("the answer to `initialize`", f"{INITIALIZE_TIMEOUT:.0f} s", "the panel is not started"),
    ("the answer to `event`", f"{EVENT_TIMEOUT:.0f} s", "the event is cancelled; nothing is saved"),
    ("the answer to `shutdown`", f"{SHUTDOWN_TIMEOUT} s", "the process is ended"),
)  # fmt: skip
"""What is limited, how much, and what happens beyond: for the reference page and for the rules in `wire`, `process`,
`rpc`, `instance`, `tree`, `feeds`, `effects` and `blobs`."""

Query = Annotated[str, Meta(min_length=1, max_length=4_000)]
Reference = Annotated[str, Meta(min_length=3, max_length=300)]
Sentence = Annotated[str, Meta(max_length=500)]
"""For the user."""
Title = Annotated[str, Meta(max_length=200)]
Name = Annotated[str, Meta(min_length=1, max_length=100)]
Number = Annotated[int, Meta(ge=0, le=(1 << 53) - 1)]
"""A count that every language's JSON can hold."""
Id = int | Annotated[str, Meta(max_length=100)]
"""A request's number (or name), chosen by whoever asks; unique among those under way."""

Tone = Literal["ok", "warn", "bad", "neutral"]

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
    """A query's outcome. `watch` is its handle for `data` and for bound tables. `error` set: `resources` is what is
    left from before, possibly none. Matches first, then `included` included ones. `parts` counts the `part` messages
    that came before an answer too long for one line: `resources` are then the last rows. `more`: the answer was cut, and
    there are further rows than these. `bound`: the manifest says that the view only draws from it; no rows are sent, and a
    panel that wants them after all asks with `watch`."""

    query: str
    watch: int | None = None
    resources: list[dict[str, Any]] = []
    included: int = 0
    total: int | None = None
    fetched: str = ""
    error: str = ""
    code: str = ""
    parts: int = 0
    more: bool = False
    bound: bool = False


class State(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Fields and local state as the user left them. `revision` grows by one with every change in the shell."""

    values: Values = {}
    revision: Number = 0


class IntentRequest(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Something asked of the shell or of another panel about the context's own patient. `name` is a verb and what it is
    about, declared under `raises` in the manifest: ``open Patient``, ``record vital-signs``; `args` is its typed
    context: ``{"patient": "Patient/BEB-18"}``. Within effects, `id` is the panel's own word for it, given back in
    `answer`."""

    name: Name
    args: dict[str, Any] = {}
    id: Annotated[str, Meta(max_length=100)] = ""


class IntentResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """What came of an intent. `handled` false: nobody did it, and `reason` says why in the user's language. `later`
    (only from a panel that was asked): taken, the result follows in the effects of an event, when the user has done
    it."""

    handled: bool
    result: Any = None
    reason: Sentence = ""
    later: bool = False


class IntentAnswer(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Within effects: the intent `id`, taken earlier, is done (or given up). ``urn:uuid:`` of this transaction's
    entries in `result` become the saved references before the asker gets it."""

    id: str
    handled: bool = True
    result: Any = None
    reason: Sentence = ""


class Document(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Something to be printed by the shell, on paper or as PDF: a `text` (lines, no mark-up) or a `tree` of components.
    The shell shows it, adds patient, panel and time, and asks the user."""

    title: Title
    text: Annotated[str, Meta(max_length=MAX_RENDER)] = ""
    tree: Node | None = None


# --- host → panel -------------------------------------------------------------------------------------------


class Initialize(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: the first message, and who speaks which protocol. The host speaks every version from `oldest` to
    `protocol`. Answered with `InitializeResult`, or with `unsupported-protocol` by a panel that speaks none of them;
    `message` then says so in words."""

    method = "initialize"
    protocol: int
    oldest: int
    locale: str = "nb"
    scopes: list[str] = []


class InitializeResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """`protocol` is the version that holds from here on: the newest that both speak. One outside the host's range is
    refused, and the process ended."""

    name: str
    version: str
    views: list[str]
    protocol: int = 1


class Open(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: show a view. Answered with null at once, the first `render` follows. `results` are the manifest's
    prefetched queries, each already watched under its `watch` handle, so that the first render waits for nothing."""

    method = "open"
    instance: str
    view: str
    context: ContextInfo
    settings: dict[str, Any] = {}
    state: State = State()
    results: list[Result] = []


class Close(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: a view goes from the screen. Answered with null when the instance is gone."""

    method = "close"
    instance: str
    context: str


class Data(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a watched result, `whole` at first and after trouble, then changes: ids in `gone` are dropped, then
    each ``[index, resource]`` of `put` is placed, lowest index first. `error` without `whole` leaves the rows standing
    as stale. `more` says that further parts of this whole result follow; it counts when the last has come. `further` sets
    the result's own `more` anew, where a change made it another. A view that nobody sees is told of changes a moment
    after those on the screen, and always before an event or an intent."""

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
    further: bool | None = None


class Event(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: what the user did. `state` is everything the user left in the fields, with its revision. Answered with
    `Effects`, or an error whose message is shown in the panel. The user may cancel it (`cancel`) while it runs."""

    method = "event"
    instance: str
    context: str
    action: Action
    state: State


class Effects(Message, frozen=True, omit_defaults=True, kw_only=True):
    """The answer to `event`: the host checks all, commits all or none, and only then does the rest.

    `writes` is one transaction, each entry naming its patient. `state` sets local state (never a field with newer
    typing than `revision`); `clear` empties fields. `message` is told to the user. `raise` asks for intents, `answers`
    finishes intents this panel took earlier, `print` hands over a document. There are no other effects."""

    writes: list[WriteEntry] = []
    state: Values = {}
    clear: list[str] = []
    revision: Number = 0
    message: Sentence = ""
    tone: Tone = "ok"
    raise_: list[IntentRequest] = msgspec.field(default_factory=list, name="raise")
    answers: list[IntentAnswer] = []
    print: Document | None = None


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
    """Notification: settings or language changed while the view is open. `settings` is all of them."""

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
    """Request: another panel in the same context asks this one for something it `handles`. `source` is the asking
    panel's title and vendor, for the user. Answered with `IntentResult`; with `later` set the panel answers in
    `Effects.answers` under `id`. A `cancel` of that `id` says that nobody waits any more: it is done and saved, or the
    asker has gone."""

    method = "intent"
    instance: str
    context: str
    id: str
    name: str
    args: dict[str, Any] = {}
    source: str = ""


class Answer(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: what came of an intent that this panel raised in its effects, under the `id` it gave there."""

    method = "answer"
    instance: str
    context: str
    id: str
    name: str
    result: IntentResult


class Part(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: rows of an answer too long for one line. They come in order before the answer to request `id`,
    whose own rows are the last."""

    method = "part"
    id: Id
    resources: list[dict[str, Any]]


class Resync(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: send the whole tree again."""

    method = "resync"
    instance: str
    context: str


class Visible(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: the view is on screen again."""

    method = "visible"
    instance: str
    context: str


class Hidden(Visible, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: the view is behind a tab, or covered. It need not render."""

    method = "hidden"


class Cancel(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: the answer to request `id` is no longer wanted. It is still answered, with `cancelled`
    or with what was already on its way."""

    method = "cancel"
    id: Id


class Ping(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: are you there? Answered with null. Any message at all counts as a sign of life."""

    method = "ping"


class Shutdown(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: the process is over. Answered with null, then it exits."""

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
    revision: Number
    tree: Node | None = None
    base: Number | None = None
    patch: list[Operation] = []


class Search(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: a search, once. Answered with `Result`, after `part` messages when it is long. Not live: see `watch`."""

    method = "search"
    instance: str
    context: str
    query: Query


class Read(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: one resource, once. Answered with the resource. `reference` is ``Type/id``."""

    method = "read"
    instance: str
    context: str
    reference: Reference


class WatchQuery(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: a live search. Answered with `WatchResult`, then `data`. `bound` asks for no data of its own: the shell
    shows the rows through a bound table or trend."""

    method = "watch"
    instance: str
    context: str
    query: Query
    bound: bool = False


class WatchResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """`watch` names the live result in `data`, in bound tables and trends, and in `unwatch`."""

    watch: int


class Unwatch(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request or notification: a watch is no longer needed. Answered with null. No `data` follows."""

    method = "unwatch"
    instance: str
    context: str
    watch: int


class Raise(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: an intent outside an event. It goes to a panel open in the same context, else to one that is opened for
    it; where several could, the user chooses. A panel may lead the user elsewhere or ask only within 5 s after an event
    of its own. Answered with the `IntentResult` when it is done, which may take as long as the user takes; as a
    notification nobody is told. `name` and `args` as in `IntentRequest`."""

    method = "raise"
    instance: str
    context: str
    name: Name
    args: dict[str, Any] = {}


class Notify(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a sentence for the user, shown once in the panel's state line."""

    method = "notify"
    instance: str
    context: str
    text: Sentence
    tone: Tone = "neutral"


class Print(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: `document` is to be printed, after something the user did in the panel. Answered with `PrintResult` when
    the user has decided."""

    method = "print"
    instance: str
    context: str
    document: Document


class PrintResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Whether it was sent to a printer or file; `reason` says why not."""

    printed: bool
    reason: str = ""


class Blob(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Request: a part of a picture or document that components then name by `handle`. `data` is base64 and stands at
    byte `offset` of `total`; parts come in order, the next when the former is answered. Offset 0 begins anew, `total` 0
    forgets the blob. Answered with `BlobResult`; the blob exists when all has come. `mime` is one of the allowed types,
    and the first bytes must be of that type."""

    method = "blob"
    instance: str
    context: str
    handle: Name
    mime: str
    total: Number
    offset: Number = 0
    data: bytes = b""


class BlobResult(Message, frozen=True, omit_defaults=True, kw_only=True):
    """How many bytes of the blob have come."""

    received: int


class Log(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: a line for the vendor's own log. Never patient data: the host keeps it out of crash reports."""

    method = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    text: Annotated[str, Meta(max_length=8_000)]


class Acknowledge(Message, frozen=True, omit_defaults=True, kw_only=True):
    """Notification: request `id` has come and is worked on; its answer will take a while. Without an answer, this, or
    any other message within 2 s the panel is shown as not answering."""

    method = "ack"
    id: Id


HOST_TO_PANEL: tuple[type[Message], ...] = (
    Initialize, Open, Close, Data, Event, StateChanged, SettingsChanged, Ask, Intent, Answer, Part, Resync, Visible, Hidden,
    Cancel, Ping, Shutdown,
)  # fmt: skip
PANEL_TO_HOST: tuple[type[Message], ...] = (
    Render, Search, Read, WatchQuery, Unwatch, Raise, Notify, Print, Blob, Log, Acknowledge, Cancel,
)  # fmt: skip
ANSWERS: dict[str, type[Message] | None] = {
    "initialize": InitializeResult, "open": None, "close": None, "event": Effects, "ask": AskResult, "intent": IntentResult,
    "ping": None, "shutdown": None, "search": Result, "read": None, "watch": WatchResult, "unwatch": None,
    "raise": IntentResult, "print": PrintResult, "blob": BlobResult,
}  # fmt: skip
"""What each request is answered with; None is null, but for `read`, which is answered with the resource itself."""


# --- errors -------------------------------------------------------------------------------------------------


class PanelError(Exception):
    """A failure without a name of its own. The base of what crosses the wire as a JSON-RPC error: `code` is the number
    on the wire, `name` the stable word in ``error.data.name``; both sides turn it back into the same class. `message`
    may be shown to the user."""

    code: ClassVar[int] = -32000
    name: ClassVar[str] = "panel-error"

    def __init__(self, message: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}


class ParseError(PanelError):
    """The line is no JSON."""

    code, name = -32700, "parse-error"


class InvalidRequest(PanelError):
    """JSON, but no message; or an answer of the wrong shape."""

    code, name = -32600, "invalid-request"


class MethodNotFound(PanelError):
    """A request with an unknown method."""

    code, name = -32601, "method-not-found"


class InvalidParams(PanelError):
    """Fields are missing or wrong; the message names them."""

    code, name = -32602, "invalid-params"


class InternalError(PanelError):
    """A fault of the side that answers."""

    code, name = -32603, "internal-error"


class ContextChanged(PanelError):
    """The context has ended; the answer would be about somebody no longer on screen."""

    code, name = -32010, "context-changed"


class ScopeDenied(PanelError):
    """Beyond the scopes that were approved for the package."""

    code, name = -32011, "scope-denied"


class WrongPatient(PanelError):
    """About somebody else than the context allows. Logged."""

    code, name = -32012, "wrong-patient"


class AccessDenied(PanelError):
    """The user may not see or do this."""

    code, name = -32013, "access-denied"


class Conflict(PanelError):
    """Somebody else has changed it since it was read."""

    code, name = -32014, "conflict"


class Unavailable(PanelError):
    """The platform cannot be reached; what was fetched before still stands."""

    code, name = -32015, "unavailable"


class TooLarge(PanelError):
    """Over a limit of size."""

    code, name = -32016, "too-large"


class TooMany(PanelError):
    """Over a limit of number."""

    code, name = -32017, "too-many"


class BadQuery(PanelError):
    """The search cannot be understood."""

    code, name = -32018, "bad-query"


class Rejected(PanelError):
    """The platform refused what was written; the message says which field and why."""

    code, name = -32019, "rejected"


class UnsupportedProtocol(PanelError):
    """The two speak no common version; the message says which each speaks."""

    code, name = -32020, "unsupported-protocol"


class Cancelled(PanelError):
    """Whoever asked no longer wants the answer."""

    code, name = -32800, "cancelled"


ERRORS: dict[int, type[PanelError]] = {
    cls.code: cls
    for cls in (
        PanelError, ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError, ContextChanged, ScopeDenied,
        WrongPatient, AccessDenied, Conflict, Unavailable, TooLarge, TooMany, BadQuery, Rejected,
        UnsupportedProtocol, Cancelled,
    )
}  # fmt: skip
