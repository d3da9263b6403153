"""Law 3: whatever a panel asks or writes, it is about the context's patient, within its scopes, in the user's name."""

from __future__ import annotations

from copy import deepcopy

import pytest

from tests.broker.conftest import grant
from tests.gateway.conftest import pulse
from workspace.broker import context, scoping
from workspace.broker.door import Refused
from workspace.fhir.search import parse_query

ROOM = context.for_patient("Patient/BEB-18")
UNIT = context.for_unit("Organization/havblikk", ("Patient/BEB-18", "Patient/BEB-19"))
TONE = "Practitioner/tone"


def code(call, *given):
    with pytest.raises(Refused) as caught:
        call(*given)
    assert "BEB-19" not in str(caught.value) + caught.value.detail
    return caught.value.code


@pytest.mark.parametrize(
    "query",
    [
        "Observation?patient=Patient/BEB-19",
        "Observation?patient=BEB-19",
        "Observation?subject=Patient/BEB-19",
        "Observation?subject=BEB-19",
        "Observation?subject:Patient=BEB-19",
        "Observation?patient=Patient/BEB-18,Patient/BEB-19",
        "Observation?patient=BEB-18&patient=BEB-19",
        "Observation?patient=http://elsewhere.example/fhir/Patient/BEB-19",
        "Observation?patient.identifier=13816123456",
        "Observation?patient.family=Multe",
        "Observation?subject:Patient.identifier=13816123456",
        "Observation?patient:identifier=13816123456",
        "Observation?subject:identifier=urn:oid:2.16.578.1.12.4.1.4.1|13816123456",
        "Observation?performer=Patient/BEB-19",
        "Patient?_id=BEB-19",
        "Patient?_id=BEB-18,BEB-19",
        "Provenance?target=Patient/BEB-19",
    ],
)
def test_a_query_that_names_another_patient_in_any_way_is_refused(query):
    assert code(scoping.narrowed, grant(ROOM), query) == "wrong-patient"


@pytest.mark.parametrize(
    "query", ["Observation?_page=abc", "Observation?nothing=1", "Nothing", "Observation/../Patient"]
)
def test_a_query_that_is_none_or_anothers_page_is_refused(query):
    assert code(scoping.narrowed, grant(ROOM), query) == "bad-query"


@pytest.mark.parametrize("query", ["Observation", "Observation?code=8867-4", "Observation?patient=BEB-18", "Patient"])
def test_what_leaves_is_about_the_patient_and_nobody_else(query):
    left = parse_query(scoping.narrowed(grant(ROOM), query))
    name = "_id" if left.type == "Patient" else "patient"
    given = [",".join(map(str, each.values)) for each in left.parameters if each.name == name]
    assert given
    assert {one.removeprefix("Patient/") for one in given} == {"BEB-18"}


def test_a_unit_sees_its_patients_and_no_other():
    left = parse_query(scoping.narrowed(grant(UNIT), "Observation?code=8867-4"))
    (who,) = [each.values for each in left.parameters if each.name == "patient"]
    assert sorted(map(str, who)) == ["Patient/BEB-18", "Patient/BEB-19"]
    assert "BEB-19" in scoping.narrowed(grant(UNIT), "Observation?patient=BEB-19")
    with pytest.raises(Refused):
        scoping.narrowed(grant(UNIT), "Observation?patient=BEB-30")
    with pytest.raises(Refused):
        scoping.narrowed(grant(context.for_unit("Organization/tom", ())), "Observation")


def test_a_panel_without_patient_reads_only_what_is_about_nobody():
    nobody = grant(context.for_nothing())
    assert scoping.narrowed(nobody, "Practitioner").startswith("Practitioner")
    assert code(scoping.narrowed, nobody, "Observation") == "wrong-patient"


def test_searching_takes_the_letter_s_and_at_least_the_narrowness_of_the_scope():
    assert code(scoping.narrowed, grant(ROOM, "patient/Observation.r"), "Observation") == "scope-denied"
    assert code(scoping.narrowed, grant(ROOM, "patient/Observation.cu"), "Observation") == "scope-denied"
    vital = grant(ROOM, "patient/Observation.rs?category=vital-signs")
    assert code(scoping.narrowed, vital, "Observation") == "scope-denied"
    assert code(scoping.narrowed, vital, "Observation?category=vital-signs,laboratory") == "scope-denied"
    assert "vital-signs" in scoping.narrowed(vital, "Observation?category=vital-signs")


@pytest.mark.parametrize(
    "reference",
    [
        "Observation?subject=Patient/BEB-19",
        "Observation/?patient=Patient/BEB-19",
        "Observation/../Patient/BEB-19",
        "Observation/..",
        "Observation/7/_history",
        "Observation/_history/2/x",
        "http://elsewhere.example/fhir/Observation/7",
        "Observation/7#x",
        "Observation/7\n",
        "",
    ],
)
def test_a_read_is_of_one_resource_and_no_other_path(reference):
    assert code(scoping.readable, grant(ROOM), reference) == "bad-query"


def test_an_answer_about_another_is_never_visible():
    assert scoping.visible(grant(ROOM), pulse("BEB-18"))
    assert not scoping.visible(grant(ROOM), pulse("BEB-19"))
    assert not scoping.visible(grant(ROOM), {"resourceType": "Observation"})
    assert not scoping.visible(grant(ROOM), {"resourceType": "Bundle", "entry": [{"resource": pulse("BEB-19")}]})
    assert not scoping.visible(grant(ROOM), {"resourceType": "Patient", "id": "BEB-19"})
    about = {"resourceType": "Provenance", "target": [{"reference": "Patient/BEB-19"}]}
    assert not scoping.visible(grant(ROOM), about)
    assert scoping.visible(grant(ROOM), {"resourceType": "Practitioner", "id": "tone"})


def written(**more):
    return {**pulse("BEB-18"), **more}


@pytest.mark.parametrize(
    "resource",
    [
        pulse("BEB-19"),
        written(subject={"reference": "http://elsewhere.example/fhir/Patient/BEB-18"}),
        written(subject={"reference": "Patient?identifier=13816123456"}),
        written(subject={"identifier": {"value": "13816123456"}}),
        written(subject=None),
        written(focus=[{"reference": "Patient/BEB-19"}]),
        written(focus=[{"reference": "http://elsewhere.example/fhir/Patient/BEB-19"}]),
        written(focus=[{"reference": "Patient/BEB-19/_history/1"}]),
        written(focus=[{"reference": "Patient?identifier=13816123456"}]),
        written(focus=[{"type": "Patient", "identifier": {"value": "13816123456"}}]),
        written(extension=[{"url": "x", "valueReference": {"reference": "Patient/BEB-19"}}]),
        written(contained=[{"resourceType": "Patient", "id": "BEB-19"}]),
        {"resourceType": "Composition", "author": [{"reference": TONE}]},
        {"resourceType": "Provenance", "target": [{"reference": "Observation/of-somebody"}]},
        {"resourceType": "Provenance", "target": []},
        {"resourceType": "Provenance", "target": [{"reference": "urn:uuid:not-of-this"}]},
    ],
)
def test_a_write_about_another_patient_is_refused_however_it_is_spelt(resource):
    own = frozenset({"urn:uuid:1"})
    assert code(scoping.checked_write, grant(ROOM), "create", resource, TONE, own) == "wrong-patient"


def test_a_write_about_the_patient_and_its_origin_pass():
    scoping.checked_write(grant(ROOM), "create", pulse("BEB-18"), TONE)
    origin = {
        "resourceType": "Provenance",
        "target": [{"reference": "urn:uuid:1"}],
        "agent": [{"who": {"reference": TONE}}],
    }
    scoping.checked_write(grant(ROOM), "create", origin, TONE, frozenset({"urn:uuid:1"}))
    scoping.checked_write(grant(UNIT), "create", pulse("BEB-19"), TONE)


def test_nobody_writes_in_anothers_name():
    assert code(scoping.checked_write, grant(ROOM), "create", pulse("BEB-18", who="lege"), TONE) == "wrong-author"
    both = pulse("BEB-18")
    both["performer"].append({"reference": "Practitioner/lege"})
    assert code(scoping.checked_write, grant(ROOM), "create", both, TONE) == "wrong-author"
    foreign = written(performer=[{"reference": "http://elsewhere.example/Practitioner/lege"}])
    assert code(scoping.checked_write, grant(ROOM), "create", foreign, TONE) == "wrong-author"


def test_a_dose_given_by_two_names_the_user_among_them():
    giver = grant(ROOM, "patient/MedicationAdministration.c")
    dose = {
        "resourceType": "MedicationAdministration",
        "subject": {"reference": "Patient/BEB-18"},
        "performer": [{"actor": {"reference": TONE}}, {"actor": {"reference": "Practitioner/lege"}}],
    }
    scoping.checked_write(giver, "create", dose, TONE)
    others = deepcopy(dose)
    others["performer"] = others["performer"][1:]
    assert code(scoping.checked_write, giver, "create", others, TONE) == "wrong-author"


def test_writing_takes_the_letter_for_it():
    reader = grant(ROOM, "patient/Observation.rs", "patient/Patient.crus")
    assert code(scoping.checked_write, reader, "create", pulse("BEB-18"), TONE) == "scope-denied"
    creator = grant(ROOM, "patient/Observation.c")
    assert code(scoping.checked_write, creator, "update", pulse("BEB-18", id="1"), TONE) == "scope-denied"
    narrow = grant(ROOM, "patient/Observation.c?category=laboratory")
    assert code(scoping.checked_write, narrow, "create", pulse("BEB-18"), TONE) == "scope-denied"
