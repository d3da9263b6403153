"""What a waiting or refused item is called in the list of them."""

import pytest

from workspace.fhir import json
from workspace.fhir.describe import LONGEST, describe, describe_all, path_words, value_words


def quantity(value, code):
    return {"valueQuantity": {"value": value, "code": code}}


PRESSURE = {
    "resourceType": "Observation",
    "code": {"text": "Blodtrykk"},
    "component": [
        {"code": {"text": "Systolisk"}, **quantity(104, "mm[Hg]")},
        {"code": {"text": "Diastolisk"}, **quantity(62, "mm[Hg]")},
    ],
}
NOTE = {
    "resourceType": "Composition",
    "title": "Notat",
    "section": [{"text": {"div": "<div>Slapp &amp; varm.<br/>Spist lite.</div>"}}, None],
}


@pytest.mark.parametrize(
    ("resource", "words"),
    [
        ({"resourceType": "Observation", "code": {"text": "Puls"}, **quantity(112, "/min")}, "Puls 112 /min"),
        ({"resourceType": "Observation", "code": {"text": "Temp"}, **quantity(38.6, "Cel")}, "Temp 38,6 °C"),
        ({"resourceType": "Observation", "code": {"text": "NEWS2"}, **quantity(7, "{score}")}, "NEWS2 7"),
        (PRESSURE, "Blodtrykk 104/62 mmHg"),
        (NOTE, "Notat: Slapp & varm. Spist lite."),
        ({"resourceType": "Task", "description": "Ring datter"}, "Oppgave: Ring datter"),
        ({"resourceType": "Condition", "code": {"coding": [{"code": "R81", "display": "Pneumoni"}]}}, "Pneumoni"),
        ({"resourceType": "Observation"}, "Måling"),
        ({"resourceType": "Observation", "code": [], "component": "no"}, "Måling"),
        ({}, "Ukjent"),
    ],
)
def test_in_a_clinicians_words(resource, words):
    assert describe(resource) == words


def test_a_long_note_is_cut():
    words = describe({"resourceType": "Composition", "section": [{"text": {"div": "ord " * 300}}]})
    assert len(words) <= LONGEST
    assert words.endswith("ord…")


def test_who_did_it_is_no_line_of_its_own():
    entries = [{"resource": NOTE}, {"resource": {"resourceType": "Provenance"}}, {"request": {}}, None]
    assert describe_all({"entry": entries}) == [describe(NOTE)]


@pytest.mark.parametrize(
    ("resource", "path", "words"),
    [
        ({"valueQuantity": {"value": 1}}, "valueQuantity.value", "Verdi"),
        (PRESSURE, "component.1.valueQuantity.value", "Diastolisk: Verdi"),
        (
            {"component": [{"code": {"text": "Systolisk", "coding": [{"code": "8480-6"}]}}]},
            "component.8480-6.valueQuantity",
            "Systolisk: Verdi",
        ),
        ({"activity": [{}, {"detail": {}}]}, "activity.1.detail.description", "Tiltak 2: Beskrivelse"),
        (NOTE, "section.0.text.div", "Avsnitt 1: Tekst"),
        ({}, "status", "Status"),
        ({}, "unheardOf", "unheardOf"),
    ],
)
def test_an_element_by_name(resource, path, words):
    assert path_words(resource, path) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "(tomt)"),
        (38.6, "38,6"),
        (True, "ja"),
        ("entered-in-error", "feilført"),
        ("2026-01-14", "14.01.2026"),
        ("2026-01-14T15:02:00+01:00", "14.01.2026 15:02"),
        ("<div>Sover <b>godt</b>.</div>", "Sover godt ."),
        ({"value": 112, "code": "/min"}, "112 /min"),
        ({"value": 5, "code": "mg/L", "comparator": "<"}, "< 5 mg/L"),
        (json.Literal("38.60"), "38,60"),
        ({"text": "Våken"}, "Våken"),
        ({"coding": [{"code": "unconfirmed"}]}, "ikke bekreftet"),
        ({"_birthDate": {"extension": [{"url": "http://x/grunn", "valueCode": "masked"}]}}, "(tomt) (grunn: masked)"),
        ({"title": "Plan", "_title": {"id": "t"}}, "Plan"),
        ([{"text": "Fall"}, {"text": "Insulin"}], "Fall, Insulin"),
        ({"reference": "Practitioner/tone"}, "Practitioner/tone"),
        ({"deep": {}}, "(sammensatt)"),
    ],
)
def test_a_value_as_a_person_reads_it(value, words):
    assert value_words(value) == words


def test_what_is_not_to_be_done_says_so():
    order = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "Ibuprofen"}}
    assert [describe({**order, "doNotPerform": no}) for no in (True, False)] == ["Ikke: Ibuprofen", "Ibuprofen"]
