"""The feed where the network is poor: taken up again, asked for instead of streamed, and nothing lost or told twice."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from contextlib import contextmanager, suppress
from itertools import pairwise
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.gateway.test_drafts import key, own, put
from tests.gateway.test_feed import hello, stream
from workspace.fhir.service import FhirRequest


class Cutting:
    """A proxy that cuts an answer after `limit` bytes, or when nothing has come for a while, as some do."""

    def __init__(self, url, limit):
        host, _, port = url.removeprefix("http://").partition(":")
        self.target, self.limit = (host, int(port)), limit
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.connections = 0
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._pass, args=(near,))
            self.threads.append(thread)
            thread.start()

    def _pass(self, near):
        with near, socket.create_connection(self.target) as far:
            far.sendall(near.recv(65_536))
            far.settimeout(0.5)
            left = self.limit
            with suppress(TimeoutError):
                while left > 0 and (some := far.recv(min(left, 4096))):
                    near.sendall(some)
                    left -= len(some)

    def close(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        for thread in self.threads:
            thread.join(10)


@contextmanager
def cutting(url, limit):
    proxy = Cutting(url, limit)
    try:
        yield proxy
    finally:
        proxy.close()


def read_once(proxy, person, since, last):
    """One connection through the proxy, until it is cut: the whole events of it, as an EventSource sees them."""
    head = f"GET /changes?since={since} HTTP/1.1\r\nHost: 127.0.0.1:{proxy.port}\r\n"
    head += "".join(f"{name}: {value}\r\n" for name, value in person.headers().items())
    head += f"Last-Event-ID: {last}\r\n" if last else ""
    with socket.create_connection(("127.0.0.1", proxy.port)) as connection:
        connection.settimeout(20)
        connection.sendall(head.encode() + b"\r\n")
        told = b""
        while some := connection.recv(4096):
            told += some
    body = told.partition(b"\r\n\r\n")[2]
    plain = b""
    while body:  # chunked
        size, _, rest = body.partition(b"\r\n")
        plain, body = plain + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    found = []
    for block in plain.split(b"\n\n")[:-1]:
        fields = dict(line.split(": ", 1) for line in block.decode().splitlines() if not line.startswith(":"))
        if fields:
            found.append((fields.get("event"), fields.get("id"), fields.get("data"), fields.get("retry")))
    return found


def test_a_proxy_that_cuts_costs_connections_and_no_change(server, tone):
    with stream(server.sign_in("tone")) as events:
        start = hello(events)
    sent = [tone.send(bundle(pulse("BEB-18", value=60 + n)), str(uuid4())).status_code for n in range(12)]
    assert set(sent) == {200}
    seen, last = [], ""
    with cutting(server.url, 4000) as proxy:
        deadline = time.monotonic() + 30
        while len(seen) < 12 and time.monotonic() < deadline:
            for name, number, data, retry in read_once(proxy, tone, start, last):
                if name == "change":
                    seen.append(json.loads(data)["resource"]["valueQuantity"]["value"])
                    last = number
                elif retry:
                    assert retry == "1000"
                else:
                    assert name == "hello"
        assert proxy.connections > 2
    assert seen == [60 + n for n in range(12)]


def test_a_deletion_is_told_to_those_who_could_see_it(server, tone):
    tone.send(bundle(pulse("BEB-30", who="tone")), str(uuid4()))
    with stream(server.sign_in("tone")) as events:
        hello(events)
        for gone in ("puls-BEB-01", "puls-BEB-18"):
            request = FhirRequest("DELETE", f"Observation/{gone}")
            asyncio.run_coroutine_threadsafe(server.store.handle(request), server.loop).result(5)
        name, told = events.next()
    assert name == "change"
    assert (told["id"], told["version"], told["resource"]) == ("puls-BEB-18", 2, None)
    assert told["patients"] == ["Patient/BEB-18"]


def test_what_was_entered_in_error_is_told_as_any_change(server, tone):
    there = tone.get("Observation/puls-BEB-18").json()
    with stream(server.sign_in("tone")) as events:
        hello(events)
        tone.put({**there, "status": "entered-in-error"}, **{"If-Match": 'W/"1"'})
        assert events.next()[1]["resource"]["status"] == "entered-in-error"


def poll(person, since=0, sight=""):
    answer = person.get(f"/changes/poll?since={since}&sight={sight}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_who_cannot_hold_a_stream_asks_and_is_told_the_same(server, tone):
    first = poll(tone)
    assert first["events"] == []
    assert first["more"] is False
    assert first["again"] >= 1
    doctor = server.sign_in("lege")
    for patient in ("BEB-18", "BEB-01", "BEB-30"):
        doctor.send(bundle(pulse(patient, who="lege")), str(uuid4()))
    told = poll(tone, first["seq"], first["sight"])
    assert [e["data"]["patients"] for e in told["events"]] == [["Patient/BEB-18"], ["Patient/BEB-30"]]
    assert [e["event"] for e in told["events"]] == ["change", "change"]
    assert told["seq"] == first["seq"] + 3
    assert poll(tone, told["seq"], told["sight"])["events"] == []
    with stream(server.sign_in("tone"), first["seq"]) as events:
        assert hello(events) == first["seq"]
        assert [events.next()[1] for _ in range(2)] == [e["data"] for e in told["events"]]


def test_a_long_wait_is_told_in_parts_and_a_number_that_is_none_starts_anew(server, tone, monkeypatch):
    monkeypatch.setattr("workspace.gateway.feed.POLLED", 3)
    start = poll(tone)["seq"]
    tone.send(bundle(*(pulse("BEB-18", value=60 + n) for n in range(7))), str(uuid4()))
    seen, since, more = [], start, True
    while more:
        told = poll(tone, since)
        seen += [e["data"]["seq"] for e in told["events"]]
        since, more = told["seq"], told["more"]
    assert seen == list(range(start + 1, start + 8))
    (event,) = poll(tone, 10**9)["events"]
    assert (event["event"], event["data"]["reason"]) == ("resync", "forgotten")
    assert tone.get("/changes/poll?since=x").status_code == 400


def test_who_asks_learns_that_somebody_was_opened_or_closed(server, tone):
    first = poll(tone)
    stay = tone.get("Encounter/opphold-BEB-18").json()
    server.store_put({**stay, "status": "finished"})
    told = poll(tone, first["seq"], first["sight"])
    assert told["sight"] != first["sight"]
    assert [(e["event"], e["data"]["reason"]) for e in told["events"]] == [("resync", "access")]
    assert poll(tone, told["seq"], told["sight"])["events"] == []
    server.call(lambda: server.gateway.announce_resync("history"))
    assert [e["data"]["reason"] for e in poll(tone, told["seq"], told["sight"])["events"]] == ["history"]


def test_a_session_has_so_many_streams_and_no_more(server, monkeypatch):
    monkeypatch.setattr("workspace.gateway.feed.MOST_STREAMS", 1)
    with stream(server.sign_in("tone")) as events:
        hello(events)
        refused = server.sign_in("tone").get("/changes")
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) >= 1
        assert refused.json()["issue"][0]["details"]["text"].startswith("Arbeidsflaten har for mange")
        with stream(server.sign_in("tone", sid="sid-annen-pc")) as others:
            hello(others)


def merged(server, source="BEB-18", into="BEB-19"):
    """Two records become one, as whoever merges leaves them."""
    there = {"reference": f"Patient/{into}"}
    stay = server.sign_in("lege").get(f"Encounter/opphold-{source}").json()
    server.store_put({**stay, "subject": there})
    link = [{"other": there, "type": "replaced-by"}]
    server.store_put({"resourceType": "Patient", "id": source, "active": False, "link": link})


def test_two_who_were_one_are_told_and_drafts_move(server, tone):
    put(tone)
    put(tone, {"text": "begge"}, named=key(view="note"))
    put(tone, {"text": "fra før"}, named=key("Patient/BEB-19", view="note"))
    first = poll(tone)
    with stream(server.sign_in("tone")) as events:
        hello(events)
        merged(server)
        told = []
        while not told or told[-1][0] != "merge":
            told.append(events.next())
        drafts = [data for name, data in told if name == "draft"]
    assert told[-1][1] == {"seq": told[-1][1]["seq"], "from": "Patient/BEB-18", "into": "Patient/BEB-19"}
    assert {d["id"] for d in drafts if d.get("reason") == "merged"} == {own(), own(named=key(view="note"))}
    found = {d["id"]: d for d in tone.get("/drafts").json()["drafts"]}
    moved = found[own(named=key("Patient/BEB-19"))]
    assert (moved["merged_from"], moved["values"]["pulse"]) == ("Patient/BEB-18", 81)
    assert found[own(named=key("Patient/BEB-19", view="note"))]["values"] == {"text": "fra før"}
    beside = found[own(named=key("Patient/BEB-19", view="note", draft="~BEB-18"))]
    assert (beside["values"], beside["merged_from"]) == ({"text": "begge"}, "Patient/BEB-18")
    assert len(found) == 3
    for sight in ("", first["sight"], "another"):
        polled = [e["event"] for e in poll(tone, first["seq"], sight)["events"]]
        assert polled.count("merge") == 1
    # The one who goes is read by those who may see the one who stays.
    gone = tone.get("Patient/BEB-18")
    assert (gone.status_code, gone.json()["active"]) == (200, False)
    assert tone.get("Observation/puls-BEB-18").status_code == 200
    server.store_put({**gone.json(), "gender": "male"})  # changed again, replaced once
    assert "merge" not in [e["event"] for e in poll(tone, poll(tone)["seq"] - 1)["events"]]


@pytest.mark.parametrize("between", [[], ["BEB-30"]], ids=["two", "three"])
def test_records_that_replace_each_other_move_no_draft_round(server, tone, between):
    put(tone)
    row = ["BEB-18", "BEB-19", *between, "BEB-18"]
    with stream(server.sign_in("tone")) as events:
        hello(events)
        for gone, stays in pairwise(row):
            link = [{"other": {"reference": f"Patient/{stays}"}, "type": "replaced-by"}]
            server.store_put({"resourceType": "Patient", "id": gone, "active": False, "link": link})
            while events.next()[0] != "merge":
                pass
    (draft,) = tone.get("/drafts").json()["drafts"]
    assert draft["key"]["patient"] == f"Patient/{row[-2]}", "it stays where it was when the circle closed"


def test_somebody_replaced_by_a_stranger_stays_closed(server, tone):
    merged(server, "BEB-01", "BEB-01-ny")
    assert tone.get("Patient/BEB-01").status_code == 403
