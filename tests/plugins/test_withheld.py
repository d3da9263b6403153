"""What has a modifier that nobody here knows, in each of our panels: it is said that it is there, and never taken for what
it seems to say (R4 §2.4)."""

from __future__ import annotations

import medications
import note as note_panel
import report
import residents
import summary
import vitals
from home import ME, allergy, concept, flag, news2, note, observation, order, stay, vital_set

from workspace.broker import facts
from workspace.sdk.testing import Bench

OTHER = "Patient/BEB-19"
AT = "2026-01-14T15:03:00+01:00"


def odd(resource):
    """As the door gives it to a panel."""
    return facts.shown({**resource, "modifierExtension": [{"url": "http://ukjent.example/ikke", "valueBoolean": True}]})


def problem(name, text):
    return {"resourceType": "Condition", "id": name, "subject": {"reference": ME}, "code": {"text": text}}


def test_a_summary_names_neither_problem_nor_drug_nor_allergy_and_the_value_before_it_is_not_the_last():
    bench = Bench(summary.panel)
    bench.open(
        "summary",
        {
            summary.ALLERGIES: [odd(allergy("a", "Penicillin"))],
            summary.PROBLEMS: [problem("p", "Nyresvikt"), odd(problem("q", "Hjertesvikt"))],
            summary.ORDERS: [order("o", "Apiksaban 2,5 mg"), odd(order("x", "Warfarin"))],
            summary.VITALS: [observation("ny", "8310-5", 40.1, AT, "°C"), observation("puls", "8867-4", 112)],
            summary.LABS: [],
        },
    )
    assert bench.one("pill")["text"] == "Allergi: kan ikke vises"
    assert [one["cells"]["problem"] for one in bench.rows(0)] == ["Nyresvikt", facts.SENTENCE]
    assert "Faste legemidler (1): Apiksaban. 1 kan ikke vises" in bench.texts()
    bench.data(summary.VITALS, whole=[odd(observation("ny", "8310-5", 40.1, AT, "°C")), *vital_set()])
    cells = {one["key"]: one["cells"]["value"] for one in bench.rows(1)}
    assert (cells["Temperatur"]["text"], cells["Temperatur"]["tone"]) == ("kan ikke vises", "bad")
    for name in ("Penicillin", "Hjertesvikt", "Warfarin", "38,6", "40,1"):
        assert name not in str(bench.texts()) + str(bench.rows(0)) + str(cells), name


def test_a_list_of_drugs_has_it_first_without_name_and_time_and_does_not_count_it():
    bench = Bench(medications.panel)
    orders = [order("a", "Furosemid", ["08:00"]), odd(order("x", "Warfarin", ["18:00"]))]
    bench.open("medications", {medications.ORDERS: orders, medications.GIVEN: []})
    first, second = bench.rows()
    assert (first["label"], first["about"]) == ("Legemiddel, kan ikke vises", "MedicationRequest/x")
    assert (first["cells"]["dose"], first["cells"]["next"]["text"]) == ("—", "—")
    assert second["key"] == "a"
    chips = [one["label"] for one in bench.one("choice-field")["options"]]
    assert chips == ["Alle 1", "Faste 1", "Ved behov 0"]
    bench.type(which="prn")
    assert [one["key"] for one in bench.rows()] == ["x"]


def test_a_resident_has_no_score_of_before_and_no_flag_that_it_may_not_be():
    bench = Bench(residents.panel)
    side = {query: [] for query, _ in residents.SIDE.values()}
    side[residents.SIDE["scores"][0]] = [odd(news2("ny", 1, AT)), news2("gammel", 3), news2("en", 4, patient=OTHER)]
    side[residents.SIDE["flags"][0]] = [odd(flag("f", "HLR-"))]
    side[residents.SIDE["allergies"][0]] = [odd(allergy("a", "Penicillin"))]
    side[residents.SIDE["orders"][0]] = [odd(order("x", "Warfarin", ["18:00"]))]
    room = {"resourceType": "Location", "id": "rom-210", "name": "210"}
    person = {"resourceType": "Patient", "id": "BEB-18", "name": [{"given": ["Ola"], "family": "Nordmann"}]}
    bench.open(
        "residents",
        {residents.STAYS: {"resources": [stay(OTHER, "210"), stay(ME, "210"), person, room], "included": 2}, **side},
        kind="unit",
        patients=[ME, OTHER],
    )
    row, other = bench.rows()
    assert other["key"] == OTHER, "who may be worse stands above who is well"
    cells = row["cells"]
    assert (cells["news2"]["text"], cells["news2"]["tone"], row["abouts"]["news2"]) == ("?", "warn", "Observation/ny")
    assert [one["text"] for one in cells["flags"]["pills"]] == ["Allergi: kan ikke vises", "Merke kan ikke vises"]
    assert [one["label"] for one in cells["drug"]["pills"]] == ["Et legemiddel kan ikke vises"]
    assert row["label"] == "Rom 210, Ola Nordmann, NEWS2 kan ikke vises"


def test_a_report_says_that_something_came_and_not_what():
    bench = Bench(report.panel)
    room = {"resourceType": "Location", "id": "rom-210", "name": "210"}
    bench.open(
        "report",
        {
            report.STAYS: {"resources": [stay(ME, "210"), room], "included": 1},
            report.NOTES: [odd(note("n", "Falt i natt.", AT))],
            report.ORDERS: [odd(order("x", "Warfarin", authored=AT))],
            report.FALLS: [odd(observation("f", "161898004", None, AT))],
            report.SCORES: [odd(news2("ny", 9, AT)), news2("gammel", 7)],
        },
        kind="unit",
        patients=[ME],
    )
    assert sorted(one["cells"]["what"]["text"] for one in bench.rows()) == [
        facts.SENTENCE,
        "Legemiddelendring som ikke kan vises",
        "NEWS2 som ikke kan vises",
        "Opplysning om fall som ikke kan vises",
    ]


def test_vital_signs_say_what_is_missing_and_reckon_no_score_on_a_scale_that_is_not_known():
    bench = Bench(vitals.panel)
    rows = [odd({**observation("ny", "8310-5", 40.1, AT, "°C"), "code": concept("8310-5", "Temperatur")}), *vital_set()]
    bench.open("vitals", {vitals.READINGS: rows, vitals.FLAGS: []})
    told = bench.one("notice")
    assert (told["title"], told["abouts"]) == ("Kan ikke vises", {"Temperatur i dag 15:03": "Observation/ny"})
    assert told["text"] == "Temperatur i dag 15:03: opplysningen har et forbehold som arbeidsflaten ikke kjenner."
    bench.data(vitals.READINGS, whole=vital_set())
    assert bench.all("notice") == []
    bench.data(vitals.FLAGS, whole=[odd(flag("f", "NEWS2 skala 2"))])
    bench.type(respiration=25, saturation=91, oxygen="0", systolic=104, pulse=112, temperature=38.6, consciousness="A")
    assert bench.one("notice")["text"] == vitals.NO_SCALE
    assert len(bench.click("Lagre")["writes"]) == 6, "what was measured, and no score"


def test_a_note_neither_shows_it_nor_quotes_it():
    bench = Bench(note_panel.panel)
    bench.open(
        "note",
        {
            note_panel.VITALS: [odd(one) for one in vital_set(AT)] + vital_set(),
            note_panel.NOTES: [odd(note("n", "Falt i natt.", AT))],
            note_panel.PROBLEMS: [problem("p", "Nyresvikt"), odd(problem("q", "Hjertesvikt"))],
            note_panel.ALLERGIES: [odd(allergy("a", "Penicillin"))],
        },
    )
    assert facts.SENTENCE in bench.texts()
    assert "Falt i natt." not in str(bench.texts())
    assert "15:02" in str([one["props"] for one in bench.all("button")]), "the set that can be quoted, with its time"
    text = bench.click("ISBAR")["state"]["text"]
    assert "Nyresvikt, (én kan ikke vises). Allergier: (én kan ikke vises)." in text
    assert "Hjertesvikt" not in text
    assert "Penicillin" not in text
