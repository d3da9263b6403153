"""The CapabilityStatement, made from the parameter table: it says what the store does and no more."""

from __future__ import annotations

from typing import Any

from workspace.clock import Clock, instant
from workspace.fhir import parameters
from workspace.fhir.service import Resource

_INTERACTIONS = (
    "read",
    "vread",
    "update",
    "delete",
    "history-instance",
    "history-type",
    "create",
    "search-type",
)


def statement(clock: Clock, base: str) -> Resource:
    """R4 CapabilityStatement of kind ``instance``."""
    found: Resource = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": instant(clock.now()),
        "kind": "instance",
        "software": {"name": "Clinician Workspace, sandkasse"},
        "implementation": {"description": "FHIR R4 på SQLite for sandkassen"},
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "resource": [_resource(each) for each in parameters.types()],
                "interaction": [{"code": each} for each in ("transaction", "batch", "history-system")],
            }
        ],
    }
    if base:
        found["implementation"]["url"] = base
    return found


def _resource(resource_type: str) -> dict[str, Any]:
    known = parameters.definitions(resource_type)
    return {
        "type": resource_type,
        "interaction": [{"code": each} for each in _INTERACTIONS],
        "versioning": "versioned-update",
        "readHistory": True,
        "updateCreate": True,
        "conditionalCreate": True,
        "conditionalRead": "not-match",
        "conditionalUpdate": True,
        "conditionalDelete": "single",
        "referencePolicy": ["literal", "logical", "local"],
        "searchInclude": [f"{resource_type}:{each.name}" for each in parameters.references_of(resource_type)],
        "searchRevInclude": _pointing_at(resource_type),
        "searchParam": [{"name": each.name, "type": each.kind} for each in known.values()],
    }


def _pointing_at(resource_type: str) -> list[str]:
    return [
        f"{source}:{each.name}"
        for source in parameters.types()
        for each in parameters.references_of(source)
        if not each.targets or resource_type in each.targets
    ]
