from __future__ import annotations

import pytest

from workspace.sdk.query import build, canonical


def test_queries_are_written_as_the_manifest_writes_them():
    assert build("Observation", category="vital-signs", _sort="-date", _count=200) == (
        "Observation?category=vital-signs&_sort=-date&_count=200"
    )
    assert build("Condition", clinical_status=["active", "relapse"]) == "Condition?clinical-status=active,relapse"
    assert build("Encounter", _include=["Encounter:patient", "Encounter:location"]) == (
        "Encounter?_include=Encounter:patient&_include=Encounter:location"
    )
    assert build("Observation", {"date": ["ge2026-01-01", "lt2026-02-01"]}) == (
        "Observation?date=ge2026-01-01&date=lt2026-02-01"
    )
    assert build("Flag", status=None) == "Flag"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A?b=1&c=2", "A?c=2&b=1"),
        ("A?code=x,y", "A?code=y,x"),
        ("A?code=http%3A%2F%2Floinc.org%7C1", "A?code=http://loinc.org|1"),
        ("A", "A?"),
    ],
)
def test_equal_queries_are_found_equal(one, other):
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(("one", "other"), [("A?_sort=a,b", "A?_sort=b,a"), ("A?b=1", "A?b=1&b=1"), ("A?b=1", "B?b=1")])
def test_different_queries_are_not(one, other):
    assert canonical(one) != canonical(other)


def test_odd_letters_survive():
    query = build("Patient", name="Blåbær & Søn=1")
    assert " " not in query
    assert canonical(query) == canonical("Patient?name=Bl%C3%A5b%C3%A6r+%26+S%C3%B8n%3D1")
