"""Queries that hold each other go out once; what a patient's leaving makes useless is called off."""

from __future__ import annotations

import asyncio

import pytest

from workspace.fhir.search import parse_query
from workspace.problem import Problem
from workspace.record import queries
from workspace.record.client import Asker
from workspace.record.covering import may_cover

ONE, TWO = Asker(("a.b@1",), "ctx-1"), Asker(("c.d@1",), "ctx-2")
ALL = "Observation?patient=Patient/p&category=vital-signs&_sort=-date&_count=200"
PULSES = "Observation?patient=Patient/p&category=vital-signs&code=8867-4&_sort=-date&_count=50"


def observation(own, code="8867-4", at="2026-01-14T12:00:00+01:00", value=70):
    return {
        "resourceType": "Observation",
        "id": own,
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": at,
        "valueQuantity": {"value": value},
    }


@pytest.mark.parametrize(
    ("wide", "narrow", "holds"),
    [
        (ALL, PULSES, True),
        (PULSES, ALL, False),
        (ALL, ALL, False),
        (ALL, ALL.replace("200", "50"), True),
        (ALL, PULSES.replace("-date", "date"), False),
        (ALL, PULSES + "&_include=Observation:performer", False),
        ("Observation?patient=Patient/p&_sort=-date", PULSES, True),
        ("Observation?patient=Patient/q&_sort=-date", PULSES, False),
        ("Procedure?patient=Patient/p&_sort=-date", PULSES, False),
        ("Observation?patient=Patient/p&_sort=-date&_summary=count", PULSES, False),
        ("Observation?patient=Patient/p&code=9279-1&_sort=-date", PULSES, False),
        ("Observation?patient=Patient/p&code=9279-1,8867-4&_sort=-date", PULSES, True),
        (PULSES, "Observation?patient=Patient/p&category=vital-signs&code=9279-1,8867-4&_sort=-date", False),
        ("Observation?patient=Patient/p&status:not=final,amended&_sort=-date", PULSES + "&status:not=final", False),
    ],
)
def test_only_a_search_that_surely_holds_another_covers_it(wide, narrow, holds):
    assert may_cover(parse_query(wide), parse_query(narrow)) is holds


async def fill(here, many=30):
    for number in range(many):
        code = "8867-4" if number % 2 else "9279-1"
        await here.put(observation(f"o{number:02}", code, f"2026-01-{1 + number % 14:02}T12:00:00+01:00", number))


def test_an_overlapping_query_costs_no_request_and_answers_as_the_platform_would(platform, tmp_path):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here)
            await record.prefetch([(PULSES, ONE, False), (ALL, TWO, False)])
            assert len(here.searches("Observation")) == 1
            rows = await record.search(PULSES, ONE)
            assert len(here.searches("Observation")) == 1
            answer = (await record.client.get(PULSES, ONE)).body["entry"]
            assert [row["id"] for row in rows.resources] == [entry["resource"]["id"] for entry in answer]
            # and it lives on: what is new is in both
            heard = []
            watch = record.watch(PULSES, ONE, heard.append)
            await asyncio.sleep(0.05)
            await here.put(observation("ny", at="2026-01-14T13:00:00+01:00"))
            async with asyncio.timeout(5):
                while not any(change.put for change in heard):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            assert (await record.search(PULSES, ONE)).resources[0]["id"] == "ny"
            watch.close()

    asyncio.run(run())


def test_the_beginning_of_a_longer_answer_costs_no_request_though_more_lies_behind(platform, tmp_path):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here)
            base = "Observation?patient=Patient/p&_sort=-date"
            await record.prefetch([(f"{base}&_count=5", ONE, False), (f"{base}&_count=20", TWO, False)])
            assert len(here.searches("Observation")) == 1
            rows = await record.search(f"{base}&_count=5", ONE)
            answer = (await record.client.get(f"{base}&_count=5", ONE)).body
            assert [row["id"] for row in rows.resources] == [entry["resource"]["id"] for entry in answer["entry"]]
            assert rows.total == answer.get("total")

    asyncio.run(run())


def test_what_is_asked_for_one_code_is_read_out_of_what_is_asked_for_several(platform, tmp_path):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here)
            base = "Observation?patient=Patient/p&_sort=-date&_count=200&code="
            codes = ("8867-4", "9279-1", "8867-4,9279-1")
            await record.prefetch([(base + code, ONE, False) for code in codes])
            assert len(here.searches("Observation")) == 1
            found = [len((await record.search(base + code, ONE)).resources) for code in codes]
            assert found == [15, 15, 30]

    asyncio.run(run())


def test_coming_back_to_the_former_patient_costs_no_request_and_shows_what_is_new(
    platform, tmp_path, monkeypatch, until
):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here, 4)
            monkeypatch.setattr(queries, "IDLE", 0.4)
            await record.search(ALL, ONE)
            record.release("ctx-1")
            await here.put(observation("ny", at="2026-01-14T13:00:00+01:00"))
            await until(lambda: record.peek(ALL).resources[0]["id"] == "ny")
            assert (await record.search(ALL, TWO)).resources[0]["id"] == "ny"
            assert len(here.searches("Observation")) == 1
            record.release("ctx-2")
            await until(lambda: record.held("Observation/ny") is None)  # nobody came back

    asyncio.run(run())


def test_only_the_last_two_who_were_left_are_kept_and_none_when_access_has_changed(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here, 4)
            asked = [ALL, ALL.replace("200", "150"), ALL.replace("&_sort=-date", "")]
            for number, query in enumerate(asked):
                await record.search(query, Asker(("a.b@1",), f"ctx-{number}"))
            for number in range(3):
                record.release(f"ctx-{number}")
            assert [record.peek(query) is not None for query in asked] == [False, True, True]
            here.tell("resync", {"reason": "access", "seq": len(here.numbered)})
            await until(lambda: not record.rows("Observation"))

    asyncio.run(run())


def test_a_wider_answer_that_is_not_whole_is_not_trusted(platform, tmp_path):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here)
            short = ALL.replace("200", "4")
            await record.search(short, TWO)
            rows = await record.search(PULSES, ONE)
            assert len(rows.resources) == 15
            assert len(here.searches("Observation")) == 2

    asyncio.run(run())


def test_safety_waits_for_no_slow_wider_query(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here)
            here.delay = lambda path: 0.0 if "8867" in path else 1.5
            ahead = asyncio.create_task(record.prefetch([(ALL, TWO, False), (PULSES, ONE, True)]))
            await until(lambda: record.peek(PULSES) is not None, 1.2)
            assert record.peek(ALL) is None
            await ahead

    asyncio.run(run())


def test_requests_nobody_waits_for_are_called_off_when_the_patient_leaves(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here, 4)
            here.delay = lambda path: 3.0
            mine = asyncio.create_task(record.search(ALL, ONE))
            shared = "Observation?patient=Patient/p&code=8867-4&_sort=date"
            also = asyncio.create_task(record.search(shared, ONE))
            stays = asyncio.create_task(record.search(shared, TWO))
            await until(lambda: len(here.asked) == 2)
            loop = asyncio.get_running_loop()
            began = loop.time()
            record.release("ctx-1")
            with pytest.raises(Problem) as caught:
                await mine
            assert caught.value.code == "context-changed"
            assert loop.time() - began < 1.0
            here.delay = lambda path: 0.0
            assert len((await stays).resources) == 2  # another context still wants it
            await also
            # the next context asks the same at once: not caught in the one called off
            first = asyncio.create_task(record.search(ALL, Asker(("a.b@1",), "ctx-3")))
            await asyncio.sleep(0)
            record.release("ctx-3")
            assert len((await record.search(ALL, Asker(("a.b@1",), "ctx-4"))).resources) == 4
            await asyncio.gather(first, return_exceptions=True)

    asyncio.run(run())


def test_two_patients_that_are_one_are_asked_about_anew_and_the_drafts_hear_of_it(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            await fill(here, 2)
            heard, merged = [], []
            record.on_merge(lambda gone, stays: merged.append((gone, stays)))
            stays = "Observation?patient=Patient/p&_sort=-date"
            watch = record.watch(stays, ONE, heard.append)
            await until(lambda: heard)
            here.mute = True  # the moved resources come with the merge, not one by one
            await here.put({**observation("flyttet", at="2026-01-14T14:00:00+01:00")})
            here.tell("merge", {"seq": len(here.numbered) + 1, "from": "Patient/q", "into": "Patient/p"})
            await until(lambda: any(row["id"] == "flyttet" for change in heard for _, row in change.put))
            assert merged == [("Patient/q", "Patient/p")]
            watch.close()

    asyncio.run(run())


def test_records_that_replace_each_other_are_told_of_no_further_than_the_first(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            merged, heard = [], []
            record.on_merge(lambda gone, stays: merged.append((gone, stays)))
            watch = record.watch("Patient?_id=p,q", ONE, heard.append)
            await until(lambda: heard)
            for gone, stays in (("q", "p"), ("p", "q")):
                link = [{"other": {"reference": f"Patient/{stays}"}, "type": "replaced-by"}]
                await here.put({"resourceType": "Patient", "id": gone, "active": False, "link": link})
                seq = len(here.numbered) + 1
                here.tell("merge", {"seq": seq, "from": f"Patient/{gone}", "into": f"Patient/{stays}"})
            await until(lambda: any(row["id"] == "p" and row.get("link") for change in heard for _, row in change.put))
            record.refresh()
            assert len((await record.search("Patient?_id=p,q", ONE)).resources) == 2
            assert merged == [("Patient/q", "Patient/p")]
            watch.close()

    asyncio.run(run())


def test_a_merge_that_the_feed_never_told_is_read_off_the_patient_once(platform, tmp_path, until):
    async def run():
        async with platform(tmp_path) as (here, record):
            merged, heard = [], []
            record.on_merge(lambda gone, stays: merged.append((gone, stays)))
            watch = record.watch("Patient?_id=q", ONE, heard.append)
            await until(lambda: heard)
            assert merged == []
            here.mute = True
            link = [{"other": {"reference": "Patient/p"}, "type": "replaced-by"}]
            await here.put({"resourceType": "Patient", "id": "q", "active": False, "link": link})
            here.tell("resync", {"reason": "forgotten", "seq": len(here.numbered)})
            await until(lambda: merged)
            record.refresh()
            assert (await record.search("Patient?_id=q", ONE)).resources[0]["active"] is False
            assert merged == [("Patient/q", "Patient/p")]
            watch.close()

    asyncio.run(run())
