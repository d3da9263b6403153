"""A front before a real platform that misbehaves on the transactions it passes on.

``python tests/record/ill_behaved_platform.py HOST:PORT MODE…`` prints its own origin; each MODE is for one transaction,
afterwards it behaves. ``asked`` holds (idempotency key, body) of each transaction in the order of arrival.

- ``drop`` passes it on, and cuts the line before the answer;
- ``refuse`` cuts the line before passing it on;
- ``500`` passes it on, and says that it failed;
- ``hang`` passes it on, and never answers;
- ``twice`` passes it on twice, and answers twice;
- ``412`` passes it on, and says that it came too late;
- ``429`` and ``503`` ask for a second's patience;
- ``401``, ``302`` answer so; ``page`` answers a page of a portal; ``empty`` a bundle about nothing,
  ``odd`` one whose entries are none.
"""

from __future__ import annotations

import asyncio
import re
import sys

PAGE = b"<html>Velkommen til gjestenettet</html>"
ODD = b'{"resourceType":"Bundle","type":"transaction-response","entry":[null,7]}'
EMPTY = b'{"resourceType":"Bundle","type":"transaction-response"}'


class IllBehaved:
    def __init__(self, upstream: str, *modes: str) -> None:
        self.host, _, port = upstream.rpartition("/")[2].partition(":")
        self.upstream_port = int(port)
        self.modes = list(modes)
        self.asked: list[tuple[str, bytes]] = []
        self._hung = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def open(self) -> str:
        self._server = await asyncio.start_server(self._met, "127.0.0.1", 0)
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def shut(self) -> None:
        self._hung.set()
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    async def _met(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._one(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
        body = await reader.readexactly(int(length[1])) if length else b""
        mode = ""
        if head.startswith(b"POST /fhir "):
            key = re.search(rb"(?i)\r\nidempotency-key: *([^\r]+)", head)
            self.asked.append((key[1].decode() if key else "", body))
            mode = self.modes.pop(0) if self.modes else ""
        if mode == "refuse":
            return
        if mode in ("401", "302", "page", "empty", "odd", "429", "503"):
            writer.write(_said(mode))
            await writer.drain()
            return
        answer = await self._passed_on(head, body)
        if mode == "twice":
            answer = await self._passed_on(head, body) + answer
        elif mode == "drop":
            return
        elif mode == "500":
            answer = b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        elif mode == "412":
            answer = b"HTTP/1.1 412 Late\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        elif mode == "hang":
            await self._hung.wait()
            return
        writer.write(answer)
        await writer.drain()

    async def _passed_on(self, head: bytes, body: bytes) -> bytes:
        head = re.sub(rb"(?i)\r\nconnection: [^\r]*", b"", head)
        reader, writer = await asyncio.open_connection(self.host, self.upstream_port)
        try:
            writer.write(head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1) + body)
            await writer.drain()
            return await reader.read()
        finally:
            writer.close()
            await writer.wait_closed()


def _said(mode: str) -> bytes:
    line, body = {
        "401": ("401 Who", b""),
        "429": ("429 Slow down\r\nRetry-After: 1", b""),
        "503": ("503 Soon\r\nRetry-After: 1", b""),
        "302": ("302 There\r\nLocation: http://portal.example/", b""),
        "page": ("200 OK\r\nContent-Type: text/html", PAGE),
        "odd": ("200 OK\r\nContent-Type: application/fhir+json", ODD),
        "empty": ("200 OK\r\nContent-Type: application/fhir+json", EMPTY),
    }[mode]
    return f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body


async def main(upstream: str, *modes: str) -> None:
    here = IllBehaved(upstream, *modes)
    sys.stdout.write(await here.open() + "\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await here.shut()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
