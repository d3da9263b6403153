"""The gateway's own CapabilityStatement: what the platform behind it can do, less what the gateway does not let through, in
words that a client can act on. Says nothing that the platform does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.access.decision import NO_WRITE_TYPES
from workspace.access.kinds import patient_parameter, served
from workspace.fhir import parameters
from workspace.fhir.service import Resource
from workspace.gateway.settings import GatewaySettings

READS = ("read", "vread", "history-instance", "history-type", "search-type")
WRITES = ("create", "update")
SYSTEM = ("transaction", "batch")
"""No history of everything, no search over everything."""
RULES = (
    "Each request is for a patient who is open to the person signed in; rows about others are left out, also of included"
    " resources, and a total is given only where it tells of nobody else. Nothing is deleted: what was wrong is marked"
    " entered-in-error. An update needs If-Match. What is written names its patient and author, and points at nothing about"
    " another patient. Transactions are done once under their Idempotency-Key."
)
_OAUTH = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}


def own(behind: Resource, settings: GatewaySettings) -> Resource:
    """The statement of the gateway in front of the platform that says `behind` of itself."""
    servers = [each for each in behind.get("rest") or () if isinstance(each, dict) and each.get("mode") == "server"]
    server: Mapping[str, Any] = servers[0] if servers else {}
    kinds = [each for each in server.get("resource") or () if isinstance(each, dict) and served(str(each.get("type")))]
    interactions = [each for each in server.get("interaction") or () if each.get("code") in SYSTEM]
    told: Resource = {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": behind.get("date"),
        "kind": "instance",
        "software": {"name": "Clinician Workspace gateway"},
        "implementation": {"description": settings.name, "url": settings.base},
        "fhirVersion": behind.get("fhirVersion"),
        "format": ["application/fhir+json"],
        "rest": [
            {
                "mode": "server",
                "documentation": RULES,
                "security": {"cors": False, "service": [{"coding": [_OAUTH]}]},
                "resource": [_kind(each) for each in kinds],
                "interaction": interactions,
            }
        ],
    }
    return {name: value for name, value in told.items() if value is not None}


def _kind(behind: Mapping[str, Any]) -> Resource:
    name = str(behind["type"])
    let = READS if name in NO_WRITE_TYPES else READS + WRITES
    told: Resource = {"type": name, "interaction": [e for e in behind.get("interaction") or () if e.get("code") in let]}
    for each in ("versioning", "readHistory", "conditionalRead", "referencePolicy"):
        if each in behind:
            told[each] = behind[each]
    told |= {"conditionalUpdate": False, "conditionalDelete": "not-supported"}
    if name not in NO_WRITE_TYPES:
        told["updateCreate"] = bool(behind.get("updateCreate"))
        told["conditionalCreate"] = bool(behind.get("conditionalCreate")) and patient_parameter(name) == "patient"
    # Read by the gateway itself: what it does not know it refuses.
    known = {each.name for each in parameters.definitions(name).values()}
    if "searchParam" in behind:
        told["searchParam"] = [each for each in behind["searchParam"] if each.get("name") in known]
    for along in ("searchInclude", "searchRevInclude"):
        if along in behind:
            told[along] = [each for each in behind[along] if each == "*" or _known(str(each))]
    return told


def _known(include: str) -> bool:
    """Whether the gateway reads ``Type:parameter`` and opens the type."""
    kind, _, name = include.partition(":")
    return served(kind) and parameters.definition(kind, name.partition(":")[0]) is not None
