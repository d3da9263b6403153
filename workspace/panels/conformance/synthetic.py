"""Generated residents and records that answer any query a panel may ask, for running a panel without a platform.

Rows are made from the query itself, so that every panel gets data it can use. Deterministic. All persons are invented:
their national numbers have 80 added to the month. Knows no panel and no process.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

from workspace.clock import OSLO, instant

Resource = dict[str, Any]

NOW = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)
UNIT = "Organization/prove-avdeling"
USER = {"reference": "Practitioner/prove", "display": "Prøve Pleier", "role": "sykepleier"}
LOINC, SNOMED, UCUM = "http://loinc.org", "http://snomed.info/sct", "http://unitsofmeasure.org"


@dataclass(frozen=True, slots=True)
class Resident:
    """`mark` is a word that stands in all that is about this one and nobody else."""

    id: str
    given: str
    family: str
    number: str
    born: str
    mark: str

    @property
    def reference(self) -> str:
        return f"Patient/{self.id}"


RESIDENTS = (
    Resident("prove-1", "Prøvine", "Kornblomst", "01814012394", "1940-01-01", "kornblomst"),
    Resident("prove-2", "Testulf", "Rognebær", "02823567890", "1935-02-02", "rognebær"),
    Resident("prove-3", "Liksom", "Blåklokke", "03833812345", "1938-03-03", "blåklokke"),
)
"""The numbers are no one's: month + 80, and their check digits are wrong on purpose."""

_MEASURES: dict[str, tuple[str, str, float]] = {
    "8867-4": ("Puls", "/min", 76), "9279-1": ("Respirasjonsfrekvens", "/min", 16), "2708-6": ("Oksygenmetning", "%", 95),
    "8310-5": ("Kroppstemperatur", "Cel", 37.1), "29463-7": ("Kroppsvekt", "kg", 68.4), "8302-2": ("Høyde", "cm", 168),
    "39156-5": ("KMI", "kg/m2", 24.2), "15074-8": ("Glukose", "mmol/L", 6.1), "1104051000000101": ("NEWS2", "{score}", 3),
}  # fmt: skip
_WHERE: dict[str, str] = {
    "AllergyIntolerance": "patient", "Immunization": "patient", "RelatedPerson": "patient", "Consent": "patient",
    "Task": "for", "NutritionOrder": "patient", "Coverage": "beneficiary",
}  # fmt: skip
_NOBODY = frozenset({"Practitioner", "PractitionerRole", "Organization", "Location", "Medication", "Questionnaire"})
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def concept(code: str, text: str = "", system: str = "") -> Resource:
    chosen = system or (LOINC if "-" in code and code[0].isdigit() else SNOMED)
    return {"coding": [{"system": chosen, "code": code, "display": text or code}], **({"text": text} if text else {})}


def rows(query: str, residents: tuple[Resident, ...], many: int = 6) -> tuple[list[Resource], list[Resource]]:
    """Matches and included resources for `query`, `many` for each resident (at most the query's `_count`)."""
    kind, _, tail = query.partition("?")
    asked = parse_qsl(tail)
    tokens = [(name, value.split(",")) for name, value in asked if not name.startswith("_")]
    found: list[Resource] = []
    for who in residents if kind not in _NOBODY else residents[:1]:
        found += [_row(kind, who, number, tokens) for number in range(1 if kind == "Patient" else many)]
    count = dict(asked).get("_count", "")
    if count.isdigit() and int(count):
        found = found[: int(count)]
    if not any(name == "_sort" and value.startswith("-") for name, value in asked):
        found.sort(key=lambda row: str(row["id"]))
    return found, list(_included(found, asked, residents))


def read(reference: str, residents: tuple[Resident, ...]) -> Resource | None:
    """One resource by ``Type/id``; None for what is about nobody here."""
    kind, _, name = reference.partition("/")
    for who in residents:
        for number in range(12):
            made = _row(kind, who, number, [])
            if made["id"] == name:
                return made
    return {**_row(kind, residents[0], 0, []), "id": name} if kind in _NOBODY else None


_KEPT = ("resourceType", "id", "subject", "patient", "for", "beneficiary")


def holed(row: Resource) -> Iterator[Resource]:
    """What real records hold too: the same with less and less in it. Whom it is about is always there."""
    keep: Resource = {name: value for name, value in row.items() if name in _KEPT}
    yield keep
    empty: dict[str, Any] = {name: _emptied(value) for name, value in row.items() if name not in keep}
    yield {**keep, **empty, "id": f"{row['id']}-tom"}
    odd = {"effectiveDateTime": "2026", "authoredOn": "2026-01", "date": "2026", "birthDate": "1939-05"}
    yield {**row, **{name: value for name, value in odd.items() if name in row}, "id": f"{row['id']}-grov"}
    yield {**{n: v for n, v in row.items() if not n.startswith(("value", "performer"))}, "id": f"{row['id']}-uten"}


def _emptied(value: Any) -> Any:
    if isinstance(value, dict):
        return {}
    if isinstance(value, list):
        return [{}] if value and isinstance(value[0], dict) else []
    return value


def _row(kind: str, who: Resident, number: int, tokens: list[tuple[str, list[str]]]) -> Resource:
    if kind == "Patient":
        return _patient(who)
    at = NOW - timedelta(hours=3 * number + 1)
    about: Resource = {} if kind in _NOBODY else {_WHERE.get(kind, "subject"): {"reference": who.reference}}
    key = "-".join(value[0].rpartition("|")[2] for name, value in tokens if name in ("code", "category", "type"))[:24]
    plain = "".join(sign if sign.isalnum() or sign == "-" else "-" for sign in key)
    ident = f"{kind.lower()[:12]}-{plain}-{who.id}-{number:04}"[:64].replace("--", "-")
    made: Resource = {"resourceType": kind, "id": ident, "meta": {"versionId": "1"}, **about}
    code = _chosen(tokens, "code", number)
    made.update(_BODIES.get(kind, _anything)(who, at, number, code))
    for name, values in tokens:
        _match(made, name, values, number)
    return made


def _chosen(tokens: list[tuple[str, list[str]]], name: str, number: int) -> str:
    values = next((values for known, values in tokens if known == name), [])
    return values[number % len(values)].rpartition("|")[2] if values else ""


def _match(made: Resource, name: str, values: list[str], number: int) -> None:
    """Make the resource meet a token parameter, in the shape the element already has."""
    system, _, code = values[number % len(values)].rpartition("|")
    head, *rest = name.split("-")
    element = head + "".join(word.capitalize() for word in rest)
    held = made.get(element)
    if ":" in name or "." in name or element in ("date", "patient", "subject", "code") or not code:
        return
    if isinstance(held, list):
        made[element] = [code] if held and isinstance(held[0], str) else [concept(code, system=system or _CATEGORY)]
    elif isinstance(held, dict) and "code" in held:
        made[element] = {**held, "code": code}
    elif isinstance(held, dict) and "coding" in held:
        made[element] = concept(code, system=system or "http://terminology.hl7.org/CodeSystem/any")
    elif isinstance(held, str):
        made[element] = code


def _included(
    found: list[Resource], asked: list[tuple[str, str]], residents: tuple[Resident, ...]
) -> Iterator[Resource]:
    seen: set[str] = set()
    for name, value in asked:
        if not name.startswith("_include"):
            continue
        for row in found:
            for reference in _references(row):
                kind, _, ident = reference.partition("/")
                wanted = value.split(":")
                if reference in seen or not _points(wanted, kind):
                    continue
                seen.add(reference)
                who = next((one for one in residents if one.reference == reference), None)
                if who is not None:
                    yield _patient(who)
                elif kind in _NOBODY:
                    yield {**_row(kind, residents[0], 0, []), "id": ident}


def _points(wanted: list[str], kind: str) -> bool:
    likely = {"subject": "Patient", "patient": "Patient", "location": "Location", "performer": "Practitioner"}
    return kind == (wanted[2] if len(wanted) > 2 else likely.get(wanted[1] if len(wanted) > 1 else "", kind))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value["reference"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


# --- what stands in each type -------------------------------------------------------------------------------


def _me() -> Resource:
    return {"reference": "Practitioner/en-annen", "display": "Annen Pleier"}


def _patient(who: Resident) -> Resource:
    return {
        "resourceType": "Patient", "id": who.id, "meta": {"versionId": "1"}, "birthDate": who.born, "gender": "unknown",
        "identifier": [{"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": who.number}],
        "name": [{"use": "official", "given": [who.given], "family": who.family}],
    }  # fmt: skip


def _observation(who: Resident, at: datetime, number: int, code: str) -> Resource:
    chosen = code or "8867-4"
    made: Resource = {
        "status": "final", "effectiveDateTime": instant(at), "performer": [_me()],
        "category": [concept("vital-signs", system=_CATEGORY)],
        "note": [{"text": f"Merknad {who.mark}"}],
    }  # fmt: skip
    if chosen == "85354-9":
        parts = (("8480-6", 128 + number), ("8462-4", 76 + number))
        component = [{"code": concept(part), "valueQuantity": _amount(value, "mm[Hg]")} for part, value in parts]
        return {**made, "code": concept(chosen, "Blodtrykk"), "component": component}
    text, unit, value = _MEASURES.get(chosen, ("Måling", "1", 5))
    return {**made, "code": concept(chosen, text), "valueQuantity": _amount(round(value + number * 0.5, 1), unit)}


def _amount(value: float, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


def _condition(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "clinicalStatus": concept("active"), "verificationStatus": concept("confirmed"), "recordedDate": instant(at),
        "category": [concept("problem-list-item")], "recorder": _me(), "onsetDateTime": "2024-03-01",
        "code": concept(code or "K86", f"Problem {number} {who.mark}", "urn:oid:2.16.578.1.12.4.1.1.7170"),
    }  # fmt: skip


def _allergy(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "clinicalStatus": concept("active"), "verificationStatus": concept("confirmed"), "recordedDate": instant(at),
        "category": ["medication"], "criticality": "high", "recorder": _me(), "reaction": [{"description": "Utslett"}],
        "code": concept(code or "91936005", f"Stoff {number} {who.mark}"),
    }  # fmt: skip


def _request(who: Resident, at: datetime, number: int, code: str) -> Resource:
    times = ["08:00:00", "20:00:00"]
    dose = {"text": "1 tablett morgen og kveld", "timing": {"repeat": {"frequency": 2, "period": 1, "periodUnit": "d",
            "timeOfDay": times}}, "doseAndRate": [{"doseQuantity": _amount(1, "tablett")}]}  # fmt: skip
    return {
        "status": "active", "intent": "order", "authoredOn": instant(at), "requester": _me(),
        "medicationCodeableConcept": concept(code or "N02BE01", f"Legemiddel {number} {who.mark}", "http://www.whocc.no/atc"),
        "dosageInstruction": [dose],
    }  # fmt: skip


def _administration(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "status": "completed", "effectiveDateTime": instant(at), "performer": [{"actor": _me()}],
        "medicationCodeableConcept": concept(code or "N02BE01", f"Legemiddel {who.mark}", "http://www.whocc.no/atc"),
        "request": {"reference": f"MedicationRequest/medicationreq-{who.id}-{number:04}"},
    }  # fmt: skip


def _composition(who: Resident, at: datetime, number: int, code: str) -> Resource:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>Notat {number} om {who.mark}.</p></div>'
    return {
        "status": "final", "date": instant(at), "author": [_me()], "title": "Notat", "category": [concept("B02")],
        "type": concept(code or "B02-2", "Notat", "urn:oid:2.16.578.1.12.4.1.1.9602"),
        "section": [{"title": "Notat", "text": {"status": "generated", "div": div}}],
    }  # fmt: skip


def _encounter(who: Resident, at: datetime, number: int, code: str) -> Resource:
    stay = {"location": {"reference": f"Location/prove-rom-{who.id[-1]}", "display": f"Rom {who.id[-1]}"}}
    return {
        "status": "in-progress", "class": {"code": "IMP"}, "period": {"start": instant(at)}, "location": [stay],
        "serviceProvider": {"reference": UNIT}, "type": [concept("opphold")],
    }  # fmt: skip


def _flag(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "status": "active", "code": {"text": f"Merke {number} {who.mark}"}, "author": _me(),
        "category": [concept("safety")], "period": {"start": instant(at)},
    }  # fmt: skip


def _task(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "status": "requested", "intent": "order", "authoredOn": instant(at), "requester": _me(),
        "description": f"Oppgave {number} {who.mark}", "code": concept(code or "oppgave", "Oppgave"),
        "executionPeriod": {"end": instant(at + timedelta(hours=8))},
    }  # fmt: skip


def _place(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {"name": f"10{number + 1}", "status": "active"}


def _anything(who: Resident, at: datetime, number: int, code: str) -> Resource:
    return {
        "status": "active", "date": instant(at), "authoredOn": instant(at), "category": [concept("annet")],
        "code": concept(code or "annet", f"Opplysning {number} {who.mark}"), "type": concept("annet", "Annet"),
    }  # fmt: skip


_BODIES: dict[str, Callable[[Resident, datetime, int, str], Resource]] = {
    "Observation": _observation, "Condition": _condition, "AllergyIntolerance": _allergy, "MedicationRequest": _request,
    "MedicationAdministration": _administration, "Composition": _composition, "Encounter": _encounter, "Flag": _flag,
    "Task": _task, "Location": _place, "Organization": _place,
}  # fmt: skip


def copied(found: list[Resource]) -> list[Resource]:
    return copy.deepcopy(found)
