from dataclasses import replace

import pytest

from workspace.fhir.search import (
    DateValue,
    Include,
    QuantityValue,
    ReferenceValue,
    SearchError,
    Sort,
    StringValue,
    TokenValue,
    format_query,
    parse_query,
    with_parameter,
)


def value(text):
    (parameter,) = parse_query(text).parameters
    return parameter.values[0]


def test_a_query_falls_into_its_parts():
    query = parse_query("Observation?category=vital-signs&_sort=-date,code&_count=200&_include=Observation:patient")
    assert query.type == "Observation"
    assert query.parameters[0].values == (TokenValue(None, "vital-signs"),)
    assert query.sort == (Sort("date", True), Sort("code", False))
    assert query.count == 200
    assert query.include == (Include("Observation", "patient"),)


@pytest.mark.parametrize(
    ("text", "system", "code"),
    [
        ("8867-4", None, "8867-4"),
        ("http://loinc.org|8867-4", "http://loinc.org", "8867-4"),
        ("|8867-4", "", "8867-4"),
        ("http://loinc.org|", "http://loinc.org", None),
        ("a\\|b", None, "a|b"),
        ("urn:oid:2.16.578.1.12.4.1.1.7170|T90", "http://hl7.org/fhir/sid/icpc-2", "T90"),
    ],
)
def test_the_forms_of_a_token(text, system, code):
    assert value(f"Condition?code={text}") == TokenValue(system, code)


def test_escapes_keep_a_comma_within_a_value():
    (parameter,) = parse_query("Patient?name=Ryllik\\, Ole,Soleie\\$").parameters
    assert parameter.values == (StringValue("Ryllik, Ole"), StringValue("Soleie$"))


def test_references_in_each_form():
    assert value("Observation?patient=BEB-18") == ReferenceValue(("Patient/BEB-18",))
    assert value("Observation?patient=Patient/BEB-18/_history/3") == ReferenceValue(("Patient/BEB-18",))
    assert len(value("Observation?subject=BEB-18").targets) == 4
    assert value("Observation?subject:Patient=BEB-18") == ReferenceValue(("Patient/BEB-18",))
    (parameter,) = parse_query("Flag?patient=http://x/fhir/Patient/BEB-18", base="http://x/fhir").parameters
    assert parameter.values == (ReferenceValue(("Patient/BEB-18",)),)


def test_a_plus_sign_that_became_a_space_is_still_an_offset():
    found = value("Observation?date=ge2026-01-14T08:00:00+01:00")
    assert isinstance(found, DateValue)
    assert (found.prefix, found.text) == ("ge", "2026-01-14T08:00:00+01:00")


def test_a_number_means_its_precision_and_a_unit_its_ucum_spelling():
    found = value("Observation?value-quantity=5.40|http://unitsofmeasure.org|10E9/L")
    assert isinstance(found, QuantityValue)
    assert (found.number.low, found.number.high) == (5.395, 5.405)
    assert found.unit == "10*9/L"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Observation?colour=red", "search-unknown-parameter"),
        ("Observation?code:above=x", "search-unknown-modifier"),
        ("Observation?date=xx2026", "search-bad-value"),
        ("Observation?date=2026-02-31", "search-bad-value"),
        ("Observation?value-quantity=much", "search-bad-value"),
        ("Observation?code:missing=maybe", "search-bad-value"),
        ("Observation?_count=-1", "search-bad-value"),
        ("Observation?_sort=colour", "search-unknown-parameter"),
        ("Observation?patient=Group/1", "search-bad-value"),
        ("Observation?patient.colour=red", "search-unknown-parameter"),
        ("Observation?patient.organization.name=x", "search-unknown-modifier"),
        ("Observation?_include=Observation:code", "search-unknown-parameter"),
        ("Spaceship?name=x", "search-unknown-type"),
    ],
)
def test_what_is_not_understood_is_refused_in_plain_words(text, code):
    with pytest.raises(SearchError) as caught:
        parse_query(text)
    assert caught.value.code == code
    assert caught.value.sentence.endswith(".")
    assert caught.value.detail


def test_a_lenient_reader_drops_what_it_does_not_know():
    query = parse_query("Observation?colour=red&code=8867-4", lenient=True)
    assert query.ignored == ("colour",)
    assert len(query.parameters) == 1


def test_one_question_has_one_text():
    first = parse_query("Observation?code=b,a&patient=BEB-18&_count=5&_sort=-date")
    second = parse_query("Observation?_sort=-date&patient=Patient/BEB-18&code=a,b&_count=5")
    assert format_query(first) == format_query(second)


@pytest.mark.parametrize(
    "text",
    [
        "Observation?code=http://loinc.org|8867-4,9279-1&date=ge2026-01-14T08:00:00%2B01:00&_count=3",
        "Observation?patient.identifier=urn:oid:2.16.578.1.12.4.1.4.1|09853922703",
        "Observation?subject:Patient.name:exact=Arne%26Co",
        "Patient?name=a\\,b&gender:not=male&deceased:missing=false&_revinclude=Flag:patient",
        "Observation?value-quantity=gt5.4||mg&_total=accurate&_summary=count",
    ],
)
def test_the_canonical_text_asks_the_same(text):
    again, first = parse_query(format_query(parse_query(text))), parse_query(text)
    assert {(each.name, each.modifier, each.chain, frozenset(each.values)) for each in again.parameters} == {
        (each.name, each.modifier, each.chain, frozenset(each.values)) for each in first.parameters
    }
    assert replace(again, parameters=()) == replace(first, parameters=())


def test_the_broker_can_add_the_patient():
    query = with_parameter(parse_query("Observation?code=8867-4"), "patient", "Patient/BEB-18,Patient/BEB-17")
    assert query.parameters[-1].values == (ReferenceValue(("Patient/BEB-18",)), ReferenceValue(("Patient/BEB-17",)))
