"""A page kept here must be the page the store would give: random histories, the store as the oracle."""

from __future__ import annotations

import asyncio
import random
from datetime import datetime

import pytest

from workspace.clock import OSLO, OffsetClock
from workspace.fhir.search import parse_query
from workspace.fhir.service import FhirRequest
from workspace.record.live import difference, page_of
from workspace.record.matcher import judge
from workspace.record.rows import Changed, name_of
from workspace.sandbox.fhir import Store

LOINC = "http://loinc.org"
QUERIES = [
    "Observation?patient=Patient/a",
    "Observation?patient=Patient/a&_count=4",
    "Observation?patient=a&_sort=-date&_count=3",
    "Observation?patient=Patient/a,Patient/b&_sort=date",
    "Observation?patient=Patient/a&_sort=date&_count=5",
    "Observation?code=http://loinc.org|8867-4&status:not=entered-in-error&_sort=-date",
    "Observation?code=8867-4,9279-1&date=ge2026-01-03&_count=6",
    "Observation?date=2026-01-02",
    "Observation?date=le2026-01-03T12:00&date=gt2026-01-01",
    "Observation?date=sa2026-01-02,eb2026-01-02",
    "Observation?value-quantity=gt70&_sort=-value-quantity,date",
    "Observation?value-quantity=ge60|http://unitsofmeasure.org|/min&_sort=value-quantity&_count=4",
    "Observation?value-quantity=72",
    "Observation?value-quantity:missing=true",
    "Observation?date:missing=true",
    "Observation?status=final&_sort=_id",
    "Observation?status=final&_sort=-_id&_count=3",
    "Observation?_sort=-_lastUpdated&_count=5",
    "Observation?_sort=status,-date",
    "Observation?_id=o1,o2,o3",
    "Observation?value-string=frisk",
    "Observation?value-string:contains=MÅR&_sort=-date",
    "Observation?value-string:exact=Måret frisk",
    "Observation?performer=Practitioner/tone&subject=Patient/a",
    "Observation?performer:identifier=urn:x|7",
    "Observation?patient.family=Multe",
    "Observation?patient=Patient/a&_include=Observation:performer",
    "Observation?patient=Patient/a&_include=Observation:subject&_count=3",
    "Patient?_revinclude=Observation:patient&_id=a",
    "Patient?birthdate=ge1940",
    "Patient?name=aase&_sort=family",
    "Patient?family=multe,rein",
    "Patient?deceased=false&_sort=-birthdate",
]
MOMENTS = [
    "2026-01-01",
    "2026-01-02T08:00:00+01:00",
    "2026-01-02",
    "2026-01-03T09:30:00+01:00",
    "2026-01",
    "2026-01-05",
]


def observation(chance, own):
    made = {
        "resourceType": "Observation",
        "id": own,
        "status": chance.choice(["final", "amended", "entered-in-error"]),
        "code": {"coding": [{"system": LOINC, "code": chance.choice(["8867-4", "9279-1"])}]},
        "subject": {"reference": f"Patient/{chance.choice('ab')}"},
    }
    if chance.random() < 0.85:
        made["effectiveDateTime"] = chance.choice(MOMENTS)
    elif chance.random() < 0.5:
        made["effectivePeriod"] = {"start": "2026-01-02T07:00:00+01:00", "end": "2026-01-04"}
    draw = chance.random()
    if draw < 0.6:
        value = {"value": chance.choice([60, 72, 72.4, 88]), "system": "http://unitsofmeasure.org", "code": "/min"}
        made["valueQuantity"] = {**value, **({"comparator": "<"} if chance.random() < 0.2 else {})}
    elif draw < 0.8:
        made["valueString"] = chance.choice(["Frisk", "Måret frisk", "måret", "syk"])
    if chance.random() < 0.4:
        made["performer"] = [
            chance.choice([{"reference": "Practitioner/tone"}, {"identifier": {"system": "urn:x", "value": "7"}}])
        ]
    return made


def patient(chance, own):
    made = {"resourceType": "Patient", "id": own, "name": [{"family": chance.choice(["Multebær", "Reinlav"])}]}
    if chance.random() < 0.7:
        made["name"][0]["given"] = ["Åase"]
        made["birthDate"] = chance.choice(["1938-02-11", "1941", "1950-05"])
    return made


class World:
    def __init__(self, store, clock, chance):
        self.store, self.clock, self.chance, self.changes = store, clock, chance, []
        store.on_commit(lambda batch: self.changes.extend(Changed(*each) for each in batch))

    async def step(self):
        """One random write; the changes it announced."""
        self.clock.set(datetime(2026, 1, 14, tzinfo=OSLO), 1.0)
        self.changes.clear()
        draw, own = self.chance.random(), f"o{self.chance.randrange(14)}"
        if draw < 0.12:
            request = FhirRequest("DELETE", f"Observation/{own}")
        elif draw < 0.2:
            own = self.chance.choice("ab")
            request = FhirRequest("PUT", f"Patient/{own}", body=patient(self.chance, own))
        elif draw < 0.25:
            tone = {"resourceType": "Practitioner", "id": "tone", "active": self.chance.random() < 0.5}
            request = FhirRequest("PUT", "Practitioner/tone", body=tone)
        else:
            request = FhirRequest("PUT", f"Observation/{own}", body=observation(self.chance, own))
        answer = await self.store.handle(request)
        assert answer.status < 300 or answer.status == 404, answer.body
        await asyncio.sleep(0)
        return list(self.changes)

    async def ask(self, text):
        path, _, query = text.partition("?")
        body = (await self.store.handle(FhirRequest("GET", path, query))).body
        assert body["resourceType"] == "Bundle", body
        entries = body.get("entry", [])
        rows = {mode: [e["resource"] for e in entries if e["search"]["mode"] == mode] for mode in ("match", "include")}
        more = any(link["relation"] == "next" for link in body["link"])
        return page_of(parse_query(text), rows["match"], rows["include"], total=body.get("total"), complete=not more)


def rows_of(page):
    matches = [(name_of(row), row["meta"]["versionId"]) for row in page.matches]
    # Included resources have no order of their own.
    return matches, {(name_of(row), row["meta"]["versionId"]) for row in page.included}


def patched(rows, change):
    """What a listener makes of a change (the rule of the panels' protocol)."""
    if change is None:
        return rows
    if change.whole is not None:
        return list(change.whole.resources)
    drop = {*change.gone, *(name_of(row) for _, row in change.put)}
    rows = [row for row in rows if name_of(row) not in drop]
    for index, row in change.put:
        rows.insert(index, row)
    return rows


@pytest.mark.parametrize("seed", [1, 20260114])
def test_random_histories_end_as_the_store_has_them(tmp_path, seed):
    async def run():
        clock = OffsetClock(datetime(2026, 1, 14, tzinfo=OSLO), 0.0, 1.0)
        store = Store(tmp_path / "fhir.sqlite", clock)
        await store.start()
        decided = dict.fromkeys(QUERIES, 0)
        try:
            world = World(store, clock, random.Random(seed))
            for _ in range(12):
                await world.step()
            pages = {text: await world.ask(text) for text in QUERIES}
            for turn in range(140):
                changes = await world.step()
                for text, page in pages.items():
                    oracle = await world.ask(text)
                    now = page.after(changes)
                    if now is not None:
                        assert rows_of(now) == rows_of(oracle), (turn, text, changes)
                        assert oracle.complete or not now.complete, (turn, text)  # it may doubt, never be too sure
                        decided[text] += now is not page
                    now = now or oracle
                    seen = patched(list(page.rows.resources), difference(page, now))
                    assert [name_of(row) for row in seen] == [name_of(row) for row in now.rows.resources], text
                    assert all(one == other for one, other in zip(seen, now.rows.resources, strict=True)), text
                    pages[text] = now
        finally:
            await store.close()
        return decided

    decided = asyncio.run(run())
    never = [text for text, count in decided.items() if not count]
    assert not never, f"always fetched again: {never}"


def stamped(own, at, version=1, status="final"):
    meta = {"versionId": str(version), "lastUpdated": "2026-01-14T10:00:00+01:00"}
    kind = {"resourceType": "Observation", "id": own, "meta": meta, "status": status}
    return {**kind, "subject": {"reference": "Patient/a"}, "effectiveDateTime": f"2026-01-{at:02}"}


def change(resource):
    return Changed("Observation", resource["id"], int(resource["meta"]["versionId"]), resource)


def test_a_new_row_on_a_full_page_pushes_the_last_one_out_and_nothing_else_is_sent():
    query = parse_query("Observation?patient=Patient/a&_sort=-date&_count=3")
    page = page_of(query, [stamped("c", 9), stamped("b", 8), stamped("a", 7)], complete=False)
    fresh = stamped("d", 10)
    told = difference(page, page.after([change(fresh)]))
    assert told.gone == ("Observation/a",)
    assert told.put == ((0, fresh),)


def test_what_leaves_a_full_page_is_fetched_again_and_what_leaves_a_whole_result_is_not():
    query = parse_query("Observation?patient=Patient/a&status=final&_sort=-date&_count=3")
    rows = [stamped("c", 9), stamped("b", 8), stamped("a", 7)]
    wrong = change(stamped("b", 8, 2, "entered-in-error"))
    assert page_of(query, rows, complete=False).after([wrong]) is None
    whole = page_of(query, rows, complete=True)
    assert difference(whole, whole.after([wrong])).gone == ("Observation/b",)


def test_an_older_version_changes_nothing():
    page = page_of(parse_query("Observation?patient=Patient/a"), [stamped("a", 7, 3)])
    assert page.after([change(stamped("a", 9, 2))]) is page


def test_what_is_measured_from_now_is_left_to_the_platform():
    page = page_of(parse_query("Observation?date=ap2026-01-07"), [])
    assert page.after([change(stamped("a", 7))]) is None


def test_that_more_exist_is_told_and_so_is_that_it_begins_to_be_so():
    query = parse_query("Observation?patient=Patient/a&_sort=-date&_count=1")
    first = versioned("1", "", effectiveDateTime="2026-01-01")
    page = page_of(query, [first])
    assert page.rows.more is False
    after = page.after([Changed("Observation", "y", 1, {**first, "id": "y", "effectiveDateTime": "2026-01-02"})])
    change = difference(page, after)
    assert (change.whole, change.gone, [one["id"] for _, one in change.put], change.more) == (
        None,
        ("Observation/x",),
        ["y"],
        True,
    )
    assert page_of(query, [first], complete=False).rows.more


def test_how_many_there_are_is_not_told_from_before_once_only_the_platform_knows():
    query = parse_query("Observation?patient=Patient/a&status=final&_sort=-date&_count=2")
    whole = page_of(query, [stamped("b", 8), stamped("a", 7)], total=2)
    cut = page_of(query, [stamped("b", 8), stamped("a", 7)], total=9, complete=False)

    def total(page, *changes):
        return page.after(change(each) for each in changes).rows.total

    assert total(whole, stamped("c", 6)) is None, "it has become longer than what is shown"
    assert total(whole, stamped("b", 8, 2, "entered-in-error")) == 1
    assert total(cut, stamped("c", 9)) is None
    assert total(cut, stamped("c", 6)) is None, "behind the last row"
    assert total(cut, stamped("c", 6, 2, "entered-in-error")) is None, "it may have stood there"
    assert total(cut, stamped("c", 6, 1, "entered-in-error")) == 9, "it never did"
    assert total(cut, stamped("a", 9, 2)) == 9, "one that only moves"


def versioned(version, updated, **more):
    meta = {"versionId": version, **({"lastUpdated": updated} if updated else {})}
    subject = {"reference": "Patient/a"}
    return {"resourceType": "Observation", "id": "x", "status": "final", "subject": subject, "meta": meta, **more}


@pytest.mark.parametrize(
    ("version", "updated", "expected"),
    [
        ("a11", "2026-01-14T10:00:00+01:00", "b7f"),  # an older one comes again after the newer
        ("b7f", "2026-01-14T11:00:00+01:00", "b7f"),
        ("a11", "2026-01-14T11:30:00Z", "a11"),
        ("a11", "2026-01-14T12:00:00+01:00", None),  # the same instant: only the platform knows
        ("a11", "", None),
    ],
)
def test_versions_that_are_no_numbers_are_ordered_by_when_they_were_written(version, updated, expected):
    page = page_of(parse_query("Observation?patient=Patient/a"), [versioned("b7f", "2026-01-14T12:00:00+01:00")])
    after = page.after([Changed("Observation", "x", 0, versioned(version, updated))])
    assert expected == (after and after.matches[0]["meta"]["versionId"])


def test_an_address_that_may_be_our_own_is_asked_about_and_never_judged_out():
    query = parse_query("Observation?patient=Patient/a")
    judged = {
        text: judge(query, versioned("1", "", subject={"reference": text}))
        for text in ("Patient/a", "Patient/b", "https://x/fhir/Patient/a", "https://x/fhir/Patient/b", "urn:uuid:1")
    }
    assert list(judged.values()) == ["in", "out", "undecidable", "out", "out"]
