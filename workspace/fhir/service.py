"""One FHIR exchange, free of any transport: what the gateway asks of whatever stores the platform's data.

Embedded, the service is `sandbox.fhir.Store` called in the same process; in production it is a thin HTTP client
in front of another FHIR R4 server. Neither knows of users: the gateway has decided before it asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

Resource = dict[str, Any]
"""A FHIR resource as a plain dict (DESIGN §4); read through the accessors of this room."""


@dataclass(frozen=True, slots=True)
class FhirRequest:
    """`method` GET, POST, PUT or DELETE; `path` relative to the base without a leading slash
    (``Observation/7``, ``Observation``, ``Observation/_search``, ``Observation/7/_history/2``, ``metadata``,
    ``""`` for a batch or transaction); `query` the raw query string; `headers` with lower-case names
    (``if-match``, ``if-none-exist``, ``if-none-match``, ``prefer``)."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Resource | None = None


@dataclass(frozen=True, slots=True)
class FhirResponse:
    """`headers` hold ``etag``, ``last-modified`` and ``location`` where R4 §3.1.0 wants them. Every status
    of 400 and above carries an OperationOutcome."""

    status: int
    body: Resource | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class FhirService(Protocol):
    """Anything that answers FHIR R4 requests. Never raises for a bad request: it answers with an outcome."""

    async def handle(self, request: FhirRequest) -> FhirResponse: ...
