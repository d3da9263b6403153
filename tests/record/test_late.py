"""A workstation that starts before its platform answers: what it asked meanwhile is not taken for what holds now."""

from __future__ import annotations

import asyncio

import pytest

from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import pulse
from tests.record.test_offline import PULSES, about, until, values, working
from workspace.record import record as record_module


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)


def test_a_change_between_the_first_fetch_and_the_feeds_first_hello_is_not_lost(server, tmp_path):
    async def run():
        held = lambda request: "delay" if request.path.startswith("/changes") else ""  # noqa: E731
        port = int(server.url.rpartition(":")[2])
        async with (
            FaultProxy("127.0.0.1", port, held, delay=1.5) as proxy,
            working(server, tmp_path / "p", origin=proxy.url) as broker,
        ):
            heard = []
            broker.watch(about(), PULSES, heard.append)
            await until(lambda: heard and heard[-1].whole)
            assert values(heard[-1].whole) == [72]
            server.store_put({**pulse("BEB-18", "lege", 140), "id": "puls-BEB-18"})
            await until(lambda: [row["valueQuantity"]["value"] for _, row in heard[-1].put] == [140])

    asyncio.run(run())


def test_what_failed_before_the_first_hello_is_asked_again_with_it(server, tmp_path):
    async def run():
        port = int(server.url.rpartition(":")[2])
        async with FaultProxy("127.0.0.1", port) as proxy:
            proxy.down = True
            async with working(server, tmp_path / "p", origin=proxy.url) as broker:
                heard = []
                broker.watch(about(), PULSES, heard.append)
                await until(lambda: heard and heard[-1].error)
                (live,) = broker._record._queries._lives.values()
                live.failures = 5  # as after a minute: the next try of its own is half a minute away
                await until(lambda: live.failures > 5 and live.again)
                proxy.down = False
                await until(lambda: heard[-1].whole and not heard[-1].error)

    asyncio.run(run())
