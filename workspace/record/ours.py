"""After a 412: was it our own write that made the version we did not expect? Then it is done, not in conflict.

Asks the platform what became of the transaction; a platform that does not keep outcomes is asked for the history of each
resource, where every version carries the tag of the transaction that wrote it. Never writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.fhir.service import Resource
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import Item, entries

TRANSACTION = "urn:workspace:transaction"
ENTRY = "urn:workspace:entry"


async def outcome_of(client: Client, item: Item) -> Mapping[str, Any] | None:
    """The answer to `item` if the platform has done it, else None. Raises PlatformProblem when that cannot be known."""
    kept = await client.outcome(item.sent_as)
    if kept is not None:
        return kept
    return await _in_history(client, item)


async def _in_history(client: Client, item: Item) -> Mapping[str, Any] | None:
    """The answer rebuilt from the versions that carry the tag; None unless one does, and every update of the item."""
    answer: list[dict[str, Any]] = []
    tagged = False
    for place, entry in enumerate(entries(item.bundle)):
        request = entry.get("request") or {}
        if request.get("method") == "PUT":
            found = await _version(client, item, str(request.get("url", "")))
            if found is None:
                return None
        else:
            found = await _created(client, item, place, str(request.get("url", "")))
        tagged = tagged or found is not None
        answer.append(_answered(found))
    # A transaction is done whole or not at all: one resource that carries the tag is enough, and none is not.
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": answer} if tagged else None


async def _version(client: Client, item: Item, name: str) -> Resource | None:
    try:
        history = (await client.get(f"{name}/_history?_count=50", item.asker)).body
    except PlatformProblem as problem:
        if problem.status in (403, 404, 410):
            return None
        raise
    rows = (each.get("resource") for each in entries(history))
    return next((row for row in rows if isinstance(row, dict) and tag(row, TRANSACTION) == item.sent_as), None)


async def _created(client: Client, item: Item, place: int, kind: str) -> Resource | None:
    found = (await client.get(f"{kind}?_tag={TRANSACTION}%7C{item.sent_as}&_count=500", item.asker)).body
    rows = [each.get("resource") or {} for each in entries(found)]
    return next((row for row in rows if tag(row, ENTRY) in ("", str(place))), None)


def _answered(found: Resource | None) -> dict[str, Any]:
    if found is None:
        return {"response": {"status": "200"}}
    version = str((found.get("meta") or {}).get("versionId", ""))
    place = f"{found.get('resourceType')}/{found.get('id')}/_history/{version}"
    return {"resource": found, "response": {"status": "200", "etag": f'W/"{version}"', "location": place}}


def tag(resource: Mapping[str, Any], system: str) -> str:
    held = (resource.get("meta") or {}).get("tag") or ()
    return next(
        (str(each.get("code", "")) for each in held if isinstance(each, dict) and each.get("system") == system), ""
    )
