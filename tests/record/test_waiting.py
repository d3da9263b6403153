"""What waits stands in its place in every result, is marked, and makes way for the platform's own in one change."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from uuid import uuid4

import pytest

from tests.gateway.conftest import pulse
from tests.record.ill_behaved_platform import IllBehaved
from workspace.fhir.search import format_query, parse_query
from workspace.record import patience
from workspace.record import record as record_module
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.items import Item
from workspace.record.offline import Offline
from workspace.record.outbox import Outbox
from workspace.record.record import Record
from workspace.record.rows import name_of, waits
from workspace.record.waiting import Waiting
from workspace.vault.vault import Vault

PULSES = "Observation?patient=Patient/BEB-18&code=8867-4&_sort=-date"
ASKER = Asker(("nordlys.vitals@1",), "ctx")
KEY = b"k" * 32
GONE = ["refuse"] * 1000
"""A platform that takes no transaction; the feed and reads go on."""


@pytest.fixture(autouse=True)
def _impatient(monkeypatch):
    monkeypatch.setattr(patience, "FIRST_WAIT", 0.05)
    monkeypatch.setattr(patience, "LONGEST_WAIT", 0.1)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.3)


class Tokens:
    def __init__(self, server):
        self.server = server

    async def access_token(self, *, force=False):
        return self.server.token("tone")


class Panel:
    """Applies changes as a panel's host does; `seen` is every list that stood, of (value, waits)."""

    def __init__(self):
        self.rows, self.seen, self.error = [], [], ""

    def __call__(self, change):
        self.error = change.error
        if change.whole is not None:
            self.rows = list(change.whole.resources)
        drop = {*change.gone, *(name_of(row) for _, row in change.put)}
        self.rows = [row for row in self.rows if name_of(row) not in drop]
        for index, row in change.put:
            self.rows.insert(index, row)
        self.seen.append(self.values())

    def values(self):
        return [(int(row["valueQuantity"]["value"]), waits(row)) for row in self.rows]


@asynccontextmanager
async def desk(server, *modes, vault=None, origin=""):
    """A record that follows an outbox, before a front that misbehaves on transactions."""
    front = IllBehaved(server.url, *modes)
    origin = origin or await front.open()
    feed = origin if origin.endswith(":9") else server.url  # the front passes on no stream
    where = SimpleNamespace(fhir=f"{origin}/fhir", changes=f"{feed}/changes", audit=f"{origin}/audit", time=origin)
    client = Client(where, Tokens(server))
    held = await Vault.open(vault, KEY if vault else None, server.clock)
    record = Record(client, clock=server.clock, user="Practitioner/tone")
    outbox = Outbox(held, client, server.clock, user="Practitioner/tone", delivered=record.apply)
    off = record.follow(outbox)
    await asyncio.gather(record.start(), outbox.start())

    async def write(*entries, wait=0.05, **more):
        sent = {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}
        return await outbox.commit(sent, "Patient/BEB-18", ASKER, wait, **more)

    try:
        yield SimpleNamespace(record=record, outbox=outbox, front=front, write=write)
    finally:
        off()
        await record.close()
        await outbox.close()
        await client.aclose()
        await held.close()
        if not origin.endswith(":9"):
            await front.shut()


def creating(value, at="2026-01-14T14:41:00+01:00", **more):
    made = pulse("BEB-18", value=value, effectiveDateTime=at, **more)
    return {"fullUrl": f"urn:uuid:{uuid4()}", "resource": made, "request": {"method": "POST", "url": "Observation"}}


def updating(there, **more):
    name = name_of(there)
    match = f'W/"{there["meta"]["versionId"]}"'
    return {
        "fullUrl": name, "resource": {**there, **more}, "request": {"method": "PUT", "url": name, "ifMatch": match},
    }  # fmt: skip


def beats(value):
    return {"valueQuantity": {"value": value, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"}}


async def until(true, seconds=8.0):
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def opened(here, query=PULSES, **more):
    panel = Panel()
    here.record.watch(query, ASKER, panel, **more)
    await until(lambda: panel.seen)
    return panel


def test_a_row_that_waits_stands_in_its_place_marked_and_is_the_platforms_in_one_change(server):
    async def run():
        async with desk(server, *GONE) as here:
            panel, newest = await opened(here), await opened(here, f"{PULSES}&_count=1")
            before = panel.values()
            made = creating(81)
            await here.write(made)
            assert panel.values() == [(81, True), *before]
            assert newest.values() == [(81, True)]
            row = panel.rows[0]
            assert row["id"] == made["fullUrl"].removeprefix("urn:uuid:")
            assert "versionId" not in row["meta"]
            assert row["meta"]["tag"][-1] == {"system": "urn:workspace:state", "code": "venter"}
            assert here.outbox.marks()[name_of(row)].state == "venter"
            assert await here.record.read(name_of(row), ASKER) == row
            await here.write(creating(60, at="2020-01-01T08:00:00+01:00"))
            assert panel.values()[-1] == (60, True), "sorted into its place"
            assert newest.values() == [(81, True)]

            here.front.modes.clear()
            here.outbox.wake()
            await until(lambda: not here.outbox.unsent())
            assert panel.values() == [(81, False), *before, (60, False)]
            assert (await here.record.search(PULSES, ASKER)).resources == tuple(panel.rows)
            ones = [[value for value, _ in seen].count(81) for seen in panel.seen[1:]]
            assert ones == [1] * len(ones), "never none, never two"
            assert (await here.record.read(name_of(row), ASKER))["id"] == panel.rows[0]["id"], "found by its old id"

    asyncio.run(run())


def test_what_is_answered_in_the_ordinary_time_is_never_shown_as_waiting(server):
    async def run():
        async with desk(server) as here:
            panel = await opened(here)
            done = await here.write(creating(81), wait=5)
            assert done.state == "lagret"
            assert panel.values()[0] == (81, False)
            assert not [seen for seen in panel.seen if any(waiting for _, waiting in seen)]

    asyncio.run(run())


@pytest.mark.parametrize("refetched", [False, True])
def test_the_feed_may_bring_it_before_its_answer(server, refetched):
    async def run():
        # Done by the platform, whose answer is lost; every later try fails, so it goes on waiting.
        async with desk(server, "refuse", "refuse", "drop", *GONE) as here:
            panel = await opened(here)
            await here.write(creating(81))
            await until(lambda: (81, False) in panel.values())
            if refetched:
                here.record.refresh()
                asked = await opened(here, f"{PULSES}&_count=3")
                assert [value for value, _ in asked.values()].count(81) == 1
            assert here.outbox.unsent() == 1
            here.front.modes.clear()
            here.outbox.wake()
            await until(lambda: not here.outbox.unsent())
            ones = [[value for value, _ in seen].count(81) for seen in panel.seen]
            assert max(ones) == 1
            assert 0 not in ones[ones.index(1) :]

    asyncio.run(run())


def test_what_was_refused_is_no_row(server):
    async def run():
        async with desk(server, "refuse", "refuse") as here:
            panel = await opened(here)
            before = panel.values()
            bad = creating(81)
            del bad["resource"]["status"]
            await here.write(bad, wait=0.01)
            await until(lambda: here.outbox.refused())
            assert panel.values() == before

    asyncio.run(run())


def test_an_update_shows_what_was_typed_and_on_a_conflict_the_platforms_version_again(server):
    async def run():
        async with desk(server) as here:
            await here.write(creating(81), wait=5)
            panel = await opened(here)
            there = panel.rows[0]
            here.front.modes[:] = GONE
            await here.write(updating(there, **beats(90)))
            assert panel.values()[0] == (90, True)
            assert name_of(panel.rows[0]) == name_of(there)
            await here.write(updating(there, method={"text": "manuelt"}), bases={name_of(there): there})
            assert panel.values()[0] == (90, True), "a later update stands on the earlier one"
            assert panel.rows[0]["method"]["text"] == "manuelt"
            await asyncio.to_thread(change_elsewhere, server, there, 70)
            await until(lambda: panel.values()[0] == (70, False))  # somebody else's newer version is a fact
            here.front.modes.clear()
            here.outbox.wake()
            await until(lambda: here.outbox.refused())
            assert panel.values()[0] == (70, False)
            assert here.outbox.marks()[name_of(there)].state in ("konflikt", "venter")

    asyncio.run(run())


def test_what_its_author_called_off_stays_so_on_the_screen_behind_a_later_update(server):
    async def run():
        async with desk(server) as here:
            await here.write(creating(81), wait=5)
            panel = await opened(here)
            there = panel.rows[0]
            here.front.modes[:] = GONE
            for mine in ({"status": "entered-in-error"}, {"method": {"text": "manuelt"}}):
                await here.write(updating(there, **mine), bases={name_of(there): there})
            (row,) = [one for one in panel.rows if name_of(one) == name_of(there)]
            assert (row["status"], waits(row)) == ("entered-in-error", True)

    asyncio.run(run())


def change_elsewhere(server, there, value):
    match = f'W/"{there["meta"]["versionId"]}"'
    answer = server.sign_in("tone").put({**there, **beats(value)}, **{"If-Match": match})
    assert answer.status_code == 200, answer.text


def test_it_is_there_again_after_a_new_start(server, tmp_path):
    async def run():
        async with desk(server, *GONE, vault=tmp_path / "v.sqlite") as here:
            await here.write(creating(81))
        async with desk(server, *GONE, vault=tmp_path / "v.sqlite") as here:
            panel = await opened(here)
            assert panel.values()[0] == (81, True)
            here.front.modes.clear()
            here.outbox.wake()
            await until(lambda: panel.values()[0] == (81, False))
            assert [value for value, _ in panel.values()].count(81) == 1

    asyncio.run(run())


def test_without_any_answer_it_stands_alone_but_never_where_safety_reads_the_list(server):
    async def run():
        async with desk(server, origin="http://127.0.0.1:9") as here:
            panel, careful = await opened(here), await opened(here, f"{PULSES}&_count=9", safety=True)
            assert panel.error
            assert panel.rows == careful.rows == []
            await here.write(creating(81))
            assert panel.values() == [(81, True)]
            assert panel.error.startswith("Plattformen svarer ikke")
            assert careful.rows == []
            with pytest.raises(PlatformProblem):
                await here.record.search(PULSES, ASKER)

    asyncio.run(run())


def test_a_row_says_how_old_the_rest_is_all_the_same(server):
    async def run():
        async with desk(server, *GONE) as here:
            panel = await opened(here)
            here.record._queries.lost()
            assert panel.error
            await here.write(creating(81))
            assert panel.values()[0] == (81, True)
            assert panel.error.startswith("Plattformen svarer ikke")

    asyncio.run(run())


def test_copies_for_offline_reading_hold_facts_alone(server, tmp_path):
    async def run():
        async with desk(server, *GONE) as here:
            await opened(here)
            await here.write(creating(81))
            vault = await Vault.open(tmp_path / "o.sqlite", KEY, server.clock)
            offline = Offline(vault, here.record.client, server.clock, user="Practitioner/tone")
            here.record.read_from(offline)
            page = here.record._queries.page(format_query(parse_query(PULSES)))
            assert page is not None
            await offline.save(PULSES, page)
            kept = await offline.load(PULSES)
            assert kept is not None
            assert kept.matches
            assert not any(waits(row) for row in kept.matches)
            row = here.record.peek(PULSES).resources[0]
            assert waits(row)
            assert row in here.record.rows("Observation")
            assert here.record.held(name_of(row)) is None, "never a fact"
            await vault.close()

    asyncio.run(run())


def test_what_rests_on_a_refused_one_stays_with_its_reason_until_it_is_given_up(server):
    async def run():
        async with desk(server, "refuse", "refuse") as here:
            panel = await opened(here)
            before = panel.values()
            bad, rests = creating(81), creating(82)
            del bad["resource"]["status"]
            rests["resource"]["derivedFrom"] = [{"reference": bad["fullUrl"]}]
            await here.write(bad, wait=0.01)
            held = await here.write(rests, wait=0.01)
            await until(lambda: here.outbox.refused())
            assert panel.values() == [(82, True), *before]
            assert here.outbox.marks()[name_of(panel.rows[0])].reason.startswith("Dette bygger på noe")
            await here.outbox.forget(held.id)
            assert panel.values() == before

    asyncio.run(run())


def test_names_of_what_is_answered_are_remembered_a_shift_long_and_not_for_ever(monkeypatch):
    monkeypatch.setattr("workspace.record.waiting.NAMES", 2)
    here = Waiting()
    shown = []
    for number in range(4):
        entry = creating(number)
        item = Item(str(number), "Patient/BEB-18", {"resourceType": "Bundle", "entry": [entry]}, ASKER)
        here.take(SimpleNamespace(items=lambda item=item: (item,), late=lambda item=item: (item,)))
        shown.append(f"Observation/{entry['fullUrl'][9:]}")
        answer = {"entry": [{"resource": {"resourceType": "Observation", "id": f"no{number}"}}]}
        assert here.answered(item.id, answer)
        here.named(shown[0])  # a form goes on pointing at it
    assert [here.named(name) for name in shown] == ["Observation/no0", *shown[1:3], "Observation/no3"]
