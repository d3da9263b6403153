from __future__ import annotations

import summary
from home import ME, allergy, observation, order, vital_set

from workspace.sdk.testing import Bench


def opened(**rows):
    bench = Bench(summary.panel)
    names = ("ALLERGIES", "PROBLEMS", "ORDERS", "VITALS", "LABS")
    bench.open("summary", {getattr(summary, name): rows.get(name.lower(), []) for name in names})
    return bench


def problem(name, code, text, **more):
    coding = [
        {"system": "http://hl7.org/fhir/sid/icd-10", "code": "X00"},
        {"system": "http://hl7.org/fhir/sid/icpc-2", "code": code},
    ]
    return {"resourceType": "Condition", "id": name, "code": {"coding": coding, "text": text}, **more}


def lab(name, code, value, unit, **more):
    made = observation(name, code, value, "2026-01-14T11:00:00+01:00", unit)
    made["category"] = [{"coding": [{"code": "laboratory"}]}]
    return {**made, "performer": [{"display": "UNN"}], **more}


def values(bench):
    rows = [row for table in bench.all("table")[1:] for row in table["props"].get("rows", [])]
    return {one["key"]: one["cells"] for one in rows}


def test_problems_newest_first_as_exactly_as_they_are_known():
    bench = opened(
        problems=[
            problem("a", "K78", "Atrieflimmer", onsetDateTime="2019"),
            problem("b", "R81", "Pneumoni", onsetDateTime="2026-01-14"),
            problem("c", "U99", "Nyresvikt", onsetDateTime="2021-03"),
            problem("d", "A01", "Borte", clinicalStatus={"coding": [{"code": "resolved"}]}),
        ]
    )
    assert [(one["cells"]["problem"], one["cells"]["since"]["text"]) for one in bench.rows(0)] == [
        ("R81 Pneumoni", "14.01.2026"), ("U99 Nyresvikt", "03.2021"), ("K78 Atrieflimmer", "2019"),
    ]  # fmt: skip


def test_allergies_are_never_silent():
    assert opened().one("pill") == {
        "text": "Ingen kjente allergier: bekreft", "tone": "warn", "shape": "diamond",
    }  # fmt: skip
    asked = allergy("a", "Ingen", code="716186003", verificationStatus={"coding": [{"code": "confirmed"}]})
    assert opened(allergies=[asked]).one("pill")["tone"] == "ok"
    known = allergy("b", "Penicillin", reaction=[{"manifestation": [{"text": "utslett"}]}])
    pill = opened(allergies=[known]).one("pill")
    assert (pill["text"], pill["tone"]) == ("Allergi: Penicillin (utslett)", "bad")


def test_allergies_that_could_not_be_fetched_are_not_taken_for_none():
    bench = opened(allergies={"error": "Borte."})
    assert bench.one("failed")["text"] == "Borte."
    assert "Ingen kjente" not in bench.texts()


def test_last_values_with_age_and_source():
    high = {"interpretation": [{"coding": [{"code": "H"}]}]}
    low = {"referenceRange": [{"low": {"value": 60}}]}
    found = values(
        opened(
            vitals=[
                *vital_set(),
                *vital_set("2026-01-12T08:00:00+01:00"),
                observation("w", "29463-7", 74.2, unit="kg"),
            ],
            labs=[lab("crp", "1988-5", 128, "mg/L", **high), lab("egfr", "62238-1", 41, "mL/min", **low)],
        )
    )
    assert found["Vekt"]["value"]["text"] == "74,2 kg"
    assert (found["CRP"]["value"]["text"], found["CRP"]["value"]["tone"]) == ("128 mg/L", "bad")
    assert found["CRP"]["value"]["secondary"] == "høy"
    assert found["CRP"]["age"] == {"at": "2026-01-14T11:00:00+01:00", "source": "lab UNN"}
    assert found["eGFR"]["value"]["secondary"] == "lav"
    assert found["Temperatur"]["value"]["text"] == "38,6 °C"
    assert found["Temperatur"]["age"] == {"at": "2026-01-14T15:02:00+01:00", "source": "Vitale målinger, Tone"}
    assert found["Blodtrykk"]["value"]["text"] == "104 / 62 mmHg"
    assert (found["NEWS2"]["value"]["text"], found["NEWS2"]["value"]["tone"]) == ("10", "bad")


def test_a_value_entered_in_error_is_passed_over_and_changes_come_live():
    wrong = observation("p2", "8867-4", 212, "2026-01-14T15:03:00+01:00", status="entered-in-error")
    bench = opened(vitals=[wrong, observation("p1", "8867-4", 80, "2026-01-14T09:00:00+01:00")])
    assert values(bench)["Puls"]["value"]["text"] == "80 /min"
    bench.data(summary.VITALS, put=[[0, observation("p3", "8867-4", 112)]])
    assert values(bench)["Puls"]["value"]["text"] == "112 /min"


def test_fixed_drugs_in_short():
    bench = opened(orders=[order("a", "Furosemid 40 mg"), order("b", "Apiksaban"), order("c", "Morfin", prn=True)])
    assert "Faste legemidler (2): Apiksaban, Furosemid" in bench.texts()
    assert ME not in bench.texts()
