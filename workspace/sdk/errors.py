"""What can go wrong between a vendor's code and the shell.

Exception
├── SdkError            a mistake at the vendor's desk; the message says what to do instead, and where
│   ├── StaleContext    a `ctx` after its run, or in another thread
│   ├── WriteInView     a view that writes
│   └── PatientState    something about a patient kept outside the run
├── PanelProblem        a plain sentence for the user
└── WireError           what crosses the wire: one class for each of the protocol's codes, the same on both sides
BaseException
└── Suspended           no error at all: a result has not come yet, and whoever needed it is asked again later
"""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SdkError(Exception):
    """A mistake in how the SDK was used; the message says what to do instead."""


class StaleContext(SdkError):
    """A `ctx` was used after its run, or from another thread. Take what you need and let go of it."""


class WriteInView(SdkError):
    """A view may only describe. Write in an action: ``@panel.action``."""


class PatientState(SdkError):
    """A module, class or cache holds something about a patient after a run. Ask for it anew, or use ``ctx.set``."""


class PanelProblem(Exception):
    """Raise it in an action to tell the user, in the user's language, why it cannot be done. Nothing is then
    written."""


class Suspended(BaseException):
    """Raised where a result is used before it has come. Not an `Exception`, so no vendor's `except` swallows it."""

    def __init__(self, waits_for: str) -> None:
        super().__init__(waits_for)
        self.waits_for = waits_for


def where() -> str:
    """The vendor's line that is being run: ``vitals.py:41``; empty when there is none."""
    frame = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename.replace("\\", "/")
        if "/workspace/sdk/" not in path:
            return f"{path.rpartition('/')[2]}:{frame.f_lineno}"
        if frame.f_back is None:
            break
        frame = frame.f_back
    return ""


def at(text: str) -> str:
    """`text` with the vendor's line before it."""
    place = where()
    return f"{place}: {text}" if place else text


# --- what crosses the wire ----------------------------------------------------------------------------------


class WireError(Exception):
    """Becomes, or came as, a JSON-RPC error. `code` and `name` are the protocol's and stay for ever; `message` may be
    shown to the user."""

    code, name = -32000, "panel-error"

    def __init__(self, message: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}

    @property
    def text(self) -> str:
        return self.message


ResultFailed = WireError
"""What using a result raises when the query could not be answered: the class says why (`ScopeDenied`, `Unavailable`
…)."""


class ParseError(WireError):
    code, name = -32700, "parse-error"


class InvalidRequest(WireError):
    code, name = -32600, "invalid-request"


class MethodNotFound(WireError):
    code, name = -32601, "method-not-found"


class InvalidParams(WireError):
    code, name = -32602, "invalid-params"


class InternalError(WireError):
    code, name = -32603, "internal-error"


class ContextChanged(WireError):
    code, name = -32010, "context-changed"


class ScopeDenied(WireError):
    code, name = -32011, "scope-denied"


class WrongPatient(WireError):
    code, name = -32012, "wrong-patient"


class AccessDenied(WireError):
    code, name = -32013, "access-denied"


class Conflict(WireError):
    code, name = -32014, "conflict"


class Unavailable(WireError):
    code, name = -32015, "unavailable"


class TooLarge(WireError):
    code, name = -32016, "too-large"


class TooMany(WireError):
    code, name = -32017, "too-many"


class BadQuery(WireError):
    code, name = -32018, "bad-query"


class Rejected(WireError):
    code, name = -32019, "rejected"


class UnsupportedProtocol(WireError):
    code, name = -32020, "unsupported-protocol"


class Cancelled(WireError):
    code, name = -32800, "cancelled"


ERRORS: dict[str, type[WireError]] = {
    kind.name: kind
    for kind in (
        WireError, ParseError, InvalidRequest, MethodNotFound, InvalidParams, InternalError, ContextChanged, ScopeDenied,
        WrongPatient, AccessDenied, Conflict, Unavailable, TooLarge, TooMany, BadQuery, Rejected, UnsupportedProtocol,
        Cancelled,
    )
}  # fmt: skip
_BY_CODE = {kind.code: kind for kind in ERRORS.values()}


def named(name: str, message: str) -> WireError:
    """The error of that name."""
    return ERRORS.get(name, WireError)(message)


def received(error: object) -> WireError:
    """The exception that a JSON-RPC error from the host stands for: by code, else by name."""
    if not isinstance(error, dict):
        return InvalidRequest("an error without code and message")
    held = error.get("data")
    data: dict[str, Any] = dict(held) if isinstance(held, dict) else {}
    name, code = data.pop("name", ""), error.get("code")
    kind = _BY_CODE.get(code) if isinstance(code, int) else None
    return (kind or ERRORS.get(str(name), WireError))(str(error.get("message") or ""), data)
