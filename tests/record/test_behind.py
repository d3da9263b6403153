"""What waits behind an item that was done is written anew once, on the right version, and never while it may be there."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.record.test_chain import made, now, quantity, updating, versions
from tests.record.test_outbox import ASKER, NOWHERE, endpoints, outbox_at, stored, token_of, until
from workspace.problem import Problem
from workspace.record.client import PlatformProblem, away

pytestmark = pytest.mark.usefixtures("impatient")


def gone(*_, **__):
    raise away("ConnectError")


@pytest.mark.parametrize("problem", [PlatformProblem("platform-failed", "x", status=503), Problem("signed-out", "x")])
@pytest.mark.parametrize("first", [{"note": [{"text": "først"}]}, {"valueQuantity": quantity(74)}])
def test_a_version_that_cannot_be_had_just_now_makes_the_second_erase_nothing(server, tmp_path, problem, first):
    async def run():
        there = await made(server)
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            for change in (first, {"valueQuantity": quantity(75)}):
                await outbox.commit(updating(there, 1, **change), "Patient/BEB-18", ASKER, 0.02)
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE, token_of(server)) as outbox:
            real, failed = outbox._client.get, []

            async def get(path, asker):
                if "_history/1" in path and not failed:
                    failed.append(path)
                    raise problem
                return await real(path, asker)

            outbox._client.get = get
            outbox._client._endpoints = endpoints(server.url)
            await until(lambda: outbox.unsent() == 0)
            assert failed
            assert outbox.items() == ()
        assert {**first, "valueQuantity": quantity(75)}.items() <= now(server, there).items()
        assert versions(server, there) == ["3", "2", "1"]

    asyncio.run(run())


def test_the_third_in_a_row_stands_upon_both_when_the_version_could_not_be_had_twice(server, tmp_path):
    async def run():
        there = await made(server)
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE) as outbox:
            for change in (
                {"note": [{"text": "først"}]},
                {"valueQuantity": quantity(75)},
                {"valueQuantity": quantity(76)},
            ):
                await outbox.commit(updating(there, 1, **change), "Patient/BEB-18", ASKER, 0.02)
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE, token_of(server)) as outbox:
            real, failed = outbox._client.get, []

            async def get(path, asker):
                if "_history/1" in path and len(failed) < 2:
                    failed.append(path)
                    raise PlatformProblem("platform-failed", "x", status=503)
                return await real(path, asker)

            outbox._client.get = get
            outbox._client._endpoints = endpoints(server.url)
            await until(lambda: outbox.unsent() == 0)
            assert (len(failed), outbox.items()) == (2, ())
        after = now(server, there)
        assert (after["note"], after["valueQuantity"]["value"]) == ([{"text": "først"}], 76)

    asyncio.run(run())


def test_what_may_be_there_already_is_asked_about_before_it_is_written_anew(server, tmp_path):
    """The second was done and its answer lost; the first, refused before, is mended now and goes in front of it."""

    async def run():
        there = await made(server)
        name, file = f"Observation/{there['id']}", tmp_path / "v.sqlite"
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            bad = updating(there, 1)
            del bad["entry"][0]["resource"]["status"]
            refused = await outbox.commit(bad, "Patient/BEB-18", ASKER, 5.0, bases={name: there})
            assert refused.state == "avvist"
            real = outbox._client.transaction

            async def lost(content, key, asker, **more):
                await real(content, key, asker, **more)
                outbox._client.transaction = gone
                raise away("ReadError")

            outbox._client.transaction = lost
            second = updating(there, 1, note=[{"text": "sov"}])
            second["entry"] += bundle(pulse("BEB-18", value=55))["entry"]
            await outbox.commit(second, "Patient/BEB-18", ASKER, 0.3, bases={name: there})
            mended = updating(there, 1, bodySite={"text": "håndledd"})
            again = await outbox.commit(mended, "Patient/BEB-18", ASKER, 0.3, bases={name: there}, replaces=refused.id)
            assert again.state == "venter"
        async with outbox_at(file, server.url, token_of(server)) as outbox:
            await until(lambda: all(one.state != "venter" for one in outbox.items()))
            assert outbox.items() == (), "all of it is there"
        assert (now(server, there)["note"], now(server, there)["bodySite"]) == ([{"text": "sov"}], {"text": "håndledd"})
        assert stored(server).count(55) == 1

    asyncio.run(run())


def test_two_that_end_at_once_both_give_their_name_to_a_third(server, tmp_path):
    """They are about two residents; what rests on both is about the first."""

    async def run():
        one, other = bundle(pulse("BEB-18", value=61)), bundle(pulse("BEB-19", value=62))
        both = [{"reference": sent["entry"][0]["fullUrl"]} for sent in (one, other)]
        async with outbox_at(tmp_path / "v.sqlite", NOWHERE, token_of(server)) as outbox:
            outbox._client.transaction, real = gone, outbox._client.transaction
            await outbox.commit(one, "Patient/BEB-18", ASKER, 0.02)
            await outbox.commit(other, "Patient/BEB-19", ASKER, 0.02)
            third = bundle(pulse("BEB-18", value=63, derivedFrom=both))
            third = await outbox.commit(third, "Patient/BEB-18", ASKER, 0.02)
            first, second = outbox.items()[:2]
            await asyncio.gather(*(outbox._end(done(item)) for item in (first, second)))
            names = [each["reference"] for each in outbox.item(third.id).bundle["entry"][0]["resource"]["derivedFrom"]]
            assert names == ["Observation/BEB-18", "Observation/BEB-19"]
            outbox._client.transaction = real

    asyncio.run(run())


def done(item):
    made_there = {"resourceType": "Observation", "id": item.patient.partition("/")[2]}
    return replace(item, state="lagret", answer={"entry": [{"resource": made_there}]})
