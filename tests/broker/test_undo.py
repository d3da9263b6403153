"""Undo of an update that was sent on top of another version than it was typed from takes back only what it wrote itself."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

from tests.broker.conftest import grant
from tests.broker.test_pending import creating
from tests.gateway.conftest import pulse
from workspace.broker import context
from workspace.broker.door import Write


def test_undo_leaves_the_colleagues_change(server, working, until):
    async def run():
        async with working(server) as tone, working(server, "lege") as doctor:
            mine, hers = (grant(context.for_patient("Patient/BEB-18")) for _ in range(2))
            both = [{"reference": f"Practitioner/{who}"} for who in ("tone", "lege")]  # they measured it together
            server.store_put(pulse("BEB-18", value=81, performer=both, id="felles"))
            name = "Observation/felles"
            there = await tone.read(mine, name)
            await tone.search(mine, "Observation?code=8867-4&_sort=-date")
            other = {**there, "bodySite": {"text": "håndledd"}}
            assert (await doctor.commit(hers, [Write("update", other, if_match="1")])).state == "lagret"
            late = {**there, "note": [{"text": "sov"}]}
            receipt = await tone.commit(mine, [Write("update", late, if_match="1")])
            assert receipt.state == "lagret", receipt.problem
            now = server.sign_in("tone").get(name).json()
            assert (now["meta"]["versionId"], now["bodySite"]["text"], now["note"][0]["text"]) == (
                "3",
                "håndledd",
                "sov",
            )
            back = await tone.undo(receipt.id)
            now = server.sign_in("tone").get(name).json()
            assert back.state == "lagret"
            assert "note" not in now
            assert now.get("bodySite") == {"text": "håndledd"}, "the doctor's change went with it"

    asyncio.run(run())


def test_undo_of_the_second_of_two_leaves_the_first(server, working, until):
    """Both typed while the platform was away, from the same version."""

    async def run():
        async with working(server) as tone:
            mine = grant(context.for_patient("Patient/BEB-18"))
            name = (await tone.commit(mine, [creating(81)])).references[0]
            there = await tone.read(mine, name)
            await tone.search(mine, "Observation?code=8867-4&_sort=-date")
            client = tone._outbox._client
            real, client._endpoints = client._endpoints, SimpleNamespace(fhir="http://127.0.0.1:9/fhir")
            tone._outbox._away = lambda: True
            first = await tone.commit(mine, [Write("update", {**there, "note": [{"text": "sov"}]}, if_match="1")])
            second = await tone.commit(
                mine, [Write("update", {**there, "bodySite": {"text": "håndledd"}}, if_match="1")]
            )
            assert (first.state, second.state) == ("venter", "venter")
            client._endpoints = real
            tone._outbox._away = lambda: False
            tone._outbox.wake()
            await until(lambda: tone._outbox.unsent() == 0)
            now = server.sign_in("tone").get(name).json()
            assert (now["meta"]["versionId"], now["bodySite"]["text"], now["note"][0]["text"]) == (
                "3",
                "håndledd",
                "sov",
            )
            back = await tone.undo(second.id)
            now = server.sign_in("tone").get(name).json()
            assert back.state == "lagret"
            assert "bodySite" not in now
            assert now.get("note") == [{"text": "sov"}], "the first one's note went with it"

    asyncio.run(run())


def test_what_a_colleague_wrote_just_so_is_not_ones_own_to_take_back(server, working):
    async def run():
        async with working(server) as tone, working(server, "lege") as doctor:
            mine, hers = (grant(context.for_patient("Patient/BEB-18")) for _ in range(2))
            both = [{"reference": f"Practitioner/{who}"} for who in ("tone", "lege")]
            server.store_put(pulse("BEB-18", value=81, performer=both, id="felles"))
            there = await tone.read(mine, "Observation/felles")
            await tone.search(mine, "Observation?code=8867-4&_sort=-date")
            same = Write("update", {**there, "note": [{"text": "sov"}]}, if_match="1")
            assert (await doctor.commit(hers, [same])).state == "lagret"
            receipt = await tone.commit(mine, [same])
            assert (receipt.state, receipt.undoable) == ("lagret", False)

    asyncio.run(run())
