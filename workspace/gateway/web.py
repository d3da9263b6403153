"""FHIR answers as HTTP responses. Never decides anything."""

from __future__ import annotations

from starlette.responses import Response

from workspace.fhir import json
from workspace.fhir.service import FhirResponse
from workspace.gateway.refused import RETRY_AFTER

FHIR_JSON = "application/fhir+json"
_HEADERS = {"etag": "ETag", "last-modified": "Last-Modified", "location": "Location", "retry-after": "Retry-After"}


def fhir_response(answer: FhirResponse) -> Response:
    headers = {name: answer.headers[key] for key, name in _HEADERS.items() if key in answer.headers}
    if answer.status in RETRY_AFTER:
        headers.setdefault("Retry-After", str(RETRY_AFTER[answer.status]))
    content = json.dumps(answer.body) if answer.body is not None else b""
    return json_bytes(content, answer.status, headers)


def json_bytes(content: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Clinical data are never kept by a cache on the way."""
    held = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    if status == 401:
        held["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return Response(content, status, held, media_type=FHIR_JSON)
