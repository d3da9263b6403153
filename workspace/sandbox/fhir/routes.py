"""Which request does what: the paths and methods of FHIR R4's REST interface. Never talks HTTP."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from workspace.clock import Clock
from workspace.fhir import parameters
from workspace.fhir.dates import milliseconds
from workspace.fhir.references import ID
from workspace.fhir.search import parse
from workspace.fhir.service import FhirRequest, FhirResponse
from workspace.problem import Problem
from workspace.sandbox.fhir import bundles, capability, find, refusal, versions
from workspace.sandbox.fhir.refusal import answer
from workspace.sandbox.fhir.write import Change, Writer

Announce = Callable[[list[Change]], None]


@dataclass(frozen=True, slots=True)
class Readers:
    """What a read needs: a connection of its own, the clock, and the base of addresses."""

    connection: sqlite3.Connection
    clock: Clock
    base: str = ""


def only_reads(request: FhirRequest) -> bool:
    """Whether the request can be served without the writing thread."""
    if request.method in ("GET", "HEAD") or request.path.endswith("_search"):
        return True
    body = request.body
    if request.path.strip("/") or not isinstance(body, dict) or body.get("type") != "batch":
        return False
    asked = [each.get("request") for each in body.get("entry") or () if isinstance(each, dict)]
    return all(isinstance(each, dict) and each.get("method") == "GET" for each in asked)


def serve_read(readers: Readers, request: FhirRequest) -> FhirResponse:
    """Answer a request that changes nothing. Raises Problem for what the client got wrong."""
    parts = [each for each in request.path.split("/") if each]
    connection, base = readers.connection, readers.base
    if request.method == "POST" and not parts:
        return _batch(request, base, lambda each: _quiet(lambda: serve_read(readers, each)))
    if parts == ["metadata"]:
        return FhirResponse(200, capability.statement(readers.clock, base))
    if parts == ["_history"]:
        return versions.history(connection, request, "", "", base)
    kind = _kind(parts)
    match parts[1:]:
        case [] | ["_search"]:
            return _search(readers, request, kind)
        case ["_history"]:
            return versions.history(connection, request, kind, "", base)
        case [own]:
            return versions.read(connection, request, kind, _id(own))
        case [own, "_history"]:
            return versions.history(connection, request, kind, _id(own), base)
        case [own, "_history", version]:
            return versions.read_version(connection, kind, _id(own), version)
    raise _no_such(request)


def serve_write(writer: Writer, request: FhirRequest, announce: Announce) -> FhirResponse:
    """Answer a request that may change something, commit it and announce it. Raises Problem, with nothing changed."""
    parts = [each for each in request.path.split("/") if each]
    if request.method == "POST" and not parts:
        body = request.body
        if isinstance(body, dict) and body.get("type") == "batch":
            return _batch(request, writer.base, lambda each: _alone(writer, each, announce))
        if not isinstance(body, dict) or body.get("resourceType") != "Bundle" or body.get("type") != "transaction":
            raise refusal.bad_request(
                "bad-bundle", "Innholdet er ingen bunt som kan utføres.", "Bundle of type batch or transaction"
            )
    return _committed(writer, lambda: _one(writer, request, parts), announce)


def _committed(writer: Writer, work: Callable[[], FhirResponse], announce: Announce) -> FhirResponse:
    connection = writer.connection
    connection.execute("BEGIN IMMEDIATE")
    try:
        response = work()
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        writer.vocabulary.forget()
        writer.changes.clear()
        raise
    changes, writer.changes = writer.changes, []
    announce(changes)
    return response


def _one(writer: Writer, request: FhirRequest, parts: list[str]) -> FhirResponse:
    if not parts:
        assert request.body is not None, "serve_write has looked"
        prefer = request.headers.get("prefer", "")
        bundle = bundles.transaction(writer, lambda each: _entry(writer, each), request.body, prefer)
        return FhirResponse(200, bundle)
    kind = _kind(parts)
    match request.method, parts[1:]:
        case "POST", []:
            return writer.create(request, kind)
        case "PUT", []:
            return writer.update_where(request, kind)
        case "PUT", [own]:
            return writer.update(request, kind, own)
        case "DELETE", []:
            return writer.delete_where(request, kind)
        case "DELETE", [own]:
            return writer.delete(request, kind, _id(own))
    raise _no_such(request)


def _entry(writer: Writer, request: FhirRequest) -> FhirResponse:
    """One entry of a transaction, on the writing connection, which sees what the transaction has done so far."""
    if request.method == "GET":
        return serve_read(Readers(writer.connection, writer.clock, writer.base), request)
    parts = [each for each in request.path.split("/") if each]
    return _one(writer, request, parts)


def _alone(writer: Writer, request: FhirRequest, announce: Announce) -> FhirResponse:
    """One entry of a batch, in a transaction of its own."""
    if request.method == "GET":
        readers = Readers(writer.connection, writer.clock, writer.base)
        return _quiet(lambda: serve_read(readers, request))
    parts = [each for each in request.path.split("/") if each]
    if not parts:
        return answer(_no_such(request))
    return _quiet(lambda: _committed(writer, lambda: _one(writer, request, parts), announce))


def _batch(request: FhirRequest, base: str, handle: Callable[[FhirRequest], FhirResponse]) -> FhirResponse:
    assert request.body is not None, "only_reads and serve_write have looked"
    prefer = request.headers.get("prefer", "")
    return FhirResponse(200, bundles.batch(handle, request.body, prefer, base))


def _quiet(work: Callable[[], FhirResponse]) -> FhirResponse:
    try:
        return work()
    except Problem as problem:
        return answer(problem)


def _search(readers: Readers, request: FhirRequest, kind: str) -> FhirResponse:
    raw = request.query
    if request.method == "POST" and isinstance(request.body, dict):
        # The HTTP layer hands over a form as a dict of strings or lists.
        raw = "&".join(filter(None, [raw, urlencode(request.body, doseq=True)]))
    lenient = "handling=lenient" in request.headers.get("prefer", "")
    query = parse(kind, raw, lenient=lenient, base=readers.base)
    now = milliseconds(readers.clock.now())
    return FhirResponse(200, find.search(readers.connection, query, now, readers.base))


def _kind(parts: list[str]) -> str:
    if not parts or parts[0] not in parameters.types():
        raise refusal.unknown_type(parts[0] if parts else "")
    return parts[0]


def _id(own: str) -> str:
    if not ID.fullmatch(own):
        raise refusal.bad_request("bad-id", "Id-en kan ikke brukes.", f"id {own!r}")
    return own


def _no_such(request: FhirRequest) -> refusal.Refusal:
    return refusal.Refusal(
        405 if request.method not in ("GET", "HEAD") else 404,
        "no-such-operation",
        "Plattformen kan ikke gjøre dette.",
        detail=f"{request.method} {request.path}",
        issue="not-supported",
    )
