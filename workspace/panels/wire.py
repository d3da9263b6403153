"""One message a line: cutting the stream into lines, and JSON-RPC envelopes to and from bytes.

Knows nothing of panels, futures or order. Raises `LineTooLong` for a line that outgrows `MAX_LINE` (the stream is
then beyond repair) and `protocol.ParseError` for a line that is no message.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from workspace.fhir.json import msgspec_literal
from workspace.panels.protocol import ERRORS, MAX_CHUNK, MAX_LINE, Id, InvalidRequest, PanelError, ParseError

ROW_ROOM = 8 << 10
"""Bytes of a line that are not rows: a row must leave that much."""


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
    id: Id | None = None
    method: str | None = None
    params: msgspec.Raw = msgspec.Raw(b"")
    result: msgspec.Raw = msgspec.Raw(b"")
    error: msgspec.Raw = msgspec.Raw(b"")

    @property
    def failed(self) -> bool:
        return bool(self.error) and bytes(self.error) != b"null"


_DECODER = msgspec.json.Decoder(Envelope)
_ENCODER = msgspec.json.Encoder(enc_hook=msgspec_literal)
_ERROR = msgspec.json.Decoder(ErrorBody)
_BY_NAME = {kind.name: kind for kind in ERRORS.values()}


def decode(line: bytes) -> Envelope:
    """Raises ParseError; the message says why, without repeating what stood on the line."""
    try:
        envelope = _DECODER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ParseError(f"not a JSON-RPC message: {type(error).__name__}") from None
    if envelope.method is None and envelope.id is None and not envelope.failed:
        raise ParseError("neither a method nor an answer")
    return envelope


def encode(value: Any) -> bytes:
    return _ENCODER.encode(value)


def request(number: int, method: str, params: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","id":%d,"method":"%s","params":%s}\n' % (number, method.encode(), params)


def notification(method: str, params: bytes) -> bytes:
    return b'{"jsonrpc":"2.0","method":"%s","params":%s}\n' % (method.encode(), params)


def answer(number: Id, result: Any) -> bytes:
    return b'{"jsonrpc":"2.0","id":%s,"result":%s}\n' % (encode(number), encode(result))


def failure(number: Id | None, error: PanelError) -> bytes:
    body = ErrorBody(error.code, error.message, {**error.data, "name": error.name})
    return b'{"jsonrpc":"2.0","id":%s,"error":%s}\n' % (encode(number), encode(body))


def raised(raw: bytes | msgspec.Raw) -> PanelError:
    """The exception that an error on the wire stands for: the same class on both sides, by code, else by name."""
    try:
        body = _ERROR.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return InvalidRequest("an error without code and message")
    data = {key: value for key, value in body.data.items() if key != "name"}
    kind = ERRORS.get(body.code) or _BY_NAME.get(str(body.data.get("name")), PanelError)
    return kind(body.message, data)


def chunked(rows: Iterable[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """`rows` in parts that fit a message; at least one, possibly empty, part. A row alone may be larger than a part."""
    part: list[dict[str, Any]] = []
    size = 0
    for row in rows:
        weight = len(encode(row))
        if part and size + weight > MAX_CHUNK:
            yield part
            part, size = [], 0
        part.append(row)
        size += weight
    yield part


def fits(row: dict[str, Any]) -> bool:
    """Whether the row can be sent at all."""
    return len(encode(row)) <= MAX_LINE - ROW_ROOM
