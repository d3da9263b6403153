from workspace.fhir import parameters
from workspace.fhir.values import DateRange, Quantity, Reference, Text, Token, extract


def found(resource, name):
    known = parameters.definition(resource["resourceType"], name)
    assert known is not None
    return extract(resource, known)


def test_an_old_name_of_a_code_system_is_the_same_fact():
    old = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7170", "code": "T90"}]},
    }
    new = {
        "resourceType": "Condition",
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icpc-2", "code": "T90"}]},
    }
    assert found(old, "code") == found(new, "code") == [Token("http://hl7.org/fhir/sid/icpc-2", "T90")]


def test_a_plain_code_has_an_implied_system_and_a_coding_without_one_has_none():
    assert found({"resourceType": "Task", "status": "ready"}, "status") == [Token(None, "ready")]
    assert found({"resourceType": "Task", "code": {"coding": [{"code": "x"}]}}, "code") == [Token("", "x")]


def test_patient_is_the_subject_only_when_it_is_a_patient():
    group = {"resourceType": "Observation", "subject": {"reference": "Group/1"}}
    person = {"resourceType": "Observation", "subject": {"reference": "Patient/BEB-18"}}
    assert found(group, "patient") == []
    assert found(group, "subject") == found(group, "subject") != []
    assert found(person, "patient") == [Reference("Patient/BEB-18")]


def test_deceased_is_true_for_a_date_and_false_for_nothing():
    assert found({"resourceType": "Patient", "deceasedDateTime": "2026-01-01"}, "deceased") == [Token(None, "true")]
    assert found({"resourceType": "Patient"}, "deceased") == [Token(None, "false")]


def test_names_are_found_in_both_orders():
    person = {"resourceType": "Patient", "name": [{"family": "Storspove", "given": ["Arne"]}]}
    assert Text("Arne Storspove") in found(person, "name")
    assert Text("Storspove, Arne") in found(person, "name")


def test_a_comparator_opens_the_range():
    crp = {"resourceType": "Observation", "valueQuantity": {"value": 4, "comparator": "<", "unit": "mg/L"}}
    assert found(crp, "value-quantity") == [Quantity(4.0, float("-inf"), 4.0, "", "", "mg/L")]


def test_only_telephones_are_telephones():
    person = {
        "resourceType": "Patient",
        "telecom": [{"system": "email", "value": "a@example.org"}, {"system": "phone", "value": "1"}],
    }
    assert found(person, "phone") == [Token(None, "1")]


def test_a_period_is_one_range():
    (span,) = found({"resourceType": "Encounter", "period": {"start": "2026-01-01", "end": "2026-01-02"}}, "date")
    assert isinstance(span, DateRange)
    assert span.high - span.low == 2 * 86_400_000 - 1
