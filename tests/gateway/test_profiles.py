"""What a resource must say, field by field."""

from __future__ import annotations

import pytest

from tests.gateway.conftest import pulse
from workspace.gateway.profiles import REQUIRED, faults


def expressions(resource):
    return [each.expression for each in faults(resource)]


@pytest.mark.parametrize("kind", sorted(REQUIRED))
def test_an_empty_resource_is_told_each_field_in_a_sentence(kind):
    found = faults({"resourceType": kind})
    assert {each.expression for each in found} >= {f"{kind}.{p.removesuffix('.reference')}" for p, _ in REQUIRED[kind]}
    assert all(each.sentence.endswith(".") for each in found)


def test_a_measurement_may_say_why_it_has_no_value():
    without = {k: v for k, v in pulse("A").items() if k != "valueQuantity"}
    assert expressions(without) == ["Observation.value"]
    assert expressions({**without, "dataAbsentReason": {"text": "Avslo"}}) == []
    unit = {"unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}
    assert expressions({**without, "component": [{"valueQuantity": {"value": True, **unit}}]}) == [
        "Observation.component[0].valueQuantity.value"
    ]


def test_a_number_says_in_what_it_is_counted():
    def wrong(category="vital-signs", **quantity):
        held = {**pulse("A"), "category": [{"coding": [{"code": category}]}], "valueQuantity": quantity}
        return [(each.expression.rpartition(".")[2], each.sentence) for each in faults(held)]

    ucum = "http://unitsofmeasure.org"
    assert wrong(value=72) == [("unit", "Målingen sier ikke hvilken enhet tallet har.")]
    assert wrong(value=72, unit="/min") == [("code", "Målingens enhet mangler UCUM-kode.")]
    assert wrong(value=72, unit="/min", code="/min") == [("code", "Målingens enhet mangler UCUM-kode.")]
    assert wrong(value=120, unit="mmHg", system=ucum, code="mmHg") == [
        ("code", "«mmHg» er ingen UCUM-kode for enheten. Skriv «mm[Hg]».")
    ]
    assert wrong(value=120, unit="mmHg", system=ucum, code="mm[Hg]") == []
    assert wrong("laboratory", value=5) == [("unit", "Målingen sier ikke hvilken enhet tallet har.")]
    assert wrong("laboratory", value=5, unit="mg/L") == []
    component = [{"code": {"text": "del"}, "valueQuantity": {"value": 1}}]
    assert expressions({**pulse("A"), "component": component}) == ["Observation.component[0].valueQuantity.unit"]


def test_a_vital_sign_has_an_instant_with_offset_and_a_lab_may_have_a_date():
    assert expressions({**pulse("A"), "effectiveDateTime": "2026-01-14"}) == ["Observation.effectiveDateTime"]
    lab = {**pulse("A"), "category": [{"coding": [{"code": "laboratory"}]}], "effectiveDateTime": "2026-01-14"}
    assert expressions(lab) == []


def test_what_is_marked_wrong_need_not_be_right():
    assert expressions({**pulse("A"), "status": "entered-in-error", "effectiveDateTime": "x"}) == []
    wrong = {"coding": [{"code": "entered-in-error"}]}
    about = {"code": {"text": "Fall"}, "subject": {"reference": "Patient/A"}}
    assert expressions({"resourceType": "Condition", **about, "verificationStatus": wrong}) == []
    assert expressions({"resourceType": "Condition", **about}) == ["Condition.clinicalStatus"]


def test_a_dose_says_which_medicine_and_when():
    dose = {
        "resourceType": "MedicationAdministration",
        "status": "completed",
        "subject": {"reference": "Patient/A"},
        "performer": [{"actor": {"reference": "Practitioner/tone"}}],
    }
    assert expressions(dose) == ["MedicationAdministration.medication", "MedicationAdministration.effectiveDateTime"]


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"status": ["final"]}, "Observation.status"),
        ({"status": {"code": "final"}}, "Observation.status"),
        ({"code": {"coding": 7}}, "Observation.code.coding"),
        ({"code": {"coding": [{"system": [], "code": "8867-4"}]}}, "Observation.code.coding[0].system"),
        ({"category": [{"coding": ["vital-signs"]}]}, "Observation.category[0].coding"),
        ({"identifier": "x"}, "Observation.identifier"),
        ({"identifier": [{"system": 7, "value": "x"}]}, "Observation.identifier[0].system"),
        ({"dataAbsentReason": {"code": "unknown", "system": {}}}, "Observation.dataAbsentReason.system"),
        ({"effectivePeriod": {"start": 7}}, "Observation.effectivePeriod.start"),
        ({"subject": {"reference": 7}}, "Observation.subject.reference"),
        (
            {"component": [{"valueQuantity": {"value": 7, "comparator": 1}}]},
            "Observation.component[0].valueQuantity.comparator",
        ),
        ({"extension": {"url": "urn:x"}}, "Observation.extension"),
        (
            {"contained": [{"resourceType": "Patient", "name": [{"given": "Ida"}]}]},
            "Observation.contained[0].name[0].given",
        ),
    ],
)
def test_an_element_of_the_wrong_json_type_is_named_and_nothing_else_said(wrong, named):
    assert expressions({**pulse("BEB-18"), **wrong}) == [named]


def test_what_r4_lets_stand_in_several_forms_may():
    many = {"identifier": [{"system": "urn:x", "value": "1"}], "extension": [{"url": "urn:x", "valueCode": "y"}]}
    assert expressions({**pulse("BEB-18"), **many}) == []
    note = {"resourceType": "Composition", "identifier": {"system": "urn:x", "value": "1"}, "status": "final"}
    assert "Composition.identifier" not in expressions(note)
