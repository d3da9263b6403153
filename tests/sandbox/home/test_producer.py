from __future__ import annotations

import asyncio
import io
import marshal
import os
from contextlib import aclosing
from datetime import date, datetime, timedelta

import pytest

from workspace.clock import OSLO, OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.problem import Problem
from workspace.sandbox.fhir import Store
from workspace.sandbox.home import producer

LAST = date(2026, 1, 14)


def test_chunks_meet_without_gap_or_overlap():
    days = []
    for chunk in range(producer.chunk_count(730)):
        first, last = producer.chunk_days(chunk, 730, LAST)
        days += [last - timedelta(days=back) for back in range((last - first).days + 1)]
    assert days == [LAST - timedelta(days=back) for back in range(730)]
    assert producer.chunk_count(1) == 1
    assert producer.chunk_count(15) == 2


def test_a_store_filled_by_the_child_answers_what_the_panels_ask(tmp_path):
    async def run():
        store = Store(tmp_path / "fhir.sqlite", OffsetClock(datetime(2026, 1, 14, 14, 45, tzinfo=OSLO), 0.0, 0.0))
        await store.start()
        try:
            ends = []
            async for batch in producer.produce(21):
                assert len(batch.rows) <= 1000
                assert await store.import_prepared(batch.rows) == len(batch.rows)
                ends += [(batch.chunk, batch.chunks, batch.done)] if batch.ends_chunk else []
            assert [end[:2] for end in ends] == [(0, 2), (1, 2)]
            assert ends[0][2] > 6000

            async def ids(query):
                path, _, rest = query.partition("?")
                answer = await store.handle(FhirRequest("GET", path, rest, {}, None))
                assert answer.status == 200, answer.body
                return [each["resource"]["id"] for each in answer.body["entry"]]

            newest = await ids("Observation?patient=BEB-18&code=1104051000000101&_sort=-date&_count=1")
            assert newest == ["BEB-18-202601141420-news2"]
            ward = await ids("Encounter?status=in-progress&service-provider=Organization/havblikk&_count=200")
            assert len(ward) == 12
            assert len(await ids("Flag?status=active&_count=400")) > 40
        finally:
            await store.close()

    asyncio.run(run())


def test_newest_first_and_what_is_there_may_be_skipped(home):
    made = list(producer.batches(home, 28, skip_chunks=1))
    assert {one.chunk for one in made} == {1, 2}
    notes = [row[4] for one in made for row in one.rows if row[0] == "Composition"]  # the clinical time, ms
    assert notes[0] - notes[-1] > timedelta(days=12).total_seconds() * 1000
    assert made[-1].since == date(2025, 12, 18)
    assert "18. desember 2025" in made[-1].text


def test_the_frames_of_the_command_are_marshal_and_end_with_an_empty_one():
    out = io.BytesIO()
    assert producer.main(["--first-chunk", "--base", "http://127.0.0.1:8650/fhir"], out) == 0
    data, frames = out.getvalue(), []
    while data:
        length = int.from_bytes(data[:4], "big")
        frames.append(data[4 : 4 + length])
        data = data[4 + length :]
    assert frames[-1] == b""
    chunk, chunks, done, total, *_ = marshal.loads(frames[-2])
    assert (chunk, chunks, done) == (0, 1, total)


def test_leaving_early_ends_the_child(monkeypatch):
    started = []
    original = asyncio.create_subprocess_exec

    async def noted(*args, **kwargs):
        started.append(await original(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", noted)

    async def run():
        async with aclosing(producer.produce(730)) as batches:
            async for _ in batches:
                break
        assert started[0].returncode is not None

    asyncio.run(run())
    with pytest.raises(ProcessLookupError):
        os.kill(started[0].pid, 0)


def test_broken_definitions_reach_the_caller_as_a_problem(tmp_path):
    async def run():
        async for _ in producer.produce(14, folder=tmp_path):
            pytest.fail("nothing can be made")

    with pytest.raises(Problem) as caught:
        asyncio.run(run())
    assert caught.value.code == "home-definitions"
    assert "home.toml" in caught.value.sentence
