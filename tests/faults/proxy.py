"""A proxy with real sockets before a real platform, that does to a connection what networks and platforms do.

One request a connection; ``choose(request)`` names the fault of each ("" passes it on whole, streams too):

- ``cut`` closes before passing it on, ``reset`` does so with RST, ``half-close`` ends its own side and goes on listening;
- ``delay`` holds it for `delay` seconds, then passes it on;
- ``late`` closes the line without an answer, and passes it on `delay` seconds later;
- ``429``, ``500``, ``503`` answer so without passing it on (``429`` and ``503`` with ``Retry-After: 1``);
- ``409`` and ``412`` too, as a platform in contention does, or one that is mistaken;
- ``lost`` passes it on and closes without the answer; ``lost-reset`` with RST; ``500-after`` passes it on and says 500;
- ``412-after`` passes it on and says that it came too late;
- ``wrong-json`` passes it on and answers something else; ``short`` cuts the answer in the middle of its bytes;
- ``truncated`` passes it on and answers a valid Bundle without its last entry;
- ``mute`` (a switch, not a fault) keeps every line open and lets nothing through, as a pulled cable does;
- ``silent`` passes it on, lets the head and `heard` bytes of the body through, and then keeps the line open without a word.

``python -m tests.faults.proxy HOST:PORT FAULT…`` prints its address; each FAULT is for one POST, afterwards it behaves.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import struct
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

BEFORE = ("cut", "reset", "half-close", "409", "412", "429", "500", "503")
"""Faults after which nothing has reached the platform."""
AFTER = ("lost", "lost-reset", "500-after", "412-after", "wrong-json", "short", "truncated")
"""Faults after which the platform has done what it was asked."""
FAULTS = (*BEFORE, "delay", "late", *AFTER, "silent")
_STATUS = {
    "409": "409 Busy",
    "412": "412 Mistaken",
    "429": "429 Too Many",
    "500": "500 Oops",
    "503": "503 Soon",
    "500-after": "500 Oops",
    "412-after": "412 Late",
}


@dataclass(frozen=True)
class Request:
    """`number` counts from 0 in the order of arrival."""

    number: int
    method: str
    path: str
    key: str
    head: bytes
    body: bytes


class FaultProxy:
    """``async with FaultProxy(host, port, choose) as proxy``; `seen` holds (request, fault) in the order of arrival."""

    def __init__(
        self, host: str, port: int, choose: Callable[[Request], str] = lambda request: "", *, delay: float = 0.2
    ) -> None:
        self.host, self.upstream = host, port
        self.choose, self.delay = choose, delay
        self.heard = 400
        self.seen: list[tuple[Request, str]] = []
        self.down = self.mute = False
        self.passed_late = 0
        """How many ``late`` ones the platform has answered by now."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def __aenter__(self) -> FaultProxy:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        await self.hang_up()
        await self._server.wait_closed()

    async def hang_up(self) -> None:
        """Cut every line that stands."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            if self.down:
                _reset(writer)
            else:
                await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        except asyncio.CancelledError:  # `hang_up`; a handler that ends cancelled upsets asyncio's streams before 3.12
            if not writer.is_closing():
                _reset(writer)
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await self._read(reader)
        fault = self.choose(request)
        self.seen.append((request, fault))
        await self._while_mute()
        if fault in BEFORE:
            await self._without_passing_on(fault, reader, writer)
            return
        if fault == "late":
            writer.close()
        if fault in ("delay", "late"):
            await asyncio.sleep(self.delay)
        up_reader, up_writer = await asyncio.open_connection(self.host, self.upstream)
        try:
            up_writer.write(request.head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + request.body)
            await up_writer.drain()
            if fault == "late":
                await up_reader.read()
                self.passed_late += 1
            elif fault in ("", "delay"):
                await self._relay(up_reader, writer)
            elif fault == "silent":
                await self._relay(up_reader, writer, self.heard)
                await asyncio.Event().wait()
            else:
                await self._instead(fault, await up_reader.read(), writer)
        finally:
            up_writer.close()

    async def _while_mute(self) -> None:
        while self.mute:  # noqa: ASYNC110
            await asyncio.sleep(0.02)

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, most: int = sys.maxsize) -> None:
        while most > 0 and (chunk := await reader.read(min(65536, most))):
            await self._while_mute()
            most -= len(chunk)
            writer.write(chunk)
            await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        method, path = head.split(b" ", 2)[:2]
        key = re.search(rb"(?i)\r\nidempotency-key: *([^\r]+)", head)
        head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
        return Request(len(self.seen), method.decode(), path.decode(), key[1].decode() if key else "", head, body)

    async def _without_passing_on(self, fault: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if fault == "reset":
            _reset(writer)
        elif fault == "half-close":
            writer.write_eof()
            with suppress(TimeoutError):
                async with asyncio.timeout(5.0):
                    await reader.read()
        elif fault in _STATUS:
            await _say(writer, _STATUS[fault], b"", "Retry-After: 1\r\n" if fault in ("429", "503") else "")

    async def _instead(self, fault: str, answer: bytes, writer: asyncio.StreamWriter) -> None:
        """The platform has done it; this is what becomes of its answer."""
        if fault == "lost-reset":
            _reset(writer)
        elif fault in _STATUS:
            await _say(writer, _STATUS[fault], b"")
        elif fault == "wrong-json":
            await _say(writer, "200 OK", b'{"resourceType": "Bundle", "entry": [')
        elif fault == "short":
            head, _, body = answer.partition(b"\r\n\r\n")
            writer.write(head + b"\r\n\r\n" + body[: len(body) // 2])
            await writer.drain()
        elif fault == "truncated":
            await _say(writer, "200 OK", _shortened(answer))


async def _say(writer: asyncio.StreamWriter, status: str, body: bytes, more: str = "") -> None:
    kind = "Content-Type: application/fhir+json\r\n" if body else ""
    head = f"HTTP/1.1 {status}\r\n{kind}{more}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def _shortened(answer: bytes) -> bytes:
    head, _, body = answer.partition(b"\r\n\r\n")
    if re.search(rb"(?i)transfer-encoding: *chunked", head):
        body = _joined(body)
    try:
        found = json.loads(body)
    except ValueError:  # whoever answered was killed in the middle of it
        return body
    found["entry"] = found.get("entry", [])[:-1]
    return json.dumps(found).encode()


def _joined(chunks: bytes) -> bytes:
    whole = b""
    while chunks:
        size, _, rest = chunks.partition(b"\r\n")
        length = int(size, 16)
        if not length:
            break
        whole, chunks = whole + rest[:length], rest[length + 2 :]
    return whole


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST, as a machine that was switched off and on does."""
    found = writer.get_extra_info("socket")
    found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def main(upstream: str, *faults: str) -> None:
    host, _, port = upstream.rpartition("/")[2].partition(":")
    left = list(faults)
    proxy = FaultProxy(host, int(port), lambda request: left.pop(0) if left and request.method == "POST" else "")
    async with proxy:
        print(proxy.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
