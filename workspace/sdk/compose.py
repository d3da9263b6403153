"""Resources from little: fills in what the context knows (patient, author, time) and the long forms of codes. Pure."""

from __future__ import annotations

from workspace.sdk.errors import SdkError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    Resource = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"

VITAL_SIGNS = frozenset({"85354-9", "9279-1", "8867-4", "2708-6", "8310-5", "8302-2", "29463-7", "39156-5", "3151-8"})
"""LOINC codes that the platform takes as vital signs only (R4 vital signs profile, and the flow of oxygen)."""

_PATIENT_IN = {
    "AllergyIntolerance": "patient",
    "Immunization": "patient",
    "RelatedPerson": "patient",
    "Consent": "patient",
    "Task": "for",
    "NutritionOrder": "patient",
}
_NO_PATIENT = {"Provenance", "Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Patient"}


def resource(
    given: Resource | str, fields: dict[str, Any], info: dict[str, Any], moment: Callable[[], datetime]
) -> Resource:
    """A resource ready to be created: R4, without id, naming its patient."""
    if isinstance(given, str):
        made: Resource = {"resourceType": given}
        made.update(_observation(fields, info, moment) if given == "Observation" else fields)
    else:
        made = {**given, **fields}
    kind = made.get("resourceType")
    if not kind:
        raise SdkError("ctx.create takes a resource with resourceType, or a type and its fields")
    if "id" in made:
        raise SdkError("ctx.create: a new resource has no id; use ctx.update for one that exists")
    patient = info.get("patient")
    if patient and kind not in _NO_PATIENT:
        made.setdefault(_PATIENT_IN.get(kind, "subject"), {"reference": patient})
    return made


def _observation(fields: dict[str, Any], info: dict[str, Any], moment: Callable[[], datetime]) -> Resource:
    rest = dict(fields)
    made: Resource = {"status": rest.pop("status", "final")}
    code, value, unit = rest.pop("code", None), rest.pop("value", None), rest.pop("unit", "")
    made["code"] = concept(code) if isinstance(code, str) else code
    if isinstance(code, str) and code in VITAL_SIGNS and "category" not in rest:
        made["category"] = [{"coding": [{"system": CATEGORY, "code": "vital-signs"}]}]
    if isinstance(value, bool) or value is None:
        if value is not None:
            made["valueBoolean"] = value
    elif isinstance(value, int | float):
        made["valueQuantity"] = quantity(value, unit)
    else:
        made["valueString"] = str(value)
    made.update(rest)
    if "effectiveDateTime" not in made and "effectivePeriod" not in made:
        made["effectiveDateTime"] = moment().isoformat(timespec="seconds")
    author = (info.get("user") or {}).get("reference")
    if author and "performer" not in made:
        made["performer"] = [person(info["user"])]
    return made


def concept(code: str, text: str = "") -> Resource:
    """A code alone: LOINC by its hyphen (``8867-4``), else SNOMED CT."""
    system = LOINC if "-" in code else SNOMED
    made: Resource = {"coding": [{"system": system, "code": code}]}
    if text:
        made["text"] = text
    return made


def quantity(value: float, unit: str) -> Resource:
    """A UCUM quantity."""
    return {"value": value, "unit": unit, "system": UCUM, "code": unit} if unit else {"value": value}


def person(user: dict[str, str]) -> Resource:
    """A reference to who is signed in."""
    made = {"reference": user["reference"]}
    if user.get("display"):
        made["display"] = user["display"]
    return made
