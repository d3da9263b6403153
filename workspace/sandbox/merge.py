"""Two records become one, as a register would have it: for tests and demonstrations, in the sandbox alone.

What is about the one who goes is moved to the one who stays, a few hundred at a time, and each says so of the other
(FHIR R4, `Patient.link`). Never deletes anything; the former versions stay in history, and the log as it was.
"""

from __future__ import annotations

from workspace.fhir import parameters
from workspace.fhir.references import local, replaced
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.problem import Problem

AT_ONCE = 400
_LEFT = frozenset({"Patient", "AuditEvent", "Provenance"})


async def merge(store: FhirService, source: str, into: str) -> int:
    """Move what is about ``Patient/x`` to ``Patient/y``; returns how much was moved.

    Raises Problem ``merge-unreadable``, ``merge-unknown``, ``merge-done`` and ``merge-failed``.
    """
    goes, stays = await _patient(store, source), await _patient(store, into)
    if source == into:
        raise Problem("merge-unreadable", "En journal kan ikke slås sammen med seg selv.")
    for each in (goes, stays):
        if any(link.get("type") == "replaced-by" for link in each.get("link") or ()):
            raise Problem("merge-done", "Journalen er alt slått sammen med en annen.")
    moved = [replaced(one, lambda text: into if text == source else text) for one in await _about(store, source)]
    linked = [
        {**goes, "active": False, "link": [*(goes.get("link") or ()), _link(into, "replaced-by")]},
        {**stays, "link": [*(stays.get("link") or ()), _link(source, "replaces")]},
    ]
    for start in range(0, len(moved), AT_ONCE):
        await _write(store, moved[start : start + AT_ONCE])
    # Last: whoever is told of the merge finds everything where it belongs.
    await _write(store, linked)
    return len(moved)


async def _patient(store: FhirService, reference: str) -> Resource:
    there = local(reference)
    if there is None or there.type != "Patient":
        raise Problem(
            "merge-unreadable", "Det må stå hvilke to journaler som skal bli én.", detail="Patient/id, Patient/id"
        )
    answer = await store.handle(FhirRequest("GET", reference))
    if answer.status != 200 or answer.body is None:
        raise Problem("merge-unknown", f"{reference} finnes ikke i sandkassen.")
    return answer.body


async def _about(store: FhirService, source: str) -> list[Resource]:
    found: dict[str, Resource] = {}
    for kind in parameters.types():
        if kind in _LEFT or parameters.definition(kind, "patient") is None:
            continue
        asked = f"patient={source}&_count=1000"
        while asked:
            answer = await store.handle(FhirRequest("GET", kind, asked))
            if answer.status != 200 or answer.body is None:
                raise Problem("merge-failed", "Journalene kunne ikke slås sammen.", detail=f"{kind}: {answer.status}")
            for entry in answer.body.get("entry", ()):
                one = entry["resource"]
                found[f"{one['resourceType']}/{one['id']}"] = one
            following = next((x["url"] for x in answer.body.get("link", ()) if x["relation"] == "next"), "")
            asked = following.partition("?")[2]
    return list(found.values())


async def _write(store: FhirService, resources: list[Resource]) -> None:
    entries = [
        {
            "resource": one,
            "request": {
                "method": "PUT",
                "url": f"{one['resourceType']}/{one['id']}",
                "ifMatch": f'W/"{one["meta"]["versionId"]}"',
            },
        }
        for one in resources
    ]
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    answer = await store.handle(FhirRequest("POST", "", headers={"prefer": "return=minimal"}, body=body))
    if answer.status != 200:
        raise Problem(
            "merge-failed",
            "Journalene kunne ikke slås sammen: noen endret dem i mellomtiden.",
            "Prøv igjen.",
            f"status {answer.status}",
        )


def _link(other: str, kind: str) -> Resource:
    return {"other": {"reference": other}, "type": kind}
