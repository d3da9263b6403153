"""How sign-on talks HTTP: one client with sane limits, and failures turned into one exception.

Verification of certificates is never switched off. Keeps nothing.
"""

from __future__ import annotations

import ssl
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SECONDS = 10.0
_LARGEST = 1024 * 1024


class Unreachable(Exception):
    """No usable answer. `reason` is ``refused``, ``name``, ``tls``, ``timeout``, ``server`` or ``other``."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def load() -> None:
    """Import the HTTP client with all that it imports at its first request: once, off the event loop, before it is needed.

    WORKAROUND httpx imports its own command line, and with it rich and pygments, wherever those are installed (50 ms), and
    httpcore looks for sniffio at every request, in vain and in every folder, where that is not (0.2 ms each time). Both do
    without when the import fails at once. Remove when httpx imports the one lazily and httpcore the other once.
    """
    if "httpx" in sys.modules:
        return
    hidden = "httpx._main"
    sys.modules[hidden] = None  # type: ignore[assignment]
    try:
        for name in ("httpx", "httpcore", "httpcore._async.http11", "anyio._backends._asyncio"):
            import_module(name)
    finally:
        del sys.modules[hidden]
    if find_spec("sniffio") is None:
        sys.modules["sniffio"] = None  # type: ignore[assignment]


def is_loopback(url: str) -> bool:
    """Whether `url` points at this machine."""
    return urlsplit(url).hostname in LOOPBACK


def is_safe(url: str) -> bool:
    """Whether secrets may travel to `url`: https, or http on this machine."""
    parts = urlsplit(url)
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(url)))


def new_client(url: str) -> httpx.AsyncClient:
    """A client for the server at `url`, to be closed by the caller. Proxies are not wanted on this machine."""
    import httpx

    return httpx.AsyncClient(
        verify=trust(url), trust_env=not is_loopback(url), timeout=_SECONDS, follow_redirects=False
    )


def trust(url: str) -> ssl.SSLContext:
    """Whose certificates count for `url`. Plain http on this machine needs none: leaving the authorities out saves reading
    a large file at start, and https would then fail closed."""
    if is_loopback(url) and url.startswith("http:"):
        return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return ssl.create_default_context()


async def send(
    client: httpx.AsyncClient, method: str, url: str, form: Mapping[str, str] | None = None
) -> httpx.Response:
    """One request; any status is an answer, 5xx is not. Raises Unreachable."""
    import httpx

    try:
        response = await client.request(
            method, url, data=dict(form) if form is not None else None, headers={"Accept": "application/json"}
        )
    except httpx.TimeoutException as error:
        raise Unreachable("timeout", f"{method} {url}: no answer in time") from error
    except httpx.HTTPError as error:
        raise Unreachable(_reason(error), f"{method} {url}: {error}") from error
    except (httpx.InvalidURL, ValueError) as error:
        raise Unreachable("name", f"{method} {url}: {error}") from error
    if response.status_code >= 500 or response.status_code == 429:
        raise Unreachable("server", f"{method} {url}: status {response.status_code}")
    return response


def json_object(response: httpx.Response) -> dict[str, Any] | None:
    """The body when it is a JSON object of sensible size, else None."""
    if len(response.content) > _LARGEST:
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def _reason(error: BaseException) -> str:
    """Looks along the chain of causes, since httpx wraps what the system said."""
    seen: BaseException | None = error
    while seen is not None:
        text = str(seen).lower()
        if isinstance(seen, ssl.SSLError) or "certificate" in text or "ssl" in text:
            return "tls"
        if isinstance(seen, ConnectionRefusedError):
            return "refused"
        if "name or service" in text or "getaddrinfo" in text or "nodename" in text or "name resolution" in text:
            return "name"
        seen = seen.__cause__ or seen.__context__
    # anyio folds several refusals into one error without a cause we can name.
    return "refused" if "all connection attempts failed" in str(error).lower() else "other"
