from __future__ import annotations

import medications
from home import given, order

from workspace.sdk.testing import Bench

ORDERS = [
    order("a", "Furosemid", ["08:00:00"], "2025-12-03", dose="40 mg × 1"),
    order("b", "Amoksicillin", ["08:00", "14:00", "20:00"], "2026-01-14T11:30:00+01:00", dose="500 mg × 3"),
    order("c", "Paracetamol", prn=True, authored="2025-06-01", dose="1 g, maks 3 g/d"),
    order("d", "Apiksaban", ["08:00:00", "20:00:00"], "2024-03-01"),
]


def opened(orders=ORDERS, administrations=()):
    bench = Bench(medications.panel)
    bench.open("medications", {medications.ORDERS: list(orders), medications.GIVEN: list(administrations)})
    return bench


def cells(bench):
    return {one["key"]: one["cells"] for one in bench.rows()}


def test_new_ones_first_then_fixed_then_when_needed():
    assert [one["key"] for one in opened().rows()] == ["b", "d", "a", "c"]


def test_a_drug_ordered_today_is_marked_new():
    found = cells(opened())
    assert [one["text"] for one in found["b"]["drug"]["pills"]] == ["ny"]
    assert "pills" not in found["a"]["drug"]
    assert found["b"]["changed"]["text"] == "i dag, Dahl"
    assert found["a"]["changed"]["text"] == "03.12.2025, Dahl"
    assert found["d"]["changed"]["text"] == "2024, Dahl"


def test_dose_and_next_time():
    found = cells(opened())
    assert found["b"]["dose"] == "500 mg × 3"
    assert found["d"]["dose"] == "2,5 mg × 2"
    assert found["b"]["next"]["text"] == "20:00"
    assert found["a"]["next"]["text"] == "i morgen 08:00"


def test_what_is_not_to_be_given_stands_first_says_so_and_has_no_time():
    bench = opened([*ORDERS, order("e", "Ibuprofen", ["08:00"], doNotPerform=True)])
    assert [one["key"] for one in bench.rows()] == ["e", "b", "d", "a", "c"]
    found = cells(bench)["e"]
    assert [one["text"] for one in found["drug"]["pills"]] == ["skal ikke gis"]
    assert (found["dose"], found["next"]["text"]) == ("—", "—")
    assert bench.rows()[0]["label"] == "Ibuprofen, skal ikke gis"
    chips = [one["label"] for one in bench.one("choice-field")["options"]]
    assert chips == ["Alle 4", "Faste 3", "Ved behov 1"]
    bench.type(which="prn")
    assert [one["key"] for one in bench.rows()] == ["e", "c"]


def test_when_needed_shows_when_it_was_last_given():
    assert cells(opened())["c"]["next"]["text"] == "ikke gitt"
    marks = [
        given("1", "c", "2026-01-14T14:55:00+01:00"),
        given("2", "c", "2026-01-13T20:00:00+01:00"),
        given("3", "c", "2026-01-14T15:00:00+01:00", status="not-done"),
    ]
    bench = opened(administrations=marks)
    found = cells(bench)
    assert found["c"]["next"]["text"] == "gitt 14:55"
    abouts = {one["key"]: one.get("abouts") for one in bench.rows()}
    assert abouts == {"a": None, "b": None, "c": {"next": "MedicationAdministration/1"}, "d": None}
    assert found["c"]["drug"]["secondary"] == "v/b"


def test_the_chips_count_and_filter():
    bench = opened()
    labels = [one["label"] for one in bench.one("choice-field")["options"]]
    assert labels == ["Alle 4", "Faste 3", "Ved behov 1"]
    bench.type(which="prn")
    assert [one["key"] for one in bench.rows()] == ["c"]
    bench.type(which="fixed")
    assert [one["key"] for one in bench.rows()] == ["b", "d", "a"]


def test_administrations_that_could_not_be_fetched_are_said():
    bench = Bench(medications.panel)
    bench.open("medications", {medications.ORDERS: ORDERS, medications.GIVEN: {"error": "Borte."}})
    assert "kan mangle" in bench.one("notice")["text"]
    assert len(bench.rows()) == 4
