from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from workspace.clock import OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.sandbox import seeding
from workspace.sandbox.day import START
from workspace.sandbox.fhir import Store, prepare
from workspace.sandbox.folder import Folder, write_json

CHUNKS = 3


@dataclass
class Part:
    chunk: int
    done: int
    rows: list = field(default_factory=list)
    chunks: int = CHUNKS
    total: int = 4
    text: str = "Lager historikk"

    @property
    def since(self):
        return START.date() - timedelta(days=13 + 7 * self.chunk)

    @property
    def ends_chunk(self):
        return self.done == self.total


class Home:
    """Three chunks of two batches of two observations; notes what it was asked and whether it was closed."""

    def __init__(self, fail_in=None):
        self.fail_in = fail_in
        self.asked = []
        self.closed = 0

    async def produce(self, skip):
        self.asked.append(skip)
        try:
            for chunk in range(skip, CHUNKS):
                for half in range(2):
                    if chunk == self.fail_in:
                        raise RuntimeError("generator died")
                    ids = [f"o-{chunk}-{half}-{number}" for number in range(2)]
                    rows = [prepare({"resourceType": "Observation", "id": own}) for own in ids]
                    yield Part(chunk, half * 2 + 2, rows)
                    await asyncio.sleep(0)
        finally:
            self.closed += 1


def run(folder, home, progress, *, until=None):
    async def work():
        skip = seeding.resume(folder, progress)
        store = Store(folder.fhir, OffsetClock(START, 0.0, 0.0))
        await store.start()
        try:
            filling = asyncio.create_task(seeding.fill(folder, store, home.produce, progress))
            if until is not None:
                while not until(progress):  # noqa: ASYNC110 - a poll is what the shell does too
                    await asyncio.sleep(0.001)
                filling.cancel()
            await asyncio.gather(filling, return_exceptions=until is not None)
            answer = await store.handle(FhirRequest("GET", "Observation", "_summary=count"))
            return skip, answer.body["total"]
        finally:
            await store.close()

    return asyncio.run(work())


def made(days=90):
    return seeding.Progress(days, START.date())


def test_a_first_fill_is_ready_before_it_is_complete(tmp_path):
    folder, progress = Folder(tmp_path), made()
    assert progress.health()["state"] == "seeding"
    _, count = run(folder, Home(), progress, until=lambda told: told.ready)
    assert 0 < count < 12
    told = progress.health()
    assert told["state"] == "ready"
    assert told["history"]["complete"] is False
    assert told["history"]["from"] == "2026-01-01"


def test_an_interrupted_fill_goes_on_and_a_whole_one_is_not_made_again(tmp_path):
    folder, home = Folder(tmp_path), Home()
    run(folder, home, made(), until=lambda told: told.ready)
    second = made()
    skip, count = run(folder, home, second)
    assert skip >= 1
    assert count == 12
    assert second.health()["history"] == {"from": "2025-12-18", "complete": True}
    assert home.closed == 2
    third = made()
    assert run(folder, home, third) == (CHUNKS, 12)
    assert third.health()["state"] == "ready"
    assert len(home.asked) == 2


def test_a_marker_without_its_store_is_not_believed(tmp_path):
    folder, home = Folder(tmp_path), Home()
    run(folder, home, made())
    for path in tmp_path.glob("fhir.sqlite*"):
        path.rename(tmp_path / f"elsewhere-{path.name}")
    assert run(folder, home, made()) == (0, 12)


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"version": 99, "history_days": 90, "done": 3, "chunks": 3, "since": "2025-12-18"},
        {"version": 1, "history_days": 90, "done": "all", "chunks": 3},
    ],
)
def test_a_strange_marker_means_that_all_is_sent_again(tmp_path, told):
    folder = Folder(tmp_path)
    run(folder, Home(), made())
    write_json(folder.seed, told)
    assert run(folder, Home(), made()) == (0, 12)


def test_more_history_is_fetched_when_more_is_asked_for(tmp_path):
    folder = Folder(tmp_path)
    run(folder, Home(), made(30))
    progress = made(90)
    assert run(folder, Home(), progress) == (0, 12)
    assert progress.complete


def test_a_generator_that_dies_is_told_and_leaves_what_came_before(tmp_path):
    folder, home, progress = Folder(tmp_path), Home(fail_in=1), made()
    with pytest.raises(RuntimeError, match="generator died"):
        run(folder, home, progress)
    assert home.closed == 1
    skip, count = run(folder, Home(), made())
    assert (skip, count) == (1, 12)
