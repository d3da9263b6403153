from __future__ import annotations

import pytest

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
        ({"value": 5, "comparator": "<", "code": "mg/L"}, "<5 mg/L"),
        ({"reference": "Practitioner/x", "display": "Eli Havn"}, "Eli Havn"),
        (True, "ja"),
        (1.5, "1,5"),
        ({}, ""),
        (None, ""),
    ],
)
def test_any_value_has_a_short_text(value, said: str):
    assert paths.text(value) == said


def test_points_are_sorted_and_leave_out_errors_and_other_codes():
    later = PRESSURE | {"effectiveDateTime": "2026-01-14T15:00:00+01:00"}
    wrong = later | {"status": "entered-in-error"}
    other = {"code": {"coding": [{"code": "8867-4"}]}, "valueQuantity": {"value": 80}, "effectiveDateTime": "2026"}
    assert paths.points([later, wrong, other, PRESSURE], "85354-9", "8480-6") == [
        ("2026-01-14T14:52:00+01:00", 104.0),
        ("2026-01-14T15:00:00+01:00", 104.0),
    ]
    assert paths.points([other], "8867-4") == [("2026", 80.0)]
