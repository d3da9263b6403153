"""Writing, versions, transactions and what goes wrong with the file."""

import asyncio
import sqlite3

import pytest

from workspace.fhir.service import FhirRequest
from workspace.problem import Problem
from workspace.sandbox.fhir import Store, prepare


def flag(patient="BEB-18", text="Fall", **more):
    subject = {"reference": f"Patient/{patient}"}
    return {"resourceType": "Flag", "status": "active", "code": {"text": text}, "subject": subject, **more}


def entry(method, url, resource=None, full="", **conditions):
    made = {"request": {"method": method, "url": url, **conditions}}
    if resource:
        made["resource"] = resource
    if full:
        made["fullUrl"] = full
    return made


def bundle(*entries, kind="transaction"):
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries)}


def test_a_resource_lives_through_its_versions(bench):
    made = bench.ask("POST", "Flag", flag())
    assert made.status == 201
    own = made.body["id"]
    assert made.headers["etag"] == 'W/"1"'
    assert made.headers["location"] == f"Flag/{own}/_history/1"
    assert made.body["meta"] == {"versionId": "1", "lastUpdated": "2026-01-14T14:45:00+01:00"}
    changed = bench.ask("PUT", f"Flag/{own}", {**made.body, "status": "inactive"}, if_match='W/"1"')
    assert (changed.status, changed.headers["etag"]) == (200, 'W/"2"')
    assert bench.ask("GET", f"Flag/{own}").body["status"] == "inactive"
    assert bench.ask("GET", f"Flag/{own}/_history/1").body["status"] == "active"
    assert bench.ask("DELETE", f"Flag/{own}").status == 204
    assert bench.ask("GET", f"Flag/{own}").status == 410
    assert bench.ask("GET", f"Flag/{own}/_history/2").body["status"] == "inactive"
    assert bench.ask("GET", f"Flag/{own}/_history/3").status == 410
    assert bench.found("Flag?patient=BEB-18") == set()
    history = bench.ask("GET", f"Flag/{own}/_history").body["entry"]
    assert [each["request"]["method"] for each in history] == ["DELETE", "PUT", "POST"]
    revived = bench.ask("PUT", f"Flag/{own}", flag(id=own))
    assert (revived.status, revived.headers["etag"]) == (201, 'W/"4"')


def test_another_version_than_the_one_seen_is_refused(bench):
    bench.put("Flag", "a", subject={"reference": "Patient/x"})
    bench.put("Flag", "a", subject={"reference": "Patient/y"})
    refused = bench.ask("PUT", "Flag/a", flag(id="a"), if_match='W/"1"')
    assert refused.status == 412
    assert refused.body["issue"][0]["details"]["coding"][0]["code"] == "version-conflict"
    assert bench.ask("DELETE", "Flag/a", if_match='W/"1"').status == 412
    assert bench.ask("PUT", "Flag/a", flag(id="a"), if_none_match="*").status == 412
    assert bench.ask("PUT", "Flag/new", flag(id="new"), if_match='W/"1"').status == 412
    assert bench.found("Flag?patient=y") == {"a"}


def test_a_conditional_create_makes_one(bench):
    known = {"identifier": [{"system": "urn:x", "value": "1"}]}
    first = bench.ask("POST", "Flag", flag(**known), if_none_exist="identifier=urn:x|1")
    again = bench.ask("POST", "Flag", flag(**known), if_none_exist="identifier=urn:x|1")
    assert (first.status, again.status) == (201, 200)
    assert again.body["id"] == first.body["id"]
    bench.ask("POST", "Flag", flag(**known))
    assert bench.ask("POST", "Flag", flag(**known), if_none_exist="identifier=urn:x|1").status == 412


def test_a_conditional_update_finds_its_resource(bench):
    known = {"identifier": [{"system": "urn:x", "value": "1"}]}
    assert bench.ask("PUT", "Flag?identifier=urn:x|1", flag(**known)).status == 201
    assert bench.ask("PUT", "Flag?identifier=urn:x|1", flag("BEB-17", **known)).status == 200
    assert len(bench.ids("Flag")) == 1
    assert bench.ask("DELETE", "Flag?identifier=urn:x|1").status == 204
    assert bench.ids("Flag") == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "Flag", {"resourceType": "Patient"}, 400),
        ("POST", "Flag", {}, 400),
        ("POST", "Flag", None, 400),
        ("PUT", "Flag/a", {"resourceType": "Flag", "id": "b"}, 400),
        ("PUT", "Flag/a_b", {"resourceType": "Flag"}, 400),
        ("POST", "Spaceship", {"resourceType": "Spaceship"}, 404),
        ("GET", "Spaceship/1", None, 404),
        ("GET", "Flag/nobody", None, 404),
        ("GET", "Flag/a/b/c/d", None, 404),
        ("PATCH", "Flag/a", {}, 405),
        ("POST", "", {"resourceType": "Flag"}, 400),
        ("DELETE", "Flag/nobody", None, 404),
        ("DELETE", "Flag", None, 400),
    ],
)
def test_what_a_client_gets_wrong_is_an_outcome(bench, method, path, body, status):
    answer = bench.ask(method, path, body)
    assert answer.status == status
    assert answer.body["resourceType"] == "OperationOutcome"
    assert answer.body["issue"][0]["details"]["text"].endswith(".")


def test_the_client_says_how_much_comes_back(bench):
    assert bench.ask("POST", "Flag", flag(), prefer="return=minimal").body is None
    outcome = bench.ask("POST", "Flag", flag(), prefer="return=OperationOutcome").body
    assert outcome["resourceType"] == "OperationOutcome"


def test_entries_of_a_transaction_name_each_other(bench):
    stay = {"resourceType": "Encounter", "status": "in-progress", "subject": {"reference": "urn:uuid:1"}}
    answer = bench.ask(
        "POST",
        "",
        bundle(
            entry("POST", "Encounter", stay, "urn:uuid:2"),
            entry("POST", "Patient", {"resourceType": "Patient"}, "urn:uuid:1"),
            entry("PUT", "Flag/f", flag(id="f", encounter={"reference": "urn:uuid:2"}), "urn:uuid:3"),
        ),
    )
    assert answer.status == 200
    encounter, patient, raised = (each["resource"] for each in answer.body["entry"])
    assert encounter["subject"]["reference"] == f"Patient/{patient['id']}"
    assert raised["encounter"]["reference"] == f"Encounter/{encounter['id']}"
    assert [each["response"]["status"] for each in answer.body["entry"]] == ["201", "201", "201"]
    assert bench.found(f"Encounter?patient={patient['id']}") == {encounter["id"]}


def test_a_transaction_is_all_or_nothing(bench):
    heard = []
    bench.store.on_commit(heard.append)
    bad = bundle(entry("POST", "Flag", flag()), entry("PUT", "Flag/x", flag(id="y")))
    answer = bench.ask("POST", "", bad)
    assert answer.status == 400
    assert "entry[1]" in answer.body["issue"][0]["diagnostics"]
    assert bench.ids("Flag") == []
    stale = bundle(entry("POST", "Flag", flag()), entry("PUT", "Flag/x", flag(id="x"), ifMatch='W/"7"'))
    assert bench.ask("POST", "", stale).status == 412
    unknown = bundle(entry("POST", "Flag", flag(encounter={"reference": "urn:uuid:nowhere"})))
    assert bench.ask("POST", "", unknown).status == 400
    twice = bundle(entry("PUT", "Flag/x", flag(id="x")), entry("DELETE", "Flag/x"))
    assert bench.ask("POST", "", twice).status == 400
    assert bench.ids("Flag") == []
    assert heard == []


def test_a_conditional_reference_finds_the_one(bench):
    bench.put("Patient", "BEB-18", identifier=[{"system": "urn:x", "value": "1"}])
    named = flag()
    named["subject"] = {"reference": "Patient?identifier=urn:x|1"}
    answer = bench.ask("POST", "", bundle(entry("POST", "Flag", named)))
    assert answer.body["entry"][0]["resource"]["subject"]["reference"] == "Patient/BEB-18"
    named["subject"] = {"reference": "Patient?identifier=urn:x|2"}
    assert bench.ask("POST", "", bundle(entry("POST", "Flag", named))).status == 412


def test_a_transaction_that_finds_what_exists_points_at_it(bench):
    known = {"resourceType": "Patient", "identifier": [{"system": "urn:x", "value": "1"}]}
    bench.put("Patient", "there", identifier=known["identifier"])
    named = flag()
    named["subject"] = {"reference": "urn:uuid:1"}
    work = bundle(
        entry("POST", "Patient", known, "urn:uuid:1", ifNoneExist="identifier=urn:x|1"), entry("POST", "Flag", named)
    )
    first, second = bench.ask("POST", "", work).body["entry"]
    assert first["response"]["status"] == "200"
    assert second["resource"]["subject"]["reference"] == "Patient/there"


def test_entries_of_a_batch_stand_each_for_itself(bench):
    work = bundle(entry("POST", "Flag", flag()), entry("GET", "Flag/nobody"), entry("GET", "Flag?patient=BEB-18"))
    answer = bench.ask("POST", "", {**work, "type": "batch"})
    assert [each["response"]["status"] for each in answer.body["entry"]] == ["201", "404", "200"]
    reads = bundle(entry("GET", "Flag?patient=BEB-18"), kind="batch")
    assert len(bench.ask("POST", "", reads).body["entry"][0]["resource"]["entry"]) == 1


def test_changes_are_told_in_the_order_they_were_made(bench):
    heard = []
    end = bench.store.on_commit(lambda changes: heard.extend(each[:3] for each in changes))

    async def many():
        work = [FhirRequest("PUT", "Flag/a", "", {}, flag(id="a", text=str(number))) for number in range(30)]
        answers = await asyncio.gather(*(bench.store.handle(each) for each in work))
        assert {each.status for each in answers} == {200, 201}

    bench.run(many())
    bench.ask("DELETE", "Flag/a")
    assert heard == [
        (
            "Flag",
            "a",
            version,
        )
        for version in range(1, 32)
    ]
    end()
    bench.put("Flag", "b")
    assert len(heard) == 31


def test_of_many_who_change_the_same_version_one_wins(bench):
    bench.put("Flag", "a")

    async def race():
        work = [FhirRequest("PUT", "Flag/a", "", {"if-match": 'W/"1"'}, flag(id="a")) for _ in range(10)]
        return [each.status for each in await asyncio.gather(*(bench.store.handle(each) for each in work))]

    assert sorted(bench.run(race())) == [200] + [412] * 9


def test_history_of_a_type_since_and_page_by_page(bench):
    for number in range(3):
        bench.put("Flag", f"f{number}")
        bench.put("Flag", f"f{number}", status="inactive")
    bench.put("Task", "t")
    query, seen = "Flag/_history?_count=4", []
    while query:
        body = bench.ask("GET", query).body
        seen += [(each["resource"]["id"], each["resource"]["meta"]["versionId"]) for each in body["entry"]]
        query = next((each["url"] for each in body["link"] if each["relation"] == "next"), None)
    assert len(seen) == len(set(seen)) == 6
    assert len(bench.ask("GET", "_history").body["entry"]) == 7
    assert bench.ask("GET", "_history?_since=2026-01-15").body["entry"] == []


def test_the_capability_statement_tells_the_truth(bench):
    rest = bench.ask("GET", "metadata").body["rest"][0]
    observation = next(each for each in rest["resource"] if each["type"] == "Observation")
    sample = {"token": "x", "reference": "x", "date": "2026", "string": "x", "quantity": "1", "uri": "x"}
    for parameter in observation["searchParam"]:
        query = f"Observation?{parameter['name']}={sample[parameter['type']]}"
        assert bench.ask("GET", query).status == 200, query
    for include in observation["searchInclude"]:
        assert bench.ask("GET", f"Observation?_include={include}").status == 200
    for include in observation["searchRevInclude"]:
        assert bench.ask("GET", f"Observation?_revinclude={include}").status == 200


def imported(own, **more):
    meta = {"versionId": "1", "lastUpdated": "2025-06-01T10:00:00+02:00"}
    return prepare({**flag(**more), "id": own, "meta": meta})


def test_an_import_keeps_its_times_is_silent_and_never_overwrites(bench):
    heard = []
    bench.put("Flag", "mine", status="inactive", subject={"reference": "Patient/BEB-17"})
    bench.store.on_commit(heard.append)
    batch = [imported("a"), imported("b"), imported("mine")]
    assert bench.run(bench.store.import_prepared(batch)) == 2
    assert bench.run(bench.store.import_prepared(batch)) == 0
    assert heard == []
    assert bench.ask("GET", "Flag/a").body["meta"]["lastUpdated"] == "2025-06-01T10:00:00+02:00"
    assert bench.ask("GET", "Flag/mine").body["status"] == "inactive"
    assert bench.found("Flag?patient=BEB-18") == {"a", "b"}


def test_everything_is_there_after_a_restart(bench):
    bench.put("Flag", "a", subject={"reference": "Patient/BEB-18"})
    bench.reopen()
    assert bench.found("Flag?patient=BEB-18") == {"a"}


def test_a_changed_parameter_table_fills_the_indexes_anew(bench):
    bench.put("Flag", "a", subject={"reference": "Patient/BEB-18"})
    bench.run(bench.store.close())
    connection = sqlite3.connect(bench.path)
    connection.execute("DELETE FROM link")
    connection.execute("UPDATE meta SET value = 'older' WHERE name = 'fingerprint'")
    connection.commit()
    connection.close()
    bench.store = Store(bench.path, bench.clock)
    bench.run(bench.store.start())
    assert bench.found("Flag?patient=BEB-18") == {"a"}


def test_a_damaged_file_is_said_and_can_be_put_aside(bench):
    bench.put("Flag", "a")
    bench.run(bench.store.close())
    bench.path.write_bytes(b"not a database at all" * 500)
    bench.store = Store(bench.path, bench.clock)
    with pytest.raises(Problem) as caught:
        bench.run(bench.store.start())
    assert caught.value.code == "store-damaged"
    aside = bench.store.set_aside()
    bench.run(bench.store.start())
    assert aside.read_bytes().startswith(b"not a database")
    assert bench.ids("Flag") == []


def test_damage_within_the_file_is_found_after_an_unclean_stop(bench):
    for number in range(200):
        bench.put("Flag", f"f{number}", code={"text": "x" * 500})
    bench.run(bench.store.close())
    connection = sqlite3.connect(bench.path)
    connection.execute("UPDATE meta SET value = '0' WHERE name = 'clean'")
    connection.commit()
    connection.close()
    content = bytearray(bench.path.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 8192] = b"\xff" * 8192
    bench.path.write_bytes(content)
    bench.store = Store(bench.path, bench.clock)
    with pytest.raises(Problem) as caught:
        bench.run(bench.store.start())
    assert caught.value.code == "store-damaged"
    bench.store.set_aside()
    bench.run(bench.store.start())


def test_a_locked_file_is_said(bench):
    bench.run(bench.store.close())
    other = sqlite3.connect(bench.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        locked = Store(bench.path, bench.clock)
        with pytest.raises(Problem) as caught:
            bench.run(locked.start())
        assert caught.value.code == "store-locked"
    finally:
        other.close()
