from __future__ import annotations

import pytest

from workspace.fhir import json
from workspace.shell.kit import paths

PRESSURE = {
    "resourceType": "Observation",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    "effectiveDateTime": "2026-01-14T14:52:00+01:00",
    "performer": [{"reference": "Practitioner/tone", "display": "Tone Nilsen"}],
    "component": [
        {"code": {"coding": [{"code": "8480-6"}]}, "valueQuantity": {"value": 104, "unit": "mmHg"}},
        {"code": {"coding": [{"code": "8462-4"}]}, "valueQuantity": {"value": 62, "unit": "mmHg"}},
    ],
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("component[8480-6].valueQuantity.value", 104),
        ("component[8462-4].value[x].value", 62),
        ("component[1].valueQuantity.unit", "mmHg"),
        ("component[9].valueQuantity", None),
        ("component[0000-0]", None),
        ("performer[0].display", "Tone Nilsen"),
        ("performer.display", "Tone Nilsen"),
        ("effective[x]", "2026-01-14T14:52:00+01:00"),
        ("code.coding[85354-9].system", "http://loinc.org"),
        ("status.nothing.here", None),
        ("not a path", None),
        ("", None),
    ],
)
def test_a_path_finds_what_it_names_or_nothing(path: str, found):
    assert paths.at(PRESSURE, path) == found


@pytest.mark.parametrize("odd", [None, [], "text", 3, {"component": "x"}, {"component": [None, 3]}, {"performer": []}])
def test_odd_data_never_raise(odd):
    for path in ("component[8480-6].valueQuantity.value", "performer[0].display", "effective[x]"):
        assert paths.at(odd, path) is None


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"text": "Pneumoni", "coding": [{"code": "R81"}]}, "Pneumoni"),
        ({"coding": [{"code": "R81", "display": "Lungebetennelse"}]}, "Lungebetennelse"),
        ({"coding": [{"code": "R81"}]}, "R81"),
        ({"value": 38.6, "unit": "°C"}, "38,6 °C"),
        (json.loads('{"value": 38.0, "unit": "°C"}'), "38,0 °C"),
        ({"value": 5, "comparator": "<", "code": "mg/L"}, "< 5 mg/L"),
        ({"reference": "Practitioner/x", "display": "Eli Havn"}, "Eli Havn"),
        (True, "ja"),
        (1.5, "1,5"),
        ({}, ""),
        (None, ""),
    ],
)
def test_any_value_has_a_short_text(value, said: str):
    assert paths.text(value) == said


def measured(value, unit, day, code="29463-7"):
    return {
        "code": {"coding": [{"code": code}]},
        "valueQuantity": {"value": value, "unit": unit},
        "effectiveDateTime": f"2026-01-{day:02d}",
    }


def test_points_are_sorted_and_leave_out_errors_and_other_codes():
    later = PRESSURE | {"effectiveDateTime": "2026-01-14T15:00:00+01:00"}
    wrong = later | {"status": "entered-in-error"}
    other = measured(80, "/min", 1, "8867-4")
    assert paths.points([later, wrong, other, PRESSURE], "85354-9", "8480-6") == (
        [("2026-01-14T14:52:00+01:00", 104.0), ("2026-01-14T15:00:00+01:00", 104.0)],
        [],
    )
    assert paths.points([other], "8867-4") == ([("2026-01-01", 80.0)], [])


def test_points_are_in_one_unit_and_what_cannot_be_is_told_as_recorded():
    rows = [measured(71500, "g", 1), measured(154, "[lb_av]", 2), measured(9, "gutefot", 3), measured(70, "kg", 4)]
    in_kilos = [("2026-01-01", 71.5), ("2026-01-02", 69.85), ("2026-01-04", 70.0)]
    other = [("2026-01-03", "9 gutefot", False)]
    assert paths.points(rows, "29463-7", unit="kg") == (in_kilos, other)
    assert paths.points(rows, "29463-7") == (in_kilos, other)  # the newest one's unit, when the curve has none


def test_a_limit_is_no_point_of_a_curve():
    below = measured(60, "kg", 2)
    below["valueQuantity"]["comparator"] = "<"
    rows = [measured(70, "kg", 1), below]
    assert paths.points(rows, "29463-7", unit="kg") == ([("2026-01-01", 70.0)], [("2026-01-02", "< 60 kg", True)])


@pytest.mark.parametrize(("unit", "said"), [("", "> 900"), ("kg", "> 0,9 kg"), ("mm", "> 900 g")])
def test_a_limit_in_a_cell_keeps_its_comparator(unit, said):
    over = measured(900, "g", 1)
    over["valueQuantity"]["comparator"] = ">"
    found = paths.in_unit(over, "valueQuantity.value", unit, None)
    assert found is not None
    assert found[0] == said


def test_one_thing_measured_by_two_codes_is_one_curve():
    rows = [measured(71, "kg", 1), measured(70, "kg", 2, "27113001")]
    assert [value for _, value in paths.points(rows, "29463-7", unit="kg")[0]] == [71.0, 70.0]


@pytest.mark.parametrize(
    ("value", "unit", "decimals", "said"),
    [
        (154, "[lb_av]", None, ("69,85 kg", 69.85)),
        (71500, "g", 1, ("71,5 kg", 71.5)),
        (154, "gutefot", 1, ("154 gutefot", None)),
        (70, "kg", None, ("70 kg", 70.0)),
    ],
)
def test_a_cell_with_a_unit_shows_the_value_in_it_or_as_recorded(value, unit, decimals, said):
    assert paths.in_unit(measured(value, unit, 1), "valueQuantity.value", "kg", decimals) == said


def test_mass_and_amount_are_turned_by_what_was_measured():
    sugar = measured(126, "mg/dL", 1, "15074-8")
    assert paths.in_unit(sugar, "valueQuantity.value", "mmol/L", 1) == ("7,0 mmol/L", 6.99393858656)
    assert paths.in_unit(measured(126, "mg/dL", 1, "1-1"), "valueQuantity.value", "mmol/L", 1) == ("126 mg/dL", None)
