"""Batch and transaction (R4 §3.1.0.11): order of work, promised ids, references between entries.

A transaction is all or nothing: the first refusal is raised and the caller rolls back. The entries of a batch stand
each for itself. Never commits.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from workspace.fhir.references import local, replaced, walk
from workspace.fhir.service import FhirRequest, FhirResponse, Resource
from workspace.problem import Problem
from workspace.sandbox.fhir import refusal
from workspace.sandbox.fhir.write import Writer

Handle = Callable[[FhirRequest], FhirResponse]

ORDER = {"DELETE": 0, "POST": 1, "PUT": 2, "GET": 3}
"""R4's order of work within a transaction."""

_HEADERS = {"ifMatch": "if-match", "ifNoneMatch": "if-none-match", "ifNoneExist": "if-none-exist"}
_URN = re.compile(r"urn:(?:uuid|oid):[A-Za-z0-9\-.]+")


@dataclass(slots=True)
class Entry:
    """One entry: where it stood, its full address, and the request it makes."""

    place: int
    full: str
    request: FhirRequest
    own: str = ""

    @property
    def name(self) -> str:
        return self.request.path


def entries(bundle: Resource, prefer: str, base: str) -> list[Entry]:
    """The entries of a batch or transaction. Raises Refusal for one that is no request."""
    found = []
    for place, each in enumerate(bundle.get("entry") or ()):
        asked = each.get("request") if isinstance(each, dict) else None
        method = asked.get("method") if isinstance(asked, dict) else None
        if not isinstance(asked, dict) or method not in ORDER or not isinstance(asked.get("url"), str):
            raise refusal.bad_request(
                "bad-bundle", "En del av bunten kan ikke leses.", f"entry[{place}].request needs method and url"
            )
        url = asked["url"]
        if base and url.startswith(base):
            url = url[len(base) :]
        path, _, query = url.lstrip("/").partition("?")
        headers = {ours: asked[theirs] for theirs, ours in _HEADERS.items() if isinstance(asked.get(theirs), str)}
        headers["prefer"] = prefer
        request = FhirRequest(method, path, query, headers, each.get("resource"))
        found.append(Entry(place, each.get("fullUrl") or "", request))
    return found


def transaction(writer: Writer, handle: Handle, bundle: Resource, prefer: str) -> Resource:
    """Carry out a transaction. `handle` serves one entry on the writing connection and raises what goes wrong."""
    found = entries(bundle, prefer, writer.base)
    targets = _promise(writer, found)
    _no_doubles(found)
    answers: dict[int, FhirResponse] = {}
    for entry in sorted(found, key=lambda each: (ORDER[each.request.method], each.place)):
        request = entry.request
        if request.body is not None:
            request = replace(request, body=_rewritten(writer, request.body, targets))
        try:
            answers[entry.place] = (
                writer.create(request, request.path, entry.own)
                if request.method == "POST" and "/" not in request.path
                else handle(request)
            )
        except Problem as problem:
            problem.detail = f"entry[{entry.place}]: {problem.detail}"
            raise
    return _response("transaction-response", [answers[each.place] for each in found])


def batch(handle: Handle, bundle: Resource, prefer: str, base: str) -> Resource:
    """Carry out a batch. `handle` serves one entry in a transaction of its own and never raises."""
    return _response("batch-response", [handle(each.request) for each in entries(bundle, prefer, base)])


def _promise(writer: Writer, found: list[Entry]) -> dict[str, str]:
    """Give every create its id and every condition its match, so that entries can name each other."""
    targets: dict[str, str] = {}
    for entry in found:
        request = entry.request
        name = ""
        if request.method == "POST":
            condition = request.headers.get("if-none-exist", "")
            there = writer.matches(request.path, condition.lstrip("?")) if condition else []
            entry.own = there[0] if len(there) == 1 else str(uuid.uuid4())
            name = f"{request.path}/{entry.own}"
        elif request.method == "PUT" and "/" not in request.path:
            there = writer.matches(request.path, request.query)
            if len(there) > 1:
                raise refusal.several_matches(request.query)
            given = request.body.get("id") if request.body else ""
            entry.own = there[0] if there else given or str(uuid.uuid4())
            name = f"{request.path}/{entry.own}"
            body = {**(request.body or {}), "id": entry.own}
            entry.request = replace(request, path=name, query="", body=body)
        elif request.method == "PUT":
            name = request.path
        if entry.full and name:
            if entry.full in targets:
                raise refusal.bad_request("bad-bundle", "To deler av bunten har samme adresse.", entry.full)
            targets[entry.full] = name
    return targets


def _no_doubles(found: list[Entry]) -> None:
    """R4: a resource may be changed only once in a transaction."""
    seen: set[str] = set()
    for entry in found:
        if entry.request.method in ("PUT", "DELETE") and "/" in entry.request.path:
            if entry.request.path in seen:
                raise refusal.bad_request("bad-bundle", "Bunten endrer samme opplysning to ganger.", entry.request.path)
            seen.add(entry.request.path)


def _rewritten(writer: Writer, body: Resource, targets: dict[str, str]) -> Resource:
    """A copy of `body` in which names of other entries and conditional references are the real ones."""

    def change(text: str) -> str:
        if text in targets:
            return targets[text]
        if "urn:" in text and "<" in text:
            return _URN.sub(lambda match: targets.get(match[0], match[0]), text)
        return text

    result: Resource = replaced(body, change) if targets else body
    conditional = [each for each in walk(result) if _conditional(each["reference"])]
    if conditional and result is body:
        result = replaced(body, str)
        conditional = [each for each in walk(result) if _conditional(each["reference"])]
    for element in conditional:
        kind, _, query = element["reference"].partition("?")
        there = writer.matches(kind, query)
        if len(there) != 1:
            raise refusal.several_matches(f"{element['reference']} matches {len(there)}")
        element["reference"] = f"{kind}/{there[0]}"
    for element in walk(result):
        if _URN.fullmatch(element["reference"]) and local(element["reference"]) is None:
            raise refusal.bad_request(
                "bad-reference", "Bunten viser til noe som ikke er med.", f"no entry {element['reference']}"
            )
    return result


def _conditional(reference: str) -> bool:
    return "?" in reference and "://" not in reference and not reference.startswith("#")


def _response(kind: str, answers: list[FhirResponse]) -> Resource:
    return {"resourceType": "Bundle", "type": kind, "entry": [_entry(each) for each in answers]}


def _entry(answer: FhirResponse) -> dict[str, Any]:
    response: dict[str, Any] = {"status": str(answer.status)}
    for header, name in (("location", "location"), ("etag", "etag")):
        if header in answer.headers:
            response[name] = answer.headers[header]
    meta = (answer.body or {}).get("meta")
    if isinstance(meta, dict) and "lastUpdated" in meta:
        response["lastModified"] = meta["lastUpdated"]
    entry: dict[str, Any] = {"response": response}
    if answer.body is not None and answer.body.get("resourceType") == "OperationOutcome":
        response["outcome"] = answer.body
    elif answer.body is not None:
        entry["resource"] = answer.body
    return entry
