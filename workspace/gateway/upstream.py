"""The FhirService in front of another FHIR R4 server, over HTTP. Never retries a write and knows nothing of users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workspace.fhir import json, outcome
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.problem import Problem

if TYPE_CHECKING:
    import httpx

SECONDS = 30.0
CONTENT = "application/fhir+json"
ACCEPT = f"{CONTENT}; fhirVersion=4.0"
_SENT = ("if-match", "if-none-exist", "if-none-match", "prefer")
_KEPT = ("etag", "last-modified", "location", "retry-after")


class Upstream:
    """`base` is the server's FHIR base; `headers` (its own credentials) go with each request; `transport` is for tests."""

    def __init__(
        self, base: str, *, headers: Mapping[str, str] | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        import httpx

        self._base = base.rstrip("/")
        self._http = httpx.AsyncClient(
            headers={"accept": ACCEPT, **(headers or {})}, timeout=SECONDS, transport=transport, trust_env=False
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def handle(self, request: FhirRequest) -> FhirResponse:
        import httpx

        path = request.path.strip("/")
        url = f"{self._base}/{path}" if path else self._base
        headers = {name: request.headers[name] for name in _SENT if request.headers.get(name)}
        content: bytes | None = None
        method = request.method
        if request.body is not None:
            content, headers["content-type"] = json.dumps(request.body), CONTENT
        elif method == "GET" and len(request.query) > 1800:
            # Narrowing makes long queries; proxies cut long request lines.
            method, url, content = "POST", f"{url}/_search", request.query.encode()
            headers["content-type"] = "application/x-www-form-urlencoded"
        elif request.query:
            url += f"?{request.query}"
        try:
            answer = await self._http.request(method, url, headers=headers, content=content)
        except httpx.HTTPError as error:
            return _failed(504 if isinstance(error, httpx.TimeoutException) else 502, type(error).__name__)
        kept = {name: answer.headers[name] for name in _KEPT if name in answer.headers}
        body: Any = None
        if answer.content:
            try:
                body = json.loads(answer.content)
            except ValueError:
                return _failed(502, f"HTTP {answer.status_code} without JSON")
        if answer.status_code >= 400 and not (
            isinstance(body, dict) and body.get("resourceType") == "OperationOutcome"
        ):
            return _failed(answer.status_code, f"HTTP {answer.status_code} without an outcome", kept)
        return FhirResponse(answer.status_code, body if isinstance(body, dict) else None, kept)


def _failed(status: int, detail: str, headers: Mapping[str, str] | None = None) -> FhirResponse:
    problem = Problem("platform-failed", "Journalserveren svarer ikke.", "Prøv igjen om litt.", detail)
    return FhirResponse(status, outcome.build(problem, issue="transient"), headers or {})
