"""HTTP to the platform: one connection pool, the session's token, and every failure turned into a plain sentence.

The only module of the shell's process that knows the platform's URLs and headers (docs/seams.md). Never retries a write
on its own (the outbox does, under its idempotency key) and never logs what it carries.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote
from uuid import uuid4

from workspace.access import seal
from workspace.clock import SystemClock
from workspace.fhir import json as fhir_json
from workspace.fhir.references import relative, walk
from workspace.problem import Problem

if TYPE_CHECKING:
    import httpx

ACCEPT = "application/fhir+json; fhirVersion=4.0"
"""R4 is asked for by name (FHIR http.html#version-parameter): a server of several versions must not answer in another."""
PURPOSE = "TREAT"
SEARCH_SECONDS = 30.0
WRITE_SECONDS = 20.0
CONNECT_SECONDS = 5.0
BROKEN = frozenset({"RemoteProtocolError", "ReadError", "WriteError"})
POST_SEARCH_BYTES = 1800  # longer queries go in a body: proxies cut long request lines


class Endpoints(Protocol):
    """Absolute URLs, as `signon.Platform` has them."""

    @property
    def fhir(self) -> str: ...

    @property
    def changes(self) -> str: ...

    @property
    def audit(self) -> str: ...

    @property
    def time(self) -> str: ...


class Tokens(Protocol):
    """What the client needs of `signon.Session`."""

    async def access_token(self, *, force: bool = False) -> str:
        """A bearer token that is good now; `force` fetches a new one even so. Raises Problem ``signed-out``."""
        ...


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom a request is made, as the platform audits it: packages (``nordlys.vitals@1.0.0``) and context token."""

    packages: tuple[str, ...] = ()
    context: str = ""
    purpose: str = PURPOSE


@dataclass(frozen=True, slots=True)
class Answer:
    """`request` is the id that the gateway's audit has for it."""

    status: int
    body: Any
    request: str
    headers: Mapping[str, str] = field(default_factory=dict)


class PlatformProblem(Problem):
    """What the platform answered. `status` is 0 when it did not answer; `fields` are the sentences of a 422;
    `retry_after` the seconds that it asked us to wait."""

    def __init__(
        self,
        code: str,
        sentence: str,
        advice: str = "",
        detail: str = "",
        *,
        status: int = 0,
        fields: Sequence[str] = (),
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(code, sentence, advice, detail)
        self.status = status
        self.fields = tuple(fields)
        self.retry_after = retry_after

    @property
    def unknown_outcome(self) -> bool:
        """Whether a write may or may not have been done: ask again under the same idempotency key."""
        return self.status == 0 or self.status == 429 or self.status >= 500


class Client:
    """One for each signed-in session. `transport` (an httpx transport) is for tests."""

    def __init__(self, endpoints: Endpoints, tokens: Tokens, transport: httpx.AsyncBaseTransport | None = None) -> None:
        import httpx

        from workspace.signon.wire import trust

        self._endpoints = endpoints
        self._tokens = tokens
        self._own = re.compile(rb'"reference"\s*:\s*"' + re.escape(endpoints.fhir.rstrip("/").encode()) + b"/")
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=trust(endpoints.fhir),
            timeout=httpx.Timeout(SEARCH_SECONDS, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=24, max_keepalive_connections=12, keepalive_expiry=60.0),
            follow_redirects=False,
            trust_env=False,
        )

    async def aclose(self) -> None:
        await self._http.aclose()

    async def get(self, path: str, asker: Asker) -> Answer:
        """GET ``Type/id`` or a search relative to the FHIR base, or an absolute next link under it."""
        base = self._endpoints.fhir.rstrip("/")
        if path.startswith(("http://", "https://")):
            if not path.startswith(base + "/"):
                raise _malformed(f"link outside the platform: {path.split('?')[0]}")
            path = path[len(base) + 1 :]
        try:
            return await self._get(base, path, asker)
        except PlatformProblem as problem:
            # A line that broke while it stood says nothing of the platform: a read may be asked again at once.
            if problem.status or problem.detail not in BROKEN:
                raise
            return await self._get(base, path, asker)

    async def _get(self, base: str, path: str, asker: Asker) -> Answer:
        target, _, query = path.partition("?")
        if len(path) > POST_SEARCH_BYTES and query:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return await self._fhir("POST", f"{base}/{target}/_search", asker, query.encode(), headers)
        return await self._fhir("GET", f"{base}/{path}", asker)

    async def transaction(
        self, bundle: Mapping[str, Any] | bytes, key: str, asker: Asker, *, repeat: bool = False
    ) -> Answer:
        """POST a transaction bundle, bytes as they are, under the idempotency key `key` (a UUID); `repeat` when nobody knows
        what became of an earlier sending. Raises PlatformProblem."""
        headers = {"Content-Type": "application/fhir+json", "Idempotency-Key": key, "Prefer": "return=representation"}
        headers |= {"X-Workspace-Repeat": "1"} if repeat else {}
        body = bundle if isinstance(bundle, bytes) else fhir_json.dumps(bundle)
        answer = await self._fhir("POST", self._endpoints.fhir.rstrip("/"), asker, body, headers, WRITE_SECONDS)
        if not isinstance(answer.body, dict) or answer.body.get("resourceType") != "Bundle":
            raise _malformed("transaction not answered with a Bundle")
        return answer

    async def sealed(self, content: bytes, key: str, envelope: Mapping[str, Any]) -> Answer:
        """POST what its author sealed, in nobody's name but the author's: no token goes with it. Raises PlatformProblem."""
        request = str(uuid4())
        headers = {
            "Accept": ACCEPT, "Content-Type": "application/fhir+json", "Idempotency-Key": key,
            "X-Request-Id": request, "X-Workspace-Seal": seal.to_header(envelope),
        }  # fmt: skip
        response = await self._send("POST", f"{self._origin}/sealed", headers, content, WRITE_SECONDS)
        if response.status_code >= 300:
            raise _refusal(response)
        body = _body(response)
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle":
            raise _malformed("sealed transaction not answered with a Bundle")
        return Answer(response.status_code, body, request, dict(response.headers))

    async def register_key(self, public: str, device: str) -> None:
        """Make the session's public key known to the platform. Raises PlatformProblem."""
        body = json.dumps({"key": public, "device": device}).encode()
        headers = {"Content-Type": "application/json"}
        await self._authorised("POST", f"{self._origin}/session/key", headers, body, WRITE_SECONDS)

    async def withdraw_key(self, own: str) -> None:
        """Nothing more comes under the session's key. Raises PlatformProblem."""
        await self._authorised("POST", f"{self._origin}/session/key/{own}/revoke", {}, None, CONNECT_SECONDS)

    @property
    def _origin(self) -> str:
        return self._endpoints.fhir.rstrip("/").rpartition("/")[0]

    async def outcome(self, key: str) -> dict[str, Any] | None:
        """What became of the transaction `key`: the first answer's Bundle; None when it was not done, was refused, or the
        platform does not keep outcomes. Raises PlatformProblem, also while it is under way (``under-way``)."""
        url = f"{self._endpoints.fhir.rstrip('/').rpartition('/')[0]}/transactions/{key}"
        try:
            response = await self._authorised("GET", url, {"Accept": "application/json"}, None, SEARCH_SECONDS)
        except PlatformProblem as problem:
            if problem.status in (403, 404, 405, 410):
                return None
            raise
        if response.status_code == 202:
            after = seconds_after(response.headers.get("retry-after", ""), SystemClock().real())
            raise PlatformProblem("under-way", "Plattformen arbeider med dette.", retry_after=after)
        kept = _body(response)
        body = kept.get("body") if isinstance(kept, dict) else None
        return body if isinstance(body, dict) and body.get("resourceType") == "Bundle" else None

    async def draft(
        self,
        method: str,
        own: str,
        body: Mapping[str, Any] | None = None,
        *,
        device: str = "",
        match: str = "",
        stretch: str = "",
    ) -> tuple[int, Any]:
        """One request of ``/drafts`` (docs/seams.md): status and answer, 412 and 404 too. `match` is the revision that must
        stand; "" means, for a PUT, that none may, and for a DELETE, any. A DELETE ends the `stretch`. Raises
        PlatformProblem."""
        url = f"{self._endpoints.fhir.rstrip('/').rpartition('/')[0]}/drafts" + (f"/{own}" if own else "")
        headers = {"Accept": "application/json", "X-Workspace-Device": device}
        if method == "PUT":
            headers |= {"Content-Type": "application/json"} | ({} if match else {"If-None-Match": "*"})
        if match:
            headers |= {"If-Match": f'"{match}"'}
        if stretch:
            headers |= {"X-Workspace-Stretch": stretch}
        content = None if body is None else fhir_json.dumps(body)
        response = await self._authorised(method, url, headers, content, WRITE_SECONDS, pass_on=(404, 412))
        return response.status_code, _body(response)

    async def wipes(self, device: str) -> list[tuple[str, str]]:
        """(id, reason) of each order to wipe that this device has not answered. Raises PlatformProblem."""
        url = f"{self._endpoints.fhir.rstrip('/').rpartition('/')[0]}/wipes"
        headers = {"Accept": "application/json", "X-Workspace-Device": device}
        body = _body(await self._authorised("GET", url, headers, None, CONNECT_SECONDS))
        orders = body.get("orders") if isinstance(body, dict) else None
        if not isinstance(orders, list) or not all(isinstance(one, dict) and one.get("id") for one in orders):
            raise _malformed("/wipes without orders")
        return [(str(one["id"]), str(one.get("reason") or "")) for one in orders]

    async def wiped(self, own: str, device: str) -> None:
        """The order `own` is carried out here. Raises PlatformProblem."""
        url = f"{self._endpoints.fhir.rstrip('/').rpartition('/')[0]}/wipe/{quote(own, safe='')}/done"
        await self._authorised("POST", url, {"X-Workspace-Device": device}, b"", WRITE_SECONDS)

    async def audit(self, events: Sequence[Mapping[str, Any]]) -> None:
        body = json.dumps({"events": list(events)}, ensure_ascii=False).encode()
        await self._authorised("POST", self._endpoints.audit, {"Content-Type": "application/json"}, body, WRITE_SECONDS)

    async def time(self) -> dict[str, Any]:
        """The platform's ``/time``, as it stands (open: no token)."""
        response = await self._send("GET", self._endpoints.time, {}, None, CONNECT_SECONDS)
        if response.status_code >= 400:
            raise _refusal(response)
        body = _body(response)
        if response.status_code != 200 or not isinstance(body, dict):
            raise _malformed(f"/time answered {response.status_code}")
        return body

    async def poll(self, since: int, sight: str) -> dict[str, Any]:
        """One page of what the change feed would have said after number `since` (docs/seams.md, *The feed*). Raises
        PlatformProblem; its status is 404 when the platform cannot be asked so."""
        url = f"{self._endpoints.changes}/poll?since={since}&sight={quote(sight)}"
        body = _body(await self._authorised("GET", url, {"Accept": "application/json"}, None, CONNECT_SECONDS))
        if not isinstance(body, dict) or not isinstance(body.get("events"), list):
            raise _malformed("/changes/poll without events")
        return body

    @asynccontextmanager
    async def changes(self, since: int, silence: float) -> AsyncIterator[AsyncIterator[str]]:
        """The change feed's lines from number `since`; ends with PlatformProblem after `silence` seconds of nothing."""
        import httpx

        timeout = httpx.Timeout(CONNECT_SECONDS, read=silence)
        for force in (False, True):
            token = await self._tokens.access_token(force=True) if force else await self._tokens.access_token()
            headers = {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}
            params = {"since": str(since)}
            try:
                async with self._http.stream(
                    "GET", self._endpoints.changes, params=params, headers=headers, timeout=timeout
                ) as response:
                    if response.status_code == 401 and not force:
                        continue
                    if response.status_code != 200:
                        await response.aread()
                        raise _refusal(response)
                    yield response.aiter_lines()
                    return
            except httpx.HTTPError as error:
                raise _unreachable(error) from error

    async def _fhir(
        self,
        method: str,
        url: str,
        asker: Asker,
        content: bytes | None = None,
        extra: Mapping[str, str] | None = None,
        timeout: float = SEARCH_SECONDS,
    ) -> Answer:
        request = str(uuid4())
        headers = {
            "Accept": ACCEPT,
            "X-Request-Id": request,
            "X-Workspace-Package": ", ".join(asker.packages),
            "X-Workspace-Context": asker.context,
            "X-Workspace-Purpose": asker.purpose,
            **(extra or {}),
        }
        response = await self._authorised(method, url, headers, content, timeout)
        body = _body(response)
        if not isinstance(body, dict) or not isinstance(body.get("resourceType"), str):
            raise _malformed(f"{response.status_code} without a FHIR resource")
        # Looked for in the bytes first: to walk through a thousand rows takes longer than a frame.
        body = self.by_one_name(body) if self._own.search(response.content) else body
        return Answer(response.status_code, body, request, dict(response.headers))

    def by_one_name(self, resource: dict[str, Any]) -> dict[str, Any]:
        """`resource` with references to the platform's own resources as ``Type/id``; itself when there are none else."""
        base = self._endpoints.fhir.rstrip("/")
        whole = any(each["reference"].startswith(base + "/") for each in walk(resource))
        return relative(resource, base) if whole else resource

    async def _authorised(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        content: bytes | None,
        timeout: float,
        *,
        pass_on: Sequence[int] = (),
    ) -> httpx.Response:
        token = await self._tokens.access_token()
        response = await self._send(method, url, {**headers, "Authorization": f"Bearer {token}"}, content, timeout)
        if response.status_code == 401:
            # The clock of this machine may be wrong, or the platform was restarted: one new token, one more try.
            token = await self._tokens.access_token(force=True)
            response = await self._send(method, url, {**headers, "Authorization": f"Bearer {token}"}, content, timeout)
        if response.status_code >= 300 and response.status_code not in pass_on:
            raise _refusal(response)
        return response

    async def _send(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, timeout: float
    ) -> httpx.Response:
        import httpx

        try:
            # httpx limits each read; a server that drips bytes must not hold a panel for ever.
            async with asyncio.timeout(timeout):
                response = await self._http.request(method, url, headers=dict(headers), content=content)
            # It has been read. It and its stream name each other: a body would stay until Python's collector comes by.
            response.stream = httpx.ByteStream(b"")
            return response
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            raise _unreachable(error) from error


def _body(response: httpx.Response) -> Any:
    if response.status_code == 204 or not response.content:
        return None
    try:
        return fhir_json.loads(response.content)
    except ValueError as error:
        raise _malformed(f"{response.status_code} with a body that is not JSON") from error


def away(detail: str) -> PlatformProblem:
    """The platform does not answer: what is kept is read, and what is written waits."""
    return PlatformProblem(
        "platform-unreachable",
        "Plattformen svarer ikke.",
        "Det du skriver, tas vare på. Arbeidsflaten prøver igjen av seg selv.",
        detail,
    )


def _unreachable(error: Exception) -> PlatformProblem:
    return away(type(error).__name__)


def _malformed(detail: str) -> PlatformProblem:
    return PlatformProblem(
        "platform-malformed",
        "Plattformen svarte med noe som ikke kan leses.",
        "Prøv igjen. Meld fra til brukerstøtte hvis det fortsetter.",
        detail,
    )


_PLAIN: dict[int, tuple[str, str, str]] = {
    400: ("bad-query", "Plattformen forsto ikke spørringen.", "Meld fra til leverandøren av panelet."),
    401: ("signed-out", "Innloggingen er utløpt.", "Logg inn på nytt."),
    403: ("access-denied", "Du har ikke tilgang til dette.", "Spør lederen din hvis du trenger tilgang."),
    404: ("not-found", "Opplysningen finnes ikke på plattformen.", ""),
    410: ("not-found", "Opplysningen er fjernet fra plattformen.", ""),
    412: (
        "conflict",
        "Noen har endret det samme etter at du åpnet det.",
        "Se på begge utgavene og velg hva som skal gjelde.",
    ),
    422: ("rejected", "Plattformen godtok ikke det som ble skrevet.", "Rett opp feltene og lagre på nytt."),
    429: ("too-many", "Det sendes for mange spørringer til plattformen.", "Vent litt og prøv igjen."),
}


def seconds_after(header: str, now: datetime) -> float:
    """What ``Retry-After`` asks for (RFC 9110 §10.2.3: seconds or a date); 0 when it is missing or unreadable."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return 0.0
    if when.tzinfo is None:
        when = when.replace(tzinfo=UTC)
    return max(0.0, (when - now).total_seconds())


def _refusal(response: httpx.Response) -> PlatformProblem:
    status = response.status_code
    code, sentence, advice = _PLAIN.get(status, ("", "", ""))
    if not code and status >= 500:
        code, sentence = "platform-failed", "Plattformen har en feil akkurat nå."
        advice = "Det du skriver, tas vare på. Arbeidsflaten prøver igjen av seg selv."
    elif not code:
        code, sentence, advice = "rejected", "Plattformen avviste forespørselen.", "Meld fra til brukerstøtte."
    issues = _issues(response)
    said = [text for text in (_text(issue) for issue in issues) if text]
    if said and 400 <= status < 500 and status not in (400, 401, 404, 410, 429):
        sentence = said[0] if len(said) == 1 else " ".join(said)
    if status in (403, 409) and issues:
        code = _code(issues[0]) or code
    after = seconds_after(response.headers.get("retry-after", ""), SystemClock().real())
    return PlatformProblem(
        code, sentence, advice, f"HTTP {status} {' '.join(said)}"[:500], status=status, fields=said, retry_after=after
    )


def _issues(response: httpx.Response) -> list[dict[str, Any]]:
    try:
        body = json.loads(response.content)
    except ValueError:
        return []
    if not isinstance(body, dict) or body.get("resourceType") != "OperationOutcome":
        return []
    issues = body.get("issue")
    return [issue for issue in issues if isinstance(issue, dict)] if isinstance(issues, list) else []


def _text(issue: Mapping[str, Any]) -> str:
    details = issue.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    return str(text or issue.get("diagnostics") or "")


def _code(issue: Mapping[str, Any]) -> str:
    details = issue.get("details")
    codings = details.get("coding") if isinstance(details, dict) else None
    first = codings[0] if isinstance(codings, list) and codings else None
    return str(first.get("code") or "") if isinstance(first, dict) else ""
