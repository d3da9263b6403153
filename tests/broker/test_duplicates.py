"""Typed once: what exists is told before it is saved again, and the user decides."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from tests.broker.test_broker import PULSES, ids, note, one_pulse, refused
from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import pulse
from workspace.broker import duplicates, facts
from workspace.broker.door import Write
from workspace.broker.duplicates import Answer, Rules, codes_of
from workspace.clock import OSLO, OffsetClock, SystemClock
from workspace.fhir.search import Sort
from workspace.fhir.service import FhirRequest
from workspace.problem import Problem
from workspace.record import fetch, outbox
from workspace.record.client import Asker
from workspace.record.directory import SHELL
from workspace.record.tally import Tally, shift_of
from workspace.sandbox.fhir import plan
from workspace.vault.vault import Vault


class User:
    """Answers as told, and remembers what was asked."""

    def __init__(self, broker, answer=None):
        self.asked, self.answer = [], answer
        broker.on_duplicates(self)

    async def __call__(self, found):
        self.asked.append(list(found))
        return None if self.answer is None else {one.write: self.answer for one in found}


def late(minutes, **more):
    """A pulse so many minutes after the one of the seed, by SNOMED CT and LOINC as the reference table has it."""
    moment = datetime(2026, 1, 14, 14, 40, tzinfo=OSLO) + timedelta(minutes=minutes)
    return one_pulse(81, **more) if not minutes else Write(
        "create", pulse("BEB-18", value=81, effectiveDateTime=moment.isoformat()), f"urn:uuid:{uuid4()}"
    )  # fmt: skip


def test_what_exists_is_told_with_who_when_and_both_in_words(server, working, room):
    async def run():
        async with working(server) as broker:
            user = User(broker)
            assert await refused(broker.commit(room, [late(4)])) == "exists"
            ((one,),) = user.asked
            assert (one.reference, one.write, one.minutes, one.same) == ("Observation/puls-BEB-18", 0, 4, False)
            assert one.origin.who == "Practitioner/lege"
            assert "72" in one.existing
            assert "81" in one.new
            assert ids(await broker.search(room, PULSES)) == ["puls-BEB-18"]
            assert broker.counts().unsent == 0

    asyncio.run(run())


@pytest.mark.parametrize(
    ("write", "asked"),
    [
        (late(4), 1),
        (late(25), 0),  # outside the window of a pulse
        (Write("create", pulse("BEB-18", code={"coding": [{"code": "9279-1", "system": "http://loinc.org"}]})), 0),
        (Write("create", pulse("BEB-18", code={"coding": [{"code": "8867-4", "system": "urn:oid:2.16.840.1.113883.6.1"}]})),
         1),  # LOINC by its other name
    ],
)  # fmt: skip
def test_only_the_same_code_within_its_own_window_is_the_same(server, working, room, write, asked):
    async def run():
        async with working(server) as broker:
            user = User(broker, Answer("new"))
            done = await broker.commit(room, [write])
            assert done.state == "lagret", done.problem
            assert sum(len(one) for one in user.asked) == asked

    asyncio.run(run())


def test_what_was_typed_a_moment_ago_is_told_though_the_line_is_dead(server, working, room, monkeypatch):
    """The line is open and nothing comes through; the form shows no rows of its own."""
    monkeypatch.setattr(duplicates, "LOOK", 0.1)
    monkeypatch.setattr(outbox.Outbox.commit, "__defaults__", (0.1, *outbox.Outbox.commit.__defaults__[1:]))

    async def run():
        port = int(server.url.rpartition(":")[2])
        async with FaultProxy("127.0.0.1", port) as proxy, working(server, origin=proxy.url) as broker:
            user = User(broker, Answer("new"))
            proxy.mute = True
            first = await broker.commit(room, [late(30)])
            assert (first.state, user.asked) == ("venter", [])
            assert (await broker.commit(room, [late(31)])).state == "venter"
            ((one,),) = user.asked
            assert (one.waits, one.minutes) == (True, 1)
            proxy.mute = False

    asyncio.run(run())


@pytest.fixture
def in_id_order(monkeypatch):
    """A platform that gives what nobody asked it to sort by id, and no more than a hundred rows."""
    asked = plan._orders
    monkeypatch.setattr(plan, "_orders", lambda q: asked(q if q.sort else replace(q, sort=(Sort("_id", False),))))
    monkeypatch.setattr(fetch, "LONGEST", 100)
    monkeypatch.setattr(duplicates, "LOOK", 20.0)


def filled(server, rows):
    """Past the gateway, all at once."""
    entries = [
        {"resource": row, "request": {"method": "PUT", "url": f"{row['resourceType']}/{row['id']}"}} for row in rows
    ]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = asyncio.run_coroutine_threadsafe(server.store.handle(FhirRequest("POST", "", body=body)), server.loop)
    assert answer.result(20).status == 200


@pytest.mark.usefixtures("in_id_order")
def test_what_was_written_a_moment_ago_is_found_behind_more_rows_than_a_search_may_have(server, working, room):
    """A monitor has measured since long before; the newest has the id that comes last."""
    first = datetime(2026, 1, 14, 14, 31, tzinfo=OSLO)
    rows = [
        {**pulse("BEB-18", value=70, effectiveDateTime=(first + timedelta(seconds=n)).isoformat()), "id": f"a-{n:03}"}
        for n in range(120)
    ]
    newest = pulse("BEB-18", value=80, effectiveDateTime=(first + timedelta(minutes=10)).isoformat())
    filled(server, [*rows, {**newest, "id": "zz"}])

    async def run():
        async with working(server) as broker:
            user = User(broker)
            assert await refused(broker.commit(room, [late(1)])) == "exists"
            ((one,),) = user.asked
            assert (one.reference, one.existing) == ("Observation/zz", "Måling 80 /min")

    asyncio.run(run())


@pytest.mark.usefixtures("in_id_order")
def test_what_is_asked_about_for_as_long_as_it_stands_comes_newest_first_too(server, working):
    code = {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7110", "code": "I50"}]}
    row = {"resourceType": "Condition", "subject": {"reference": "Patient/BEB-18"}, "code": code}
    filled(server, [{**row, "id": f"a-{n:03}"} for n in range(120)])
    filled(server, [{**row, "id": "zz", "onsetDateTime": "1999"}])

    async def run():
        async with working(server) as broker:
            text = duplicates.question("Condition", "Patient/BEB-18", [(Write("create", row), 0)])
            found = (await broker._record.search(text, Asker(SHELL.packages))).resources
            assert (found[0]["id"], len(found)) == ("zz", 100)

    asyncio.run(run())


def test_to_use_what_exists_saves_nothing_and_counts_as_reused(server, working, room):
    async def run():
        async with working(server) as broker:
            User(broker, Answer("use"))
            first = late(4)
            score = Write("create", {**pulse("BEB-18"), "derivedFrom": [{"reference": first.full_url}]})
            score.resource["code"] = {"coding": [{"system": "http://snomed.info/sct", "code": "1104051000000101"}]}
            done = await broker.commit(room, [first, score])
            assert (done.state, len(done.references)) == ("lagret", 1)
            saved = await broker.read(room, done.references[0])
            assert saved["derivedFrom"] == [{"reference": "Observation/puls-BEB-18"}]
            assert (broker.counts().registered, broker.counts().reused) == (1, 1)
            nothing = await broker.commit(room, [late(2)])
            assert (nothing.state, nothing.references, nothing.undoable) == ("lagret", (), False)
            assert broker.counts().reused == 2

    asyncio.run(run())


def test_to_replace_needs_a_reason_and_leaves_the_first_as_entered_in_error(server, working, room):
    async def run():
        async with working(server) as broker:
            user = User(broker, Answer("replace"))
            assert await refused(broker.commit(room, [late(4)])) == "reason-missing"
            user.answer = Answer("replace", "Målt på feil arm")
            done = await broker.commit(room, [late(4)])
            assert done.state == "lagret", done.problem
            assert ids(await broker.search(room, PULSES)) == [done.references[0][12:]]
            (first,) = (await broker.search(room, "Observation?status=entered-in-error")).resources
            assert (first["id"], first["valueQuantity"]["value"]) == ("puls-BEB-18", 72)
            found = server.sign_in("tone").get(f"Provenance?target={done.references[0]}").json()["entry"]
            said = json.dumps([entry["resource"] for entry in found], ensure_ascii=False)
            assert "Målt på feil arm" in said
            assert "Observation/puls-BEB-18" in said

    asyncio.run(run())


def test_what_has_an_unknown_modifier_is_told_of_but_cannot_be_used(server, working, room):
    odd = {"url": "http://ukjent.example/ikke", "valueBoolean": True}

    async def run():
        server.store_put(pulse("BEB-18", "lege", value=81, id="puls-BEB-18", modifierExtension=[odd]))
        async with working(server) as broker:
            for answer in (Answer("use"), Answer("replace", "Feil arm")):
                user = User(broker, answer)
                done = await broker.commit(room, [late(4)])
                ((one,),) = user.asked
                assert (one.usable, one.same, one.existing) == (False, False, facts.SENTENCE)
                assert "valueQuantity" not in one.resource
                assert len(done.references) == 1  # saved as new, and the other one left as it is
                assert "81" not in one.existing
                await broker.undo(done.id)

    asyncio.run(run())


def weight(value, unit, system="http://loinc.org", code="29463-7", **more):
    quantity = {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    coded = {"coding": [{"system": system, "code": code}]}
    return pulse("BEB-18", "tone", code=coded, valueQuantity=quantity, **more)


SNOMED_WEIGHT = {"system": "http://snomed.info/sct", "code": "27113001"}


@pytest.mark.parametrize(
    ("stands", "same"),
    [
        (weight(71500, "g", id="v"), True),
        (weight(71.5, "kg", id="v", **SNOMED_WEIGHT), True),
        (weight(72000, "g", id="v"), False),
        (weight(71.5, "m", id="v"), False),
    ],
)
def test_one_weight_is_one_in_whatever_unit_and_by_whatever_code(server, working, room, stands, same):
    async def run():
        server.store_put(stands)
        async with working(server) as broker:
            user = User(broker)
            assert await refused(broker.commit(room, [Write("create", weight(71.5, "kg"))])) == "exists"
            ((one,),) = user.asked
            assert (one.reference, one.same) == ("Observation/v", same)

    asyncio.run(run())


@pytest.mark.parametrize(("sign", "same"), [(">", True), ("<", False), (None, False)])
def test_two_limits_are_one_when_both_lie_on_the_same_side(server, working, room, sign, same):
    def over(comparator, value, unit, **more):
        made = weight(value, unit, **more)
        made["valueQuantity"] |= {"comparator": comparator} if comparator else {}
        return made

    async def run():
        server.store_put(over(sign, 150000, "g", id="v"))
        async with working(server) as broker:
            user = User(broker)
            assert await refused(broker.commit(room, [Write("create", over(">", 150, "kg"))])) == "exists"
            ((one,),) = user.asked
            assert (one.reference, one.same) == ("Observation/v", same)

    asyncio.run(run())


def test_nobody_is_held_up_when_nobody_asks_or_the_platform_is_away(server, working, room):
    async def run():
        async with working(server) as broker:
            assert (await broker.commit(room, [late(4)])).state == "lagret"  # no one to ask: nothing is looked for
        async with working(server, origin="http://127.0.0.1:9") as broker:
            user = User(broker)
            assert (await broker.commit(room, [late(4)])).state == "venter"
            assert user.asked == []

    asyncio.run(run())


def test_a_note_that_quotes_counts_as_reuse(server, working, room):
    async def run():
        async with working(server) as broker:
            User(broker)
            wrote = await broker.commit(room, note(["Observation/puls-BEB-18"]))
            assert wrote.state == "lagret", wrote.problem
            assert (broker.counts().registered, broker.counts().reused) == (1, 1)

    asyncio.run(run())


def test_the_rules_are_data_and_damaged_ones_are_named(tmp_path):
    rules = Rules.read()
    weight = {"resourceType": "Observation", "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7"}]}}
    assert rules.minutes(weight) == 720
    assert rules.minutes({"resourceType": "Observation", "code": {"coding": [{"code": "ukjent"}]}}) == 10
    assert rules.minutes({"resourceType": "Composition"}) is None
    file = tmp_path / "rules.toml"
    file.write_text("[kind]\nObservation = 'ti'\n")
    with pytest.raises(Problem) as caught:
        Rules.read(file)
    assert caught.value.code == "rules-damaged"
    assert "rules.toml" in caught.value.sentence


def test_codes_have_one_name():
    by_oid = {"code": {"coding": [{"system": "urn:oid:2.16.578.1.12.4.1.1.7170", "code": "T90"}]}}
    by_url = {"code": {"coding": [{"system": "http://hl7.org/fhir/sid/icpc-2", "code": "T90"}]}}
    assert codes_of(by_oid) == codes_of(by_url)


@pytest.mark.parametrize(
    ("moment", "shift"),
    [
        ("2026-01-14T06:59:00", "2026-01-13 natt"),
        ("2026-01-14T07:00:00", "2026-01-14 dag"),
        ("2026-01-14T14:45:00", "2026-01-14 kveld"),
        ("2026-01-14T22:15:00", "2026-01-14 natt"),
        ("2026-01-15T00:10:00", "2026-01-14 natt"),
    ],
)
def test_a_night_belongs_to_the_day_it_began_on(moment, shift):
    assert shift_of(datetime.fromisoformat(moment).replace(tzinfo=OSLO)) == shift


def test_a_shifts_count_outlives_the_program_and_the_next_shift_begins_anew(tmp_path):
    async def run():
        clock = OffsetClock(datetime(2026, 1, 14, 15, 0, tzinfo=OSLO), 0.0, 0.0)
        for many in (1, 2):
            vault = await Vault.open(tmp_path / "v.sqlite", bytes(range(32)), SystemClock())
            tally = Tally(clock, vault, user="Practitioner/tone")
            await tally.start()
            tally.add(3, 1)
            await tally.close()
            assert tally.now() == (3 * many, many)
            await vault.close()
        clock.set(datetime(2026, 1, 14, 23, 0, tzinfo=OSLO), 0.0)
        assert tally.now() == (0, 0)
        tally = Tally(clock, None)
        tally.add(1, 0)
        assert tally.shifts() == {"2026-01-14 natt": (1, 0)}

    asyncio.run(run())


def test_a_whole_set_is_one_question_to_the_platform(server, working, room):
    async def run():
        async with working(server) as broker:
            User(broker, Answer("new"))
            asked = []
            get = broker._record.client.get

            async def counted(path, asker):
                asked.append(path)
                return await get(path, asker)

            broker._record.client.get = counted
            many = [late(4)]
            for code in ("9279-1", "2708-6", "8310-5"):
                one = late(4)
                one.resource["code"] = {"coding": [{"system": "http://loinc.org", "code": code}]}
                many.append(one)
            assert (await broker.commit(room, many)).state == "lagret"
            assert len(asked) == 1, asked

    asyncio.run(run())
