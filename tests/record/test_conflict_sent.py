"""Two change the same on a real platform: asked, joined and chosen, with both in the history."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.conftest import Server, bundle
from tests.record.test_chain import made, now, quantity, updating, versions
from tests.record.test_conflict import ALLERGY, paths, verified
from tests.record.test_outbox import ASKER, in_front_of, outbox_at, token_of, until
from workspace.fhir.service import FhirRequest
from workspace.problem import Problem

pytestmark = pytest.mark.usefixtures("impatient")


@pytest.fixture
def server(tmp_path):
    found = Server(tmp_path).start()
    yield found
    found.stop()


def by_the_doctor(server, there, **changes):
    """A colleague's change, made on another workstation."""
    body = updating({**there, "performer": [*there["performer"], {"reference": "Practitioner/lege"}]}, 1, **changes)
    answer = server.sign_in("lege").send(body, "5e1f0a52-0000-4000-8000-000000000001")
    assert answer.status_code == 200, answer.text


def test_a_conflict_names_both_authors_and_the_choice_is_written_with_both_in_the_history(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, valueQuantity=quantity(99), note=[{"text": "målt på nytt"}])
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            mine = updating(there, 1, valueQuantity=quantity(71), bodySite={"text": "håndledd"})
            item = await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert item.state == "konflikt"
            (shown,) = await outbox.conflicts()
            (one,) = shown.resources
            assert (shown.id, one.name, shown.automatic) == (item.id, name, False)
            sides = paths(one.comparison)
            assert (sides["valueQuantity"], sides["note"], sides["bodySite"]) == ("both", "theirs", "mine")
            assert (one.mine_by.reference, one.theirs_by.reference) == ("Practitioner/tone", "Practitioner/lege")
            assert one.theirs_by.at == one.theirs["meta"]["lastUpdated"]
            assert one.mine_by.at == item.made
            with pytest.raises(Problem) as caught:
                await outbox.resolve(shown, {})
            assert caught.value.code == "choice-missing"
            done = await outbox.resolve(shown, {name: {"valueQuantity": "theirs"}}, 8.0)
            assert done.state == "lagret", done.problem
            assert outbox.items() == ()
        after = now(server, there)
        assert after["valueQuantity"]["value"] == 99
        assert (after["bodySite"]["text"], after["note"]) == ("håndledd", [{"text": "målt på nytt"}])
        assert versions(server, there) == ["3", "2", "1"]
        tone = server.sign_in("tone")
        (kept,) = [
            entry["resource"] for entry in tone.get(f"Provenance?target={name}").json()["entry"]
            if entry["resource"].get("contained")
        ]  # fmt: skip
        assert kept["contained"][0]["valueQuantity"]["value"] == 71  # what Tone gave up
        assert kept["agent"][0]["who"]["reference"] == "Practitioner/tone"

    asyncio.run(run())


def test_to_keep_mine_makes_theirs_a_former_version(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, valueQuantity=quantity(99))
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            item = await outbox.commit(updating(there, 1, valueQuantity=quantity(71)), "Patient/BEB-18", ASKER, 8.0)
            assert item.state == "konflikt"
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            (shown,) = await outbox.conflicts()
            done = await outbox.resolve(shown, {name: {"valueQuantity": "mine"}}, 8.0)
            assert done.state == "lagret", done.problem
            assert await outbox.conflicts() == ()
            with pytest.raises(Problem) as caught:
                await outbox.resolve(shown, {})
            assert caught.value.code == "not-in-conflict"
        assert now(server, there)["valueQuantity"]["value"] == 71
        former = server.sign_in("tone").get(f"{name}/_history/2").json()
        assert former["valueQuantity"]["value"] == 99

    asyncio.run(run())


def test_what_can_stand_together_is_joined_without_asking(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, note=[{"text": "hvilepuls"}])
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            mine = updating(there, 1, valueQuantity=quantity(71))
            item = await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert item.state == "lagret", item.problem
            assert outbox.items() == ()
            # and the very same change by both is nobody's conflict
            after = now(server, there)
            same = {**after, "bodySite": {"text": "håndledd"}}
            hers = updating(same, after["meta"]["versionId"])
            assert server.sign_in("lege").send(hers, "5e1f0a52-0000-4000-8000-000000000002").status_code == 200
            item = await outbox.commit(hers, "Patient/BEB-18", ASKER, 8.0, bases={name: after})
            assert item.state == "lagret", item.problem
        after = now(server, there)
        assert (after["valueQuantity"]["value"], after["note"][0]["text"]) == (71, "hvilepuls")
        assert {one["reference"] for one in after["performer"]} == {"Practitioner/tone", "Practitioner/lege"}
        assert versions(server, there) == ["4", "3", "2", "1"]

    asyncio.run(run())


def test_two_notes_that_are_joined_leave_nothing_chosen_away(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, note=[{"text": "hennes"}])
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            mine = updating(there, 1, note=[{"text": "min"}])
            item = await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert item.state == "lagret", item.problem
        assert [each["text"] for each in now(server, there)["note"]] == ["hennes", "min"]
        written = server.sign_in("tone").get(f"Provenance?target={name}").json().get("entry", [])
        assert [each for each in written if each["resource"].get("contained")] == []

    asyncio.run(run())


def test_a_joined_change_survives_a_lost_answer_and_a_kill(server, tmp_path):
    """Joined, sent under its new key, answered, and the answer lost: the next start sends it again as it was joined."""

    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, note=[{"text": "hvilepuls"}])
        async with in_front_of(server, "", "drop", "refuse") as (front, origin):
            async with outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox:
                mine = updating(there, 1, valueQuantity=quantity(71))
                await outbox.commit(mine, "Patient/BEB-18", ASKER, 0.05, bases={name: there})
                await until(lambda: len(front.asked) >= 2)
            async with outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox:
                await until(lambda: outbox.unsent() == 0)
                assert outbox.refused() == ()
            keys = [key for key, _ in front.asked]
            assert keys[0] != keys[1]
            assert set(keys[1:]) == {keys[1]}
        assert versions(server, there) == ["3", "2", "1"]

    asyncio.run(run())


def test_an_allergy_that_a_colleague_called_off_is_not_written_with_what_was_added_to_it(server, tmp_path):
    async def run():
        lege = server.sign_in("lege")
        who = {"recorder": {"reference": "Practitioner/lege"}, "patient": {"reference": "Patient/BEB-18"}}
        fresh = {key: value for key, value in ALLERGY.items() if key != "id"} | who
        there = lege.send(bundle(fresh), "5e1f0a52-0000-4000-8000-000000000004").json()["entry"][0]["resource"]
        name = f"AllergyIntolerance/{there['id']}"
        back = updating(
            {key: value for key, value in there.items() if key != "clinicalStatus"}, 1, **verified("entered-in-error")
        )
        assert lege.send(back, "5e1f0a52-0000-4000-8000-000000000005").status_code == 200
        mine = updating(
            there, 1, note=[{"text": "Anafylaksi på legevakten"}], recorder={"reference": "Practitioner/tone"}
        )
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            item = await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert item.state == "konflikt"
            chosen = {"verificationStatus[x]": "theirs", "note": "mine", "recorder": "mine"}
            (shown,) = await outbox.conflicts()
            done = await outbox.resolve(shown, {name: chosen}, 8.0)
            assert done.state == "lagret", done.problem
        after = server.sign_in("tone").get(name).json()
        assert (after["note"], "clinicalStatus" in after) == (mine["entry"][0]["resource"]["note"], False)

    asyncio.run(run())


def test_a_conflict_that_the_other_one_has_settled_meanwhile_can_be_settled(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, valueQuantity=quantity(99))
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            mine = updating(there, 1, valueQuantity=quantity(71))
            item = await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert item.state == "konflikt"
            hers = updating(now(server, there), 2, valueQuantity=quantity(71))
            assert server.sign_in("lege").send(hers, "5e1f0a52-0000-4000-8000-000000000003").status_code == 200
            (shown,) = await outbox.conflicts()
            done = await outbox.resolve(shown, {}, 8.0)
            assert done.state == "lagret", done.problem
            assert outbox.items() == ()
        assert now(server, there)["valueQuantity"]["value"] == 71

    asyncio.run(run())


@pytest.mark.parametrize("later", [{"valueQuantity": quantity(38)}, {"status": "cancelled"}])
@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_a_choice_is_about_the_versions_that_were_shown(server, tmp_path, choice, later):
    """The doctor changes it once more while Tone looks: nobody has seen that beside her own."""

    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, valueQuantity=quantity(99))
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            mine = updating(there, 1, valueQuantity=quantity(71))
            await outbox.commit(mine, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            (shown,) = await outbox.conflicts()
            server.store_put({**now(server, there), **later})
            with pytest.raises(Problem) as caught:
                await outbox.resolve(shown, {name: {"valueQuantity": choice}}, 8.0)
            assert caught.value.code == "conflict-moved"
            assert later.items() <= now(server, there).items(), "it stands until somebody has chosen"
            (shown,) = await outbox.conflicts()
            done = await outbox.resolve(shown, {name: {"valueQuantity": choice}}, 8.0)
            assert done.state == "lagret", done.problem

    asyncio.run(run())


def test_a_conflict_about_what_is_removed_meanwhile_is_refused_in_sight_and_holds_nothing_up(server, tmp_path):
    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        by_the_doctor(server, there, valueQuantity=quantity(99))
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            for value in (71, 72):
                body = updating(there, 1, valueQuantity=quantity(value))
                await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0, bases={name: there})
            assert [(one.state, one.held) for one in outbox.items()] == [("konflikt", False), ("venter", True)]
            removed = server.store.handle(FhirRequest("DELETE", name))
            await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(removed, server.loop))
            assert await outbox.conflicts() == ()
            await until(lambda: outbox.unsent() == 0)
            assert [one.state for one in outbox.items()] == ["avvist", "avvist"]
            assert outbox.items()[0].problem.code == "resource-gone"
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            assert [one.state for one in outbox.items()] == ["avvist", "avvist"]

    asyncio.run(run())
