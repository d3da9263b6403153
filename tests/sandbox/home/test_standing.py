"""What stands, and the stories that the panels show at a quarter to three on 14 January 2026."""

from __future__ import annotations

from workspace.access.decision import CARING_ROLES
from workspace.access.protection import is_protected
from workspace.access.restrictions import restriction_of

ARNE = "Patient/BEB-18"


def test_the_house_and_its_beds(standing_data, of, reference):
    known = {reference(one): one for one in standing_data}
    assert known["Organization/fjellheim"]["identifier"][0]["value"] == "311000101"
    assert known["Organization/havblikk"]["partOf"]["reference"] == "Organization/fjellheim"
    stays = of(standing_data, "Encounter")
    assert len(stays) == 40
    for one in stays:
        bed = known[one["location"][0]["location"]["reference"]]
        assert (one["status"], one["class"]["code"]) == ("in-progress", "IMP")
        assert bed["managingOrganization"]["reference"] == one["serviceProvider"]["reference"]


def test_no_bed_was_ever_slept_in_by_two(home):
    stays = [one for held in home.former.values() for one in held] + list(home.residents.values())
    for at, one in enumerate(stays):
        for other in stays[at + 1 :]:
            if one.room == other.room or one.id == other.id:
                assert not one.here(other.admitted), (one.id, other.id)
                assert not other.here(one.admitted), (one.id, other.id)


def test_those_who_left_are_kept_with_their_stays_ended(home, former_data, of):
    people = of(former_data, "Patient")
    assert len(people) == len(home.former) == 39
    assert sum("deceasedDateTime" in one for one in people) == 11
    assert all(one["status"] == "finished" and one["period"]["end"] for one in of(former_data, "Encounter"))
    assert {one["status"] for one in of(former_data, "MedicationRequest")} == {"stopped"}


def test_positions_open_records_for_those_who_care(standing_data, of, reference):
    known = {reference(one): one for one in standing_data}
    assert known["PractitionerRole/tone-havblikk"]["organization"]["reference"] == "Organization/havblikk"
    assert "PractitionerRole/tone-solsiden" in known
    assert sum(own.startswith("PractitionerRole/dahl-") for own in known) == 4
    for one in of(standing_data, "PractitionerRole"):
        role = one["code"][0]["coding"][0]["code"]
        assert role in CARING_ROLES | {"systemansvarlig", "personvernombud"}
        assert one["period"]["start"] <= "2026-01-14"


def test_the_protected_resident_has_no_address(standing_data, of):
    without = [one["id"] for one in of(standing_data, "Patient") if not one.get("address")]
    assert without == ["BEB-22"]
    assert [one["id"] for one in of(standing_data, "Patient") if is_protected(one)] == ["BEB-22"]


def test_one_resident_has_closed_her_record_to_one_of_the_staff(home, standing_data, weeks, of):
    (stated,) = [restriction_of(one) for one in of(standing_data, "Consent")]
    assert (stated.patient, stated.against, stated.parts) == (
        "Patient/BEB-21",
        frozenset({"Practitioner/geir-tareskog"}),
        frozenset(),
    )
    assert home.staff["geir-tareskog"].login
    assert any("geir-tareskog" in str(one) for one in weeks)
    about_her = [one for one in weeks if "Patient/BEB-21" in str(one)]
    assert len(about_her) > 200
    assert not any("geir-tareskog" in str(one) for one in about_her)


def test_arne_has_become_ill(standing_data, weeks, of):
    scores = of(weeks, "Observation", ARNE, "1104051000000101")
    values = [(one["effectiveDateTime"][:16], one["valueQuantity"]["value"]) for one in scores]
    assert [value for at, value in values if at >= "2026-01-12"] == [1, 2, 3, 3, 4, 7]
    assert values[-1][0] == "2026-01-14T14:20"
    for code, value, flag in (("1988-5", 128, "H"), ("NOR25909", 41, "L")):
        newest = of(weeks, "Observation", ARNE, code)[-1]
        assert newest["effectiveDateTime"] == "2026-01-14T10:45:00+01:00"
        assert newest["valueQuantity"]["value"] == value
        assert newest["interpretation"][0]["coding"][0]["code"] == flag
    weight = of(weeks, "Observation", ARNE, "29463-7")[-1]
    assert (weight["valueQuantity"]["value"], weight["effectiveDateTime"][:10]) == (74.2, "2026-01-12")
    problems = {one["code"]["coding"][0]["code"]: one["onsetDateTime"] for one in of(standing_data, "Condition", ARNE)}
    assert problems == {"K78": "2019", "U99": "2021", "R81": "2026-01-14"}
    (allergy,) = of(standing_data, "AllergyIntolerance", ARNE)
    assert allergy["code"]["text"] == "Ingen kjente allergier: bekreft"
    assert allergy["verificationStatus"]["coding"][0]["code"] == "unconfirmed"


def test_arnes_drugs(standing_data, weeks, of):
    orders = {one["medicationCodeableConcept"]["text"]: one for one in of(standing_data, "MedicationRequest", ARNE)}
    assert set(orders) == {
        "Amoksicillin 500 mg",
        "Apiksaban 2,5 mg",
        "Metoprolol depot 50 mg",
        "Furosemid 40 mg",
        "Paracetamol 1 g tablett",
    }
    new = orders["Amoksicillin 500 mg"]
    assert (new["authoredOn"], new["requester"]["display"]) == ("2026-01-14T11:30:00+01:00", "Ingrid Dahl")
    assert new["dosageInstruction"][0]["text"] == "500 mg × 3"
    assert "20:00:00" in new["dosageInstruction"][0]["timing"]["repeat"]["timeOfDay"]
    assert orders["Paracetamol 1 g tablett"]["dosageInstruction"][0]["asNeededBoolean"] is True
    given = [one for one in weeks if one["id"].startswith("BEB-18-amoksicillin-")]
    assert [one["request"]["reference"] for one in given] == ["MedicationRequest/BEB-18-amoksicillin"]
    assert given[0]["effectiveDateTime"] >= "2026-01-14T11:30"


def test_kare_is_scored_on_scale_two(standing_data, weeks, of):
    flags = {one["code"]["text"] for one in of(standing_data, "Flag", "Patient/BEB-10")}
    assert flags == {"NEWS2 skala 2", "O₂"}
    newest = of(weeks, "Observation", "Patient/BEB-10", "1104051000000101")[-1]
    assert newest["valueQuantity"]["value"] == 5


def test_the_list_of_havblikk_reads_as_designed(home, weeks, of):
    newest = {
        one.room: of(weeks, "Observation", f"Patient/{one.id}", "1104051000000101")[-1]["valueQuantity"]["value"]
        for one in home.residents.values()
        if one.unit == "havblikk"
    }
    assert newest == {
        "210": 7,
        "202": 5,
        "206": 3,
        "203": 2,
        "201": 1,
        "204": 1,
        "209": 1,
        **dict.fromkeys(("205", "207", "208", "211", "212"), 0),
    }


def test_signe_fell_last_night(weeks, of):
    newest = of(weeks, "Observation", "Patient/BEB-14", "161898004")[-1]
    assert newest["effectiveDateTime"] == "2026-01-13T22:10:00+01:00"
    assert "ingen skade" in newest["note"][0]["text"]
