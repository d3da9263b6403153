"""Small pieces that every resource of the home is made of: codings, amounts, references, meta. Pure."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home.model import Member, Resident

NO_BASIS = "http://hl7.no/fhir/StructureDefinition/no-basis-"
LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
ATC = "http://www.whocc.no/atc"
ICPC2 = "http://hl7.org/fhir/sid/icpc-2"
ICD10 = "urn:oid:2.16.578.1.12.4.1.1.7110"
NLK = "urn:oid:2.16.578.1.12.4.1.1.7280"
DOCUMENTS = "urn:oid:2.16.578.1.12.4.1.1.9602"
CATEGORIES = "urn:oid:2.16.578.1.12.4.1.1.9060"
FUNCTIONS = "urn:oid:2.16.578.1.12.4.1.1.9034"
ROLES = "urn:fjellheim:rolle"
NUMBERS = {
    "fnr": "urn:oid:2.16.578.1.12.4.1.4.1",
    "dnr": "urn:oid:2.16.578.1.12.4.1.4.2",
    "fhn": "urn:oid:2.16.578.1.12.4.1.4.3",
}
HPR = "urn:oid:2.16.578.1.12.4.1.4.4"
ORGANISATION_NUMBER = "urn:oid:2.16.578.1.12.4.1.4.101"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem/"


def noon(day: date) -> datetime:
    """Midday of `day` in Norway: for what is known by its date only."""
    return datetime.combine(day, time(12), OSLO)


def resource(kind: str, own: str, at: datetime, profile: str | None = None, /, **content: Any) -> Resource:
    """A resource last updated at `at`; `profile` is a canonical, or ``no-basis-``'s last part."""
    meta: dict[str, Any] = {"versionId": "1", "lastUpdated": at.isoformat()}
    if profile:
        meta["profile"] = [profile if ":" in profile else NO_BASIS + profile]
    return {"resourceType": kind, "id": own, "meta": meta, **content}


def written_in(panel: str, made: Resource) -> Resource:
    """`made` as if a panel (``nordlys.vitals@1.0.0``) had written it: it bears the mark that the shell puts on such."""
    made["meta"]["tag"] = [{"system": "urn:workspace:package", "code": panel}]
    return made


def coding(system: str, code: str, display: str = "") -> Resource:
    return {"system": system, "code": code, "display": display} if display else {"system": system, "code": code}


def concept(text: str, *codings: Resource) -> Resource:
    return {"coding": list(codings), "text": text} if codings else {"text": text}


def amount(value: float, unit: str, code: str = "") -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": code or unit}


def to(kind: str, own: str, display: str = "") -> Resource:
    held = {"reference": f"{kind}/{own}"}
    return {**held, "display": display} if display else held


def patient(resident: Resident) -> Resource:
    return {"reference": f"Patient/{resident.id}"}


def stay(resident: Resident) -> Resource:
    return {"reference": f"Encounter/{resident.id}-{resident.stay}"}


def by(member: Member) -> Resource:
    return {"reference": f"Practitioner/{member.id}", "display": member.name}
