"""The change feed over HTTP: numbered, replayed, filtered, ended."""

from __future__ import annotations

import json
from contextlib import contextmanager
from uuid import uuid4

from tests.gateway.conftest import bundle, pulse


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
        assert events.next() == ("resync", {"reason": "forgotten", "seq": server.gateway.feed.seq})


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
    import asyncio

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
