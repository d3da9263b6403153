"""What a panel may take for a fact: nothing that was entered in error, and nothing whose meaning somebody has changed in a
way that we do not know (R4 §2.4, *modifierExtension*). Pure rules.

A panel that wants what was entered in error asks for that status by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from workspace.fhir import parameters
from workspace.fhir.modifiers import changed_in_meaning
from workspace.fhir.search import Parameter, Query, with_parameter
from workspace.fhir.service import Resource
from workspace.record.rows import IN_ERROR, name_of

STATUS: Mapping[str, str] = {
    "AllergyIntolerance": "verification-status",
    "Condition": "verification-status",
    "Goal": "lifecycle-status",
    **dict.fromkeys(
        (
            "Appointment", "CarePlan", "CareTeam", "ClinicalImpression", "Communication", "CommunicationRequest",
            "Composition", "Consent", "Coverage", "DetectedIssue", "Device", "DeviceRequest", "DiagnosticReport",
            "DocumentManifest", "DocumentReference", "Encounter", "EpisodeOfCare", "FamilyMemberHistory", "Flag",
            "GuidanceResponse", "ImagingStudy", "Immunization", "List", "Media", "Medication",
            "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement",
            "NutritionOrder", "Observation", "Procedure", "QuestionnaireResponse", "RequestGroup", "RiskAssessment",
            "ServiceRequest", "Slot", "SupplyDelivery", "Task",
        ),
        "status",
    ),
}  # fmt: skip
"""Types whose value set of statuses (R4, each resource's own page) has *entered-in-error*, with the parameter that says so.
It spares fetching them; `rows.in_error` decides whatever the type, and for what no query can say (included rows, reads)."""
TAG = {"system": "urn:workspace:shown", "code": "withheld"}
TAKEN_BACK = "Opplysningen er trukket tilbake: den var feilført."
SENTENCE = "Kan ikke vises: opplysningen har et forbehold som arbeidsflaten ikke kjenner."
REMEMBERED = 50_000
_KEPT = (
    "resourceType", "id", "subject", "patient", "for", "category", "type", "effectiveDateTime", "effectivePeriod",
    "authoredOn", "date", "occurrenceDateTime", "performer", "author", "requester", "recorder",
)  # fmt: skip
_SAYS: Mapping[str, tuple[str, ...]] = {
    "code": ("code",),
    "medicationCodeableConcept": ("medicationCodeableConcept", "medicationReference"),
    "vaccineCode": ("vaccineCode",),
}
"""Where a reader looks for what it says, and so finds the sentence; by what it stands in place of."""


def facts_only(query: Query) -> Query:
    """`query` without what was entered in error, unless it asks for that by name."""
    name = STATUS.get(query.type)
    if name is None or parameters.definition(query.type, name) is None:
        return query
    if any(each.name == name and not each.modifier and None not in _codes(each) for each in query.parameters):
        return query  # it names what it wants: other statuses, or this one on purpose
    return with_parameter(query, f"{name}:not", IN_ERROR)


def asks_for_error(query: Query) -> bool:
    """Whether `query` names *entered-in-error* among the statuses it wants: then it is shown as what was taken back."""
    names = (STATUS.get(query.type, "status"), "status", "verification-status")
    return any(each.name in names and not each.modifier and IN_ERROR in _codes(each) for each in query.parameters)


def _codes(parameter: Parameter) -> list[str | None]:
    return [getattr(value, "code", None) for value in parameter.values]


class Shown:
    """`shown`, with a memory of versions that hold nothing odd: the same rows pass the door many times. What was withheld
    is remembered for good."""

    def __init__(self) -> None:
        self._plain: dict[tuple[str, str], str] = {}
        self._odd: set[tuple[str, str]] = set()

    def __call__(self, resource: Resource) -> Resource:
        version = str((resource.get("meta") or {}).get("versionId") or "")
        key = (str(resource.get("resourceType")), str(resource.get("id")))
        if version and self._plain.get(key) == version:
            return resource
        found = shown(resource)
        if found is not resource:
            self._odd.add((name_of(resource), version))
        elif version:
            if len(self._plain) >= REMEMBERED:
                self._plain.clear()
            self._plain[key] = version
        return found

    def has_withheld(self, name: str, version: str) -> bool:
        """Whether somebody was given something else in place of that version of ``Type/id``."""
        return (name, version) in self._odd


def is_withheld(resource: Resource) -> bool:
    """Whether `shown` has put something else in its place."""
    return TAG in ((resource.get("meta") or {}).get("tag") or ())


def shown(resource: Resource) -> Resource:
    """`resource`, or in its place what may be said of it: who, what kind, when, and that it cannot be shown. Of an
    Observation the code stays, for it says what was looked at; of anything else it is what is claimed, and does not."""
    if not changed_in_meaning(resource):
        return resource
    kept: Resource = {name: resource[name] for name in _KEPT if name in resource}
    kept["meta"] = {**(resource.get("meta") or {}), "tag": [*((resource.get("meta") or {}).get("tag") or ()), TAG]}
    kept["text"] = {"status": "generated", "div": f"<div>{SENTENCE}</div>"}
    if kept.get("resourceType") == "Observation":
        kept["status"] = "unknown"
        kept["dataAbsentReason"] = {"text": SENTENCE, "coding": [{"code": "unsupported"}]}
        return kept | ({"code": resource["code"]} if "code" in resource else {})
    for name, places in _SAYS.items():
        if any(place in resource for place in places):
            kept[name] = {"text": SENTENCE}
    return kept | ({"title": SENTENCE} if "title" in resource else {})
