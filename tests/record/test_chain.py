"""Writes that rest on each other while the platform is away: nothing overtakes, nothing is lost, nothing silently undone."""

from __future__ import annotations

import asyncio
import json
import time
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.record.test_outbox import ASKER, NOWHERE, in_front_of, outbox_at, token_of, until
from workspace.access import seal
from workspace.problem import Problem
from workspace.record import patience
from workspace.record.client import Client, seconds_after
from workspace.record.items import Form
from workspace.record.patience import Patience

pytestmark = pytest.mark.usefixtures("impatient")


def note(name="", **more):
    """A pulse of Tone's with a note, as the platform has it or about to be made."""
    return pulse("BEB-18", value=70, **more) | ({"id": name} if name else {})


def quantity(value):
    return {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}


def updating(resource, version, **changes):
    changed = {**resource, **changes}
    name = f"{resource['resourceType']}/{resource['id']}"
    request = {"method": "PUT", "url": name, "ifMatch": f'W/"{version}"'}
    entry = {"fullUrl": name, "resource": changed, "request": request}
    return {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}


async def made(server, outbox=None):
    """A new Observation of Tone's on the platform."""
    answer = server.sign_in("tone").send(bundle(pulse("BEB-18", value=70)), str(uuid4()))
    return answer.json()["entry"][0]["resource"]


def now(server, resource):
    return server.sign_in("tone").get(f"Observation/{resource['id']}").json()


def versions(server, resource):
    rows = server.sign_in("tone").get(f"Observation/{resource['id']}/_history").json()["entry"]
    return [row["resource"]["meta"]["versionId"] for row in rows]


def naming(name, value=90):
    return bundle({**pulse("BEB-18", value=value), "derivedFrom": [{"reference": name}]})


BAD = {**pulse("BEB-18", value=55)}
del BAD["status"]


@pytest.mark.parametrize("kept_base", [True, False], ids=["base kept", "base fetched"])
def test_two_offline_updates_of_one_resource_chain_and_undo_nothing(server, tmp_path, kept_base):
    """The second was typed from the same version as the first: what only the first changed must stay."""

    async def run():
        there = await made(server)
        name = f"Observation/{there['id']}"
        bases = {name: there} if kept_base else {}
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            await outbox.commit(
                updating(there, 1, note=[{"text": "først"}]), "Patient/BEB-18", ASKER, 0.02, bases=bases
            )
            second = quantity(75)
            await outbox.commit(updating(there, 1, valueQuantity=second), "Patient/BEB-18", ASKER, 0.02, bases=bases)
            third = quantity(76)
            await outbox.commit(updating(there, 1, valueQuantity=third), "Patient/BEB-18", ASKER, 0.02, bases=bases)
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert outbox.refused() == ()
        after = now(server, there)
        assert (after["note"], after["valueQuantity"]["value"]) == ([{"text": "først"}], 76)
        assert versions(server, there) == ["4", "3", "2", "1"]

    asyncio.run(run())


def test_a_colleagues_change_between_is_a_conflict_and_the_chain_behind_it_waits_in_sight(server, tmp_path):
    async def run():
        there = await made(server)
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            for value in (71, 72):
                body = updating(there, 1, valueQuantity=quantity(value))
                await outbox.commit(body, "Patient/BEB-18", ASKER, 0.02)
        server.store_put({**there, "valueQuantity": quantity(99)})
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            await until(lambda: outbox.refused())
            await until(lambda: any(one.held for one in outbox.items()))
            first, second = outbox.items()
            assert (first.state, second.state, second.held) == ("konflikt", "venter", True)
            assert "konflikt" in second.problem.sentence
            assert outbox.marks()[f"Observation/{there['id']}"].state == "venter"
            assert now(server, there)["valueQuantity"]["value"] == 99
            other = await outbox.commit(bundle(pulse("BEB-18", value=60)), "Patient/BEB-18", ASKER)
            assert other.state == "lagret"  # what rests on nothing goes past
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            assert [one.held for one in outbox.items()] == [False, True]
            await outbox.forget(first.id)  # given up: the second stands alone now, and meets the colleague itself
            await until(lambda: [one.state for one in outbox.items()] == ["konflikt"])

    asyncio.run(run())


@pytest.mark.parametrize(
    ("theirs", "state"), [({"status": "cancelled"}, "konflikt"), ({"bodySite": {"text": "håndledd"}}, "lagret")]
)
def test_what_may_not_be_joined_first_in_line_may_not_be_joined_behind_another(server, tmp_path, theirs, state):
    """The first of two is joined with a colleague's change; the second changes the value that she has called off."""

    async def run():
        there = await made(server)
        bases = {f"Observation/{there['id']}": there}
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            for mine in ({"note": [{"text": "først"}]}, {"valueQuantity": quantity(75)}):
                await outbox.commit(updating(there, 1, **mine), "Patient/BEB-18", ASKER, 0.02, bases=bases)
        server.store_put({**there, **theirs})
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert [one.state for one in outbox.refused()] == [state] * (state != "lagret")
        after = now(server, there)
        assert after["note"] == [{"text": "først"}]
        assert after["valueQuantity"]["value"] == (75 if state == "lagret" else 70)
        assert theirs.items() <= after.items()

    asyncio.run(run())


def test_what_its_author_called_off_does_not_hold_again_because_it_was_open_elsewhere(server, tmp_path):
    async def run():
        there = await made(server)
        bases = {f"Observation/{there['id']}": there}
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            for mine in ({"status": "entered-in-error"}, {"note": [{"text": "fra det andre skjemaet"}]}):
                await outbox.commit(updating(there, 1, **mine), "Patient/BEB-18", ASKER, 0.02, bases=bases)
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            assert [one.state for one in outbox.items()] == ["konflikt"]
        assert now(server, there)["status"] == "entered-in-error"
        assert "note" not in now(server, there)

    asyncio.run(run())


def test_what_rests_on_a_refused_create_is_held_and_goes_when_the_form_is_mended(server, tmp_path):
    async def run():
        first = bundle(BAD)
        name = first["entry"][0]["fullUrl"]
        form = Form("nordlys.vitals", "1.0.0", "vitals", "vitals-1", {"pulse": "55"}, 7, 1, {"pulse": None})
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            refused = await outbox.commit(first, "Patient/BEB-18", ASKER, 0.02, form=form)
            held = await outbox.commit(naming(name), "Patient/BEB-18", ASKER, 0.02)
        async with in_front_of(server) as (front, origin):
            async with outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox:
                await until(lambda: outbox.refused())
                late = await outbox.commit(naming(held.bundle["entry"][0]["fullUrl"]), "Patient/BEB-18", ASKER)
                assert (late.state, late.problem.code) == ("venter", "held")
                assert [key for key, _ in front.asked] == [refused.id]  # nothing of what rests on it was sent
            async with outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox:
                (again,) = outbox.refused()
                assert (again.form.view, again.form.values) == ("vitals", {"pulse": "55"})
                assert again.form.changes == {"pulse": None}
                assert [one.held for one in outbox.items()] == [False, True, True]
                mended = await outbox.commit(
                    bundle(pulse("BEB-18", value=55)), "Patient/BEB-18", ASKER, 8.0, replaces=again.id
                )
                assert mended.state == "lagret"
                await until(lambda: outbox.unsent() == 0)
                assert outbox.items() == ()
        became = f"Observation/{mended.answer['entry'][0]['resource']['id']}"
        rests = json.loads(front.asked[-2][1])["entry"][0]["resource"]["derivedFrom"]
        assert rests == [{"reference": became}]

    asyncio.run(run())


def test_giving_up_a_refused_create_refuses_what_rests_on_it_in_sight(server, tmp_path):
    async def run():
        first = bundle(BAD)
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            refused = await outbox.commit(first, "Patient/BEB-18", ASKER)
            held = await outbox.commit(naming(first["entry"][0]["fullUrl"]), "Patient/BEB-18", ASKER)
            assert held.state == "venter"
            await outbox.forget(refused.id)
            (left,) = outbox.refused()
            assert (left.id, left.state, left.problem.code) == (held.id, "avvist", "base-gone")
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            assert [one.id for one in outbox.refused()] == [held.id]
            await outbox.forget(held.id)
            assert outbox.items() == ()

    asyncio.run(run())


@pytest.mark.parametrize("asked", ["outcomes", "history"])
def test_a_version_that_was_our_own_is_no_conflict(server, tmp_path, monkeypatch, asked):
    """The write was done and its answer lost; whoever answers the repeat does not know it and says 412."""
    if asked == "history":  # a platform that keeps no outcomes

        async def nothing(self, key):
            return None

        monkeypatch.setattr(Client, "outcome", nothing)

    async def run():
        there = await made(server)
        body = updating(there, 1, valueQuantity=quantity(71))
        body["entry"].append(bundle(pulse("BEB-18", value=72))["entry"][0])
        async with (
            in_front_of(server, "412") as (_, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            item = await outbox.commit(body, "Patient/BEB-18", ASKER, 8.0)
            assert item.state == "lagret"
            resources = [entry["resource"] for entry in item.answer["entry"]]
            assert [one["valueQuantity"]["value"] for one in resources] == [71, 72]
            assert resources[0]["meta"]["versionId"] == "2"
        assert versions(server, there) == ["2", "1"]

    asyncio.run(run())


@pytest.mark.parametrize("mode", ["429", "503"])
def test_the_platforms_own_pause_is_kept(server, tmp_path, mode):
    async def run():
        async with (
            in_front_of(server, mode) as (front, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            began = time.monotonic()
            waiting = await outbox.commit(bundle(pulse("BEB-18", value=81)), "Patient/BEB-18", ASKER, 0.3)
            assert waiting.state == "venter"
            outbox.wake()  # not even a returning network is a reason to come early
            await until(lambda: outbox.unsent() == 0)
            assert time.monotonic() - began >= 1.0
            assert len(front.asked) == 2

    asyncio.run(run())


def test_a_network_that_is_back_ends_the_pause(server, tmp_path, monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 60.0)

    async def run():
        async with (
            in_front_of(server, "refuse") as (front, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            await outbox.commit(bundle(pulse("BEB-18", value=81)), "Patient/BEB-18", ASKER, 0.1)
            await until(lambda: front.asked)
            await asyncio.sleep(0.05)
            outbox.wake()
            await until(lambda: outbox.unsent() == 0)

    asyncio.run(run())


def test_pauses_grow_are_uneven_and_bounded():
    waits = Patience(1.0, 8.0)
    assert [waits.next(None, lambda low, high: high) for _ in range(6)] == [1.0, 2.0, 4.0, 8.0, 8.0, 8.0]
    found = {round(Patience(1.0, 8.0).next(), 6) for _ in range(40)}
    assert len(found) > 20
    assert all(0.5 <= each <= 1.0 for each in found)


def test_retry_after_is_seconds_or_a_date():
    from datetime import UTC, datetime

    there = datetime(2026, 1, 14, 12, 0, 0, tzinfo=UTC)
    assert seconds_after("120", there) == 120.0
    assert seconds_after("Wed, 14 Jan 2026 12:01:30 GMT", there) == 90.0
    assert [seconds_after(text, there) for text in ("", "soon", "-5", "Wed, 14 Jan 2026 11:00:00 GMT")] == [0.0] * 4


def test_a_unit_panels_write_waits_its_turn_among_the_patients_own(server, tmp_path):
    """First in, first out is per patient, whatever panel wrote."""

    async def run():
        async with (
            in_front_of(server, "hang") as (front, origin),
            outbox_at(tmp_path / "v.sqlite", origin, token_of(server)) as outbox,
        ):
            await outbox.commit(bundle(pulse("BEB-18", value=1)), "Patient/BEB-18", ASKER, 0.1)
            await outbox.commit(bundle(pulse("BEB-18", value=2)), "Organization/havblikk", ASKER, 0.1)
            other = await outbox.commit(bundle(pulse("BEB-19", value=3)), "Organization/havblikk", ASKER)
            assert other.state == "lagret"
            assert len(front.asked) == 2

    asyncio.run(run())


def test_what_waits_is_sealed_by_its_author_and_not_sent_when_somebody_changed_it(server, tmp_path):
    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            item = await outbox.commit(bundle(pulse("BEB-18", value=81)), "Patient/BEB-18", ASKER, 0.02)
            seal.verify(item.seal, transaction=item.id, author="Practitioner/tone", content=item.sent)

            def tamper(database):
                database.execute("UPDATE outbox SET body = replace(body, '81', '18')")

            await outbox._vault.run(tamper)
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            (refused,) = outbox.refused()
            assert (refused.state, refused.problem.code) == ("avvist", "seal-broken")
            assert outbox.unsent() == 0
        assert server.sign_in("tone").ids("Observation?patient=BEB-18&value-quantity=18") == set()

    asyncio.run(run())


def test_a_seal_is_of_one_transaction_one_author_one_content():
    key = seal.SessionKey.new()
    content = b'{"resourceType": "Bundle", "entry": [{"resource": {"text": "Sov godt, 1.50"}}]}'
    made = seal.SessionKey.seal(key, content, transaction="t1", author="Practitioner/tone", made="2026-01-14")
    seal.verify(json.loads(json.dumps(made)), transaction="t1", author="Practitioner/tone", content=content)
    stranger = seal.SessionKey.new().seal(content, transaction="t1", author="Practitioner/tone", made="2026-01-14")
    for envelope, more in (
        (made, {"transaction": "t2"}),
        (made, {"author": "Practitioner/lege"}),
        (made, {"content": content.replace(b"1.50", b"1.5")}),
        ({**made, "packages": ["annen.pakke@1.0.0"]}, {}),
        ({**made, "purpose": "BTG"}, {}),
        ({**made, "made": "2026-01-15"}, {}),
        ({**made, "signature": stranger["signature"]}, {}),
        ({**made, "key": stranger["key"]}, {}),
        ({}, {}),
    ):
        with pytest.raises(Problem) as caught:
            seal.verify(envelope, **{"transaction": "t1", "author": "Practitioner/tone", "content": content, **more})
        assert caught.value.code == "seal-broken"


def test_what_an_older_program_left_waiting_is_sent(server, tmp_path):
    """Bodies without form, bases, seal and key, as the first version wrote them."""

    async def run():
        file = tmp_path / "v.sqlite"
        async with outbox_at(file, NOWHERE) as outbox:
            body = {
                "bundle": bundle(pulse("BEB-18", value=77)),
                "packages": ["nordlys.vitals@1.0.0"],
                "purpose": "TREAT",
            }
            bad = {**body, "bundle": bundle(BAD), "problem": ["rejected", "Målingen mangler status.", "", ""]}

            def write(database):
                for own, state, kept in ((str(uuid4()), "venter", body), (str(uuid4()), "avvist", bad)):
                    row = (own, "Practitioner/tone", "BEB-18", state, json.dumps(kept), "2026-01-14T14:45:00+01:00")
                    query = "INSERT INTO outbox (id, user, patient, state, body, made) VALUES (?, ?, ?, ?, ?, ?)"
                    database.execute(query, row)

            await outbox._vault.run(write)
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            await until(lambda: outbox.unsent() == 0)
            (refused,) = outbox.refused()
            assert (refused.state, refused.problem.sentence) == ("avvist", "Målingen mangler status.")
            assert refused.form == Form()

    asyncio.run(run())
