"""The origin that is written beside every write, in its own transaction: who, with which software, when, from which version.

One Provenance for each patient and kind of change; what the client says itself of where a thing comes from is added to, and
not said twice. Pure functions on plain resources. Never changes what a clinician wrote (docs/decisions/0013).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from workspace.fhir.references import target
from workspace.fhir.service import FhirResponse, Resource
from workspace.gateway.asking import UNNAMED
from workspace.gateway.intents import ENTRY, TRANSACTION, tag_of

OPERATION = "http://terminology.hl7.org/CodeSystem/v3-DataOperation"
PARTICIPANT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"
PACKAGE = "urn:workspace:package"


@dataclass(frozen=True, slots=True)
class Written:
    """One entry: `name` is how others of the transaction call it (``urn:uuid:…`` or ``Type/id``), `former` the version that
    it was made from (``Type/id/_history/3``, "" for what is new), `activity` ``CREATE``, ``UPDATE`` or ``NULLIFY``."""

    name: str
    patients: tuple[str, ...]
    activity: str
    former: str = ""


@dataclass(frozen=True, slots=True)
class By:
    """`who` wrote (``Practitioner/tone``), with `packages` (``nordlys.vitals@1.0.0``), under `key`, at `recorded`."""

    who: str
    packages: tuple[str, ...]
    key: str
    recorded: str


def covered(provenance: Resource, base: str = "") -> frozenset[str]:
    """What a client's Provenance says the origin of, by the names of the transaction. One with an activity of its own tells
    of something else than the write: nothing."""
    if provenance.get("activity"):
        return frozenset()
    targets = provenance.get("target")
    found = [one for one in targets if isinstance(one, dict)] if isinstance(targets, list) else []
    return frozenset(name for one in found for name in (str(one.get("reference", "")), target(one, base)) if name)


def extended(provenance: Resource, covers: Iterable[Written], by: By) -> Resource:
    """A client's own, with the software and what was done; what stands there stays."""
    activities = {one.activity for one in covers}
    if not activities:
        return provenance
    agents = provenance.get("agent")
    more = {"activity": _activity(*activities)} if len(activities) == 1 else {}
    return {**provenance, **more, "agent": [*(agents if isinstance(agents, list) else []), *_software(by)]}


def beside(written: Sequence[Written], by: By) -> list[Resource]:
    """The entries to add to the transaction, for what nobody has said the origin of."""
    groups: dict[tuple[tuple[str, ...], str], list[Written]] = {}
    for one in written:
        groups.setdefault((one.patients, one.activity), []).append(one)
    return [
        {
            "fullUrl": f"urn:uuid:{uuid4()}",
            "resource": _provenance(group, activity, by),
            "request": {"method": "POST", "url": "Provenance"},
        }
        for (_, activity), group in groups.items()
    ]


def _provenance(group: Sequence[Written], activity: str, by: By) -> Resource:
    made: Resource = {
        "resourceType": "Provenance",
        # By this tag each of the versions is found; it has no place among the client's entries.
        "meta": {"tag": [{"system": TRANSACTION, "code": by.key}]},
        "target": [{"reference": one.name} for one in group],
        "recorded": by.recorded,
        "activity": _activity(activity),
        "agent": [_agent("author", {"reference": by.who}), *_software(by)],
    }
    former = [{"role": "revision", "what": {"reference": one.former}} for one in group if one.former]
    return {**made, "entity": former} if former else made


def _activity(code: str) -> dict[str, Any]:
    return {"coding": [{"system": OPERATION, "code": code}]}


def _agent(role: str, who: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": {"coding": [{"system": PARTICIPANT, "code": role}]}, "who": dict(who)}


def _software(by: By) -> list[dict[str, Any]]:
    return [
        _agent("assembler", {"type": "Device", "identifier": {"system": PACKAGE, "value": one}, "display": one})
        for one in by.packages
        if one != UNNAMED
    ]


def is_beside(resource: Resource) -> bool:
    """Whether the gateway wrote it beside a write: it has the transaction's tag, and no place among the client's entries."""
    return resource.get("resourceType") == "Provenance" and bool(tag_of(resource)) and not tag_of(resource, ENTRY)


def without(answer: FhirResponse, count: int) -> FhirResponse:
    """The answer to a transaction as its client knows it: its own `count` entries."""
    body = answer.body or {}
    entries = body.get("entry")
    if body.get("resourceType") != "Bundle" or not isinstance(entries, list) or len(entries) <= count:
        return answer
    return FhirResponse(answer.status, {**body, "entry": entries[:count]}, answer.headers)


def single(answer: FhirResponse) -> FhirResponse:
    """The answer to a transaction of one, as that to the write itself."""
    entries = (answer.body or {}).get("entry")
    if answer.status != 200 or not isinstance(entries, list) or not entries:
        return answer
    told = entries[0].get("response") or {}
    headers = {name: str(told[name]) for name in ("etag", "location") if told.get(name)}
    return FhirResponse(int(str(told.get("status", "200"))[:3]), entries[0].get("resource"), headers)
