"""Create, update and delete of one resource, with R4's conditions; runs inside a write transaction.

Knows HTTP only as R4 §3.1.0 does: preconditions, versions, `Prefer`. Never commits.
"""

from __future__ import annotations

import sqlite3
import uuid
from dataclasses import dataclass, field
from email.utils import formatdate
from typing import Any

from workspace.clock import Clock, instant
from workspace.fhir import json, outcome, parameters
from workspace.fhir.dates import bounds, milliseconds
from workspace.fhir.references import ID
from workspace.fhir.search import parse
from workspace.fhir.service import FhirRequest, FhirResponse, Resource
from workspace.sandbox.fhir import find, refusal, rows

Change = tuple[str, str, int, Resource | None]
"""Type, id, version and the resource, None when it was deleted."""


@dataclass(slots=True)
class Writer:
    """The state of one write transaction: `changes` gather what is announced after the commit."""

    connection: sqlite3.Connection
    vocabulary: rows.Vocabulary
    clock: Clock
    base: str = ""
    changes: list[Change] = field(default_factory=list)

    def create(self, request: FhirRequest, resource_type: str, own: str = "") -> FhirResponse:
        """POST on a type. `own` is the id already promised to other entries of a transaction."""
        body = checked(request.body, resource_type)
        condition = request.headers.get("if-none-exist", "")
        if condition:
            found = self.matches(resource_type, condition.lstrip("?"))
            if len(found) > 1:
                raise refusal.several_matches(f"if-none-exist {condition}")
            if found:
                return self._existing(resource_type, found[0], request)
        return self._save(request, {**body, "id": own or str(uuid.uuid4())}, None, "POST")

    def update(self, request: FhirRequest, resource_type: str, own: str) -> FhirResponse:
        """PUT on an instance: a new version, or a create with the client's id."""
        if not ID.fullmatch(own):
            raise refusal.bad_request("bad-id", "Id-en kan ikke brukes.", f"id {own!r}")
        body = checked(request.body, resource_type)
        if body.get("id", own) != own:
            raise refusal.bad_request("bad-id", "Id-en i innholdet er en annen enn i adressen.", f"id {own!r}")
        before = rows.current(self.connection, resource_type, own)
        self._check(request, before, f"{resource_type}/{own}")
        return self._save(request, {**body, "id": own}, before, "PUT")

    def update_where(self, request: FhirRequest, resource_type: str) -> FhirResponse:
        """PUT on a type with a query (R4 conditional update)."""
        found = self.matches(resource_type, request.query)
        if len(found) > 1:
            raise refusal.several_matches(request.query)
        body = checked(request.body, resource_type)
        if found:
            return self.update(request, resource_type, found[0])
        if body.get("id"):
            return self.update(request, resource_type, body["id"])
        return self._save(request, {**body, "id": str(uuid.uuid4())}, None, "POST")

    def delete(self, request: FhirRequest, resource_type: str, own: str) -> FhirResponse:
        before = rows.current(self.connection, resource_type, own)
        if before is None:
            raise refusal.not_found(resource_type, own)
        if before.body is None:
            return FhirResponse(204)
        self._check(request, before, f"{resource_type}/{own}")
        version = rows.erase(self.connection, before, milliseconds(self.clock.now()), self.base)
        self.changes.append((resource_type, own, version, None))
        return FhirResponse(204, None, {"etag": f'W/"{version}"'})

    def delete_where(self, request: FhirRequest, resource_type: str) -> FhirResponse:
        found = self.matches(resource_type, request.query)
        if len(found) > 1:
            raise refusal.several_matches(request.query)
        return self.delete(request, resource_type, found[0]) if found else FhirResponse(204)

    def matches(self, resource_type: str, raw: str) -> list[str]:
        """Ids of at most two resources that a condition matches. Raises Refusal for a condition without criteria."""
        query = parse(resource_type, raw, base=self.base)
        if not query.parameters:
            raise refusal.bad_request("bad-condition", "Betingelsen mangler.", f"{resource_type}?{raw}")
        found = find.matches(self.connection, query, milliseconds(self.clock.now()), 2)
        return [own for own, _ in found]

    def _check(self, request: FhirRequest, before: rows.Current | None, name: str) -> None:
        """`If-Match` and `If-None-Match: *`; both look at the version that is there now."""
        exists = before is not None and before.body is not None
        if request.headers.get("if-none-match", "").strip() == "*" and exists:
            raise refusal.version_conflict(f"{name} exists")
        wanted = request.headers.get("if-match", "").strip()
        if not wanted:
            return
        if before is None or not exists or wanted not in (f'W/"{before.version}"', f'"{before.version}"'):
            there = before.version if before else "none"
            raise refusal.version_conflict(f"{name}: asked for {wanted}, there is {there}")

    def _save(self, request: FhirRequest, body: Resource, before: rows.Current | None, method: str) -> FhirResponse:
        version = before.version + 1 if before else 1
        now = self.clock.now()
        now = now.replace(microsecond=now.microsecond // 1000 * 1000)
        meta = {**(body.get("meta") or {}), "versionId": str(version), "lastUpdated": instant(now)}
        resource = {"resourceType": body["resourceType"], "id": body["id"], "meta": meta}
        resource.update((key, value) for key, value in body.items() if key not in resource)
        rows.save(self.connection, self.vocabulary, resource, before, method=method, base=self.base)
        self.changes.append((resource["resourceType"], resource["id"], version, resource))
        revived = before is None or before.body is None
        return respond(request, 201 if revived else 200, resource, self.base)

    def _existing(self, resource_type: str, own: str, request: FhirRequest) -> FhirResponse:
        there = rows.current(self.connection, resource_type, own)
        assert there is not None, "a match exists"
        assert there.body is not None, "a match is not deleted"
        return respond(request, 200, json.loads(there.body), self.base)


def checked(body: Any, resource_type: str) -> Resource:
    """The body when it is a resource of this type. Raises Refusal."""
    if not isinstance(body, dict):
        raise refusal.bad_request("bad-body", "Innholdet mangler.", "no resource in the body")
    if body.get("resourceType") != resource_type:
        detail = f"resourceType {body.get('resourceType')!r} sent to {resource_type}"
        raise refusal.bad_request("bad-type", "Innholdet er av en annen type enn adressen sier.", detail)
    if resource_type not in parameters.types():
        raise refusal.unknown_type(resource_type)
    if not isinstance(body.get("meta", {}), dict):
        raise refusal.bad_request("bad-body", "Innholdet kan ikke leses.", "meta is not an object")
    return body


def respond(request: FhirRequest, status: int, resource: Resource, base: str) -> FhirResponse:
    """The answer to a write, as `Prefer` asks for it (R4 §3.1.0.1.8)."""
    headers = version_headers(resource)
    name = f"{resource['resourceType']}/{resource['id']}"
    headers["location"] = f"{base}/{name}" if base else name
    headers["location"] += f"/_history/{resource['meta']['versionId']}"
    prefer = request.headers.get("prefer", "")
    if "return=minimal" in prefer:
        return FhirResponse(status, None, headers)
    if "return=OperationOutcome" in prefer:
        return FhirResponse(status, outcome.success("Opplysningen er lagret."), headers)
    return FhirResponse(status, resource, headers)


def version_headers(resource: Resource) -> dict[str, str]:
    """``etag`` and ``last-modified`` of a version."""
    meta = resource["meta"]
    headers = {"etag": f'W/"{meta["versionId"]}"'}
    if "lastUpdated" in meta:
        headers["last-modified"] = http_date(bounds(meta["lastUpdated"]).low)
    return headers


def http_date(value: int) -> str:
    """Milliseconds since 1970 as an HTTP date, whatever the machine's language."""
    return formatdate(value / 1000, usegmt=True)
