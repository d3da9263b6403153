"""What a written resource must say before the platform takes it: required elements by type, in words a person understands.

Only what this platform needs of R4 and of the journal regulation. Never fills anything in and never looks at who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from workspace.access.kinds import elements
from workspace.clock import parse
from workspace.fhir import units
from workspace.fhir.service import Resource
from workspace.gateway import shapes
from workspace.gateway.refused import Fault

STATUS: Mapping[str, frozenset[str]] = {
    "Observation": frozenset(
        ("registered", "preliminary", "final", "amended", "corrected", "cancelled", "entered-in-error", "unknown")
    ),
    "Composition": frozenset(("preliminary", "final", "amended", "entered-in-error")),
    "MedicationAdministration": frozenset(
        ("in-progress", "not-done", "on-hold", "completed", "entered-in-error", "stopped", "unknown")
    ),
    "Flag": frozenset(("active", "inactive", "entered-in-error")),
    "Task": frozenset(
        (
            "draft",
            "requested",
            "received",
            "accepted",
            "rejected",
            "ready",
            "cancelled",
            "in-progress",
            "on-hold",
            "failed",
            "completed",
            "entered-in-error",
        )
    ),
    "Communication": frozenset(
        ("preparation", "in-progress", "not-done", "on-hold", "stopped", "completed", "entered-in-error", "unknown")
    ),
    "QuestionnaireResponse": frozenset(("in-progress", "completed", "amended", "entered-in-error", "stopped")),
}

REQUIRED: Mapping[str, tuple[tuple[str, str], ...]] = {
    "Observation": (
        ("status", "Målingen mangler status."),
        ("code", "Målingen mangler kode for hva som er målt."),
        ("subject.reference", "Målingen sier ikke hvilken pasient den gjelder."),
        ("performer.reference", "Målingen sier ikke hvem som har målt."),
    ),
    "Composition": (
        ("status", "Notatet mangler status."),
        ("type", "Notatet mangler type."),
        ("subject.reference", "Notatet sier ikke hvilken pasient det gjelder."),
        ("date", "Notatet mangler tidspunkt."),
        ("author.reference", "Notatet sier ikke hvem som har skrevet det."),
        ("title", "Notatet mangler tittel."),
        ("section", "Notatet er tomt."),
    ),
    "Provenance": (
        ("target.reference", "Opphavet sier ikke hva det gjelder."),
        ("recorded", "Opphavet mangler tidspunkt."),
        ("agent.who.reference", "Opphavet sier ikke hvem som står bak."),
    ),
    "MedicationAdministration": (
        ("status", "Utdelingen mangler status."),
        ("subject.reference", "Utdelingen sier ikke hvilken pasient den gjelder."),
        ("performer.actor.reference", "Utdelingen sier ikke hvem som har delt ut."),
    ),
    "Condition": (
        ("code", "Problemet mangler kode eller tekst."),
        ("subject.reference", "Problemet sier ikke hvilken pasient det gjelder."),
    ),
    "AllergyIntolerance": (
        ("code", "Allergien mangler kode eller tekst."),
        ("patient.reference", "Allergien sier ikke hvilken pasient den gjelder."),
    ),
    "Flag": (
        ("status", "Varselet mangler status."),
        ("code", "Varselet sier ikke hva det gjelder."),
        ("subject.reference", "Varselet sier ikke hvilken pasient det gjelder."),
    ),
    "Task": (
        ("status", "Oppgaven mangler status."),
        ("intent", "Oppgaven mangler hensikt."),
        ("for.reference", "Oppgaven sier ikke hvilken pasient den gjelder."),
    ),
    "Communication": (
        ("status", "Meldingen mangler status."),
        ("subject.reference", "Meldingen sier ikke hvilken pasient den gjelder."),
    ),
    "MedicationRequest": (
        ("status", "Forordningen mangler status."),
        ("intent", "Forordningen mangler hensikt."),
        ("subject.reference", "Forordningen sier ikke hvilken pasient den gjelder."),
    ),
    "QuestionnaireResponse": (
        ("status", "Skjemaet mangler status."),
        ("subject.reference", "Skjemaet sier ikke hvilken pasient det gjelder."),
    ),
}

VITAL_SIGNS = "vital-signs"
UCUM = "http://unitsofmeasure.org"


def faults(resource: Resource) -> list[Fault]:
    """What is missing or wrong, one for each element; empty when the profile is met. Of what cannot be read nothing else is
    said."""
    if unreadable := shapes.faults(resource):
        return unreadable
    kind = str(resource.get("resourceType", ""))
    found = [
        Fault(_expression(kind, path), sentence)
        for path, sentence in REQUIRED.get(kind, ())
        if not any(_said(value) for value in elements(resource, path))
    ]
    status, allowed = resource.get("status"), STATUS.get(kind)
    if status and allowed and status not in allowed:
        found.append(Fault(f"{kind}.status", f"Statusen «{str(status)[:40]}» finnes ikke.", "value"))
    more = _MORE.get(kind)
    return found + (more(resource) if more and status != "entered-in-error" else [])


def _expression(kind: str, path: str) -> str:
    return f"{kind}.{path.removesuffix('.reference')}"


def _said(value: Any) -> bool:
    return value not in ("", [], {})


def _observation(resource: Resource) -> list[Fault]:
    found = []
    codes = [each for each in elements(resource, "category.coding") if isinstance(each, dict)]
    if not codes:
        found.append(Fault("Observation.category", "Målingen mangler kategori."))
    if any(each.get("code") == VITAL_SIGNS for each in codes):
        found += _instant(resource, "Observation", "effectiveDateTime", "Målingen mangler tidspunkt.")
    elif not any(name.startswith("effective") for name in resource):
        found.append(Fault("Observation.effectiveDateTime", "Målingen mangler tidspunkt."))
    held = any(name.startswith("value") and _said(value) for name, value in resource.items())
    if not (held or resource.get("dataAbsentReason") or resource.get("component") or resource.get("hasMember")):
        found.append(Fault("Observation.value", "Målingen mangler verdi, eller en grunn til at den mangler."))
    return found + _quantities(resource, vital=any(each.get("code") == VITAL_SIGNS for each in codes))


def _quantities(resource: Resource, *, vital: bool) -> list[Fault]:
    found = []
    parts = [("Observation", resource)]
    components = resource.get("component")
    for place, each in enumerate(components if isinstance(components, list) else ()):
        if isinstance(each, dict):
            parts.append((f"Observation.component[{place}]", each))
    for where, part in parts:
        quantity = part.get("valueQuantity")
        value = quantity.get("value") if isinstance(quantity, dict) else None
        if quantity is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            found.append(Fault(f"{where}.valueQuantity.value", "Verdien er ikke et tall.", "value"))
        if isinstance(quantity, dict):
            found += _unit(quantity, f"{where}.valueQuantity", vital=vital)
    return found


def _unit(quantity: Mapping[str, Any], where: str, *, vital: bool) -> list[Fault]:
    """A number says in what it is counted: for vital signs by UCUM code (R4, profile vitalsigns), else in words at least."""
    unit, system, code = (quantity.get(name) for name in ("unit", "system", "code"))
    if not (isinstance(unit, str) and unit.strip()) and (vital or not code):
        return [Fault(f"{where}.unit", "Målingen sier ikke hvilken enhet tallet har.")]
    if vital and not (system == UCUM and isinstance(code, str) and code):
        return [Fault(f"{where}.code", "Målingens enhet mangler UCUM-kode.")]
    if system == UCUM and not (isinstance(code, str) and code and units.canonical(code) == code):
        right = f" Skriv «{units.canonical(code)}»." if isinstance(code, str) and code else ""
        return [Fault(f"{where}.code", f"«{str(code or '')[:20]}» er ingen UCUM-kode for enheten.{right}", "value")]
    return []


def _composition(resource: Resource) -> list[Fault]:
    return _instant(resource, "Composition", "date", "") if resource.get("date") else []


def _provenance(resource: Resource) -> list[Fault]:
    return _instant(resource, "Provenance", "recorded", "") if resource.get("recorded") else []


def _administration(resource: Resource) -> list[Fault]:
    found = []
    if not (resource.get("medicationCodeableConcept") or resource.get("medicationReference")):
        found.append(Fault("MedicationAdministration.medication", "Utdelingen sier ikke hvilket legemiddel."))
    if resource.get("effectivePeriod"):
        return found
    return found + _instant(resource, "MedicationAdministration", "effectiveDateTime", "Utdelingen mangler tidspunkt.")


def _request(resource: Resource) -> list[Fault]:
    if resource.get("medicationCodeableConcept") or resource.get("medicationReference"):
        return []
    return [Fault("MedicationRequest.medication", "Forordningen sier ikke hvilket legemiddel.")]


def _condition(resource: Resource) -> list[Fault]:
    verified = any(
        each.get("code") == "entered-in-error"
        for each in elements(resource, "verificationStatus.coding")
        if isinstance(each, dict)
    )
    if verified or resource.get("clinicalStatus"):
        return []
    kind = str(resource["resourceType"])
    return [Fault(f"{kind}.clinicalStatus", "Det må stå om dette gjelder nå.")]


def _instant(resource: Resource, kind: str, name: str, missing: str) -> list[Fault]:
    value = resource.get(name)
    if not value:
        return [Fault(f"{kind}.{name}", missing)] if missing else []
    try:
        parse(str(value))
    except ValueError:
        return [Fault(f"{kind}.{name}", "Tidspunktet må ha dato, klokkeslett og tidssone.", "value")]
    return []


_MORE: Mapping[str, Callable[[Resource], list[Fault]]] = {
    "Observation": _observation,
    "Composition": _composition,
    "Provenance": _provenance,
    "MedicationAdministration": _administration,
    "MedicationRequest": _request,
    "Condition": _condition,
    "AllergyIntolerance": _condition,
}
