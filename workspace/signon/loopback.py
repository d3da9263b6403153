"""The shell's ear on 127.0.0.1 while the user signs on in the browser (RFC 8252 §7.3).

Hears one callback with the right `state` and then nothing more. Requests that do not know the state are turned
away and change nothing. Never logs an address: it holds the code.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import hashlib
import hmac
from html import escape
from types import TracebackType
from urllib.parse import parse_qsl, urlsplit

_PATH = "/callback"
_LARGEST = 16 * 1024
_READ_SECONDS = 10.0
_VERDICT_SECONDS = 60.0

_STYLE = """
:root{color-scheme:light dark;--g:#eef2f5;--s:#fff;--l:#d5dde4;--t:#15212c;--m:#465664;--a:#0b5c8f}
@media(prefers-color-scheme:dark){:root{--g:#0f161c;--s:#182129;--l:#2d3a45;--t:#e7edf2;--m:#a3b3bf;--a:#6bb6e6}}
body{margin:0;padding:0 16px;background:var(--g);color:var(--t);
font:17px/1.5 Inter,system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:480px;margin:14vh auto 0;padding:32px;background:var(--s);border:1px solid var(--l);
border-top:4px solid var(--a);border-radius:14px}
h1{font-size:26px;line-height:1.2;margin:0 0 8px}p{margin:0;color:var(--m)}
"""


class Loopback:
    """A listener for one answer; use it with `async with`."""

    def __init__(self, state: str) -> None:
        self._state = state
        self._answer: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        self._verdict: asyncio.Future[tuple[str, str]] = asyncio.get_running_loop().create_future()
        self._talks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self.redirect_uri = ""

    async def __aenter__(self) -> Loopback:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=_LARGEST)
        port = self._server.sockets[0].getsockname()[1]
        self.redirect_uri = f"http://127.0.0.1:{port}{_PATH}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            self._server.close()
        if not self._verdict.done():
            self._verdict.set_result(("Innloggingen stoppet", "Gå tilbake til arbeidsflaten og prøv på nytt."))
        if self._answer.done() and self._talks:
            # The browser still waits for its page: let it have it before the socket goes.
            await asyncio.wait(self._talks, timeout=1.0)
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)
        self._answer.cancel()

    async def answer(self) -> dict[str, str]:
        """The callback's parameters, once they came with our state."""
        return await asyncio.shield(self._answer)

    def conclude(self, title: str, sentence: str) -> None:
        """What the waiting browser is told."""
        if not self._verdict.done():
            self._verdict.set_result((title, sentence))

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.create_task(self._talk(reader, writer))
        self._talks.add(talk)
        talk.add_done_callback(self._talks.discard)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(_READ_SECONDS):
                head = await reader.readuntil(b"\r\n\r\n")
            status, title, sentence = await self._hear(head)
            writer.write(_response(status, title, sentence))
            await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _hear(self, head: bytes) -> tuple[str, str, str]:
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        parts = urlsplit(rest.partition(" ")[0])
        hosts = [line.partition(":")[2].strip() for line in lines[1:] if line.lower().startswith("host:")]
        # The Host header must be ours, else a web page could reach us under a name of its own (DNS rebinding).
        if parts.path != _PATH or hosts != [urlsplit(self.redirect_uri).netloc]:
            return "404 Not Found", "Finnes ikke", "Her er det ingenting å se."
        if method != "GET":
            return "405 Method Not Allowed", "Ikke godtatt", "Her tas bare svar på innlogging imot."
        pairs = parse_qsl(parts.query, keep_blank_values=True)
        given = dict(pairs)
        ours = len(given) == len(pairs) and hmac.compare_digest(given.get("state", "").encode(), self._state.encode())
        if not ours or self._answer.done():
            return "400 Bad Request", "Ikke godtatt", "Dette svaret hører ikke til innloggingen som pågår."
        self._answer.set_result(given)
        try:
            async with asyncio.timeout(_VERDICT_SECONDS):
                title, sentence = await asyncio.shield(self._verdict)
        except TimeoutError:
            title, sentence = "Innloggingen tar tid", "Gå tilbake til arbeidsflaten."
        return "200 OK", title, sentence


def _response(status: str, title: str, sentence: str) -> bytes:
    body = (
        '<!doctype html><html lang="nb"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(sentence)}</p></main></body></html>"
    ).encode()
    style = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
    head = (
        f"HTTP/1.1 {status}\r\nContent-Type: text/html; charset=utf-8\r\nContent-Length: {len(body)}\r\n"
        f"Content-Security-Policy: default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'\r\n"
        "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\nX-Content-Type-Options: nosniff\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode() + body
