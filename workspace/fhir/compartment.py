"""Which patients a resource is about. The broker, the gateway and the change feed all ask here.

Counts the elements that say whom the resource concerns (subject, patient, beneficiary, individual, for). Does not
count who merely appears in it: participants, performers, authors, entities of an AuditEvent, targets of Provenance.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.fhir.references import local

_ELEMENTS = ("subject", "patient", "beneficiary", "individual", "for")
_PARTICIPANTS = frozenset({"Appointment"})
"""Types where a patient is one of the participants and nothing else says whom it is about."""


def patients_of(resource: Mapping[str, Any], base: str = "") -> tuple[str, ...]:
    """``("Patient/x", …)`` in the order found, without repeats; empty for what concerns no patient."""
    kind = resource.get("resourceType")
    if kind == "Patient":
        own = resource.get("id")
        return (f"Patient/{own}",) if own else ()
    if kind in ("AuditEvent", "Provenance", "Bundle"):
        return ()
    found: list[str] = []
    for element in _ELEMENTS:
        value = resource.get(element)
        if value is not None:
            found += _patients(value, base)
    if kind in _PARTICIPANTS:
        for participant in resource.get("participant") or ():
            if isinstance(participant, dict):
                found += _patients(participant.get("actor"), base)
    return tuple(found) if len(found) < 2 else tuple(dict.fromkeys(found))


def _patients(value: Any, base: str) -> list[str]:
    found = []
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, dict) and isinstance(each.get("reference"), str):
            who = local(each["reference"], base)
            if who and who.type == "Patient":
                found.append(str(who))
    return found
