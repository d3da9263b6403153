"""The shape of an AuditEvent: who saw what about whom, through which panel, why, and by which rule (R-20, DESIGN §5).

Builds R4 `AuditEvent` resources and chains each session's events by SHA-256, so that a missing or changed one
shows. `entity.detail` holds strings only, as R4 demands. Never stores or sends anything, and never keeps a search
value that could name a patient.
"""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl

from workspace.access.decision import Decision, Subject
from workspace.fhir import json

Kind = Literal["read", "search", "create", "update", "open", "refused", "wipe", "register", "withdraw"]

CHAIN_URL = "urn:workspace:audit-chain"
GENESIS = "0" * 64
PURPOSE_SYSTEM = "urn:oid:2.16.840.1.113883.1.11.20448"
HPR_SYSTEM = "urn:oid:2.16.578.1.12.4.1.4.4"
_RESTFUL = "http://hl7.org/fhir/restful-interaction"
_EVENT_TYPES = "http://terminology.hl7.org/CodeSystem/audit-event-type"
_ENTITY_TYPES = "http://terminology.hl7.org/CodeSystem/audit-entity-type"
_ENTITY_ROLES = "http://terminology.hl7.org/CodeSystem/object-role"
_ACTIONS: Mapping[str, str] = {
    "read": "R",
    "search": "E",
    "create": "C",
    "update": "U",
    "open": "R",
    "refused": "E",
    "wipe": "D",
    "register": "E",
    "withdraw": "E",
}
_INTERACTIONS: Mapping[str, str] = {"read": "read", "search": "search-type", "create": "create", "update": "update"}
_OPEN_VALUES = frozenset(
    {
        "category",
        "code",
        "status",
        "clinical-status",
        "verification-status",
        "class",
        "intent",
        "type",
        "_sort",
        "_count",
        "_include",
        "_revinclude",
        "_summary",
        "_elements",
        "_total",
    }
)
"""Parameters whose values are codes or form, never about a person."""


@dataclass(frozen=True, slots=True)
class Access:
    """One thing to be logged. `package` is ``nordlys.vitals@1.0.0``; `patients` are ``Patient/x``; `query` is a
    shape from `query_shape`; `versions` are written resources, ``Observation/7/_history/1``; `at` is a FHIR instant;
    `device` is the workstation that delivered it after its author had signed out, or whose key it is about."""

    kind: Kind
    subject: Subject
    package: str
    patients: tuple[str, ...]
    purpose: str
    query: str
    decision: Decision
    at: str
    unit: str = ""
    organization: str = ""
    organization_name: str = ""
    context: str = ""
    request: str = ""
    instance: str = ""
    reason: str = ""
    cached: bool = False
    device: str = ""
    versions: tuple[str, ...] = ()


def query_shape(type: str, query: str = "") -> str:
    """``Observation?category=vital-signs&patient=*``: parameters in order of name, values only where they are
    codes or form."""
    pairs = sorted(parse_qsl(query, keep_blank_values=True))
    shown = [f"{name}={value if name.split(':')[0] in _OPEN_VALUES else '*'}" for name, value in pairs]
    return f"{type}?{'&'.join(shown)}" if shown else type


def audit_event(access: Access, id: str) -> dict[str, Any]:
    """The R4 resource with `id`, not yet chained."""
    permitted = access.decision.permitted and access.kind != "refused"
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        "id": id,
        "type": {"system": _EVENT_TYPES, "code": "rest", "display": "RESTful Operation"},
        "action": _ACTIONS[access.kind],
        "recorded": access.at,
        "outcome": "0" if permitted else "4",
        "outcomeDesc": access.decision.sentence if not permitted else "Tilgang gitt",
        "purposeOfEvent": [{"coding": [{"system": PURPOSE_SYSTEM, "code": access.purpose}]}],
        "agent": [_user(access), _panel(access), *([_deliverer(access)] if access.device else [])],
        "source": {"observer": _organization(access), "site": access.unit.rpartition("/")[2] or "plattform"},
        "entity": [_query(access), *(_patient(one) for one in access.patients)],
    }
    interaction = _INTERACTIONS.get(access.kind)
    if interaction:
        event["subtype"] = [{"system": _RESTFUL, "code": interaction}]
    event["entity"] += [{"what": {"reference": version}} for version in access.versions]
    return event


def _user(access: Access) -> dict[str, Any]:
    subject = access.subject
    who: dict[str, Any] = {"display": subject.name}
    if subject.practitioner:
        who["reference"] = subject.practitioner
    if subject.hpr:
        who["identifier"] = {"system": HPR_SYSTEM, "value": subject.hpr}
    agent: dict[str, Any] = {
        "who": who,
        "name": subject.name,
        "altId": subject.sub,
        "requestor": True,
        "role": [{"text": subject.role or "ukjent"}],
    }
    if access.unit:
        agent["location"] = {"display": access.unit.rpartition("/")[2]}
        agent["policy"] = [f"urn:workspace:unit:{access.unit}"]
    return agent


def _panel(access: Access) -> dict[str, Any]:
    """The panel is a second agent, named with its version (R-20)."""
    return {
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110150"}]},
        "who": {"display": access.package},
        "name": access.package,
        "requestor": False,
    }


def _deliverer(access: Access) -> dict[str, Any]:
    """The workstation that brought it, sealed by the user."""
    return {
        "type": {"coding": [{"system": "http://dicom.nema.org/resources/ontology/DCM", "code": "110153"}]},
        "who": {"display": access.device},
        "name": access.device,
        "requestor": False,
    }


def _organization(access: Access) -> dict[str, Any]:
    observer: dict[str, Any] = {"display": access.organization_name or "Plattformen"}
    if access.organization:
        observer["identifier"] = {"system": "urn:oid:2.16.578.1.12.4.1.4.101", "value": access.organization}
    return observer


def _query(access: Access) -> dict[str, Any]:
    decided = access.decision
    details = {
        "query": access.query,
        "panel": access.package,
        "decision": f"{decided.effect}:{decided.code}",
        "rule": decided.rule,
        "basis": decided.basis,
        "request": access.request,
        "context": access.context,
        "instance": access.instance,
        "kind": access.kind,
        "cached": "true" if access.cached else "",
        "begrunnelse": access.reason,
    }
    return {
        "type": {"system": _ENTITY_TYPES, "code": "2", "display": "System Object"},
        "role": {"system": _ENTITY_ROLES, "code": "24", "display": "Query"},
        "query": b64encode(access.query.encode()).decode(),
        "detail": [{"type": name, "valueString": value} for name, value in details.items() if value],
    }


def _patient(reference: str) -> dict[str, Any]:
    return {
        "what": {"reference": reference},
        "type": {"system": _ENTITY_TYPES, "code": "1", "display": "Person"},
        "role": {"system": _ENTITY_ROLES, "code": "1", "display": "Patient"},
    }


def chained(event: Mapping[str, Any], session: str, number: int, previous: str) -> dict[str, Any]:
    """`event` as link `number` (from 1) of the session's chain; `previous` is the former link's hash or GENESIS."""
    linked = {**event, "extension": [{"url": CHAIN_URL, "extension": _links(session, number, previous)}]}
    digest = link_hash(linked)
    linked["extension"][0]["extension"].append({"url": "hash", "valueString": digest})
    return linked


def _links(session: str, number: int, previous: str) -> list[dict[str, str]]:
    # The session's id would be a bearer of identity in the log; its digest names the chain as well.
    name = hashlib.sha256(session.encode()).hexdigest()[:32]
    return [
        {"url": "chain", "valueString": name},
        {"url": "number", "valueString": str(number)},
        {"url": "previous", "valueString": previous},
    ]


def link_hash(event: Mapping[str, Any]) -> str:
    """SHA-256 over the canonical JSON of `event`: sorted keys, UTF-8, without the hash and what a store adds."""
    kept = {name: value for name, value in event.items() if name not in ("meta", "text")}
    links = [link for link in _chain(event) if link["url"] != "hash"]
    kept["extension"] = [{"url": CHAIN_URL, "extension": links}]
    return hashlib.sha256(json.dumps(kept, json.SORTED)).hexdigest()


def chain_of(event: Mapping[str, Any]) -> dict[str, str]:
    """``{"chain", "number", "previous", "hash"}`` of a chained event; empty when it is not chained."""
    return {link["url"]: link["valueString"] for link in _chain(event)}


def verify_chain(events: Iterable[Mapping[str, Any]]) -> list[str]:
    """What is wrong with one session's events, in English, by event id; empty when the chain is whole."""
    faults: list[str] = []
    previous, number = GENESIS, 1
    for event in sorted(events, key=lambda e: int(chain_of(e).get("number", "0"))):
        link = chain_of(event)
        if link.get("number") != str(number):
            faults.append(f"{event.get('id')}: link {number} is missing")
            number = int(link.get("number", number))
        elif link.get("previous") != previous:
            faults.append(f"{event.get('id')}: does not follow link {number - 1}")
        if link_hash(event) != link.get("hash"):
            faults.append(f"{event.get('id')}: was changed")
        previous, number = link.get("hash", ""), number + 1
    return faults


def _chain(event: Mapping[str, Any]) -> Sequence[dict[str, str]]:
    for extension in event.get("extension", ()):
        if extension.get("url") == CHAIN_URL:
            return list(extension["extension"])
    return []
