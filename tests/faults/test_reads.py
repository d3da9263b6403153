"""Reads over a bad network: what can be asked again is, what cannot is said in a sentence, a live result heals itself."""

from __future__ import annotations

import asyncio
import time

import pytest

from tests.faults.proxy import FAULTS
from tests.faults.test_feed import ASKER, PULSES, following, until
from tests.gateway.conftest import Server
from workspace.problem import Problem
from workspace.record import queries

AT_ONCE = ("cut", "reset", "half-close", "lost", "lost-reset", "short")
"""The line broke: asked again before anybody notices."""


@pytest.fixture
def server(tmp_path):
    made = Server(tmp_path).start()
    yield made
    made.stop()


class Once:
    """`fault` for the first `many` searches of one query."""

    def __init__(self, fault, many=1):
        self.fault, self.left = fault, many

    def __call__(self, request):
        if "code=9279-1" in request.path and self.left:
            self.left -= 1
            return self.fault
        return ""


BREATHS = PULSES.replace("8867-4", "9279-1")


@pytest.mark.parametrize(
    "fault", [one for one in FAULTS if one not in ("silent", "late", "409", "412", "412-after", "truncated")]
)
def test_a_search_meets_each_fault(server, monkeypatch, fault):
    monkeypatch.setattr(queries, "RETRIES", (0.1, 0.2))

    async def run():
        async with following(server, Once(fault)) as (_, record, _, ids):
            await until(lambda: "puls-BEB-18" in ids())
            if fault in (*AT_ONCE, "delay"):
                await record.search(BREATHS, ASKER)
                return
            with pytest.raises(Problem) as caught:
                await record.search(BREATHS, ASKER)
            assert caught.value.sentence
            assert caught.value.code in ("too-many", "platform-failed", "platform-malformed")

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["500", "503", "cut"])
def test_a_watch_that_failed_comes_back_by_itself_and_keeps_the_pause_it_was_asked_for(server, monkeypatch, fault):
    monkeypatch.setattr(queries, "RETRIES", (0.1, 0.2))

    async def run():
        async with following(server, Once(fault, 2 if fault == "cut" else 1)) as (_, record, _, _ids):
            heard = []
            began = time.monotonic()
            watch = record.watch(BREATHS, ASKER, heard.append)
            await until(lambda: any(change.whole is not None for change in heard))
            assert heard[0].error
            assert heard[-1].error == ""
            assert fault != "503" or time.monotonic() - began >= 1.0
            watch.close()

    asyncio.run(run())
