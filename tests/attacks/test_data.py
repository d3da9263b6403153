"""Panels that want facts they may not have, against the real broker, gateway and store."""

from __future__ import annotations

import asyncio
import json

from tests.attacks.conftest import refused, until
from workspace.broker.context import for_patient

NOT_READ = ("bad-query", "wrong-patient", "invalid-params")


def given(answer):
    """The resources that an answer let through."""
    rows = json.loads(answer.removeprefix("ja: ")) if answer.startswith("ja: ") else []
    return rows if isinstance(rows, list) else [rows]


def nothing_of_others(found):
    """Every resource that was let through is the open patient's."""
    for way, answer in found.items():
        for one in given(answer):
            about = one.get("subject", {}).get("reference") or f"{one.get('resourceType')}/{one.get('id')}"
            assert about == "Patient/BEB-18", (way, one)


def all_refused(found, *codes):
    open_doors = {way: answer for way, answer in found.items() if answer not in codes}
    assert open_doors == {}


@refused("every")
async def test_it_reads_another_patient(ward):
    thief = await ward.shown("reads_another_patient")
    found = await thief.found(other="BEB-19")
    nothing_of_others(found)
    outright = {way: answer for way, answer in found.items() if "_id=puls" not in way}
    all_refused(outright, "wrong-patient", "bad-query")
    assert thief.logged("wrong-patient")


@refused("every")
async def test_it_reads_another_unit(ward, unit):
    thief = await ward.shown("reads_another_unit", context=unit, view="ward")
    found = await thief.found(other="BEB-30", unit="solsiden")
    assert not any("BEB-30" in answer or "Navn30" in answer for answer in found.values()), found
    assert found["read"] in ("wrong-patient", "access-denied", "not-found")
    assert found["Observation?patient=BEB-30"] == "wrong-patient"
    assert thief.logged("wrong-patient")


@refused("every")
async def test_it_asks_beyond_its_scope(ward):
    ward.server.store_put(LAB)
    thief = await ward.shown("beyond_its_scope")
    found = await thief.found()
    assert not any("lab-BEB-18" in answer for answer in found.values()), found
    all_refused(found, "scope-denied", "bad-query")
    assert thief.logged("scope-denied")


@refused("every")
async def test_it_fetches_others_through_includes(ward):
    for resource in (DIAGNOSIS, LINKED):
        ward.server.store_put(resource)
    thief = await ward.shown("through_include")
    found = await thief.found()
    nothing_of_others(found)
    assert not any('"Condition"' in answer or '"Practitioner"' in answer for answer in found.values()), found


@refused("every")
async def test_it_searches_through_a_chain(ward):
    thief = await ward.shown("through_a_chain")
    found = await thief.found(other="BEB-19")
    nothing_of_others(found)
    assert [way for way, answer in found.items() if given(answer)] == []
    assert thief.logged("wrong-patient") or thief.logged("bad-query")


@refused("every")
async def test_it_asks_in_a_batch_or_by_a_path(ward):
    thief = await ward.shown("through_a_batch")
    found = await thief.found(other="BEB-19")
    nothing_of_others(found)
    methods = {way: answer for way, answer in found.items() if not way.startswith(("read", "search"))}
    all_refused(methods, "method-not-found", "invalid-params")
    all_refused({way: answer for way, answer in found.items() if way.startswith("read")}, *NOT_READ)
    assert thief.logged("bad-query")


def pulse(who, **more):
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"code": "vital-signs"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
        "subject": {"reference": f"Patient/{who}"},
        "effectiveDateTime": "2026-01-14T14:40:00+01:00",
        "performer": [{"reference": "Practitioner/tone"}],
        "valueQuantity": {"value": 13, "unit": "/min", "system": "http://unitsofmeasure.org", "code": "/min"},
    } | more


def writing(resource, **more):
    return {"action": "create", "resource": resource, "full_url": "urn:uuid:1", **more}


@refused("every")
async def test_it_writes_to_another_patient(ward):
    writer = await ward.shown("writes_to_another_patient")
    mine = writing(pulse("BEB-18"))
    hidden = {"note": [{"text": "x", "authorReference": {"reference": "Patient/BEB-19"}}]}
    moved = {"action": "update", "resource": pulse("BEB-18", id="puls-BEB-19"), "if_match": 'W/"1"'}
    ways = [
        [writing(pulse("BEB-19"))],
        [mine, writing(pulse("BEB-19"))],
        [moved],
        [{"action": "update", "resource": pulse("BEB-19", id="puls-BEB-19"), "if_match": 'W/"1"'}],
        [writing(pulse("BEB-18", **hidden))],
        [writing(pulse("BEB-18", subject={"reference": "http://127.0.0.1/fhir/Patient/BEB-19"}))],
        [writing(pulse("BEB-18", subject={"type": "Patient", "identifier": {"value": "12895012345"}}))],
        [writing(pulse("BEB-18", subject={}))],
        [writing(pulse("BEB-18", performer=[{"reference": "Practitioner/lege"}]))],
        [writing({"resourceType": "Bundle", "type": "transaction", "entry": [{"resource": pulse("BEB-19")}]})],
        [writing({"resourceType": "Condition", "subject": {"reference": "Patient/BEB-18"}})],
        [writing({"resourceType": "Patient", "id": "BEB-19", "name": [{"family": "Byttet"}]})],
        [writing({"resourceType": "PractitionerRole", "practitioner": {"reference": "Practitioner/tone"}})],
        [writing(pulse("BEB-18", contained=[{"resourceType": "Patient", "id": "BEB-19"}]))],
        [{"action": "delete", "resource": pulse("BEB-18", id="puls-BEB-18")}],
    ]
    for writes in ways:
        outcome = await writer.act(writes=writes)
        assert not outcome.ok, writes
        assert "ondt" not in outcome.problem
    assert writer.logged("wrong-patient")
    assert writer.logged("scope-denied")
    assert writer.logged("wrong-author")
    lege = ward.server.sign_in("lege")
    assert lege.ids("Observation?patient=BEB-19") == {"puls-BEB-19"}
    values = [e["resource"]["valueQuantity"]["value"] for e in lege.get("Observation?patient=BEB-19").json()["entry"]]
    assert values == [72]


@refused("every")
async def test_it_draws_with_the_context_of_before(ward):
    context = for_patient("Patient/BEB-18")
    ghost = await ward.shown("old_context", context=context)
    pid = ghost.panel.pid
    assert ghost.panel.nodes
    await ward.host.end_context(context)
    await until(lambda: not alive(pid))
    await asyncio.sleep(0.05)
    assert not ghost.panel.nodes, "what it showed is let go, and nothing it drew since has taken the place"
    assert "FORRIGE" not in ghost.frame.accessibleName()
    assert ghost.panel.state == "closed"


@refused("every")
async def test_it_forges_another_instance(ward):
    other = for_patient("Patient/BEB-19")
    victim = await ward.shown("never_answers_ask", context=other, instance="offer")
    forger = await ward.shown("forges_an_instance")
    before = {name: node.component for name, node in ward.neighbour.nodes.items()}
    found = await forger.found(instance="nabo", context=other.token)
    assert found["search"] in ("invalid-params", "context-changed")
    assert found["other context"] == "context-changed"
    assert found["watch"] == "context-changed"
    await asyncio.sleep(0.05)
    assert {name: node.component for name, node in ward.neighbour.nodes.items()} == before
    shown = [node.component for panel in (victim.panel, forger.panel) for node in panel.nodes.values()]
    assert not any(getattr(one, "text", "") == "FALSK" for one in shown)
    assert forger.panel.log_tail.count("[host]") >= 1  # the vendor is told too


@refused("every")
async def test_it_answers_what_nobody_asked(ward):
    liar = await ward.shown("answers_for_others")
    await liar.act()  # its own event it may answer as it likes
    assert await ward.host.ask(ward.context) == []
    assert liar.panel.state == "running"


@refused("every")
async def test_on_the_sdk_it_gets_no_further(ward):
    misuser = await ward.shown("with_the_sdk")

    [words] = [node.component.text for node in misuser.panel.nodes.values() if hasattr(node.component, "text")]
    assert words.startswith("Panelet klarte ikke å vise dette")
    assert "PatientState: panel.py: kept holds a ctx" in misuser.panel.log_tail


def alive(pid):
    import psutil

    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


LAB = pulse("BEB-18", id="lab-BEB-18", category=[{"coding": [{"code": "laboratory"}]}])
LAB["code"] = {"coding": [{"system": "http://loinc.org", "code": "718-7"}]}
DIAGNOSIS = {
    "resourceType": "Condition", "id": "psyk-BEB-18", "subject": {"reference": "Patient/BEB-18"},
    "code": {"text": "taushet"},
}  # fmt: skip
LINKED = pulse("BEB-18", id="lenke-BEB-18", hasMember=[{"reference": "Observation/puls-BEB-19"}])
LINKED["derivedFrom"] = [{"reference": "Observation/puls-BEB-19"}]


@refused("every")
async def test_it_ties_its_patients_facts_to_anothers(ward):
    """A link to somebody else's fact would mix two records, and let a search through it answer about her."""
    writer = await ward.shown("writes_to_another_patient")
    theirs = [{"reference": "Observation/puls-BEB-19"}]
    for how in ({"hasMember": theirs}, {"derivedFrom": theirs}, {"focus": theirs}, {"encounter": ENCOUNTER}):
        outcome = await writer.act(writes=[writing(pulse("BEB-18", **how))])
        assert not outcome.ok, how
    own = await writer.act(writes=[writing(pulse("BEB-18", derivedFrom=[{"reference": "Observation/puls-BEB-18"}]))])
    assert own.ok, own.problem


ENCOUNTER = {"reference": "Encounter/opphold-BEB-19"}
