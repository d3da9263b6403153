"""What was written is no draft any more, on no workstation, whatever became of the draft's own way to the platform; what was
typed since is one. A real gateway behind the fault proxy; the workstation that wrote is killed before it can say more."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest

from tests.faults.proxy import FaultProxy
from tests.gateway.conftest import bundle, pulse
from tests.record.test_draftsync import FIELD, _quick, at_pc, there, until, values  # noqa: F401 (a fixture)
from tests.record.test_outbox import ASKER, stored
from workspace.record.outbox import Outbox

TYPED = {"pulse": "7", "note": "Sov godt"}


class Line:
    """What becomes of each PUT of a draft, in their order, and of those after them, and of each DELETE."""

    def __init__(self):
        self.faults, self.otherwise, self.deletes = [], "", "cut"

    def __call__(self, request):
        if request.method == "PUT":
            return self.faults.pop(0) if self.faults else self.otherwise
        return self.deletes if request.method == "DELETE" else ""

    def is_bad(self, fault):
        """`fault` for the next, and nothing more reaches the platform."""
        self.faults, self.otherwise = [fault], "cut"


@asynccontextmanager
async def behind_faults(server, file):
    """A workstation that is killed at the end: what it has not told of its drafts by then it does not tell."""
    line = Line()
    host, _, port = server.url.rpartition("/")[2].partition(":")
    async with (
        FaultProxy(host, int(port), line, delay=0.3) as proxy,
        at_pc(server, file, origin=proxy.url) as pc,
    ):
        outbox = Outbox(pc.drafts._vault, pc.client, server.clock, user="Practitioner/tone")
        await outbox.start()

        async def commit(*fields, value=7, wait=5.0):
            typed = dict(pc.drafts.load(FIELD).values)
            handover = pc.drafts.hand_over(FIELD, typed, dict.fromkeys(fields))
            written = bundle(pulse("BEB-18", value=value))
            item = await outbox.commit(written, "Patient/BEB-18", ASKER, wait, handover=handover)
            handover.close()
            return item.state

        try:
            yield SimpleNamespace(**vars(pc), outbox=outbox, commit=commit, line=line, proxy=proxy)
        finally:
            await outbox.close()
            pc.sync._task.cancel()
            pc.sync._gone.clear()
            pc.sync._outgoing.clear()


@pytest.mark.parametrize("fault", ["lost", "short", "500-after"])
@pytest.mark.parametrize("first", [True, False], ids=["first", "later"])
def test_a_draft_whose_answer_was_lost_goes_with_what_was_written(server, tmp_path, fault, first):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            if not first:
                a.drafts.save(FIELD, {"note": "Sov", "weight": "81"}, 1)
                await until(lambda: a.drafts.load(FIELD).known)
            a.line.is_bad(fault)
            a.drafts.save(FIELD, TYPED, 2)
            await until(lambda: there(server) == [(1, TYPED)])
            assert await a.commit("pulse", "note") == "lagret"
        assert (stored(server), there(server)) == ([7], [])
        async with at_pc(server, tmp_path / "b.sqlite") as b:
            assert b.drafts.all() == ()

    asyncio.run(run())


def test_what_was_emptied_before_the_commit_and_not_told_does_not_stay_behind(server, tmp_path):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, {**TYPED, "weight": "81"}, 1)
            await until(lambda: a.drafts.load(FIELD).known)
            a.line.is_bad("cut")
            a.drafts.save(FIELD, TYPED, 2)
            assert await a.commit("pulse") == "lagret"
        assert there(server) == [(1, {"note": "Sov godt"})]

    asyncio.run(run())


def test_a_draft_that_comes_after_the_commit_stays_out(server, tmp_path):
    """It was on its way all the time; nobody waits for its answer any more."""

    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            a.line.is_bad("late")
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: a.line.otherwise == "cut" and not a.line.faults)
            assert await a.commit("pulse", "note") == "lagret"
            assert there(server) == []
            await until(lambda: a.proxy.passed_late == 1)
            assert there(server) == []
        async with at_pc(server, tmp_path / "b.sqlite") as b:
            assert b.drafts.all() == ()

    asyncio.run(run())


def test_a_list_that_comes_while_the_vault_writes_the_commit_brings_nothing_back(server, tmp_path):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: there(server) == [(1, TYPED)])
            handover = a.drafts.hand_over(FIELD, TYPED, dict.fromkeys(TYPED))
            write = handover.begin()
            await a.sync._fetch_all()
            assert a.drafts.get(FIELD) is None
            await a.drafts._vault.run(write)
            handover.kept()
            await a.drafts.flush()
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            assert a.drafts.get(FIELD) is None

    asyncio.run(run())


def test_a_draft_that_comes_after_it_was_taken_over_and_committed_elsewhere_stays_out(server, tmp_path):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a, behind_faults(server, tmp_path / "b.sqlite") as b:
            a.line.faults = ["late"]  # given up, and sent again
            a.proxy.delay = 1.0
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: values(b) == TYPED)
            assert await b.commit("pulse", "note") == "lagret"
            await until(lambda: values(a) is None)
            await until(lambda: a.proxy.passed_late == 1)
            assert there(server) == []

    asyncio.run(run())


@pytest.mark.parametrize("typed_on", [False, True])
def test_who_does_not_know_that_her_draft_arrived_lets_go_of_it_when_it_was_committed_elsewhere(
    server, tmp_path, typed_on
):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a, behind_faults(server, tmp_path / "b.sqlite") as b:
            a.line.is_bad("lost")
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: values(b) == TYPED)
            b.line.deletes = ""
            assert await b.commit("pulse", "note") == "lagret"
            if typed_on:
                a.drafts.save(FIELD, {**TYPED, "note": "Sov godt. Våken igjen"}, 2)
            a.line.otherwise = ""
            a.sync.wake()
            newer = {"note": "Sov godt. Våken igjen"} if typed_on else None
            await until(lambda: values(a) == newer and a.told[-1:] == [(FIELD, newer)])
            await until(lambda: values(b) == newer)
            assert there(server) == ([(1, newer)] if typed_on else [])

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["", "lost", "late"])
def test_what_is_typed_after_the_commit_is_a_draft_everywhere(server, tmp_path, fault):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.line.is_bad(fault)
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: not a.line.faults)
            assert await a.commit("pulse", "note") == "lagret"
            a.drafts.save(FIELD, {"note": "Våken igjen"}, 2)
            a.line.otherwise = ""
            a.sync.wake()
            await until(lambda: values(b) == {"note": "Våken igjen"})
            assert there(server) == [(1, {"note": "Våken igjen"})]
            assert values(a) == {"note": "Våken igjen"}
            assert await a.commit("note", value=8) == "lagret"
            await until(lambda: values(b) is None)
        assert (stored(server), there(server)) == ([7, 8], [])

    asyncio.run(run())


def test_what_is_typed_elsewhere_since_outlives_the_commit(server, tmp_path):
    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a, at_pc(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: values(b) == TYPED)
            await a.record.close()  # it does not hear of the other
            b.drafts.save(FIELD, {**TYPED, "note": "Sov godt. Våken igjen"}, 2)
            await until(lambda: there(server) == [(1, values(b))])
            assert await a.commit("pulse", "note") == "lagret"
            await asyncio.sleep(0.2)
            assert there(server) == [(1, {**TYPED, "note": "Sov godt. Våken igjen"})]
            assert values(b) == {**TYPED, "note": "Sov godt. Våken igjen"}

    asyncio.run(run())


def test_who_types_on_where_another_commits_the_same_draft_keeps_what_is_new(server, tmp_path):
    """Its author types on in it here, with the platform away from here."""

    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a, behind_faults(server, tmp_path / "b.sqlite") as b:
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: values(b) == TYPED)
            a.line.otherwise, b.line.deletes = "cut", ""
            a.drafts.save(FIELD, {**TYPED, "note": "Sov godt. Våken igjen"}, 2)
            assert await b.commit("pulse", "note") == "lagret"
            await until(lambda: values(b) is None)
            a.line.otherwise = ""
            a.sync.wake()
            await until(lambda: values(b) == {"note": "Sov godt. Våken igjen"})
            assert values(a) == values(b)

    asyncio.run(run())


def test_what_waits_when_its_workstation_dies_takes_its_draft_along_when_it_is_delivered(server, tmp_path):
    """The answer to the draft is lost, and the platform with it; the vault alone remembers what is what."""

    async def run():
        async with behind_faults(server, tmp_path / "a.sqlite") as a:
            a.line.is_bad("lost")
            a.drafts.save(FIELD, TYPED, 1)
            await until(lambda: there(server) == [(1, TYPED)])
            a.proxy.down = True
            assert await a.commit("pulse", wait=0.05) == "venter"
            a.drafts.save(FIELD, {"note": "Sov godt. Våken igjen"}, 2)
            await a.drafts.flush()
        assert there(server) == [(1, TYPED)]
        async with behind_faults(server, tmp_path / "a.sqlite") as a:  # and nothing of drafts reaches it either
            a.line.otherwise = "cut"
            await until(lambda: stored(server) == [7])
            await until(lambda: there(server) == [(1, {"note": "Sov godt"})])
            assert values(a) == {"note": "Sov godt. Våken igjen"}
            a.line.otherwise = ""
            a.sync.wake()
            await until(lambda: there(server) == [(1, {"note": "Sov godt. Våken igjen"})])

    asyncio.run(run())
