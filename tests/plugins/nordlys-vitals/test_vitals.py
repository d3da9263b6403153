from __future__ import annotations

import observations
import pytest
import vitals
from home import flag, observation, vital_set

from workspace.sdk.testing import Bench, Refused

TYPED = {
    "respiration": 25, "saturation": 91, "oxygen": "0", "systolic": 104, "diastolic": 62, "pulse": 112,
    "temperature": 38.6, "consciousness": "A",
}  # fmt: skip


def opened(readings=(), flags=(), values=None):
    bench = Bench(vitals.panel)
    bench.open("vitals", {vitals.READINGS: list(readings), vitals.FLAGS: list(flags)}, values=values)
    return bench


def test_the_score_is_live_and_says_its_parts():
    bench = opened()
    bench.type(**TYPED)
    pill = bench.one("pill")
    assert (pill["text"], pill["tone"], pill["shape"]) == ("NEWS2 blir 10", "bad", "up")
    assert "Pust 3 · SpO₂ 3 · BT 1 · Puls 2 · Temp 1" in bench.texts()


def test_a_missing_parameter_is_said_and_saved_without_score():
    bench = opened(values={**TYPED, "consciousness": None})
    assert bench.one("pill")["text"] == "NEWS2 ufullstendig (6/7)"
    assert "Mangler Bevissthet" in bench.texts()
    effects = bench.click("Lagre")
    assert len(effects["writes"]) == 5
    assert all("derivedFrom" not in one["resource"] for one in effects["writes"])
    assert effects["message"] == "Lagret uten NEWS2: 6 av 7 er målt."


def test_saving_is_one_transaction_of_values_and_score():
    bench = opened(values=TYPED)
    effects = bench.click("Lagre")
    resources = [one["resource"] for one in effects["writes"]]
    score = resources[-1]
    assert [one["code"]["coding"][0]["code"] for one in resources] == [
        "9279-1", "2708-6", "8867-4", "8310-5", "85354-9", "1104441000000107", "1104051000000101",
    ]  # fmt: skip
    assert {one["effectiveDateTime"] for one in resources} == {"2026-01-14T15:04:00+01:00"}
    assert {one["subject"]["reference"] for one in resources} == {"Patient/BEB-18"}
    assert {one["performer"][0]["reference"] for one in resources} == {"Practitioner/tone"}
    assert all(one["category"][0]["coding"][0]["code"] == "vital-signs" for one in resources)
    assert resources[1]["component"][0]["valueQuantity"] == {
        "value": 0, "unit": "L/min", "system": "http://unitsofmeasure.org", "code": "L/min",
    }  # fmt: skip
    assert resources[5]["valueCodeableConcept"]["coding"][0]["code"] == "A"
    assert score["valueQuantity"]["value"] == 10
    assert [one["reference"] for one in score["derivedFrom"]] == [one["full_url"] for one in effects["writes"][:-1]]
    assert [one["valueQuantity"]["value"] for one in score["component"]] == [3, 3, 0, 1, 2, 0, 1]
    assert effects["message"] == "Lagret. NEWS2 10."
    assert set(effects["clear"]) == set(TYPED)
    assert "NEWS2 regnes ut mens du skriver" in bench.texts()


def test_scale_2_follows_the_flag_and_is_marked_in_what_is_saved():
    bench = opened(flags=[flag("f", "NEWS2 skala 2")], values={**TYPED, "saturation": 88})
    assert "SpO₂ (skala 2)" in bench.texts()
    assert "SpO₂ 3" not in bench.texts()
    score = bench.click("Lagre")["writes"][-1]["resource"]
    assert score["component"][1]["code"]["coding"][0]["code"] == "1104321000000108"
    one = opened(values=TYPED)
    assert "SpO₂ (skala 1)" in one.texts()
    codes = {c["code"]["coding"][0]["code"] for c in one.click("Lagre")["writes"][-1]["resource"]["component"]}
    assert "1104321000000108" not in codes


def test_without_the_flags_there_is_no_score_but_values_are_saved():
    bench = Bench(vitals.panel)
    bench.open("vitals", {vitals.READINGS: [], vitals.FLAGS: {"error": "Borte."}}, values=TYPED)
    assert "NEWS2 regnes ikke ut" in bench.texts()
    effects = bench.click("Lagre")
    assert len(effects["writes"]) == 6
    assert "uten NEWS2" in effects["message"]


def test_nothing_and_nonsense_are_not_saved():
    with pytest.raises(Refused, match="minst én måling"):
        opened().click("Lagre")
    bench = opened(values={**TYPED, "pulse": "mye"})
    assert "Skriv et tall" in bench.texts()
    with pytest.raises(Refused, match="ikke er et tall"):
        bench.click("Lagre")


def test_an_implausible_value_is_let_through():
    fields = {one["props"]["bind"]: one["props"] for one in opened().all("number-field")}
    assert (fields["pulse"]["minimum"], fields["pulse"]["maximum"]) == (20, 220)
    assert opened(values={"pulse": 300}).click("Lagre")["writes"][0]["resource"]["valueQuantity"]["value"] == 300


def test_oxygen_alone_is_kept():
    writes = opened(values={"oxygen": "1.5"}).click("Lagre")["writes"]
    assert [
        (one["resource"]["code"]["coding"][0]["code"], one["resource"]["valueQuantity"]["value"]) for one in writes
    ] == [("3151-8", 1.5)]


def test_the_trend_is_bound_and_the_table_shows_sets():
    bench = opened(vital_set() + vital_set("2026-01-13T08:00:00+01:00"))
    trend = bench.one("trend")
    assert trend["watch"] == 1
    assert [one["code"] for one in trend["series"]] == ["8867-4", "9279-1"]
    assert trend["hours"] == 120
    bench.type(mode="table")
    first, second = bench.rows()
    assert first["cells"]["pressure"] == "104 / 62"
    assert first["cells"]["oxygen"] == "Luft"
    assert (first["cells"]["news2"]["text"], first["cells"]["news2"]["shape"]) == ("10", "up")
    assert second["key"].startswith("2026-01-13")


def test_another_panel_that_asked_gets_the_references_of_what_was_saved():
    bench = Bench(vitals.panel)
    bench.open("vitals", record=[], values={"respiration": 18, "pulse": 82})
    waiting = bench.ask("record vital-signs", "Journalnotat (Polarvakt)")
    assert "Journalnotat (Polarvakt) venter på nye målinger." in bench.texts()
    bench.click("Lagre")
    saved = [name for name, one in bench.record.resources.items() if one["resourceType"] == "Observation"]
    assert (waiting.handled, waiting.result) == (True, {"observations": saved})
    assert len(saved) == 2
    assert "venter på nye målinger" not in bench.texts()


def test_the_user_may_say_not_now():
    bench = Bench(vitals.panel)
    bench.open("vitals", record=[])
    waiting = bench.ask("record vital-signs", "Journalnotat (Polarvakt)")
    bench.click("Ikke nå")
    assert (waiting.done, waiting.handled, waiting.reason) == (True, False, "Målingene ble ikke tatt nå.")
    assert bench.record.resources == {}


def test_saved_sets_in_other_units_and_by_other_codes_are_shown_in_the_columns_own():
    def at(name, code, value, unit, **more):
        return observation(name, code, value, "2026-01-14T15:02:00+01:00", unit, **more)

    pair = [(code, value) for code, value in (("271649006", 16), ("8462-4", 8.5))]
    parts = [
        {"code": {"coding": [{"code": code}]}, "valueQuantity": {"value": value, "unit": "kPa"}} for code, value in pair
    ]
    rows = [
        at("t", "8310-5", 100.4, "[degF]"),
        at("p", "364075005", 1.5, "/s"),
        at("r", "9279-1", 18, "pust"),
        at("b", "85354-9", None, "", component=parts),
    ]
    ((_, found),) = observations.sets(rows)
    assert {name: found[name] for name in ("temperature", "pulse", "respiration", "systolic", "diastolic")} == {
        "temperature": 38.0, "pulse": 90.0, "respiration": "18 pust", "systolic": 120.0, "diastolic": 63.76,
    }  # fmt: skip
