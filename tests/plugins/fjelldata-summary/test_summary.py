from __future__ import annotations

import pytest
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
    none = opened(allergies=[asked]).one("pill")
    assert (none["tone"], none["about"]) == ("ok", "AllergyIntolerance/a")
    known = allergy("b", "Penicillin", reaction=[{"manifestation": [{"text": "utslett"}]}])
    pill = opened(allergies=[known]).one("pill")
    assert (pill["text"], pill["tone"]) == ("Allergi: Penicillin (utslett)", "bad")
    assert pill["about"] == "AllergyIntolerance/b"


@pytest.mark.parametrize(
    ("codes", "said", "tone", "about"),
    [
        (["409137002"], "Ingen kjente legemiddelallergier: bekreft andre", "warn", "a0"),
        (["428607008"], "Ingen kjente miljøallergier: bekreft andre", "warn", "a0"),
        (["428607008", "409137002"], "Ingen kjente legemiddel- og miljøallergier: bekreft andre", "warn", "a1"),
        (["428607008", "409137002", "716186003"], "Ingen kjente allergier", "ok", "a2"),
    ],
)
def test_that_there_is_no_allergy_of_one_kind_says_nothing_of_the_others(codes, said, tone, about):
    sure, unsure = ({"verificationStatus": {"coding": [{"code": code}]}} for code in ("confirmed", "unconfirmed"))
    rows = [allergy(f"a{at}", "Ingen", code=code, **sure) for at, code in enumerate(codes)]
    pill = opened(allergies=[allergy("u", "Ingen", code="716186003", **unsure), *rows]).one("pill")
    assert (pill["text"], pill["tone"], pill["about"]) == (said, tone, f"AllergyIntolerance/{about}")
    known = opened(allergies=[*rows, allergy("p", "Penicillin")]).one("pill")
    assert known["text"] == "Allergi: Penicillin"


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


@pytest.mark.parametrize(
    ("code", "value", "unit", "title", "said"),
    [
        ("15074-8", 126, "mg/dL", "Glukose", "7,0 mmol/L"),
        ("718-7", 132, "g/L", "Hemoglobin", "13,2 g/dL"),
        ("29463-7", 71500, "g", "Vekt", "71,5 kg"),
        ("29463-7", 154, "[lb_av]", "Vekt", "69,9 kg"),
        ("29463-7", 9, "gutefot", "Vekt", "9 gutefot"),  # as recorded, never under another unit
        ("8310-5", 100.4, "[degF]", "Temperatur", "38,0 °C"),
        ("62238-1", 41, "mL/min", "eGFR", "41 mL/min"),  # not for a body's surface of 1,73 m²
    ],
)
def test_a_value_is_turned_into_the_unit_it_is_shown_in_or_stands_as_recorded(code, value, unit, title, said):
    assert values(opened(vitals=[observation("x", code, value, unit=unit)]))[title]["value"]["text"] == said


def test_a_reference_range_in_another_unit_is_compared_after_conversion():
    def crp(low):
        ranges = [{"high": {"value": 5, "unit": "mg/L"}}, {"low": low}]
        return values(opened(labs=[lab("crp", "1988-5", 0.4, "mg/dL", referenceRange=ranges)]))["CRP"]["value"]

    assert (crp({"value": 1, "unit": "mg/L"})["text"], crp({"value": 1, "unit": "mg/L"}).get("secondary", "")) == (
        "4 mg/L",
        "",
    )
    assert crp({"value": 4.5, "unit": "mg/L"})["secondary"] == "lav"
    assert crp({"value": 9, "unit": "kg"}).get("secondary", "") == ""  # nothing that can be compared


def test_a_value_entered_in_error_is_passed_over_and_changes_come_live():
    wrong = observation("p2", "8867-4", 212, "2026-01-14T15:03:00+01:00", status="entered-in-error")
    bench = opened(vitals=[wrong, observation("p1", "8867-4", 80, "2026-01-14T09:00:00+01:00")])
    assert values(bench)["Puls"]["value"]["text"] == "80 /min"
    bench.data(summary.VITALS, put=[[0, observation("p3", "8867-4", 112)]])
    assert values(bench)["Puls"]["value"]["text"] == "112 /min"


def test_fixed_drugs_in_short():
    bench = opened(orders=[order("a", "Furosemid 40 mg"), order("b", "Apiksaban"), order("c", "Morfin", prn=True)])
    assert "Faste legemidler (2): Apiksaban, Furosemid" in bench.texts()
    assert bench.one("text")["abouts"] == {"Apiksaban": "MedicationRequest/b", "Furosemid 40 mg": "MedicationRequest/a"}
    twice = [order(name, "Furosemid 40 mg") for name in "ab"]
    assert list(opened(orders=twice).one("text")["abouts"]) == ["Furosemid 40 mg", "Furosemid 40 mg (nr. 2)"]
    assert ME not in bench.texts()
    bench.data(summary.ORDERS, put=[[3, order("d", "Ibuprofen 400 mg", doNotPerform=True)]])
    assert "Faste legemidler (2): Apiksaban, Furosemid. Skal ikke gis: Ibuprofen" in bench.texts()
