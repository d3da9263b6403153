"""A few resources as the platform gives them: one resident with a history, and the same with holes in it."""

from __future__ import annotations

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
ME = "Patient/BEB-18"


def concept(code, text="", system=LOINC):
    return {"coding": [{"system": system, "code": code}], **({"text": text} if text else {})}


def observation(name, code, value, at="2026-01-14T15:02:00+01:00", unit="/min", patient=ME, **more):
    return {
        "resourceType": "Observation",
        "id": name,
        "status": "final",
        "category": [concept("vital-signs", system="http://terminology.hl7.org/CodeSystem/observation-category")],
        "code": concept(code, system=SNOMED if len(code) > 10 else LOINC),
        "subject": {"reference": patient},
        "effectiveDateTime": at,
        "performer": [{"reference": "Practitioner/tone", "display": "Tone Nilsen"}],
        **({} if value is None else {"valueQuantity": {"value": value, "unit": unit}}),
        **more,
    }


def news2(name, score, at="2026-01-14T14:52:00+01:00", patient=ME, parts=()):
    component = [{"code": concept("1"), "valueQuantity": {"value": part}} for part in parts]
    return observation(name, "1104051000000101", score, at, "{score}", patient, component=component)


def pressure(name, high, low, at="2026-01-14T15:02:00+01:00"):
    component = [
        {"code": concept("8480-6"), "valueQuantity": {"value": high, "unit": "mmHg"}},
        {"code": concept("8462-4"), "valueQuantity": {"value": low, "unit": "mmHg"}},
    ]
    return observation(name, "85354-9", None, at, component=component)


def vital_set(at="2026-01-14T15:02:00+01:00"):
    return [
        observation("rr", "9279-1", 25, at),
        observation(
            "sat",
            "2708-6",
            91,
            at,
            "%",
            component=[{"code": concept("3151-8"), "valueQuantity": {"value": 0, "unit": "L/min"}}],
        ),
        pressure("bp", 104, 62, at),
        observation("pulse", "8867-4", 112, at),
        observation("temp", "8310-5", 38.6, at, "°C"),
        news2("score", 10, at, parts=(3, 3, 0, 1, 2, 0, 1)),
    ]


def order(name, drug, times=(), authored="2024-03-01", patient=ME, prn=False, dose=None, **more):
    dosage = {"text": dose} if dose else {"doseAndRate": [{"doseQuantity": {"value": 2.5, "unit": "mg"}}]}
    dosage["timing"] = {"repeat": {"frequency": len(times), "period": 1, "periodUnit": "d", "timeOfDay": list(times)}}
    dosage.update({"asNeededBoolean": True} if prn else {})
    return {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": "active",
        "intent": "order",
        "subject": {"reference": patient},
        "medicationCodeableConcept": concept("X", drug, "http://www.whocc.no/atc"),
        "authoredOn": authored,
        "requester": {"reference": "Practitioner/dahl", "display": "Ingrid Dahl"},
        "dosageInstruction": [dosage],
        **more,
    }


def given(name, request, at, patient=ME, status="completed"):
    return {
        "resourceType": "MedicationAdministration",
        "id": name,
        "status": status,
        "subject": {"reference": patient},
        "request": {"reference": f"MedicationRequest/{request}"},
        "effectiveDateTime": at,
    }


def note(name, text, at="2026-01-13T21:10:00+01:00", patient=ME, author="Mia Strand"):
    return {
        "resourceType": "Composition",
        "id": name,
        "status": "final",
        "subject": {"reference": patient},
        "date": at,
        "author": [{"display": author}],
        "section": [{"text": {"div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{text}</p></div>'}}],
    }


def stay(patient, room):
    return {
        "resourceType": "Encounter",
        "id": f"opphold-{patient[8:]}",
        "status": "in-progress",
        "subject": {"reference": patient},
        "location": [{"location": {"reference": f"Location/rom-{room}"}}],
    }


def person(patient, given_name, family, born):
    name = [{"given": [given_name], "family": family}]
    return {"resourceType": "Patient", "id": patient[8:], "name": name, "birthDate": born}


def flag(name, text, patient=ME):
    return {
        "resourceType": "Flag",
        "id": name,
        "status": "active",
        "subject": {"reference": patient},
        "code": {"text": text},
    }


def allergy(name, text, patient=ME, code="1", **more):
    return {
        "resourceType": "AllergyIntolerance",
        "id": name,
        "patient": {"reference": patient},
        "code": concept(code, text, SNOMED),
        **more,
    }


def holes(kind):
    """What real records hold too: nothing but a type, wrong shapes, nulls."""
    return [
        {"resourceType": kind},
        {"resourceType": kind, "id": "h1", "subject": {}, "patient": {}, "for": {}},
        {
            "resourceType": kind,
            "id": "h2",
            "subject": {"reference": ME},
            "patient": {"reference": ME},
            "for": {"reference": ME},
        },
        {
            "resourceType": kind,
            "id": "h3",
            "subject": {"reference": ME},
            "patient": {"reference": ME},
            "code": {},
            "valueQuantity": {},
            "component": [],
            "performer": [],
            "author": [{}],
            "section": [{}],
            "location": [{}],
            "name": [{}],
            "dosageInstruction": [{}],
            "category": [{}],
            "interpretation": [{}],
            "referenceRange": [{}],
            "reaction": [{}],
            "note": [{}],
            "effectiveDateTime": "i går",
            "authoredOn": "2026",
            "date": "",
            "birthDate": "1939-05",
        },
    ]
