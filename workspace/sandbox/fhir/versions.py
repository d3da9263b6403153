"""Reads of one resource, of one version, and of histories. Never writes."""

from __future__ import annotations

import sqlite3
from typing import Any
from urllib.parse import parse_qsl, quote

from workspace.clock import instant
from workspace.fhir import dates, json
from workspace.fhir.service import FhirRequest, FhirResponse, Resource
from workspace.sandbox.fhir import refusal, rows
from workspace.sandbox.fhir.plan import mark, unmark_plain
from workspace.sandbox.fhir.write import version_headers

PAGE = 100
LARGEST_PAGE = 2000
_COLUMNS = "rid, type, id, version, updated, method, body"


def read(connection: sqlite3.Connection, request: FhirRequest, resource_type: str, own: str) -> FhirResponse:
    """GET of an instance; 410 when deleted, 304 when `If-None-Match` names the version there is."""
    there = rows.current(connection, resource_type, own)
    if there is None:
        raise refusal.not_found(resource_type, own)
    if there.body is None:
        raise refusal.gone(resource_type, own)
    resource = json.loads(there.body)
    headers = version_headers(resource)
    if request.headers.get("if-none-match", "").strip() == headers["etag"]:
        return FhirResponse(304, None, headers)
    return FhirResponse(200, resource, headers)


def read_version(connection: sqlite3.Connection, resource_type: str, own: str, version: str) -> FhirResponse:
    """GET of one version; a version that marks a deletion is 410."""
    there = rows.current(connection, resource_type, own)
    if there is None or not version.isdigit():
        raise refusal.not_found(resource_type, f"{own}/_history/{version}")
    body: bytes | None = there.body
    if int(version) != there.version:
        sql = "SELECT body FROM history WHERE rid = ? AND version = ?"
        row = connection.execute(sql, (there.rid, int(version))).fetchone()
        if row is None:
            raise refusal.not_found(resource_type, f"{own}/_history/{version}")
        body = row[0]
    if body is None:
        raise refusal.gone(resource_type, f"{own}/_history/{version}")
    resource = json.loads(body)
    return FhirResponse(200, resource, version_headers(resource))


def history(
    connection: sqlite3.Connection, request: FhirRequest, resource_type: str, own: str, base: str
) -> FhirResponse:
    """The history Bundle of an instance, of a type, or of everything ("" for both), newest first."""
    asked = _asked(request.query)
    conditions: list[str] = ["1"]
    arguments: list[Any] = []
    if own:
        there = rows.current(connection, resource_type, own)
        if there is None:
            raise refusal.not_found(resource_type, own)
        conditions, arguments = ["rid = ?"], [there.rid]
    elif resource_type:
        conditions, arguments = ["type = ?"], [resource_type]
    if asked["since"] is not None:
        conditions.append("updated >= ?")
        arguments.append(asked["since"])
    if asked["after"]:
        conditions.append("(updated, rid, version) < (?, ?, ?)")
        arguments += asked["after"]
    where = " AND ".join(conditions)
    sql = (
        f"SELECT {_COLUMNS} FROM (SELECT {_COLUMNS} FROM resource WHERE {where} UNION ALL"
        f" SELECT {_COLUMNS} FROM history WHERE {where})"
        " ORDER BY updated DESC, rid DESC, version DESC LIMIT ?"
    )
    found = connection.execute(sql, [*arguments, *arguments, asked["count"] + 1]).fetchall()
    return FhirResponse(200, _bundle(found, asked, "/".join(filter(None, (resource_type, own))), base))


def _asked(raw: str) -> dict[str, Any]:
    asked: dict[str, Any] = {"count": PAGE, "since": None, "after": [], "raw_since": ""}
    for key, text in parse_qsl(raw):
        if key == "_count" and text.isdigit():
            asked["count"] = min(max(int(text), 1), LARGEST_PAGE)
        elif key == "_since":
            asked["raw_since"] = text.replace(" ", "+")
            try:
                asked["since"] = dates.bounds(asked["raw_since"]).low
            except ValueError as error:
                raise refusal.bad_request(
                    "search-bad-value", "Tidspunktet kan ikke leses.", f"_since {text}"
                ) from error
        elif key == "_page":
            asked["after"] = unmark_plain(text, 3)
        elif key not in ("_format", "_pretty"):
            sentence = f"Plattformen kan ikke søke på «{key}» i historikken."
            raise refusal.bad_request("search-unknown-parameter", sentence, f"_history takes no {key!r}")
    return asked


def _bundle(found: list[Any], asked: dict[str, Any], path: str, base: str) -> Resource:
    address = f"{base}/" if base else ""
    url = address + (f"{path}/" if path else "") + "_history"
    bundle: Resource = {"resourceType": "Bundle", "type": "history", "link": [{"relation": "self", "url": url}]}
    page = found[: asked["count"]]
    if len(found) > len(page):
        rid, _, _, version, updated, _, _ = page[-1]
        since = f"&_since={quote(asked['raw_since'])}" if asked["raw_since"] else ""
        following = f"{url}?_count={asked['count']}{since}&_page={mark([updated, rid, version])}"
        bundle["link"].append({"relation": "next", "url": following})
    bundle["entry"] = [_entry(row, address) for row in page]
    return bundle


def _entry(row: tuple[Any, ...], address: str) -> Resource:
    _, kind, own, version, updated, method, body = row
    status = {"POST": "201", "DELETE": "204"}.get(method, "201" if version == 1 else "200")
    entry: Resource = {
        "fullUrl": f"{address}{kind}/{own}",
        "request": {"method": method, "url": kind if method == "POST" else f"{kind}/{own}"},
        "response": {
            "status": status,
            "etag": f'W/"{version}"',
            "lastModified": instant(dates.moment(updated)),
        },
    }
    if body is not None:
        entry["resource"] = json.loads(body)
    return entry
