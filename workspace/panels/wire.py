"""One message a line: cutting the stream into lines, and JSON-RPC envelopes to and from bytes.

Knows nothing of panels, futures or order. Raises `LineTooLong` for a line that outgrows `MAX_LINE` (the stream is
then beyond repair) and `protocol.ParseError` for a line that is no message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from workspace.panels.protocol import ERRORS, MAX_LINE, PanelError, ParseError


class LineTooLong(Exception):
    """More than MAX_LINE bytes without a line's end."""


class Lines:
    """Feeds of bytes in, whole lines out. Empty lines are skipped."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The lines that `data` completes. Raises LineTooLong, after the good lines before it."""
        self._rest += data
        start = 0
        rest = self._rest
        try:
            while (end := rest.find(b"\n", start)) >= 0:
                if end - start >= MAX_LINE:
                    raise LineTooLong
                line = bytes(rest[start:end])
                start = end + 1
                if line.strip():
                    yield line
            if len(rest) - start >= MAX_LINE:
                raise LineTooLong
        finally:
            del rest[:start]


class ErrorBody(msgspec.Struct, frozen=True, omit_defaults=True):
    code: int
    message: str = ""
    data: dict[str, Any] = {}


class Envelope(msgspec.Struct, frozen=True):
    """Any JSON-RPC 2.0 message. `params` and `result` are still bytes: their type follows from the method."""

    jsonrpc: str = "2.0"
    id: int | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")
    error: ErrorBody | None = None


_DECODER = msgspec.json.Decoder(Envelope)
_ENCODER = msgspec.json.Encoder()


def decode(line: bytes) -> Envelope:
    """Raises ParseError; the message says why, without repeating what stood on the line."""
    try:
        envelope = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"not a JSON-RPC message: {type(error).__name__}") from None
    if envelope.method is None and envelope.id is None and envelope.error is None:
        raise ParseError("neither a method nor an answer")
    return envelope


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value)


def request(number: int, method: str, params: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n' % (number, method.encode(), params)


def notification(method: str, params: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","method":"%s","params":%s}\n' % (method.encode(), params)


def answer(number: int, result: Any) -> bytes:
    return b'{"jsonrpc":"2.0","id":%d,"result":%s}\n' % (number, encode(result))


def failure(number: int | None, error: PanelError) -> bytes:
    body = ErrorBody(error.code, error.message, {"name": error.name, **error.data})
    told = b"null" if number is None else b"%d" % number
    return b'{"jsonrpc":"2.0","id":%s,"error":%s}\n' % (told, encode(body))


def raised(body: ErrorBody) -> PanelError:
    """The exception that an error on the wire stands for: the same class on both sides."""
    data = {key: value for key, value in body.data.items() if key != "name"}
    return ERRORS.get(body.code, PanelError)(body.message, data)
