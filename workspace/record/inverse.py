"""The way back from a commit: created becomes entered-in-error, updated becomes the version before. Pure.

Nothing clinical is deleted (DESIGN §3): the record keeps that it stood there, and who took it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

IN_ERROR: dict[str, str] = {
    "Observation": "entered-in-error",
    "Composition": "entered-in-error",
    "MedicationAdministration": "entered-in-error",
    "MedicationRequest": "entered-in-error",
    "MedicationStatement": "entered-in-error",
    "Flag": "entered-in-error",
    "Task": "entered-in-error",
    "Communication": "entered-in-error",
    "Procedure": "entered-in-error",
}
FOLLOWS = frozenset({"Provenance"})
"""Says how something came to be; it stays, like the fact itself."""


def undoable(resources: Sequence[Mapping[str, Any]]) -> bool:
    """Whether every resource has a status that can say it was a mistake."""
    return all(one.get("resourceType") in IN_ERROR or one.get("resourceType") in FOLLOWS for one in resources)


def inverse(created: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Bundle entries (PUT with If-Match) that take back what was `created`, each given as the platform answered it.
    Raises ValueError for a type that cannot be taken back."""
    entries = []
    for one in created:
        kind = str(one.get("resourceType"))
        if kind in FOLLOWS:
            continue
        if kind not in IN_ERROR:
            raise ValueError(f"{kind} has no status that says entered in error")
        wrong = deepcopy(dict(one))
        wrong["status"] = IN_ERROR[kind]
        entries.append(_put(wrong, _version(one)))
    return entries


def restored(former: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The entry that puts the `former` version back, provided that `now` is still the newest."""
    return _put(deepcopy(dict(former)), _version(now))


def _version(resource: Mapping[str, Any]) -> str:
    return str((resource.get("meta") or {}).get("versionId") or "1")


def _put(resource: dict[str, Any], version: str) -> dict[str, Any]:
    url = f"{resource['resourceType']}/{resource['id']}"
    return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": url, "ifMatch": f'W/"{version}"'}}
