"""What a panel's query may ask, and what of an answer it may see. Pure rules of laws 1 and 3; refuses, never mends."""

from __future__ import annotations

from typing import Any

from workspace.access.scopes import permits
from workspace.broker.context import Context
from workspace.broker.door import Refused
from workspace.broker.grant import Grant
from workspace.fhir import parameters
from workspace.fhir.compartment import patients_of
from workspace.fhir.search import Parameter, Query, SearchError, format_query, parse_query, with_parameter
from workspace.fhir.service import Resource

UNBOUND = frozenset({"Provenance", "AuditEvent"})
"""They are about resources, not about a patient; their search is still narrowed by patient where they can be."""


def refused(code: str, sentence: str, detail: str = "") -> Refused:
    return Refused(code, sentence, "", detail)


def patient_parameter(kind: str) -> str:
    """The search parameter that names the patient of `kind`: ``_id`` for Patient, "" for types without one."""
    if kind == "Patient":
        return "_id"
    for name in ("patient", "subject"):
        definition = parameters.definition(kind, name)
        if definition is not None and definition.kind == "reference":
            return name
    return ""


def narrowed(grant: Grant, text: str) -> str:
    """The query as it leaves: parsed, within scope, about the context's patients and nobody else.

    Raises Refused ``bad-query``, ``scope-denied`` or ``wrong-patient``."""
    try:
        query = parse_query(text)
    except SearchError as fault:
        raise refused("bad-query", fault.sentence, fault.detail) from fault
    raw = text.partition("?")[2]
    if not permits(grant.scopes, query.type, "s", raw) and not permits(grant.scopes, query.type, "r", raw):
        raise refused(
            "scope-denied", f"Panelet har ikke lov til å lese {query.type}.", f"{grant.signature}: {query.type}.s"
        )
    context = grant.context
    for parameter in query.parameters:
        _only_own(context, query.type, parameter)
    name = patient_parameter(query.type)
    if name:
        who = _patients(context)
        if not who:
            raise refused(
                "wrong-patient", "Panelet har ingen beboer å lese om her.", f"{grant.signature}: {query.type}"
            )
        query = _about(query, name, who)
    return format_query(query)


def _about(query: Query, name: str, who: tuple[str, ...]) -> Query:
    values = ",".join(one.removeprefix("Patient/") if name == "_id" else one for one in who)
    return with_parameter(query, name, values)


def _patients(context: Context) -> tuple[str, ...]:
    if context.kind == "patient" and context.patient:
        return (context.patient,)
    return tuple(sorted(context.patients)) if context.kind == "unit" else ()


def _only_own(context: Context, kind: str, parameter: Parameter) -> None:
    """A parameter that names a patient may only name the context's; a chain through a patient is never needed."""
    if parameter.chain is not None:
        if "Patient" in parameter.chain.targets:
            raise refused(
                "wrong-patient", "Panelet kan ikke søke gjennom en beboer.", f"{kind}.{parameter.name} chained"
            )
        return
    named = set()
    for value in parameter.values:
        for target in getattr(value, "targets", ()):
            text = str(target)
            if text.startswith("Patient/"):
                named.add(text)
        if getattr(value, "identifier", None) and parameter.name in ("patient", "subject"):
            raise refused(
                "wrong-patient", "Panelet kan ikke slå opp beboere med nummer.", f"{kind}.{parameter.name}:identifier"
            )
        if kind == "Patient" and parameter.name == "_id":
            named.add("Patient/" + str(getattr(value, "code", value)))
    if parameter.name in ("patient", "subject") and not parameter.modifier:
        for value in parameter.values:
            text = str(value)
            named.add(text if "/" in text else f"Patient/{text}")
    foreign = [who for who in named if not context.allows(who)]
    if foreign:
        raise refused(
            "wrong-patient", "Panelet spurte om en annen beboer enn den som er åpen.", f"{kind}.{parameter.name}"
        )


def visible(grant: Grant, resource: Resource) -> bool:
    """Whether a resource may reach this panel: its patients are the context's, its type within scope."""
    who = patients_of(resource)
    if who:
        return all(grant.context.allows(one) for one in who)
    kind = str(resource.get("resourceType"))
    if patient_parameter(kind) and kind not in UNBOUND:
        return False  # a type that must name its patient, and does not
    return True


def in_scope(grant: Grant, resource: Resource) -> bool:
    """Included resources: the type must be within the panel's scopes for reading."""
    kind = str(resource.get("resourceType"))
    return permits(grant.scopes, kind, "r", resource) or permits(grant.scopes, kind, "s", resource)


def checked_write(grant: Grant, action: str, resource: Resource, user: str) -> None:
    """A written resource is within scope, about the context's patient alone, and its author is the user."""
    kind = str(resource.get("resourceType"))
    letter = "c" if action == "create" else "u"
    if not permits(grant.scopes, kind, letter, resource):
        raise refused(
            "scope-denied", f"Panelet har ikke lov til å skrive {kind}.", f"{grant.signature}: {kind}.{letter}"
        )
    who = patients_of(resource)
    mine = grant.context.patient if grant.context.kind == "patient" else None
    ok = all(grant.context.allows(one) for one in who) and (bool(who) or kind in UNBOUND)
    if not ok or (mine and who and who != (mine,)):
        raise refused(
            "wrong-patient",
            "Panelet ville skrive om en annen beboer enn den som er åpen.",
            f"{kind}: {len(who)} patients",
        )
    for one in _named_patients(resource):
        if not grant.context.allows(one):
            raise refused("wrong-patient", "Panelet ville nevne en annen beboer i det som skrives.", kind)
    for name in ("performer", "author", "recorder", "requester"):
        _author(resource.get(name), user, kind)


def _author(value: Any, user: str, kind: str) -> None:
    for one in value if isinstance(value, list) else [value]:
        actor = one.get("actor", one) if isinstance(one, dict) else None
        reference = actor.get("reference", "") if isinstance(actor, dict) else ""
        if reference.startswith("Practitioner/") and reference != user:
            raise refused("wrong-author", "Panelet ville skrive i en annens navn.", kind)


def _named_patients(value: Any) -> set[str]:
    if isinstance(value, dict):
        found = {part for key, part in value.items() if key == "reference" and isinstance(part, str)}
        own = {one for one in found if one.startswith("Patient/")}
        return own.union(*(_named_patients(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(_named_patients(part) for part in value))
    return set()
