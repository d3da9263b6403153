"""Which patient a resource is about, who wrote it, and which search parameter says so (R4 §5.2, patient compartment).

Plain tables and accessors over dicts, shared by gateway and audit. Never decides anything.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

GLOBAL_TYPES = frozenset(
    {
        "Practitioner",
        "PractitionerRole",
        "Organization",
        "Location",
        "HealthcareService",
        "Questionnaire",
        "Medication",
        "ValueSet",
        "CodeSystem",
        "ActivityDefinition",
        "PlanDefinition",
    }
)
"""About no patient: any signed-in user may read them."""

SUBJECT: Mapping[str, tuple[str, ...]] = {
    "Patient": (),
    "AllergyIntolerance": ("patient",),
    "Appointment": ("participant.actor",),
    "CarePlan": ("subject",),
    "CareTeam": ("subject",),
    "ClinicalImpression": ("subject",),
    "Communication": ("subject",),
    "CommunicationRequest": ("subject",),
    "Composition": ("subject",),
    "Condition": ("subject",),
    "Consent": ("patient",),
    "DetectedIssue": ("patient",),
    "DeviceUseStatement": ("subject",),
    "DiagnosticReport": ("subject",),
    "DocumentReference": ("subject",),
    "Encounter": ("subject",),
    "EpisodeOfCare": ("patient",),
    "Flag": ("subject",),
    "Goal": ("subject",),
    "Immunization": ("patient",),
    "List": ("subject",),
    "Media": ("subject",),
    "MedicationAdministration": ("subject",),
    "MedicationDispense": ("subject",),
    "MedicationRequest": ("subject",),
    "MedicationStatement": ("subject",),
    "NutritionOrder": ("patient",),
    "Observation": ("subject",),
    "Procedure": ("subject",),
    "QuestionnaireResponse": ("subject",),
    "RelatedPerson": ("patient",),
    "RiskAssessment": ("subject",),
    "ServiceRequest": ("subject",),
    "Specimen": ("subject",),
    "Task": ("for",),
}
"""Element path(s) that name the patient. A type that is in neither table is not served."""

AUTHOR: Mapping[str, tuple[str, ...]] = {
    "AllergyIntolerance": ("recorder",),
    "CarePlan": ("author",),
    "ClinicalImpression": ("assessor",),
    "Communication": ("sender",),
    "CommunicationRequest": ("requester",),
    "Composition": ("author",),
    "Condition": ("recorder",),
    "DocumentReference": ("author",),
    "Flag": ("author",),
    "Goal": ("expressedBy",),
    "List": ("source",),
    "MedicationAdministration": ("performer.actor",),
    "MedicationRequest": ("requester",),
    "MedicationStatement": ("informationSource",),
    "Observation": ("performer",),
    "Procedure": ("performer.actor",),
    "QuestionnaireResponse": ("author",),
    "RiskAssessment": ("performer",),
    "ServiceRequest": ("requester",),
    "Task": ("requester",),
}
"""Element path(s) that name who answers for the content (R-26)."""

PATIENT_PARAMETERS = frozenset({"patient", "subject"})


def patient_parameter(type: str) -> str:
    """The search parameter that narrows `type` to patients."""
    return "_id" if type == "Patient" else "patient"


def served(type: str) -> bool:
    return type in SUBJECT or type in GLOBAL_TYPES or type == "AuditEvent"


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


def local(reference: str) -> str:
    """``Patient/x`` out of ``http://…/fhir/Patient/x/_history/2``; other forms as they are."""
    parts = reference.split("/_history/")[0].split("/")
    return "/".join(parts[-2:]) if len(parts) > 2 and "://" in reference else reference.split("/_history/")[0]


def patients_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """``("Patient/x",)`` for a resource about x; empty when it names none."""
    kind = str(resource.get("resourceType", ""))
    if kind == "Patient":
        return (f"Patient/{resource['id']}",) if resource.get("id") else ()
    found: list[str] = []
    for path in SUBJECT.get(kind, ()):
        for value in elements(resource, path):
            reference = local(str(value.get("reference", ""))) if isinstance(value, dict) else ""
            if reference.startswith("Patient/") and reference not in found:
                found.append(reference)
    return tuple(found)


def authors_of(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """References of those who answer for the content, ``Practitioner/tone`` or ``PractitionerRole/…``."""
    found = []
    for path in AUTHOR.get(str(resource.get("resourceType", "")), ()):
        found += [
            local(str(v["reference"])) for v in elements(resource, path) if isinstance(v, dict) and v.get("reference")
        ]
    return tuple(found)
