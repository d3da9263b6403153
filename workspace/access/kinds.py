"""Which resource types are opened at all, which search parameter narrows them to patients, and who answers for them.

Plain tables and accessors over dicts; whom a resource is *about* is `workspace.fhir.compartment`. Never decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from workspace.fhir import parameters
from workspace.fhir.references import target

GLOBAL_TYPES = frozenset(
    {"Practitioner", "PractitionerRole", "Organization", "Location", "Questionnaire", "Medication"}
)
"""About no patient: any signed-in user may read them."""

AUTHOR: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("recorder",),
    "CarePlan": ("author",),
    "Communication": ("sender",),
    "Composition": ("author",),
    "Condition": ("recorder",),
    "DocumentReference": ("author",),
    "Flag": ("author",),
    "MedicationAdministration": ("performer.actor",),
    "MedicationRequest": ("requester",),
    "MedicationStatement": ("informationSource",),
    "Observation": ("performer",),
    "Procedure": ("performer.actor",),
    "Provenance": ("agent.who",),
    "QuestionnaireResponse": ("author",),
    "ServiceRequest": ("requester",),
    "Task": ("requester",),
}
"""Element path(s) that name who answers for the content (R-26)."""


def patient_parameter(type: str) -> str:
    """The search parameter that narrows `type` to patients; empty when there is none."""
    if type == "Patient":
        return "_id"
    if type in ("Provenance", "AuditEvent") or parameters.definition(type, "patient") is None:
        return ""
    return "patient"


def served(type: str) -> bool:
    """Whether the platform opens `type` to anybody."""
    if type not in parameters.types():
        return False
    return type in GLOBAL_TYPES or type in ("AuditEvent", "Provenance") or bool(patient_parameter(type))


def elements(resource: Mapping[str, Any], path: str) -> Iterator[Any]:
    """The values at a dotted path, lists flattened."""
    head, _, rest = path.partition(".")
    value = resource.get(head)
    for one in value if isinstance(value, list) else [value]:
        if one is None:
            continue
        if rest:
            if isinstance(one, dict):
                yield from elements(one, rest)
        else:
            yield one


def authors_of(resource: Mapping[str, Any], base: str = "") -> tuple[str, ...]:
    """References of those who answer for the content, ``Practitioner/tone`` or ``PractitionerRole/…``."""
    found = (
        target(value, base)
        for path in AUTHOR.get(str(resource.get("resourceType", "")), ())
        for value in elements(resource, path)
    )
    return tuple(dict.fromkeys(one for one in found if one))
