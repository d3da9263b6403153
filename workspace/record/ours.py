"""After a no, or an answer that says nothing: was it written all the same? Then it is done, not refused, not in conflict.

Asks the platform what became of the transaction; a platform that does not keep outcomes is asked for the history of each
resource, where every version carries the tag of the transaction that wrote it. Never writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.fhir.service import Resource
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import Item, entries, is_answer, version_in
from workspace.record.patience import may_still_pass

TRANSACTION = "urn:workspace:transaction"
ENTRY = "urn:workspace:entry"


async def outcome_of(client: Client, item: Item) -> Mapping[str, Any] | None:
    """The answer to `item` if the platform has done it, else None. Raises PlatformProblem when that cannot be known."""
    kept = await client.outcome(item.sent_as)
    if kept is not None and is_answer(kept, item.bundle):
        return kept
    return await _in_history(client, item)


async def nothing_of(client: Client, item: Item) -> bool:
    """Whether it is certain that nothing of `item` was written: every question was answered, whole, by a platform that shows
    its author the patients it is about, and nothing there carries its tag. Raises PlatformProblem when that is unknown."""
    for patient in sorted(item.lanes):
        if patient.startswith("Patient/"):
            await client.get(patient, item.asker)  # closed to its author, an empty answer would say nothing
    paths = {}
    for entry in entries(item.bundle):
        request = entry.get("request") or {}
        url, changes = str(request.get("url", "")), request.get("method") == "PUT"
        version = version_in(str(request.get("ifMatch", ""))) if changes else ""
        paths[_history(url) if changes else _search(item, url)] = version
    for path, version in paths.items():
        found = (await client.get(path, item.asker)).body
        rows = _resources(found)
        whole = found.get("resourceType") == "Bundle" and all(
            each.get("relation") != "next" for each in found.get("link") or ()
        )
        down_to = version and any(str((row.get("meta") or {}).get("versionId", "")) == version for row in rows)
        if not (whole or down_to) or any(tag(row, TRANSACTION) == item.sent_as for row in rows):
            return False
    return True


async def _in_history(client: Client, item: Item) -> Mapping[str, Any] | None:
    """The answer rebuilt from the versions that carry the tag; None unless every entry of the item is among them."""
    answer: list[dict[str, Any]] = []
    for place, entry in enumerate(entries(item.bundle)):
        request = entry.get("request") or {}
        search = _version if request.get("method") == "PUT" else _created
        found = await search(client, item, place, str(request.get("url", "")))
        if found is None:
            return None
        answer.append(_answered(found))
    return {"resourceType": "Bundle", "type": "transaction-response", "entry": answer} if answer else None


async def _version(client: Client, item: Item, place: int, name: str) -> Resource | None:
    return _tagged(await _rows(client, item, _history(name)), item, place)


async def _created(client: Client, item: Item, place: int, kind: str) -> Resource | None:
    return _tagged(await _rows(client, item, _search(item, kind)), item, place)


def _history(name: str) -> str:
    return f"{name}/_history?_count=50"


def _search(item: Item, kind: str) -> str:
    return f"{kind}?_tag={TRANSACTION}%7C{item.sent_as}&_count=500"


def _tagged(rows: list[Resource], item: Item, place: int) -> Resource | None:
    """What the entry at `place` wrote. Both tags are looked at: a server without ``_tag`` may answer with all it has."""
    own = (item.sent_as, str(place))
    return next((row for row in rows if (tag(row, TRANSACTION), tag(row, ENTRY)) == own), None)


async def _rows(client: Client, item: Item, path: str) -> list[Resource]:
    """None where the platform says no for good: there is nothing of ours, or no way to look."""
    try:
        found = (await client.get(path, item.asker)).body
    except PlatformProblem as problem:
        if may_still_pass(problem):
            raise
        return []
    return _resources(found)


def _resources(found: Mapping[str, Any]) -> list[Resource]:
    return [row for each in entries(found) if isinstance(row := each.get("resource"), dict)]


def _answered(found: Resource) -> dict[str, Any]:
    version = str((found.get("meta") or {}).get("versionId", ""))
    place = f"{found.get('resourceType')}/{found.get('id')}/_history/{version}"
    return {"resource": found, "response": {"status": "200", "etag": f'W/"{version}"', "location": place}}


def tag(resource: Mapping[str, Any], system: str) -> str:
    held = (resource.get("meta") or {}).get("tag") or ()
    return next(
        (str(each.get("code", "")) for each in held if isinstance(each, dict) and each.get("system") == system), ""
    )
