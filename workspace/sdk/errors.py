"""What can go wrong between a vendor's code and the shell.

`SdkError` and its kin are mistakes at the vendor's desk. `PanelProblem` is meant for the user: a plain sentence.
`Suspended` is no error at all: a result has not come yet, and whoever needed it is asked again later.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class SdkError(Exception):
    """A mistake in how the SDK was used; the message says what to do instead."""


class StaleContext(SdkError):
    """A `ctx` was used after its run, or from another thread. Take what you need and let go of it."""


class WriteInView(SdkError):
    """A view may only describe. Write in an action: ``@panel.action``."""


class PanelProblem(Exception):
    """Raise it in an action to tell the user, in the user's language, why it cannot be done. Nothing is then written."""


class ResultFailed(Exception):
    """A query could not be answered. `text` is the sentence the host gave, `code` its stable name."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(text)
        self.text, self.code = text, code


class Suspended(BaseException):
    """Raised where a result is used before it has come. Not an `Exception`, so no vendor's `except` swallows it."""

    def __init__(self, waits_for: str) -> None:
        super().__init__(waits_for)
        self.waits_for = waits_for


class WireError(Exception):
    """Becomes a JSON-RPC error. The numbers and names are the protocol's and stay for ever."""

    code, name = -32000, "panel-error"

    def __init__(self, message: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data or {}


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


class Cancelled(WireError):
    code, name = -32800, "cancelled"
