from __future__ import annotations

import asyncio
import json
import signal
import socket
import sqlite3
import time

import psutil
import pytest

from workspace.clock import SystemClock, parse
from workspace.fhir.outcome import problem_of


def counts(sandbox):
    """What the store holds, by type, straight from its file."""
    with sqlite3.connect(f"file:{sandbox.folder / 'fhir.sqlite'}?mode=ro", uri=True) as connection:
        found = dict(connection.execute("SELECT type, COUNT(*) FROM resource GROUP BY type").fetchall())
    connection.close()
    return found


async def signed_on(sandbox, username="tone"):
    from workspace.sandbox import visitor
    from workspace.signon.login import login
    from workspace.signon.platform import discover_platform

    platform = await discover_platform(sandbox.url)
    session = await login(
        platform, open_browser=lambda address: visitor.choose(address, username), clock=SystemClock(), timeout=30
    )
    return platform, session


def with_token(sandbox, work, username="tone"):
    async def go():
        _, session = await signed_on(sandbox, username)
        try:
            return await work(await session.access_token())
        finally:
            await session.sign_out()

    return asyncio.run(go())


def bearer(token, scopes="nordlys.vitals@1.0.0"):
    return {"Authorization": f"Bearer {token}", "X_Workspace_Package": scopes, "X_Workspace_Purpose": "TREAT"}


def test_a_cold_start_becomes_ready_and_whole(sandbox):
    sandbox.start().listening()
    first = sandbox.get("/health")
    assert first["state"] in ("seeding", "ready")
    sandbox.ready()
    assert sandbox.get("/.well-known/clinician-workspace")["sandbox"] is True
    sandbox.whole()
    told = sandbox.get("/health")
    assert told["history"] == {"from": "2025-12-18", "complete": True}
    assert told["progress"]["done"] == told["progress"]["total"]
    assert counts(sandbox)["Patient"] >= 40


def test_patient_data_are_held_back_until_today_is_in(sandbox):
    sandbox.start().listening()
    status, body = sandbox.ask("/fhir/Patient")
    if sandbox.get("/health")["state"] == "seeding":
        assert status == 503
        assert problem_of(body).code == "sandbox-seeding"
    sandbox.ready()
    status, body = sandbox.ask("/fhir/Patient")
    assert status == 401
    assert body["resourceType"] == "OperationOutcome"


def test_a_restart_keeps_what_is_there(filled):
    filled.start().whole()
    before = counts(filled)
    note = {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "vital-signs",
                    }
                ]
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": "Patient/BEB-18"},
        "effectiveDateTime": "2026-01-14T14:50:00+01:00",
        "performer": [{"reference": "Practitioner/tone"}],
        "valueQuantity": {
            "value": 71,
            "unit": "/min",
            "system": "http://unitsofmeasure.org",
            "code": "/min",
        },
    }

    async def write(token):
        return await asyncio.to_thread(filled.ask, "/fhir/Observation", note, **bearer(token))

    status, made = with_token(filled, write)
    assert status == 201, made
    after_write = counts(filled)
    assert after_write["Observation"] == before["Observation"] + 1
    _, code = filled.stop()
    assert code == 0

    began = time.monotonic()
    filled.start().ready()
    assert time.monotonic() - began < 10
    assert filled.get("/health")["history"]["complete"] is True
    grown = counts(filled)
    # Signing on and reading is itself recorded; all else is as it was.
    assert {**grown, "AuditEvent": 0} == {**after_write, "AuditEvent": 0}

    async def read(token):
        return await asyncio.to_thread(filled.ask, f"/fhir/Observation/{made['id']}", **bearer(token))

    status, found = with_token(filled, read)
    assert status == 200, found
    assert found["valueQuantity"]["value"] == 71


@pytest.mark.parametrize(
    ("days", "since"), [(28, "2025-12-18"), pytest.param(90, "2025-10-17", marks=pytest.mark.long)]
)
def test_an_interrupted_fill_goes_on(sandbox, days, since):
    sandbox.history = days
    sandbox.start().ready()
    sandbox.process.kill()
    sandbox.process.wait()
    sandbox.start().whole()
    assert sandbox.get("/health")["history"]["from"] == since


def test_a_second_start_is_refused_with_the_address_of_the_first(sandbox, tmp_path):
    sandbox.start().listening()
    other = type(sandbox)(sandbox.folder)
    other.start()
    try:
        assert other.process.wait(30) == 1
        assert sandbox.url in other.said()
        assert "går allerede" in other.said()
    finally:
        other.end()
    assert sandbox.get("/health")["state"] in ("seeding", "ready")


class Stream:
    """An open stream of changes, read event by event."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    @classmethod
    async def open(cls, sandbox, token):
        host, port = sandbox.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"GET /changes HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\n\r\n"
        writer.write(head.encode())
        stream = cls(reader, writer)
        await stream.until(b"event: hello")
        return stream

    async def until(self, wanted):
        async with asyncio.timeout(180):
            line = b""
            while wanted not in line:
                line = await self.reader.readline()
                assert line, "the stream ended"

    async def end(self):
        async with asyncio.timeout(10):
            await self.reader.read()
        self.writer.close()
        await self.writer.wait_closed()


def with_stream(sandbox, work):
    """Run `work(stream, session)` for somebody signed on, who is gone with the sandbox."""

    async def go():
        _, session = await signed_on(sandbox)
        try:
            return await work(await Stream.open(sandbox, await session.access_token()), session)
        finally:
            await session.aclose()

    return asyncio.run(go())


def test_a_stop_while_filling_and_with_an_open_stream_is_quick_and_clean(sandbox):
    sandbox.history = 90
    sandbox.start().ready()

    async def stop(stream, session):
        stopped = await asyncio.to_thread(sandbox.stop)
        await stream.end()
        return stopped

    seconds, code = with_stream(sandbox, stop)
    assert code == 0
    assert seconds < 10
    assert "Traceback" not in sandbox.said()
    assert sandbox.running() == {}
    with sqlite3.connect(sandbox.folder / "fhir.sqlite") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize("days", [28, pytest.param(90, marks=pytest.mark.long)])
def test_those_who_listen_are_told_when_older_history_is_in(sandbox, days):
    sandbox.history = days
    sandbox.start().ready()
    [maker] = psutil.Process(sandbox.process.pid).children()
    maker.suspend()  # until somebody listens

    async def wait(stream, session):
        assert sandbox.get("/health")["history"]["complete"] is False
        maker.resume()
        await stream.until(b'"reason":"history"')
        assert sandbox.get("/health")["history"]["complete"] is True
        await asyncio.to_thread(sandbox.stop)
        await stream.end()

    with_stream(sandbox, wait)


def test_signing_out_ends_the_stream(filled):
    filled.start().ready()

    async def sign_out(stream, session):
        told = await session.sign_out()
        assert told.ended
        await stream.end()

    with_stream(filled, sign_out)


def test_an_open_stream_is_use_and_keeps_it_going(filled):
    filled.start("--idle-exit", "1").ready()

    async def stay(stream, session):
        await asyncio.sleep(2.2)
        assert filled.process.poll() is None
        stream.writer.close()
        await stream.writer.wait_closed()

    with_stream(filled, stay)
    assert filled.process.wait(20) == 0


def test_ctrl_c_is_as_good(sandbox):
    sandbox.start().listening()
    assert sandbox.stop(signal.SIGINT)[1] == 0
    assert sandbox.running() == {}


@pytest.mark.parametrize("name", ["fhir.sqlite", "gateway.sqlite", "identity.json", "clock.json"])
def test_damage_is_told_plainly_and_a_reset_keeps_it_aside(sandbox, name):
    sandbox.folder.mkdir()
    sandbox.history = 2
    damaged = b"SQLite format 3\0" + b"no page here " * 1000
    (sandbox.folder / name).write_bytes(damaged)
    sandbox.start()
    assert sandbox.process.wait(60) == 1
    assert "skadet" in sandbox.said()
    assert "workspace sandbox serve --reset" in sandbox.said()
    assert "Traceback" not in sandbox.said()
    sandbox.start("--reset").ready()
    kept = list(sandbox.folder.glob(f"{name}.skadet-*"))
    assert [path.read_bytes() for path in kept] == [damaged]


def test_a_taken_port_means_another_one(sandbox):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        sandbox.start(port=port).listening()
        assert not sandbox.url.endswith(f":{port}")
        assert sandbox.get("/health")["state"] in ("seeding", "ready")


def test_nobody_there_ends_it(sandbox):
    sandbox.start("--idle-exit", "1").listening()
    assert sandbox.process.wait(30) == 0
    assert sandbox.running() == {}


def test_the_clock_can_be_read_set_and_is_remembered(filled):
    filled.start().ready()
    told = filled.get("/sandbox/time")
    assert parse("2026-01-14T14:45:00+01:00") <= parse(told["now"]) < parse("2026-01-14T14:50:00+01:00")
    status, set_to = filled.ask("/sandbox/time", {"now": "2026-01-15T03:00:00+01:00", "rate": 0})
    assert (status, parse(set_to["now"])) == (200, parse("2026-01-15T03:00:00+01:00"))
    assert parse(filled.get("/time")["now"]) == parse("2026-01-15T03:00:00+01:00")
    filled.stop()
    filled.start().ready()
    assert filled.get("/sandbox/time") == set_to


def test_the_clock_is_not_set_by_a_page_elsewhere(standing):
    moment = {"now": "2026-01-15T03:00:00+01:00"}
    assert standing.ask("/sandbox/time", moment, Content_Type="text/plain")[0] == 415
    assert standing.ask("/sandbox/time", moment, Host="evil.example")[0] == 403
    assert standing.ask("/sandbox/time", {"now": "i morgen"})[0] == 400
    assert standing.get("/sandbox/time")["now"].startswith("2026-01-14T14:4")


@pytest.mark.parametrize("username", ["tone", "dahl"])
def test_a_person_signs_on_and_searches(standing, username):

    async def search(token):
        return await asyncio.to_thread(
            standing.ask, "/fhir/Observation?patient=Patient/BEB-18&_count=5&_sort=-date", **bearer(token)
        )

    status, body = with_token(standing, search, username)
    assert status == 200, json.dumps(body)[:400]
    assert len(body["entry"]) == 5


def test_the_log_holds_no_resident(sandbox):
    sandbox.start().ready()

    async def search(token):
        return await asyncio.to_thread(sandbox.ask, "/fhir/Patient/BEB-18", **bearer(token))

    status, resident = with_token(sandbox, search)
    assert status == 200, resident
    sandbox.stop()
    log = (sandbox.folder / "sandbox.log").read_text() + sandbox.said()
    assert "BEB-18" not in log
    assert resident["name"][0]["family"] not in log


def test_two_records_become_one_and_all_follow(filled):
    sandbox = filled.start().ready()

    async def look(token):
        def go():
            headers = bearer(token)
            before = sandbox.ask("/fhir/Observation?patient=Patient/BEB-40&_count=1000", **headers)[1]
            first = sandbox.ask("/changes/poll", **headers)[1]
            assert sandbox.ask("/sandbox/merge", {"from": "Patient/BEB-40", "into": "Patient/x"})[0] == 404
            assert sandbox.ask("/sandbox/merge", {"from": "BEB-40"})[0] == 400
            status, told = sandbox.ask("/sandbox/merge", {"from": "Patient/BEB-40", "into": "Patient/BEB-39"})
            assert status == 200, told
            assert sandbox.ask("/sandbox/merge", {"from": "Patient/BEB-40", "into": "Patient/BEB-39"})[0] == 409
            after = sandbox.ask("/fhir/Observation?patient=Patient/BEB-40&_count=1000", **headers)
            now = sandbox.ask("/fhir/Observation?patient=Patient/BEB-39&_count=1000", **headers)[1]
            gone = sandbox.ask("/fhir/Patient/BEB-40", **headers)
            events, since, more = [], first["seq"], True
            while more:
                part = sandbox.ask(f"/changes/poll?since={since}", **headers)[1]
                since, more = part["seq"], part["more"]
                events += part["events"]
            return before, told, after, now, gone, events

        return await asyncio.to_thread(go)

    before, told, after, now, gone, polled = with_token(sandbox, look, "dahl")
    ids = lambda found: {e["resource"]["id"] for e in found.get("entry", ())}  # noqa: E731
    assert told["moved"] > len(ids(before)) > 10
    assert ids(before) <= ids(now)
    assert (after[0], ids(after[1])) == (200, set())
    assert gone[0] == 200
    assert gone[1]["link"][-1] == {"other": {"reference": "Patient/BEB-39"}, "type": "replaced-by"}
    assert [e["data"] for e in polled if e["event"] == "merge"] == [
        {"seq": polled[-1]["data"]["seq"] - 1, "from": "Patient/BEB-40", "into": "Patient/BEB-39"}
    ]


def test_records_are_not_merged_by_a_page_elsewhere(standing):
    asked = {"from": "Patient/BEB-40", "into": "Patient/BEB-39"}
    assert standing.ask("/sandbox/merge", asked, Content_Type="text/plain")[0] == 415
    assert standing.ask("/sandbox/merge", asked, Host="evil.example")[0] == 403
    assert standing.ask("/sandbox/merge")[0] == 405


def test_workstations_are_not_wiped_by_a_page_elsewhere_or_without_a_reason(standing):
    asked = {"person": "Practitioner/tone", "device": "stue 3", "reason": "PC-en er borte"}
    assert standing.ask("/sandbox/wipe", asked, Content_Type="text/plain")[0] == 415
    assert standing.ask("/sandbox/wipe", asked, Host="evil.example")[0] == 403
    assert standing.ask("/sandbox/wipe")[0] == 405
    assert standing.ask("/sandbox/wipe", {**asked, "reason": ""})[0] == 400
    status, told = standing.ask("/sandbox/wipe", asked)
    assert (status, set(told)) == (200, {"id"})


def test_the_one_a_resident_has_shut_out_never_meets_her(standing):
    async def look(token):
        def go():
            headers = bearer(token)
            patients = standing.ask("/fhir/Patient?_count=100", **headers)[1]
            return patients, standing.ask("/fhir/Patient/BEB-21", **headers)

        return await asyncio.to_thread(go)

    patients, her = with_token(standing, look, "geir-tareskog")
    found = {e["resource"]["id"] for e in patients["entry"]}
    assert len(found) == 11
    assert "BEB-21" not in found
    assert her[0] == 403
    assert "BEB-21" in {e["resource"]["id"] for e in with_token(standing, look, "tone")[0]["entry"]}


def test_where_the_protected_resident_is_stands_nowhere(standing):
    """R-40: her room, her house and her doctor, in all that a nurse of her own unit can ask for."""
    kinds = ("Encounter", "RelatedPerson", "Condition", "Flag", "CarePlan", "Task", "Communication", "Composition")
    kinds += ("MedicationRequest", "MedicationAdministration", "Observation", "AllergyIntolerance", "Goal", "Consent")

    async def look(token):
        def go():
            headers = bearer(token)
            told = [standing.ask(f"/fhir/{kind}?patient=BEB-22&_count=1000", **headers) for kind in kinds]
            told += [
                standing.ask(f"/fhir/{path}", **headers) for path in ("Patient/BEB-22", "Encounter/BEB-22-opphold")
            ]
            told.append(standing.ask("/fhir/Encounter?patient=BEB-22&_include=Encounter:location", **headers))
            whole = standing.ask("/fhir/Encounter?status=in-progress&_include=Encounter:location", **headers)
            return told, whole

        return await asyncio.to_thread(go)

    told, whole = with_token(standing, look)
    assert all(status == 200 for status, _ in told)
    assert sum(len(body.get("entry", ())) for _, body in told) > 150
    for place in ("rom-302", '"302"', "Fjellheimvegen", "Troms", "9010", "5501", "generalPractitioner"):
        assert place not in json.dumps(told, ensure_ascii=False), place
    assert "rom-302" not in json.dumps(whole)
    assert "rom-301" in json.dumps(whole)
