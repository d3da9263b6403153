"""Values in other units than they were recorded in, and the copy that vendors get."""

from __future__ import annotations

import pytest

from workspace.fhir import codes, unit_source, units


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "code", "expected"),
    [
        (71500, "g", "kg", "", 71.5),
        (1, "[lb_av]", "g", "", 453.59237),  # exact by definition
        (100.4, "[degF]", "Cel", "", 38.0),
        (-40, "°F", "°C", "", -40.0),
        (36.6, "Cel", "K", "", 309.75),
        (126, "mg/dL", "mmol/L", "15074-8", 6.99393858656),
        (6.99393858656, "mmol/L", "mg/dL", "15074-8", 126.0),
        (88.4016973126, "umol/L", "mg/dL", "2160-0", 1.0),
        (126, "mg/dL", "mmol/L", "", None),  # of what?
        (132, "g/L", "g/dL", "", 13.2),
        (72, "{beats}/min", "/min", "", 72.0),
        (1.2, "Hz", "/min", "", 72.0),
        (16, "kPa", "mmHg", "", 120.010200867),
        (41, "mL/min", "mL/min/{1.73_m2}", "", None),
        (5, "10*3/uL", "10*9/L", "", 5.0),
        (6.5, "%", "mmol/mol", "4548-4", None),  # NGSP and IFCC: no factor
        (48, "mmol/mol", "1", "59261-8", None),
        (48, "mmol/mol", "mmol/mol", "59261-8", 48),
        (0.42, "1", "%", "4544-3", 42.0),
        (1.2, "mg/L FEU", "ng/mL{FEU}", "", 1200.0),
        (1.2, "mg/L{FEU}", "mg/L{DDU}", "", None),
        (1.2, "mg/L{FEU}", "mg/L", "", None),
        (3, "", "kg", "", None),
        (3, "kg", "", "", None),
        (3, "gutefot", "gutefot", "", 3),
        (3, "{", "1", "", None),
    ],
)
def test_a_value_in_another_unit(value, unit, wanted, code, expected):
    assert units.converted(value, unit, wanted, [code]) == expected


@pytest.mark.parametrize(
    "quantity", [None, {}, {"value": "70", "unit": "kg"}, {"value": True, "unit": "kg"}, {"value": 70}, [1]]
)
def test_what_is_no_amount_is_none(quantity):
    assert units.amount(quantity, "kg") is None


def test_a_limit_is_no_amount_and_its_number_is_given_to_whoever_asks_for_it_as_one():
    over = {"value": 150000, "comparator": ">", "unit": "g"}
    assert (units.is_limit(over), units.amount(over, "kg"), units.edge(over, "kg")) == (True, None, 150.0)
    exact = {**over, "comparator": ""}
    assert (units.is_limit(exact), units.amount(exact, "kg")) == (False, 150.0)
    assert not units.is_limit(None)


def test_the_code_says_the_unit_where_it_is_ucums():
    ucum = "http://unitsofmeasure.org"
    assert units.amount({"value": 70, "unit": "kilo", "system": ucum, "code": "kg"}, "g") == 70000
    assert units.amount({"value": 70, "unit": "kg", "system": "http://x", "code": "258683005"}, "g") == 70000


def test_no_digits_are_shown_that_nobody_measured():
    assert units.rounded(69.85322498, 154) == 69.85
    assert units.rounded(6.99393858656, 126) == 6.994
    assert units.rounded(71.512, 71512) == 71.512


def test_every_unit_has_its_own_spelling_and_there_and_back_is_the_same():
    for unit, (kind, *_) in units.UNITS.items():
        assert units.canonical(unit) == unit
        first = next(other for other, (of, *_) in units.UNITS.items() if of == kind)
        there = units.converted(37.5, unit, first)
        assert there is not None
        assert units.converted(there, first, unit) == pytest.approx(37.5, rel=1e-10)
    assert {units.canonical(said) for said in units.ALIASES} <= units.UNITS.keys() | {"m[IU]/L", "[IU]"}


def test_what_is_made_from_the_source_stands_as_made():
    for path, text in unit_source.files().items():
        assert path.read_text("utf-8") == text, path


def test_one_thing_measured_has_one_name():
    assert codes.concept("urn:oid:2.16.840.1.113883.6.96", "27113001") == ("http://loinc.org", "29463-7")
    assert codes.concept("http://helsedir.no/fhir/CodeSystem/no-kodeverk-7280-nlk", "NPU19748")[1] == "1988-5"
    assert codes.concept("http://x", "27113001") == ("http://x", "27113001")  # another list's number
    assert codes.equal("27113001") == codes.equal("29463-7") == {"27113001", "29463-7"}
    assert codes.equal("egen-kode") == {"egen-kode"}
    assert not set(codes.CONCEPTS.values()) & codes.CONCEPTS.keys()
