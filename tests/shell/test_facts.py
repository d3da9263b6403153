"""The banner's words: never silent about what safety asks for, whether it is known, on its way or not to be had."""

import asyncio
from dataclasses import replace
from datetime import date

from workspace.record.people import BannerFacts, Resident
from workspace.shell.facts import Facts, banner_text, of_list

ARNE = Resident(
    "Patient/BEB-18", "Storspove", "Arne", "Arne Storspove", date(1939, 5, 9), "09853900123", "210", "u", ("Fall",)
)


class Directory:
    """Hands out the listener, so that the test says when facts come."""

    def __init__(self):
        self.closed = False

    def watch_banner(self, patient, listener):
        self.tell = listener
        return self

    def close(self):
        self.closed = True


def words(text):
    return [fact[0] for fact in text.facts]


def facts(**known):
    given = {"allergies": (("Allergi: penicillin", "bad"),), "flags": ("Fall",), "news2": (3, False, None)} | known
    return BannerFacts(ARNE, 86, given.pop("allergies"), given.pop("flags"), given.pop("news2"), "", "", "", **given)


def test_what_is_on_its_way_is_said():
    said = words(banner_text(of_list(ARNE, 86), "Havblikk"))
    assert "Allergier: henter …" in said
    assert "NEWS2: henter …" in said
    assert "Fall" in said, "the ward's list knows the flags"


def test_more_allergies_than_there_is_room_for_are_counted():
    many = tuple((f"Allergi: stoff {number}", "bad") for number in range(5))
    said = words(banner_text(facts(allergies=many), "Havblikk"))
    assert "Allergi: stoff 1" in said
    assert "+ 3 allergier" in said


def test_somebody_unknown_is_not_taken_for_somebody_without_allergies():
    async def main():
        live = Facts(Directory(), "Patient/BEB-99", "beboeren", None, lambda unit: "", lambda text: None)
        assert words(live.text) == ["Allergier: henter …"]
        assert not live.safe.is_set()

    asyncio.run(main())


def test_safe_when_all_that_safety_asks_for_is_known():
    async def main():
        told, directory = [], Directory()
        live = Facts(directory, ARNE.patient, ARNE.name, of_list(ARNE, 86), lambda unit: "Havblikk", told.append)
        directory.tell(facts(allergies=(), waiting=frozenset({"allergies", "diagnoses"})))
        assert not live.safe.is_set()
        assert "Allergier: henter …" in words(live.text)
        directory.tell(facts(waiting=frozenset({"diagnoses"})))
        assert live.safe.is_set()
        assert words(live.text)[:2] == ["NEWS2 3", "Allergi: penicillin"]
        assert told[-1] is live.text
        live.close()
        assert directory.closed

    asyncio.run(main())


def test_who_was_chosen_by_name_keeps_it_while_the_platform_cannot_say_who_it_is():
    nobody = Resident(ARNE.patient, "", "", "Uten navn", None, "", "", "", ())
    away = facts(allergies=(("Allergier kunne ikke hentes", "warn"),), flags=(), news2=None)
    away = replace(away, resident=nobody, age=None, problem="Plattformen svarer ikke.", identified=False)

    async def main():
        directory = Directory()
        live = Facts(directory, ARNE.patient, ARNE.name, of_list(ARNE, 86), lambda unit: "Havblikk", lambda text: None)
        directory.tell(away)
        assert (live.text.name, live.text.born) == ("Arne Storspove", "86 år · f. 09.05.1939")
        assert "rom 210" in live.text.line
        assert "Allergier kunne ikke hentes" in words(live.text)
        by_name = Facts(directory, ARNE.patient, "Arne Storspove", None, lambda unit: "", lambda text: None)
        directory.tell(away)
        assert (by_name.text.name, by_name.text.born) == ("Arne Storspove", "alder ukjent")
        directory.tell(replace(away, identified=True))
        assert by_name.text.name == "Uten navn", "the platform has said so"

    asyncio.run(main())
