"""The change feed over HTTP: numbered, replayed, filtered, ended."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import contextmanager
from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from workspace.gateway import feed
from workspace.gateway.app import Gateway, GatewaySettings
from workspace.problem import Problem
from workspace.sandbox.fhir import Store


class Events:
    def __init__(self, response):
        self.lines = response.iter_lines()

    def next(self):
        """(event, data) of the next event; comments are skipped, but a stream with nothing else does not last."""
        name, silent = "", 0
        for line in self.lines:
            silent += line.startswith(":")
            assert silent < 4, "nothing is told"
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                return name, json.loads(line[6:])
        return "", {}


@contextmanager
def stream(person, since=0):
    with person.http.stream("GET", f"/changes?since={since}", headers=person.headers()) as response:
        assert response.status_code == 200
        yield Events(response)


def hello(events):
    name, data = events.next()
    assert name == "hello"
    return data["seq"]


def test_a_write_is_told_with_its_number_version_and_transaction(server, tone):
    key = str(uuid4())
    with stream(server.sign_in("tone")) as events:
        before = hello(events)
        tone.send(bundle(pulse("BEB-18")), key)
        name, change = events.next()
    assert name == "change"
    assert change["seq"] == before + 1
    assert (change["type"], change["version"], change["patients"]) == ("Observation", 1, ["Patient/BEB-18"])
    assert change["transaction"] == key
    assert change["resource"]["valueQuantity"]["value"] == 72


def test_what_was_missed_is_sent_again_and_a_forgotten_number_says_so(server, tone):
    with stream(tone) as events:
        start = hello(events)
    for value in (71, 72, 73):
        server.sign_in("tone").send(bundle(pulse("BEB-18", value=value)), str(uuid4()))
    with stream(server.sign_in("tone"), start + 1) as events:
        assert hello(events) == start + 1
        assert [events.next()[1]["seq"] for _ in range(2)] == [start + 2, start + 3]
    server.restart()
    with stream(server.sign_in("tone"), start + 1) as events:
        assert hello(events) > start + 3
        name, said = events.next()
        assert (name, said["reason"], said["seq"]) == ("resync", "forgotten", server.gateway.feed.seq)


def test_a_session_is_told_only_what_it_may_see(server, tone):
    doctor = server.sign_in("lege")
    with stream(server.sign_in("tone")) as events:
        hello(events)
        doctor.send(bundle(pulse("BEB-01", who="lege")), str(uuid4()))
        tone.send(bundle(pulse("BEB-30")), str(uuid4()))
        assert events.next()[1]["patients"] == ["Patient/BEB-30"]


def test_a_session_whose_patients_change_must_fetch_anew(server, tone):
    moved = tone.get("Encounter/opphold-BEB-18").json()
    with stream(server.sign_in("tone")) as events:
        hello(events)
        server.store_put({**moved, "status": "finished"})
        name, said = events.next()
        assert (name, said["reason"]) == ("resync", "access")


def test_older_history_and_the_sessions_end_reach_the_stream(server):
    with stream(server.sign_in("tone")) as events:
        hello(events)
        server.call(lambda: server.gateway.announce_resync("history"))
        assert events.next()[1]["reason"] == "history"
        server.ended.add("sid-tone")
        server.call(lambda: server.gateway.end_session("sid-tone"))
        assert events.next() == ("", {})


def test_a_slow_reader_is_told_to_fetch_anew():
    from workspace.gateway.readers import WAITING, Numbered, Reader

    reader = Reader("s", "Practitioner/tone")
    for seq in range(WAITING + 2):
        reader.put(Numbered(seq, "change", "Observation", (), b""))
    assert reader.resync == "slow"
    assert len(reader.waiting) <= 2
    reader.put(Numbered(9_999, "merge", "Patient", (), b""))
    reader.again("access")
    assert [each.name for each in reader.waiting] == ["merge"]


def test_a_number_that_is_none_is_refused(tone):
    assert tone.get("/changes?since=x").status_code == 400


def test_a_gateway_that_was_closed_can_be_started_again(server, tone):
    async def again():
        await server.gateway.close()
        await server.gateway.close()
        await server.gateway.start()
        await server.gateway.start()

    asyncio.run_coroutine_threadsafe(again(), server.loop).result(5)
    with stream(server.sign_in("tone")) as events:
        hello(events)
        assert tone.send(bundle(pulse("BEB-18")), str(uuid4())).status_code == 200
        assert events.next()[0] == "change"


def test_a_file_that_cannot_reserve_numbers_for_a_while_loses_no_change(server, tone, monkeypatch, caplog):
    real, failing = server.gateway.feed._reserve, [1, 2]

    async def full():
        if failing:
            failing.pop()
            raise sqlite3.OperationalError("disk full")
        await real()

    monkeypatch.setattr(feed, "RESERVE_SECONDS", 0.05)
    with stream(server.sign_in("tone")) as events:
        start = hello(events)
        monkeypatch.setattr(server.gateway.feed, "_reserve", full)
        server.gateway.feed._reserved = start + 1
        tone.send(bundle(pulse("BEB-18"), pulse("BEB-18", value=80)), str(uuid4()))
        seen = [events.next()[1] for _ in range(2)]
    assert [e["resource"]["valueQuantity"]["value"] for e in seen] == [72, 80]
    assert not failing
    assert seen[0]["seq"] > start
    caplog.clear()


def test_a_resource_that_cannot_be_read_makes_all_fetch_anew_and_the_feed_goes_on(server, tone, caplog):
    with stream(server.sign_in("tone")) as events:
        start = hello(events)
        server.store_put({"resourceType": "Basic", "id": "rar", "meta": {"tag": 7}})  # another system's
        name, said = events.next()
        assert (name, said["reason"], said["seq"]) == ("resync", "unreadable", start + 1)
        tone.send(bundle(pulse("BEB-18", value=80)), str(uuid4()))
        name, told = events.next()
        assert (name, told["seq"], told["resource"]["valueQuantity"]["value"]) == ("change", start + 2, 80)
    assert "a commit cannot be told" in caplog.text
    caplog.clear()


def test_a_key_that_cannot_be_used_stops_the_start_and_leaves_nothing_open(tmp_path):
    made = Server(tmp_path)
    (tmp_path / "gateway.key").write_bytes(b"kort")
    settings = GatewaySettings("F", "1", True, "i", "c", "http://p", tmp_path / "gateway.sqlite")

    async def run():
        store = Store(tmp_path / "fhir.sqlite", made.clock)
        await store.start()
        gateway = Gateway(store, settings=settings, tokens=None, clock=made.clock, health=dict)
        try:
            with pytest.raises(Problem) as problem:
                await gateway.start()
            assert problem.value.code == "gateway-key-failed"
            (tmp_path / "gateway.key").unlink()
            await gateway.start()
            await gateway.close()
        finally:
            await store.close()

    asyncio.run(run())
