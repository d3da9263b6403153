"""The door with a real gateway behind it: what a panel gets, what it is refused, what the platform's log says of it."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from uuid import uuid4

import pytest

from tests.broker.conftest import endpoints, grant
from tests.gateway.conftest import pulse
from workspace.broker import context, gate, reporting
from workspace.broker.door import Draft, DraftKey, Prefetch, Refused, Write

PULSES = "Observation?code=8867-4&_sort=-date"


def ids(result):
    return [one["id"] for one in result.resources]


async def refused(call):
    with pytest.raises(Refused) as caught:
        await call
    return caught.value.code


def one_pulse(value=81, patient="BEB-18", **more):
    return Write("create", pulse(patient, value=value), f"urn:uuid:{uuid4()}", **more)


def note(quoted):
    name = f"urn:uuid:{uuid4()}"
    text = {
        "resourceType": "Composition",
        "status": "final",
        "type": {"coding": [{"code": "B02-2"}]},
        "subject": {"reference": "Patient/BEB-18"},
        "date": "2026-01-14T14:44:00+01:00",
        "author": [{"reference": "Practitioner/tone"}],
        "title": "Journalnotat",
        "section": [{"title": "Notat", "text": {"status": "generated", "div": "<div>Sov godt.</div>"}}],
    }
    origin = {
        "resourceType": "Provenance",
        "target": [{"reference": name}],
        "recorded": "2026-01-14T14:44:00+01:00",
        "agent": [{"who": {"reference": "Practitioner/tone"}}],
        "entity": [{"role": "source", "what": {"reference": one}} for one in quoted],
    }
    return [Write("create", text, name), Write("create", origin)]


def test_a_panel_gets_its_patients_rows_and_no_others(server, working, room):
    async def run():
        async with working(server) as broker:
            assert ids(await broker.search(room, PULSES)) == ["puls-BEB-18"]
            unit = grant(context.for_unit("Organization/havblikk", ("Patient/BEB-18", "Patient/BEB-19")))
            assert set(ids(await broker.search(unit, PULSES))) == {"puls-BEB-18", "puls-BEB-19"}  # not BEB-30's
            assert (await broker.read(room, "Observation/puls-BEB-18"))["id"] == "puls-BEB-18"
            assert await refused(broker.read(room, "Observation/puls-BEB-19")) == "wrong-patient"
            assert await refused(broker.read(room, "Patient/BEB-19")) == "wrong-patient"
            assert await refused(broker.read(room, "Observation/nobody")) == "access-denied"
            assert await refused(broker.read(room, "Observation/?patient=Patient/BEB-19")) == "bad-query"
            assert await refused(broker.search(room, "Observation?patient=BEB-19")) == "wrong-patient"

    asyncio.run(run())


def test_included_resources_are_within_scope_and_about_the_patient(server, working):
    async def run():
        async with working(server) as broker:
            here = context.for_patient("Patient/BEB-18")
            narrow = grant(here, "patient/Observation.rs")
            found = await broker.search(
                narrow, "Observation?_include=Observation:subject&_include=Observation:performer"
            )
            assert (ids(found), found.included) == (["puls-BEB-18"], 0)
            wide = grant(here, "patient/Observation.rs", "patient/Patient.rs")
            found = await broker.search(wide, "Observation?_include=Observation:subject&_include=Observation:performer")
            assert (ids(found), found.included) == (["puls-BEB-18", "BEB-18"], 1)
            only = grant(here, "patient/Patient.rs")
            assert ids(await broker.search(only, "Patient?_revinclude=Observation:subject")) == ["BEB-18"]

    asyncio.run(run())


def test_a_read_under_a_narrow_scope_is_of_what_the_scope_covers(server, working):
    async def run():
        async with working(server) as broker:
            here = context.for_patient("Patient/BEB-18")
            vital = grant(here, "patient/Observation.r?category=vital-signs")
            assert (await broker.read(vital, "Observation/puls-BEB-18"))["id"] == "puls-BEB-18"
            lab = grant(here, "patient/Observation.r?category=laboratory")
            assert await refused(broker.read(lab, "Observation/puls-BEB-18")) == "scope-denied"
            none = grant(here, "patient/Observation.s")
            assert await refused(broker.read(none, "Observation/puls-BEB-18")) == "scope-denied"

    asyncio.run(run())


def test_an_ended_context_is_over_for_everything(server, working, room, until):
    async def run():
        async with working(server) as broker:
            heard = []
            watch = broker.watch(room, PULSES, heard.append)
            await until(lambda: heard)
            under_way = asyncio.create_task(broker.search(room, "Observation?status=final"))
            await asyncio.sleep(0)
            broker.end(room.context)
            assert await refused(under_way) == "context-changed"
            assert await refused(broker.search(room, PULSES)) == "context-changed"
            assert await refused(broker.read(room, "Observation/puls-BEB-18")) == "context-changed"
            assert await refused(broker.commit(room, [one_pulse()])) == "context-changed"
            with pytest.raises(Refused, match="byttet"):
                broker.watch(room, PULSES, heard.append)
            told = len(heard)
            next_one = grant(context.for_patient("Patient/BEB-18"))
            again = []
            broker.watch(next_one, PULSES, again.append)
            await until(lambda: again)
            assert (await broker.commit(next_one, [one_pulse()])).state == "lagret"
            await until(lambda: any(change.put for change in again))
            assert len(heard) == told
            watch.close()

    asyncio.run(run())


def test_watches_that_are_closed_are_silent_and_forgotten(server, working, room, until):
    async def run():
        async with working(server) as broker:
            heard = []
            for _ in range(20):
                broker.watch(room, PULSES, heard.append).close()
            kept = []
            broker.watch(room, PULSES, kept.append)
            await until(lambda: kept)
            assert heard == []
            assert len(broker._watches[room.context.token]) == 1

    asyncio.run(run())


def test_a_commit_is_seen_at_once_counted_and_tagged(server, working, room, until):
    async def run():
        async with working(server) as broker:
            seen, counts, receipts = [], [], []
            broker.watch(room, PULSES, seen.append)
            broker.on_counts(counts.append)
            broker.on_receipt(receipts.append)
            await until(lambda: seen)
            done = await broker.commit(room, [one_pulse(81), one_pulse(82)])
            assert done.state == "lagret"
            assert done.undoable
            assert receipts == [done]
            assert {one["id"] for change in seen[1:] for _, one in change.put} == {r[12:] for r in done.references}
            tags = (await broker.read(room, done.references[0]))["meta"]["tag"]
            assert {"system": "urn:workspace:package", "code": "nordlys.vitals@1.0.0"} in tags
            wrote = await broker.commit(room, note(done.references))
            assert wrote.state == "lagret", wrote.problem
            last = counts[-1]
            assert (last.unsent, last.registered, last.reused) == (0, 3, 2)
            assert counts[0].registered == 0

    asyncio.run(run())


def test_a_foreign_write_leaves_nothing_behind_not_even_its_good_half(server, working, room):
    async def run():
        async with working(server) as broker:
            assert await refused(broker.commit(room, [one_pulse(), one_pulse(patient="BEB-19")])) == "wrong-patient"
            mine = Write("create", pulse("BEB-18", who="lege"))
            assert await refused(broker.commit(room, [mine])) == "wrong-author"
            blind = Write("update", {**pulse("BEB-18"), "id": "puls-BEB-18"})
            assert await refused(broker.commit(room, [blind])) == "bad-write"
            assert ids(await broker.search(room, PULSES)) == ["puls-BEB-18"]
            assert broker.counts().unsent == 0

    asyncio.run(run())


def test_undo_marks_created_as_wrong_once(server, working, room):
    async def run():
        async with working(server) as broker:
            receipts = []
            done = await broker.commit(room, [one_pulse(), one_pulse(90)])
            broker.on_receipt(receipts.append)
            first, second = await asyncio.gather(broker.undo(done.id), broker.undo(done.id), return_exceptions=True)
            assert (first.state, first.undoable) == ("lagret", False)
            assert second.code == "not-undoable"
            assert [one.undoable for one in receipts] == [False]
            taken = (await broker.search(room, "Observation?status=entered-in-error")).resources
            assert {f"Observation/{one['id']}" for one in taken} == set(done.references)
            assert [one["meta"]["versionId"] for one in taken] == ["2", "2"]
            for reference in done.references:
                assert await refused(broker.read(room, reference)) == "not-found"
            for own in (done.id, first.id, "unknown"):
                assert await refused(broker.undo(own)) == "not-undoable"
            assert broker.counts().registered == 2

    asyncio.run(run())


def test_undoing_an_update_brings_back_the_version_before(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [one_pulse(81)])
            there = await broker.read(room, done.references[0])
            there["valueQuantity"]["value"] = 18
            changed = await broker.commit(room, [Write("update", there, if_match="1")])
            assert changed.state == "lagret", changed.problem
            assert (await broker.undo(changed.id)).state == "lagret"
            back = await broker.read(room, done.references[0])
            assert (back["valueQuantity"]["value"], back["status"]) == (81, "final")
            assert back["meta"]["versionId"] == "3"

    asyncio.run(run())


def test_an_outdated_update_is_a_conflict_and_a_bad_one_is_told_in_the_platforms_words(server, working, room):
    async def run():
        async with working(server) as broker:
            done = await broker.commit(room, [one_pulse(81)])
            there = await broker.read(room, done.references[0])
            late = await broker.commit(room, [Write("update", there, if_match='W/"7"')])
            assert (late.state, late.problem.code, late.undoable) == ("konflikt", "conflict", False)
            bad = pulse("BEB-18")
            del bad["status"]
            said = await broker.commit(room, [Write("create", bad)])
            assert (said.state, said.problem.code) == ("avvist", "rejected")
            assert said.problem.sentence == "Målingen mangler status."

    asyncio.run(run())


def test_a_panel_that_asks_too_often_is_told_to_wait_and_others_are_not(server, working, room, monkeypatch):
    monkeypatch.setattr(gate, "REQUESTS_PER_SECOND", 5)

    async def run():
        async with working(server) as broker:
            for _ in range(5):
                await broker.search(room, PULSES)
            assert await refused(broker.search(room, PULSES)) == "too-many"
            other = grant(room.context, instance="i2")
            assert ids(await broker.search(other, PULSES)) == ["puls-BEB-18"]
            await asyncio.sleep(1.05)
            assert ids(await broker.search(room, PULSES)) == ["puls-BEB-18"]
            broker.end(room.context)
            assert not broker._gate._calls

    asyncio.run(run())


def test_openings_reads_from_memory_and_refusals_reach_the_platforms_log(server, working, room):
    async def run():
        async with working(server) as broker:
            broker.opened(room)
            await broker.prefetch([Prefetch(room, PULSES)])
            for _ in range(3):
                await broker.search(room, PULSES)
            with suppress(Refused):
                await broker.search(room, "Observation?patient=BEB-19")

    asyncio.run(run())
    told = []
    for event in server.log():
        details = {d["type"]: d["valueString"] for d in event["entity"][0].get("detail", ())}
        about = [e["what"]["reference"] for e in event["entity"] if "what" in e]
        told.append((event["agent"][0]["name"], event["agent"][1]["name"], about, event["outcome"], details))
    mine = [one for one in told if one[0] == "Tone" and one[1] == "nordlys.vitals@1.0.0"]
    text = str(mine)
    assert all(one[2] == ["Patient/BEB-18"] for one in mine), text
    assert "wrong-patient" in text
    assert "BEB-19" not in text
    assert sum(one[4].get("cached") == "true" for one in mine) == 1, text
    assert sum(one[3] != "0" for one in mine) == 1, text
    assert len(mine) == 4, text  # opened, fetched, read from memory, refused


def test_drafts_are_their_authors_alone(server, working):
    async def run():
        async with working(server) as broker:
            key = DraftKey("311000101", "Practitioner/tone", "Patient/BEB-18", "nordlys.vitals", "vitals")
            broker.save_draft(key, Draft({"pulse": "81"}, 3))
            assert broker.load_draft(key).values == {"pulse": "81"}
            foreign = DraftKey("311000101", "Practitioner/lege", "Patient/BEB-18", "nordlys.vitals", "vitals")
            broker.save_draft(foreign, Draft({"pulse": "99"}, 1))
            assert broker.load_draft(foreign) is None
            broker.save_draft(key, Draft({}, 4))
            assert broker.load_draft(key) is None

    asyncio.run(run())


def test_a_dead_platform_costs_neither_reports_nor_memory(server, room, monkeypatch):
    """Reports wait, the newest of them, and arrive once the platform is there; one it cannot read holds nobody up."""
    monkeypatch.setattr(reporting, "DELAY", 0.02)
    monkeypatch.setattr(reporting, "MOST", 6)
    from tests.broker.conftest import Tokens
    from workspace.record.client import Client

    async def run():
        where = endpoints("http://127.0.0.1:9")
        client = Client(where, Tokens(server, "tone"))
        reports = reporting.Reports(client, server.clock)
        for number in range(9):
            reports.add("read", room, ("Patient/BEB-18",), query="Observation?code=8867-4", reason=f"nr {number}")
        reports.add("read", room, ("not a patient",), query="Observation")
        reports.add("read", room, ("Patient/BEB-18",), query="Observation?code=8867-4", reason="sist")
        await asyncio.sleep(0.2)
        assert len(reports._waiting) == 6
        vars(where).update(vars(endpoints(server.url)))
        await reports.close()
        assert not reports._waiting
        await client.aclose()

    asyncio.run(run())
    text = str(server.log())
    assert [f"nr {number}" in text for number in (4, 5, 8)] == [False, True, True]
    assert "sist" in text


def test_what_was_read_while_the_platform_was_away_is_told_after_a_crash_and_once(server, room, tmp_path, monkeypatch):
    monkeypatch.setattr(reporting, "DELAY", 0.01)
    from tests.broker.conftest import Tokens
    from workspace.record.client import Client
    from workspace.vault.vault import Vault

    async def session(origin, told, waiting):
        vault = await Vault.open(tmp_path / "v.sqlite", bytes(32), server.clock)
        client = Client(endpoints(origin), Tokens(server, "tone"))
        reports = reporting.Reports(client, server.clock, vault, user="Practitioner/tone")
        reports.add("read", room, ("Patient/BEB-18",), query="Observation?code=8867-4", reason=told)
        try:
            async with asyncio.timeout(5):
                while len(rows := await kept(vault)) != waiting:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            return rows
        finally:  # as a crash leaves it: nothing is closed in order
            reports._task.cancel()
            await asyncio.gather(reports._task, return_exceptions=True)
            await client.aclose()
            await vault.close()

    async def kept(vault):
        return await vault.run(lambda database: list(database.execute("SELECT id, body FROM report ORDER BY seq")))

    async def again(rows):
        """What the platform has, and the crash came before that was noted."""
        vault = await Vault.open(tmp_path / "v.sqlite", bytes(32), server.clock)
        query = "INSERT INTO report (id, user, body) VALUES (?, 'Practitioner/tone', ?)"
        await vault.run(lambda database: database.executemany(query, rows))
        await vault.close()

    rows = asyncio.run(session("http://127.0.0.1:9", "mens den var borte", waiting=1))
    asyncio.run(session(server.url, "etterpå", waiting=0))
    asyncio.run(again(rows))
    asyncio.run(session(server.url, "enda en gang", waiting=0))
    text = str(server.log())
    assert [text.count(told) for told in ("mens den var borte", "etterpå", "enda en gang")] == [1, 1, 1]
