"""What a panel may take for a fact: nothing that was entered in error, and nothing whose meaning somebody has changed in a
way that we do not know (R4 §2.4, *modifierExtension*). Pure rules.

A panel that wants what was entered in error asks for that status by name.
"""

from __future__ import annotations

from collections.abc import Mapping

from workspace.fhir import parameters
from workspace.fhir.modifiers import changed_in_meaning
from workspace.fhir.search import Query, with_parameter
from workspace.fhir.service import Resource

STATUS: Mapping[str, str] = {
    "AllergyIntolerance": "verification-status",
    "Condition": "verification-status",
    "Flag": "status",
    "Immunization": "status",
    "MedicationAdministration": "status",
    "MedicationRequest": "status",
    "MedicationStatement": "status",
    "Observation": "status",
    "Procedure": "status",
}
"""Types that state facts, with the parameter that says whether they were entered in error. Texts are not among them: a note
that was taken back is shown, struck out, by those who show notes."""
IN_ERROR = "entered-in-error"
TAG = {"system": "urn:workspace:shown", "code": "withheld"}
SENTENCE = "Kan ikke vises: opplysningen har et forbehold som arbeidsflaten ikke kjenner."
REMEMBERED = 50_000
_KEPT = (
    "resourceType", "id", "subject", "patient", "category", "code", "type", "effectiveDateTime", "effectivePeriod",
    "authoredOn", "date", "occurrenceDateTime", "performer", "author", "requester", "recorder",
)  # fmt: skip


def facts_only(query: Query) -> Query:
    """`query` without what was entered in error, unless it names a status or single resources itself."""
    name = STATUS.get(query.type)
    if name is None or parameters.definition(query.type, name) is None:
        return query
    if any(each.name in (name, "_id") for each in query.parameters):
        return query
    return with_parameter(query, f"{name}:not", IN_ERROR)


class Shown:
    """`shown`, with a memory of versions that hold nothing odd: the same rows pass the door many times."""

    def __init__(self) -> None:
        self._plain: dict[tuple[str, str], str] = {}

    def __call__(self, resource: Resource) -> Resource:
        version = str((resource.get("meta") or {}).get("versionId") or "")
        key = (str(resource.get("resourceType")), str(resource.get("id")))
        if version and self._plain.get(key) == version:
            return resource
        found = shown(resource)
        if found is resource and version:
            if len(self._plain) >= REMEMBERED:
                self._plain.clear()
            self._plain[key] = version
        return found


def shown(resource: Resource) -> Resource:
    """`resource`, or in its place what may be said of it: who, what kind, when, and that it cannot be shown."""
    if not changed_in_meaning(resource):
        return resource
    kept: Resource = {name: resource[name] for name in _KEPT if name in resource}
    kept["meta"] = {**(resource.get("meta") or {}), "tag": [*((resource.get("meta") or {}).get("tag") or ()), TAG]}
    kept["text"] = {"status": "generated", "div": f"<div>{SENTENCE}</div>"}
    if kept.get("resourceType") == "Observation":
        kept["status"] = "unknown"
        kept["dataAbsentReason"] = {"text": SENTENCE, "coding": [{"code": "unsupported"}]}
    return kept
