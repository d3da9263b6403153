"""What a patient has closed to whom, and what tells where somebody is."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.access.test_decision import HOME, NOW, TONE, ask
from workspace.access.decision import Subject, Target, decide
from workspace.access.protection import PROTECTION, is_protected, without_place
from workspace.access.restrictions import Restriction, marks_of, restriction_of

SCOPE = [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]


def consent(against="Practitioner/tone", *, status="active", kind="deny", scope="patient-privacy", **provision):
    return {
        "resourceType": "Consent",
        "id": "c",
        "status": status,
        "scope": {"coding": [{"code": scope}]},
        "patient": {"reference": "Patient/A"},
        "provision": {"type": kind, "actor": [{"reference": {"reference": against}}], **provision},
    }


def with_consents(*stated):
    return replace(HOME, restrictions=tuple(r for each in stated if (r := restriction_of(each))), _latest={})


def test_a_restriction_closes_the_whole_record_to_the_one_it_names():
    home = with_consents(consent())
    for action in ("read", "search", "create", "update"):
        refused = ask(patients=("Patient/A",), action=action, home=home)
        assert (refused.effect, refused.code, refused.rule) == ("deny", "restricted", "R-14")
    assert refused.sentence == ask(patients=("Patient/B",)).sentence  # nothing betrays it
    assert not ask(home=home).permitted
    other = Subject("o", "Odd", "Practitioner/odd", "sykepleier")
    assert ask(patients=("Patient/A",), subject=other, home=home).permitted


@pytest.mark.parametrize("named", ["PractitionerRole/1", "Organization/havblikk", "Practitioner/tone"])
def test_persons_positions_and_units_may_be_named(named):
    assert not ask(patients=("Patient/A",), home=with_consents(consent(named))).permitted
    assert ask(patients=("Patient/A",), home=with_consents(consent("Organization/solsiden"))).permitted


@pytest.mark.parametrize(
    "stated",
    [
        consent(status="inactive"),
        consent(kind="permit"),
        consent(scope="treatment"),
        {**consent(), "patient": {}},
        {**consent(), "provision": []},
        consent(period={"start": (NOW + timedelta(days=1)).isoformat()}),
        consent(period={"end": "2026-01-13"}),
    ],
)
def test_what_is_revoked_over_or_no_restriction_closes_nothing(stated):
    assert ask(patients=("Patient/A",), home=with_consents(stated)).permitted


def test_it_stands_from_its_first_to_its_last_day_and_what_cannot_be_read_opens_nothing():
    held = restriction_of(consent(period={"start": "2026-01-14", "end": "2026-01-14"}))
    assert held.stands(frozenset({"Practitioner/tone"}), NOW)
    assert not held.stands(frozenset({"Practitioner/tone"}), NOW + timedelta(days=1))
    assert restriction_of(consent(period={"start": "i går"})).stands(frozenset({"Practitioner/tone"}), NOW)
    assert restriction_of(consent(period=7)).parts == frozenset()


def test_parts_are_named_by_type_code_or_item():
    parts = {
        "class": [{"code": "Composition"}],
        "code": [{"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}],
        "data": [{"meaning": "instance", "reference": {"reference": "Observation/7"}}],
    }
    held = restriction_of(consent(**parts))
    assert isinstance(held, Restriction)
    pulse = {
        "resourceType": "Observation",
        "id": "9",
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    }
    origin = {"resourceType": "Provenance", "id": "p", "target": [{"reference": "Composition/1"}]}
    for hidden in (
        pulse,
        {"resourceType": "Observation", "id": "7"},
        {"resourceType": "Composition", "id": "1"},
        origin,
    ):
        assert held.parts & marks_of(hidden), hidden
    assert not held.parts & marks_of({"resourceType": "Observation", "id": "8"})
    # Parts do not close the record itself.
    home = with_consents(consent(**parts))
    assert ask(patients=("Patient/A",), home=home).permitted
    assert home.closed_to(TONE, NOW) == (held,)


def test_a_later_moment_is_judged_anew():
    home = with_consents(consent(period={"end": "2026-01-14"}))
    target = Target("Observation", ("Patient/A",))
    assert not decide(TONE, "read", target, "", home, "TREAT", NOW).permitted
    assert decide(TONE, "read", target, "", home, "TREAT", datetime.fromisoformat("2026-01-15T08:00+01:00")).permitted


def test_a_place_is_taken_out_and_the_units_own_name_stays_for_those_who_work_there():
    stay = {
        "resourceType": "Encounter",
        "id": "e",
        "subject": {"reference": "Patient/A"},
        "location": [{"location": {"reference": "Location/rom-302", "display": "302"}}],
        "serviceProvider": {"reference": "Organization/solsiden", "display": "Solsiden"},
    }
    assert "302" not in str(without_place(stay, unit="Organization/solsiden"))
    assert without_place(stay, unit="Organization/solsiden")["serviceProvider"]["reference"] == "Organization/solsiden"
    for elsewhere in ("Organization/fjellheim", ""):
        assert "olsiden" not in str(without_place(stay, unit=elsewhere))
    visit = {
        "resourceType": "Appointment",
        "participant": [{"actor": {"reference": "Patient/A"}}, {"actor": {"reference": "Location/x"}}],
    }
    assert [each["actor"]["reference"] for each in without_place(visit)["participant"]] == ["Patient/A"]
    assert is_protected({"meta": {"security": [{"system": PROTECTION, "code": "fortrolig"}]}})
    assert not is_protected({"meta": {"security": [{"system": "annet", "code": "fortrolig"}]}})
