"""A version that takes a row out of somebody's sight is told to those who saw the one before, as a deletion is."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.gateway.test_feed import hello, stream
from tests.gateway.test_feed_cut import poll
from tests.gateway.test_restrictions import close
from workspace.fhir.service import FhirRequest

TEMPERATURE = {"coding": [{"system": "http://loinc.org", "code": "8310-5"}]}


def told_until(events, patient):
    """The changes told, up to one about `patient`."""
    told = [events.next()[1]]
    while told[-1].get("patients") != [f"Patient/{patient}"]:
        told.append(events.next()[1])
    return told[:-1]


def write(server, patient):
    server.sign_in("lege").send(bundle(pulse(patient, who="lege")), str(uuid4()))


def test_a_reading_that_is_moved_to_somebody_she_may_not_see_is_told_to_be_gone(server, tone):
    since = poll(tone)["seq"]
    with stream(server.sign_in("tone")) as hers, stream(server.sign_in("lege")) as the_doctors:
        hello(hers)
        hello(the_doctors)
        server.store_put({**pulse("BEB-01", "lege", 140), "id": "puls-BEB-18"})  # it was of the other all along
        write(server, "BEB-30")
        (gone,) = told_until(hers, "BEB-30")
        (moved,) = told_until(the_doctors, "BEB-30")
    assert gone == {
        "seq": moved["seq"],
        "type": "Observation",
        "id": "puls-BEB-18",
        "version": 2,
        "patients": ["Patient/BEB-18"],
        "transaction": "",
        "resource": None,
    }
    assert moved["patients"] == ["Patient/BEB-01"], "who sees both is told the new one alone"
    assert moved["resource"]["valueQuantity"]["value"] == 140
    assert poll(tone, since)["events"][0]["data"] == gone


def test_who_never_saw_it_is_told_nothing_and_a_later_version_is_nobodys_but_theirs_who_see_it(server, tone):
    with stream(server.sign_in("tone")) as events:
        hello(events)
        server.store_put({**pulse("BEB-01", "lege"), "id": "puls-BEB-18"})
        server.store_put({**pulse("BEB-01", "lege", 73), "id": "puls-BEB-18"})
        server.store_put({**pulse("BEB-01", "lege", 74), "id": "puls-BEB-01"})
        server.store_put({**pulse("BEB-18", "lege", 75), "id": "puls-BEB-18"})
        write(server, "BEB-30")
        told = told_until(events, "BEB-30")
    assert [(each["version"], each["resource"] is None) for each in told] == [(2, True), (4, False)]


def test_a_correction_into_what_is_closed_to_her_is_told_to_be_gone(server, tone):
    close(server, code=[TEMPERATURE])
    doctor = server.sign_in("lege")
    with stream(server.sign_in("tone")) as events:
        hello(events)
        was = doctor.get("Observation/puls-BEB-18").json()
        degrees = {"value": 37.2, "unit": "Cel", "system": "http://unitsofmeasure.org", "code": "Cel"}
        corrected = {**was, "code": TEMPERATURE, "valueQuantity": degrees}
        assert doctor.put(corrected, **{"If-Match": 'W/"1"'}).status_code == 200
        assert tone.ids("Observation?patient=BEB-18") == set()
        write(server, "BEB-30")
        (gone,) = told_until(events, "BEB-30")
    assert (gone["id"], gone["resource"], gone["transaction"]) == ("puls-BEB-18", None, "")
    assert "8310-5" not in str(gone)


@pytest.mark.parametrize("into", ["BEB-19", "BEB-01"], ids=["hers too", "a stranger"])
def test_what_no_longer_says_whom_it_is_about_is_gone_for_those_who_saw_it(server, into):
    with stream(server.sign_in("tone")) as events:
        hello(events)
        nobodys = {k: v for k, v in pulse("BEB-18", "lege").items() if k != "subject"}
        server.store_put({**nobodys, "id": "puls-BEB-18"})
        server.store_put({**pulse(into, "lege"), "id": "puls-BEB-18"})
        write(server, "BEB-30")
        told = told_until(events, "BEB-30")
    assert [(each["version"], each["patients"]) for each in told] == [
        (2, ["Patient/BEB-18"]),
        *([(3, ["Patient/BEB-19"])] if into == "BEB-19" else []),
    ]


def test_a_large_commit_asks_for_what_stood_before_once(server, monkeypatch):
    """Each read is a turn in the line before the platform: a thousand would hold the feed back."""
    asked, handle = [], server.store.handle

    async def counted(request):
        asked.append(request)
        return await handle(request)

    before = [server.sign_in("lege").get(f"Observation/puls-BEB-{own}").json() for own in ("01", "18", "19", "30")]
    monkeypatch.setattr(server.store, "handle", counted)
    entries = [{"resource": one, "request": {"method": "PUT", "url": f"Observation/{one['id']}"}} for one in before]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    with stream(server.sign_in("lege")) as events:
        hello(events)
        asked.clear()
        answer = asyncio.run_coroutine_threadsafe(counted(FhirRequest("POST", "", body=bundle)), server.loop).result(5)
        assert answer.status == 200
        assert [events.next()[1]["version"] for _ in before] == [2, 2, 2, 2]
    former = [one for one in asked if "_history" in str(one.path) or "_history" in str(one.body)]
    assert len(former) == 1
