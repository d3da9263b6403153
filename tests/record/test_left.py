"""What leaves this person's sight leaves the screen, and what is kept for when the platform is away."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.conftest import pulse
from tests.record.test_offline import PULSES, about, until, values, working


@pytest.mark.parametrize("into", ["BEB-19", "BEB-01"], ids=["hers too", "a stranger"])
def test_a_reading_that_is_moved_to_another_patient_leaves_this_chart(server, tmp_path, into):
    async def run():
        async with working(server, tmp_path / "p") as broker:
            heard = []
            broker.watch(about(), PULSES, heard.append)
            await until(lambda: heard and heard[-1].whole)
            server.store_put({**pulse(into, "lege"), "id": "puls-BEB-18"})
            await until(lambda: heard[-1].gone == ("Observation/puls-BEB-18",))
            assert values(await broker.search(about(), PULSES)) == []

    asyncio.run(run())
