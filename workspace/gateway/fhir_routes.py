"""``/fhir/…``: which request goes where, batches entry by entry, every refusal an OperationOutcome and a line in the log."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.requests import Request
from starlette.responses import Response

from workspace.fhir import json, outcome
from workspace.fhir.service import FhirRequest, FhirResponse, Resource
from workspace.gateway import capability, reads, searches
from workspace.gateway.asking import Asking
from workspace.gateway.gateway import Gateway
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.web import fhir_response, json_bytes
from workspace.problem import Problem

log = logging.getLogger(__name__)
LARGEST_BODY = 8 * 1024 * 1024
_HEADERS = ("if-match", "if-none-exist", "if-none-match", "prefer", "x-workspace-reveal")
SHORTEST_REASON = 10


class FhirRoutes:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    async def handle(self, request: Request) -> Response:
        path = request.path_params.get("path", "").strip("/")
        if path == "metadata" and request.method == "GET":
            behind = await self._gateway.service.handle(FhirRequest("GET", "metadata"))
            if behind.status != 200 or behind.body is None:
                return fhir_response(behind)
            return fhir_response(FhirResponse(200, capability.own(behind.body, self._gateway.settings)))
        bearer = await self._gateway.bearer(request.headers)
        asking = await self._gateway.asking(bearer, request.headers)
        raw = await body_of(request, LARGEST_BODY)
        answer = await self._answer(asking, request, path, raw)
        answer.headers["x-request-id"] = asking.request
        return answer

    async def _answer(self, asking: Asking, request: Request, path: str, raw: bytes) -> Response:
        headers = {name: request.headers[name] for name in _HEADERS if name in request.headers}
        query = request.url.query
        if request.method == "POST" and path.endswith("/_search"):
            form = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True)
            query = "&".join(filter(None, (query, urlencode(form))))
            return fhir_response(
                await self.one(asking, FhirRequest("GET", path.removesuffix("/_search"), query, headers))
            )
        body = resource_of(raw) if request.method in ("POST", "PUT") else None
        if request.method == "POST" and not path:
            return await self._bundle(asking, request, body, raw, headers)
        return fhir_response(await self.one(asking, FhirRequest(request.method, path, query, headers, body)))

    async def _bundle(
        self, asking: Asking, request: Request, body: Resource | None, raw: bytes, headers: Mapping[str, str]
    ) -> Response:
        kind = body.get("type") if body and body.get("resourceType") == "Bundle" else ""
        if kind == "batch" and body:
            return fhir_response(await self._batch(asking, body))
        if kind != "transaction" or body is None:
            return fhir_response(
                bad_request("bad-bundle", "Innholdet er ingen bunt som kan utføres.", "Bundle").response()
            )
        key, repeat = request.headers.get("idempotency-key", "").strip(), "x-workspace-repeat" in request.headers
        return await self.transaction(asking, body, raw, key, repeat=repeat)

    async def transaction(
        self, asking: Asking, body: Resource, raw: bytes, key: str, *, repeat: bool = False
    ) -> Response:
        """A transaction Bundle under its key: its first outcome, or the refusal and its line in the log."""
        try:
            done = await self._gateway.writes.transaction(asking, body, raw, key, repeat=repeat)
        except Problem as problem:
            return fhir_response(self._refused(asking, problem, "transaction", body))
        if done.resource is not None:
            self._gateway.written(FhirResponse(done.status, done.resource))
        return json_bytes(done.body or json.dumps(done.resource), done.status)

    async def _batch(self, asking: Asking, bundle: Resource) -> FhirResponse:
        entries = bundle.get("entry")
        if not isinstance(entries, list) or len(entries) > 500:
            return bad_request("bad-bundle", "Forsendelsen er for stor.", "at most 500 entries").response()
        return FhirResponse(
            200,
            {
                "resourceType": "Bundle",
                "type": "batch-response",
                "entry": [await self._batch_entry(asking, each) for each in entries],
            },
        )

    async def _batch_entry(self, asking: Asking, entry: Any) -> dict[str, Any]:
        asked = entry.get("request") if isinstance(entry, dict) else None
        if not isinstance(asked, dict):
            answer = bad_request("bad-bundle", "En del av forsendelsen kan ikke leses.", "request").response()
        else:
            url = str(asked.get("url", "")).removeprefix(self._gateway.settings.base).strip("/")
            path, _, query = url.partition("?")
            headers = {"if-match": str(asked.get("ifMatch", "")), "if-none-exist": str(asked.get("ifNoneExist", ""))}
            one = FhirRequest(str(asked.get("method", "")), path, query, headers, entry.get("resource"))
            answer = await self.one(asking, one)
        done: dict[str, Any] = {"response": {"status": str(answer.status)}}
        if "etag" in answer.headers:
            done["response"]["etag"] = answer.headers["etag"]
        if answer.body is not None:
            if answer.status >= 400:
                done["response"]["outcome"] = answer.body
            else:
                done["resource"] = answer.body
        return done

    async def one(self, asking: Asking, request: FhirRequest) -> FhirResponse:
        """One request that is no bundle. Never raises for what the client got wrong."""
        try:
            return await self._one(asking, request)
        except Problem as problem:
            return self._refused(asking, problem, _shape(request), request.body, request)

    async def _one(self, asking: Asking, request: FhirRequest) -> FhirResponse:
        kind, _, rest = request.path.partition("/")
        gateway = self._gateway
        if request.method in ("GET", "HEAD"):
            if not kind or kind == "_history":
                raise Refused(403, "scope", "Historikken for hele plattformen åpnes ikke.", issue="forbidden")
            if not rest:
                prefer = request.headers.get("prefer", "")
                return await gateway.searches.answer(asking, kind, request.query, prefer)
            none_match = request.headers.get("if-none-match", "")
            reveal = _reason(request.headers.get("x-workspace-reveal", ""))
            return await gateway.reads.answer(asking, request.path, request.query, none_match, reveal)
        if request.method in ("POST", "PUT", "DELETE"):
            answer = await gateway.writes.single(asking, request)
            gateway.written(answer)
            return answer
        raise Refused(405, "no-such-operation", "Plattformen kan ikke gjøre dette.", issue="not-supported")

    def _refused(
        self,
        asking: Asking,
        problem: Problem,
        shape: str,
        body: Resource | None = None,
        request: FhirRequest | None = None,
    ) -> FhirResponse:
        """The outcome; a decision that denied is logged with the patients that were asked for."""
        if not isinstance(problem, Refused):
            return FhirResponse(400, outcome.build(problem, issue="invalid"))
        if problem.decision is not None:
            named = _named(body, request, self._gateway.settings.base)
            self._gateway.auditing.refused(asking, shape, named, problem.decision)
        return problem.response()


def _named(body: Resource | None, request: FhirRequest | None, base: str) -> tuple[str, ...]:
    """The patients that a refused request named itself."""
    from workspace.fhir.compartment import patients_of
    from workspace.fhir.search import parse

    if body is not None:
        rows = (
            [e.get("resource") or {} for e in body.get("entry") or ()]
            if body.get("resourceType") == "Bundle"
            else [body]
        )
        return tuple(dict.fromkeys(one for row in rows for one in patients_of(row, base)))
    if request is None:
        return ()
    kind, _, rest = request.path.partition("/")
    if rest:
        return (f"Patient/{rest.partition('/')[0]}",) if kind == "Patient" else ()
    try:
        return searches.named_patients(parse(kind, request.query, lenient=True, base=base))
    except Problem:
        return ()


def _reason(given: str) -> str:
    """Why a protected address is to be shown, percent-encoded UTF-8 in the header. Raises Refused 400 for no real reason."""
    reason = " ".join(unquote(given).split())[:500]
    if given and len(reason) < SHORTEST_REASON:
        raise Refused(
            400, "reason-required", "Beskyttet adresse vises bare med en begrunnelse.", "Skriv hvorfor du trenger den."
        )
    return reason


def _shape(request: FhirRequest) -> str:
    kind, _, rest = request.path.partition("/")
    if request.method != "GET":
        return f"{request.method} {kind}"[:80]
    return reads.shape(request.path) if rest else searches.shape(kind, request.query)


def resource_of(raw: bytes) -> Resource | None:
    """The JSON object of a body. Raises Refused 400."""
    try:
        body = json.loads(raw)
    except json.NotJson as error:
        raise bad_request("bad-body", "Innholdet kan ikke leses.", "not JSON") from error
    if not isinstance(body, dict):
        raise bad_request("bad-body", "Innholdet kan ikke leses.", "not an object")
    return body


async def body_of(request: Request, largest: int) -> bytes:
    """The request's body. Raises Refused 413 when it is larger than `largest` bytes."""
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > largest:
            raise Refused(
                413, "too-large", "Forsendelsen er for stor.", detail=f"over {largest} bytes", issue="too-long"
            )
        parts.append(part)
    return b"".join(parts)
