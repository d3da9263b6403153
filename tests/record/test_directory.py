"""What the shell shows of people: live, complete in words, and unharmed by records with holes."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta

import pytest

from workspace.record import clocks, people
from workspace.record.clocks import Keeping, read_clock
from workspace.record.directory import Directory, Unit
from workspace.record.rows import ServiceState

SNOMED = "http://snomed.info/sct"
FNR = "http://hl7.no/fhir/NamingSystem/FNR"


def to(reference, display=""):
    return {"reference": reference, **({"display": display} if display else {})}


def stay(patient, room, unit="havblikk", status="in-progress"):
    return {
        "resourceType": "Encounter",
        "id": f"{patient}-opphold",
        "status": status,
        "class": {"code": "IMP"},
        "subject": to(f"Patient/{patient}"),
        "participant": [{"type": [{"text": "Primærkontakt"}], "individual": to("Practitioner/liv", "Liv Myrull")}],
        "serviceProvider": to(f"Organization/{unit}"),
        "location": [{"location": to(f"Location/rom-{room}"), "status": "active"}] if room else [],
    }


def flag(own, patient, text):
    concept = {"resourceType": "Flag", "id": own, "status": "active", "code": {"text": text}}
    return {**concept, "subject": to(f"Patient/{patient}")}


ARNE = {
    "resourceType": "Patient",
    "id": "BEB-18",
    "identifier": [{"system": FNR, "value": "09853911111"}],
    "name": [{"use": "official", "family": "Storspove", "given": ["Arne"]}],
    "birthDate": "1939-05-09",
    "generalPractitioner": [to("Practitioner/dahl", "Ingrid Dahl")],
}


async def furnish(here):
    for own, name, above in (("fjellheim", "Fjellheim", ""), ("havblikk", "Havblikk", "fjellheim")):
        unit = {"resourceType": "Organization", "id": own, "name": name}
        await here.put({**unit, **({"partOf": to(f"Organization/{above}")} if above else {})})
    await here.put({"resourceType": "Location", "id": "rom-210", "name": "210"})
    await here.put(ARNE)
    await here.put({"resourceType": "Patient", "id": "hull"})
    for each in (stay("BEB-18", "210"), stay("hull", ""), flag("f1", "BEB-18", "Fall")):
        await here.put(each)


def role(own, who, unit, **more):
    made = {"resourceType": "PractitionerRole", "id": own, "active": True, "practitioner": to(f"Practitioner/{who}")}
    return {**made, "organization": to(f"Organization/{unit}"), **more}


def test_units_are_those_of_now_and_a_whole_house_means_all_its_units(tmp_path, platform):
    async def run():
        async with platform(tmp_path) as (here, record):
            await furnish(here)
            await here.put(
                {"resourceType": "Organization", "id": "gammel", "name": "Gammel", "partOf": to("Organization/x")}
            )
            await here.put(role("r1", "tone", "havblikk", period={"start": "2021-01-04"}))
            await here.put(role("r2", "tone", "gammel", period={"end": "2025-12-31"}))
            await here.put(role("r3", "sjef", "fjellheim"))
            directory = Directory(record, record.clock)
            havblikk = [Unit("Organization/havblikk", "Havblikk")]
            assert await directory.units("Practitioner/tone") == havblikk
            assert await directory.units("Practitioner/sjef") == havblikk
            assert await directory.units("Practitioner/ukjent") == []
            assert all(packages.startswith("workspace.shell@") for _, packages in here.asked)

    asyncio.run(run())


def test_residents_of_a_unit_live_with_holes_and_all(tmp_path, platform, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await furnish(here)
            directory = Directory(record, record.clock)
            arne, hole = await directory.residents("Organization/havblikk")
            assert (arne.name, arne.room, arne.birth_date) == ("Arne Storspove", "210", date(1939, 5, 9))
            assert (arne.national_id, arne.flags, arne.unit) == ("09853911111", ("Fall",), "Organization/havblikk")
            assert (hole.name, hole.room, hole.birth_date, hole.national_id) == ("Uten navn", "", None, "")
            heard = []
            live = directory.watch_residents("Organization/havblikk", heard.append)
            await until(lambda: heard)
            assert heard == [(arne, hole)]
            await here.put(flag("f2", "hull", "Insulin"))
            await until(lambda: heard[-1][1].flags == ("Insulin",))
            await here.put({**ARNE, "name": [{"family": "Storspove", "given": ["Arne", "Olav"]}]})
            await until(lambda: heard[-1][0].given == "Arne Olav")
            await here.put({"resourceType": "Patient", "id": "ny", "name": [{"text": "Ny Beboer"}]})
            await here.put(stay("ny", "210"))
            await until(lambda: "Ny Beboer" in [one.name for one in heard[-1]])
            await here.put(stay("hull", "", status="finished"))
            await until(lambda: len(heard[-1]) == 2)
            live.close()

    asyncio.run(run())


def test_whoever_was_joined_with_another_is_in_no_list_though_the_stay_still_names_them(tmp_path, platform, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await furnish(here)
            lists = []
            watched = Directory(record, record.clock).watch_residents("Organization/havblikk", lists.append)
            await until(lambda: lists and [one.patient for one in lists[-1]] == ["Patient/BEB-18", "Patient/hull"])
            link = [{"other": to("Patient/BEB-18"), "type": "replaced-by"}]
            await here.put({"resourceType": "Patient", "id": "hull", "active": False, "link": link})
            await until(lambda: [one.patient for one in lists[-1]] == ["Patient/BEB-18"])
            link = [{"other": to("Patient/hull"), "type": "replaced-by"}]
            await here.put({"resourceType": "Patient", "id": "BEB-18", "active": False, "link": link})
            both = ["Patient/BEB-18", "Patient/hull"]
            await until(
                lambda: sorted(one.patient for one in lists[-1]) == both
            )  # nobody is known to stay: nobody is lost
            watched.close()

    asyncio.run(run())


def test_the_banner_is_never_silent_about_allergies_and_scores(tmp_path, platform, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await furnish(here)
            heard = []
            live = Directory(record, record.clock).watch_banner("Patient/BEB-18", heard.append)
            await until(lambda: heard and not heard[-1].waiting)
            first = heard[-1]
            assert (first.age, first.resident.room, first.flags) == (86, "210", ("Fall",))
            assert first.allergies == (("Ingen kjente allergier: bekreft", "warn"),)
            assert (first.news2, first.primary_contact, first.doctor) == (None, "Liv Myrull", "Ingrid Dahl")
            await here.put(
                {
                    "resourceType": "AllergyIntolerance",
                    "id": "penicillin",
                    "patient": to("Patient/BEB-18"),
                    "verificationStatus": {"coding": [{"code": "unconfirmed"}]},
                    "code": {"text": "Penicillin"},
                    "reaction": [{"manifestation": [{"text": "utslett"}]}],
                }
            )
            score = {"coding": [{"system": SNOMED, "code": "1104051000000101"}]}
            await here.put(
                {
                    "resourceType": "Observation",
                    "id": "n",
                    "status": "final",
                    "code": score,
                    "subject": to("Patient/BEB-18"),
                    "effectiveDateTime": "2026-01-14T15:02:00+01:00",
                    "valueQuantity": {"value": 10},
                    "component": [{"code": score, "valueQuantity": {"value": 3}}],
                }
            )
            await until(lambda: heard[-1].news2)
            assert heard[-1].allergies == (("Allergi: Penicillin (utslett), ikke bekreftet", "bad"),)
            assert heard[-1].news2[:2] == (10, True)
            live.close()

    asyncio.run(run())


def test_a_banner_that_could_not_be_filled_says_so(tmp_path, platform, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            here.refuse["AllergyIntolerance"] = 403
            heard = []
            live = Directory(record, record.clock).watch_banner("Patient/hull", heard.append)
            await until(lambda: heard and not heard[-1].waiting)
            assert (heard[-1].resident.name, heard[-1].age) == ("Uten navn", None)
            assert heard[-1].allergies == (("Allergier kunne ikke hentes", "warn"),)
            assert "tilgang" in heard[-1].problem
            live.close()

    asyncio.run(run())


def test_clinical_time_is_the_platforms_and_a_wrong_clock_is_noticed(tmp_path, platform):
    async def run():
        async with platform(tmp_path) as (here, record):
            found = await read_clock(record.client)
            assert abs(found.clock.now() - here.clock.now()) < timedelta(seconds=2)
            assert found.skew is None
            here.skew = timedelta(minutes=-5)
            again = await read_clock(record.client, found.clock)
            assert again.clock is found.clock
            assert again.skew is not None
            assert again.skew.code == "clock-skew"
            assert "5 minutter for fort" in again.skew.sentence

    asyncio.run(run())


def test_clinical_time_is_kept_with_the_platforms(tmp_path, platform, until, monkeypatch):
    async def run():
        async with platform(tmp_path) as (here, record):
            clock = (await read_clock(record.client)).clock
            clock.set(here.clock.now() - timedelta(minutes=30))
            keeping = Keeping(record.client, clock)
            record.on_service(keeping.served)
            await keeping.start()
            keeping.served(ServiceState("journalplattform", "nede"))
            assert here.clock.now() - clock.now() > timedelta(minutes=29)
            keeping.served(ServiceState("journalplattform", "ok"))  # back, after this machine has slept
            await until(lambda: abs(here.clock.now() - clock.now()) < timedelta(seconds=2))
            monkeypatch.setattr(clocks, "AGAIN", 0.02)
            keeping.served(ServiceState("journalplattform", "nede"))
            keeping.served(ServiceState("journalplattform", "ok"))
            here.clock.set(here.clock.now() + timedelta(hours=16), 0.0)  # and now and then
            await until(lambda: abs(here.clock.now() - clock.now()) < timedelta(seconds=2))
            await keeping.close()

    asyncio.run(run())


@pytest.mark.parametrize(("birth", "years"), [("1939-01-15", 86), ("1939-01-14", 87), ("1939", None), ("", None)])
def test_age_is_counted_in_norways_calendar(tmp_path, platform, until, birth, years):
    async def run():
        async with platform(tmp_path) as (here, record):
            await here.put({"resourceType": "Patient", "id": "x", "birthDate": birth})
            heard = []
            live = Directory(record, record.clock).watch_banner("Patient/x", heard.append)
            await until(lambda: heard)
            assert heard[-1].age == years
            live.close()

    asyncio.run(run())


def test_allergies_that_there_is_no_room_for_are_told_of(tmp_path, platform, until):
    def allergy(number):
        return {
            "resourceType": "AllergyIntolerance", "id": f"a{number}", "patient": {"reference": "Patient/x"},
            "code": {"text": f"Stoff {number}"},
        }  # fmt: skip

    async def run():
        async with platform(tmp_path) as (here, record):
            for each in ({"resourceType": "Patient", "id": "x"}, *(allergy(number) for number in range(200))):
                await here.put(each)
            heard = []
            live = Directory(record, record.clock).watch_banner("Patient/x", heard.append)
            await until(lambda: heard and not heard[-1].waiting)
            assert len(heard[-1].allergies) == 200
            await here.put(allergy(200))
            await until(lambda: heard[-1].allergies[0] == (people.MORE_ALLERGIES, "bad"))
            assert len(heard[-1].allergies) == 201
            live.close()

    asyncio.run(run())


ODD = {"modifierExtension": [{"url": "http://ukjent.example/ikke", "valueBoolean": True}]}


def test_what_has_an_unknown_modifier_is_told_of_and_never_shown_as_it_seems():
    marked = people.flag_texts([{**flag("f", "arne", "Smitte"), **ODD}])
    assert marked == {"Patient/arne": [f"Merk: {people.RESERVED}"]}
    assert people.sources([], [{**flag("f", "arne", "Smitte"), **ODD}], []) == {f"Merk: {people.RESERVED}": "Flag/f"}
    problem = {"resourceType": "Condition", "id": "c", "code": {"text": "Diabetes"}}
    assert people.diagnosis_texts([{**problem, **ODD}]) == (f"Diagnose: {people.RESERVED}",)
    there = {**stay("arne", "12"), **ODD}
    beds = {"Location/rom-12": {"name": "Rom 12"}}
    assert (people.contact_of(stay("arne", "12")), people.contact_of(there)) == ("Liv Myrull", "")
    plain = people.resident_of(ARNE, stay("arne", "12"), beds, ())
    odd = people.resident_of({**ARNE, **ODD}, there, beds, ("Smitte",))
    assert (plain.room, plain.flags, plain.unit) == ("Rom 12", (), "Organization/havblikk")
    assert (odd.room, odd.unit, odd.name) == ("", plain.unit, plain.name)
    assert odd.flags == (f"Personopplysninger: {people.RESERVED}", "Smitte")


ALL, DRUG, PLACE, FOOD = "716186003", "409137002", "428607008", "429625007"
ASK = "Ingen kjente allergier: bekreft"


def no_allergy(own, code, verified="confirmed"):
    made = {"resourceType": "AllergyIntolerance", "id": own, "verificationStatus": {"coding": [{"code": verified}]}}
    return {**made, "code": {"coding": [{"system": SNOMED, "code": code}], "text": "Ingen"}}


@pytest.mark.parametrize(
    ("rows", "said", "tone", "whence"),
    [
        ([("a", ALL)], people.NO_ALLERGIES, "ok", "a"),
        ([("a", DRUG)], "Ingen kjente legemiddelallergier: bekreft andre", "warn", "a"),
        ([("a", PLACE)], "Ingen kjente miljøallergier: bekreft andre", "warn", "a"),
        ([("a", PLACE), ("b", DRUG)], "Ingen kjente legemiddel- og miljøallergier: bekreft andre", "warn", "b"),
        ([("a", PLACE), ("b", DRUG), ("c", FOOD)],
         "Ingen kjente legemiddel-, mat- og miljøallergier: bekreft andre", "warn", "b"),
        ([("a", DRUG), ("b", ALL)], people.NO_ALLERGIES, "ok", "b"),
        ([("a", ALL, "unconfirmed"), ("b", DRUG)], "Ingen kjente legemiddelallergier: bekreft andre", "warn", "b"),
        ([("a", DRUG, "unconfirmed"), ("b", PLACE)], "Ingen kjente miljøallergier: bekreft andre", "warn", "b"),
        ([("a", DRUG, "unconfirmed")], ASK, "warn", "a"),
        ([("a", DRUG, "entered-in-error"), ("b", PLACE, "refuted")], ASK, "warn", None),
    ],
)  # fmt: skip
def test_that_there_is_no_allergy_of_one_kind_says_nothing_of_the_others(rows, said, tone, whence):
    found = [no_allergy(*row) for row in rows]
    assert people.allergy_texts(found) == ((said, tone),)
    assert people.sources(found, [], []).get(said) == (whence and f"AllergyIntolerance/{whence}")


def test_that_there_is_no_allergy_of_one_kind_is_not_counted_with_the_allergies():
    known = {"resourceType": "AllergyIntolerance", "id": "p", "code": {"text": "Penicillin"}}
    rows = [*(no_allergy(code, code) for code in people.NONE_OF_A_KIND), known]
    assert people.allergy_texts(rows) == (("Allergi: Penicillin", "bad"),)
    assert people.allergy_texts(rows[:-1], more=True) == ((people.MORE_ALLERGIES, "bad"),)
    odd = {**no_allergy("a", ALL), **ODD}
    assert people.allergy_texts([odd]) == ((f"Allergi: {people.RESERVED}", "bad"),)
    assert people.sources([odd], [], []) == {f"Allergi: {people.RESERVED}": "AllergyIntolerance/a"}


def test_a_score_that_is_only_a_limit_is_none_and_neither_is_the_one_before_it():
    def score(value, **more):
        return {"resourceType": "Observation", "status": "final", "valueQuantity": {"value": value, **more}}

    assert people.newest_score([score(5, comparator="<"), score(9)]) is None
    assert people.newest_score([score(9), score(5, comparator="<")]) == (9, False, None)
