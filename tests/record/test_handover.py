"""What is saved leaves its draft in the step that makes it durable; what was typed since stays."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.record.test_drafts import FIELD, drafts_at
from workspace.problem import Problem

TYPED = {"text": "Sov godt", "puls": 72}
SAVED = {"text": None, "sted": "rom 201"}


async def on_disk(drafts):
    rows = await drafts._vault.run(lambda database: list(database.execute("SELECT body FROM draft")))
    return [json.loads(body) for (body,) in rows]


def test_newer_typing_stays_and_what_the_form_still_shows_does_not_come_back(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {**TYPED, "puls": 80}, 3)
            handover = drafts.hand_over(FIELD, TYPED, {**SAVED, "puls": None})
            await drafts._vault.run(handover.begin())
            handover.kept()
            assert drafts.load(FIELD).values == {"puls": 80, "sted": "rom 201"}
            assert await on_disk(drafts) == [{"puls": 80, "sted": "rom 201"}]
            # The commit has not returned, and the form still shows what was sent.
            drafts.save(FIELD, {**TYPED, "puls": 81}, 4)
            assert drafts.load(FIELD).values == {"puls": 81, "sted": "rom 201"}
            handover.close()
            drafts.save(FIELD, {**TYPED, "puls": 81}, 5)  # refused: the form is what it was
            assert drafts.load(FIELD).values == {**TYPED, "puls": 81}

    asyncio.run(run())


def test_what_was_not_on_the_disk_yet_does_not_come_there_afterwards(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {"text": "Sov godt"}, 1)
            handover = drafts.hand_over(FIELD, {"text": "Sov godt"}, {"text": None})
            await drafts._vault.run(handover.begin())
            await drafts.flush()
            assert await on_disk(drafts) == []
            assert drafts.load(FIELD) is None

    asyncio.run(run())


def test_what_was_on_its_way_to_the_disk_does_not_come_there_after_it(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, {"text": "Sov godt"}, 1)
            flushing = asyncio.create_task(drafts.flush())
            await asyncio.sleep(0)  # it has read what stands, and has not come back
            handover = drafts.hand_over(FIELD, {"text": "Sov godt"}, {"text": None})
            await drafts._vault.run(handover.begin())
            await flushing
            assert await on_disk(drafts) == []

    asyncio.run(run())


def test_when_nothing_could_be_kept_the_draft_is_what_it_was(tmp_path):
    async def run():
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            drafts.save(FIELD, TYPED, 3)
            await drafts.flush()
            handover = drafts.hand_over(FIELD, TYPED, SAVED)
            empty = handover.begin()

            def full(database):
                empty(database)
                raise Problem("vault-full", "Disken er full.")

            with pytest.raises(Problem):
                await drafts._vault.run(full)
            handover.failed()
            assert drafts.load(FIELD).values == TYPED
            drafts.save(FIELD, TYPED, 4)
        async with drafts_at(tmp_path / "v.sqlite") as drafts:
            assert drafts.load(FIELD).values == TYPED

    asyncio.run(run())
