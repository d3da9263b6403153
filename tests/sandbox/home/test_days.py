from __future__ import annotations

import json
from datetime import date, datetime, timedelta

from workspace.sandbox.home.days import generate
from workspace.sandbox.home.definitions import load


def about(resource):
    return (resource.get("subject") or resource["for"])["reference"].removeprefix("Patient/")


NOW = datetime.fromisoformat("2026-01-14T14:45:00+01:00")


def test_windows_together_are_the_whole_and_a_second_run_is_the_same(home):
    first, last = date(2025, 11, 20), date(2025, 12, 10)
    whole = list(generate(home, first, last))
    again = list(generate(load(), first, last))
    assert json.dumps(again) == json.dumps(whole)
    parts = [*generate(home, date(2025, 11, 29), last), *generate(home, first, date(2025, 11, 28))]
    assert sorted(map(json.dumps, parts)) == sorted(map(json.dumps, whole))


def test_ids_are_unique_and_fhir_allows_them(standing_data, former_data, weeks, reference):
    own = [reference(one) for one in [*standing_data, *former_data, *weeks]]
    assert len(own) == len(set(own))
    for one in own:
        text = one.partition("/")[2]
        assert len(text) <= 64
        assert all(letter.isascii() and (letter.isalnum() or letter in "-.") for letter in text), text


def test_every_reference_resolves(standing_data, former_data, weeks, reference):
    everything = [*standing_data, *former_data, *weeks]
    known = {reference(one) for one in everything}

    def references(held):
        if isinstance(held, dict):
            if isinstance(held.get("reference"), str):
                yield held["reference"]
            for value in held.values():
                yield from references(value)
        elif isinstance(held, list):
            for value in held:
                yield from references(value)

    missing = {(one["id"], found) for one in everything for found in references(one) if found not in known}
    assert not missing


def test_nothing_has_happened_after_now(standing_data, former_data, weeks):
    for one in [*standing_data, *former_data, *weeks]:
        assert datetime.fromisoformat(one["meta"]["lastUpdated"]) <= NOW, one["id"]
        for name in ("effectiveDateTime", "authoredOn", "date", "issued", "recordedDate"):
            if "T" in one.get(name, ""):
                assert datetime.fromisoformat(one[name]) <= NOW, one["id"]
    newest = max(datetime.fromisoformat(one["effectiveDateTime"]) for one in weeks if "effectiveDateTime" in one)
    assert newest > NOW - timedelta(hours=1)


def test_what_is_recorded_falls_within_a_stay(home, weeks):
    for one in weeks:
        own, day = about(one), one["meta"]["lastUpdated"][:10]
        stays = home.former.get(own) or (home.residents[own],)
        # A late dose may be signed on the morning after.
        assert any(stay.admitted.isoformat() <= day and (not stay.left or day <= str(stay.left)) for stay in stays)


def test_the_last_two_weeks_are_of_those_who_live_here_now(home, weeks):
    former = {one["meta"]["lastUpdated"][:10] for one in weeks if not about(one).startswith("BEB")}
    assert former
    assert max(former) <= "2026-01-01"


def test_everybody_was_measured_and_written_about_lately(home, weeks, of):
    since = (NOW - timedelta(days=7)).isoformat()
    for own in home.residents:
        for kind, code in (("Observation", "1104051000000101"), ("Composition", ""), ("MedicationAdministration", "")):
            found = [one for one in of(weeks, kind, f"Patient/{own}", code) if one["meta"]["lastUpdated"] > since]
            assert found or own == "BEB-40", (own, kind)


def test_every_fixed_dose_until_an_hour_ago_is_signed(home, weeks, of):
    """Doses may be late, or not given; the record says so. None is forgotten, but what was never taken is rare."""
    signed = {one["id"] for one in of(weeks, "MedicationAdministration")}
    for orders in home.orders.values():
        for order in orders:
            for clock in order.drug.times:
                planned = datetime.fromisoformat(f"2026-01-13T{clock}:00+01:00")
                if order.authored <= planned and not order.until and "mandag" not in order.drug.dose:
                    assert f"{order.id}-20260113-{clock.replace(':', '')}" in signed
    missed = of(weeks, "MedicationAdministration")
    share = sum(one["status"] == "not-done" for one in missed) / len(missed)
    assert 0.015 < share < 0.045
    assert all(one.get("statusReason") for one in missed if one["status"] == "not-done")


def test_laboratory_answers_outside_their_interval_say_so(weeks, of):
    answers = [one for one in of(weeks, "Observation") if one["category"][0]["coding"][0]["code"] == "laboratory"]
    assert len(answers) > 100
    for one in answers:
        value, held = one["valueQuantity"]["value"], one["referenceRange"][0]
        low, high = held.get("low", {}).get("value"), held.get("high", {}).get("value")
        expected = "L" if low is not None and value < low else "H" if high is not None and value > high else ""
        flags = [each["coding"][0]["code"] for each in one.get("interpretation", [])]
        assert flags == ([expected] if expected else [])
        assert len(one["code"]["coding"]) == 2
