from __future__ import annotations

import residents
from home import ME, allergy, flag, given, news2, note, order, person, stay

from workspace.sdk.testing import Bench

OTHER, THIRD = "Patient/BEB-10", "Patient/BEB-13"


def opened(**side):
    people = [
        person(ME, "Arne", "Storspove", "1939-05-09"),
        person(OTHER, "Kåre", "Svaberg", "1940-08-14"),
        {"resourceType": "Patient", "id": "BEB-13", "name": [{"given": ["Harald"], "family": "Steinkobbe"}]},
    ]
    rooms = [{"resourceType": "Location", "id": f"rom-{room}", "name": room} for room in ("210", "202", "205")]
    rows = {"resources": [stay(ME, "210"), stay(OTHER, "202"), stay(THIRD, "205"), *people, *rooms], "included": 6}
    bench = Bench(residents.panel)
    results = {query: side.get(name, []) for name, (query, _) in residents.SIDE.items()}
    bench.open("residents", {residents.STAYS: rows, **results}, kind="unit", patients=[ME, OTHER, THIRD])
    return bench


SCORES = [news2("a", 7), news2("b", 3, patient=OTHER, parts=(3, 0)), news2("c", 0, patient=THIRD)]


def row(bench, patient):
    return next(one for one in bench.rows() if one["key"] == patient)["cells"]


def test_the_most_urgent_stand_first_and_by_room_on_request():
    bench = opened(scores=SCORES)
    assert [one["key"] for one in bench.rows()] == [ME, OTHER, THIRD]
    bench.click("Sortert etter hast")
    assert [one["cells"]["room"]["text"] for one in bench.rows()] == ["202", "205", "210"]
    bench.click("Sortert etter rom")
    assert [one["key"] for one in bench.rows()] == [ME, OTHER, THIRD]
    assert bench.one("pill")["text"] == "Alle 3"


def test_news2_has_a_shape_as_well_as_a_colour():
    bench = opened(scores=[*SCORES, news2("d", 2, at="2026-01-13T08:00:00+01:00")])
    assert [(row(bench, p)["news2"].get("tone"), row(bench, p)["news2"]["shape"]) for p in (ME, OTHER, THIRD)] == [
        ("bad", "up"), ("warn", "diamond"), ("ok", "dot"),
    ]  # fmt: skip
    assert row(bench, ME)["trend"]["values"] == [2, 7]
    assert row(bench, ME)["trend"]["tone"] == "bad"


def test_name_and_age():
    bench = opened()
    assert row(bench, ME)["name"] == {"text": "Arne Storspove", "secondary": "86 år"}
    assert row(bench, THIRD)["name"]["secondary"] == "alder ukjent"


def test_at_most_two_marks_and_the_dangerous_ones_first():
    bench = opened(
        flags=[flag("1", "Fall"), flag("2", "Insulin"), flag("3", "HLR-"), flag("4", "HLR+", OTHER)],
        allergies=[
            allergy("a", "Penicillin"),
            *(allergy(code, "Ingen kjent allergi", THIRD, code=code) for code in residents.NONE_KNOWN),
            allergy("c", "Sulfa", OTHER, verificationStatus={"coding": [{"code": "refuted"}]}),
        ],
    )
    pills = row(bench, ME)["flags"]["pills"]
    assert [(one["text"], one.get("tone", "neutral")) for one in pills] == [
        ("HLR-", "bad"), ("Allergi: penicillin", "bad"), ("+2", "neutral"),
    ]  # fmt: skip
    assert pills[2]["label"] == "Og Fall, Insulin"
    assert [one.get("about") for one in pills] == ["Flag/3", "AllergyIntolerance/a", None]
    assert pills[2]["abouts"] == {"Fall": "Flag/1", "Insulin": "Flag/2"}
    assert [(one["text"], one.get("tone", "neutral")) for one in row(bench, OTHER)["flags"]["pills"]] == [
        ("HLR+", "neutral")
    ]
    assert "pills" not in row(bench, THIRD)["flags"]


def test_the_next_drug_and_the_forgotten_one():
    orders = [
        order("x", "Apiksaban tbl 2,5 mg", ["08:00:00", "20:00:00"]),
        order("y", "Insulin glargin", ["12:00:00"], patient=OTHER),
        order("z", "Morfin", ["14:00:00"], patient=THIRD, prn=True),
        order("n", "Ibuprofen", ["10:00:00", "16:00:00"], patient=THIRD, doNotPerform=True),
    ]
    signed = [given("g", "x", "2026-01-14T08:10:00+01:00")]
    bench = opened(orders=orders, given=signed)
    assert row(bench, ME)["drug"]["text"] == "20:00 Apiksaban"
    (late,) = row(bench, OTHER)["drug"]["pills"]
    assert (late["text"], late["tone"]) == ("12:00 Insulin glargin", "warn")
    assert row(bench, THIRD)["drug"] == {}
    abouts = {one["key"]: one.get("abouts") for one in bench.rows()}
    assert abouts == {ME: {"drug": "MedicationRequest/x"}, OTHER: {"drug": "MedicationRequest/y"}, THIRD: None}
    refused = given("h", "y", "2026-01-14T12:05:00+01:00", OTHER, "not-done")
    bench.data(residents.SIDE["given"][0], put=[[1, refused]])
    assert row(bench, OTHER)["drug"]["text"] == "i morgen 12:00 Insulin glargin"


def test_nothing_signed_at_all_claims_nothing_forgotten():
    bench = opened(orders=[order("x", "Apiksaban", ["08:00:00"])])
    assert "pills" not in row(bench, ME)["drug"]


def test_tasks_and_last_seen():
    task = {"resourceType": "Task", "id": "t", "for": {"reference": ME}}
    bench = opened(tasks=[task], notes=[note("n", "Sover", "2026-01-14T14:58:00+01:00")], scores=SCORES)
    assert row(bench, ME)["tasks"]["text"] == "1"
    assert row(bench, OTHER)["tasks"]["text"] == "—"
    assert row(bench, ME)["seen"]["at"] == "2026-01-14T14:58:00+01:00"


def test_what_could_not_be_fetched_is_said_above_the_list():
    bench = opened(flags={"error": "Borte."}, allergies={"error": "Borte."})
    assert "merker og allergier" in bench.one("notice")["text"]
    assert len(bench.rows()) == 3


def test_a_row_opens_its_resident():
    bench = opened()
    action = next(one for one in bench.rows() if one["key"] == ME)["action"]
    assert bench.act(action["name"], **action["args"])["raise"] == [
        {"name": "open Patient", "args": {"patient": ME}, "id": "open Patient"}
    ]


def test_an_empty_unit_says_what_to_do():
    bench = Bench(residents.panel)
    bench.open("residents", {residents.STAYS: [], **{q: [] for q, _ in residents.SIDE.values()}}, kind="unit")
    assert bench.one("table")["empty"] == "Ingen beboere her nå"
    assert bench.one("table")["empty_hint"]
