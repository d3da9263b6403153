"""What a panel's query may ask, and what of an answer it may see. Pure rules of laws 1 and 3; refuses, never mends."""

from __future__ import annotations

import re
from typing import Any

from workspace.access.kinds import authors_of
from workspace.access.scopes import permits, restrictions_for
from workspace.broker.context import Context
from workspace.broker.door import Refused
from workspace.broker.facts import facts_only
from workspace.broker.grant import Grant
from workspace.fhir.compartment import patients_of
from workspace.fhir.links import patient_parameter
from workspace.fhir.references import local
from workspace.fhir.search import Parameter, Query, SearchError, format_query, parse_query, with_parameter
from workspace.fhir.service import Resource

UNBOUND = frozenset({"Provenance", "AuditEvent"})
"""They are about resources, not about a patient; their search is still narrowed by patient where they can be."""
SHARED_AUTHORS = frozenset({"MedicationAdministration", "Procedure", "Provenance"})
"""Several may take part (double control); the user must be among them."""
_REFERENCE = re.compile(r"[A-Z][A-Za-z]{1,40}/[A-Za-z0-9\-.]{1,64}")
_TO_PATIENT = re.compile(r"(?:^|/)Patient(?:[/?]|$)")


def refused(code: str, sentence: str, detail: str = "") -> Refused:
    return Refused(code, sentence, "", detail)


def narrowed(grant: Grant, text: str) -> str:
    """The query as it leaves: parsed, within scope, about the context's patients and nobody else.

    Raises Refused ``bad-query``, ``scope-denied`` or ``wrong-patient``."""
    try:
        query = parse_query(text)
    except SearchError as fault:
        raise refused("bad-query", fault.sentence, fault.detail) from fault
    raw = text.partition("?")[2]
    if not permits(grant.scopes, query.type, "s", raw):
        raise refused(
            "scope-denied", f"Panelet har ikke lov til å lese {query.type}.", f"{grant.signature}: {query.type}.s"
        )
    if query.page:
        # A mark of a later page is the platform's: it may belong to another search.
        raise refused("bad-query", "Panelet kan ikke be om en side i et annet søk.", f"{query.type}: _page")
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
    return format_query(facts_only(query))


def _about(query: Query, name: str, who: tuple[str, ...]) -> Query:
    values = ",".join(one.removeprefix("Patient/") if name == "_id" else one for one in who)
    return with_parameter(query, name, values)


def _patients(context: Context) -> tuple[str, ...]:
    if context.kind == "patient" and context.patient:
        return (context.patient,)
    return tuple(sorted(context.patients)) if context.kind == "unit" else ()


def _only_own(context: Context, kind: str, parameter: Parameter) -> None:
    """A parameter that names a patient may only name the context's. A chain through anything that is about a patient is
    refused: whose it is, is not known here, so its answer could tell yes or no about somebody else's."""
    if parameter.chain is not None:
        if any(patient_parameter(target) for target in parameter.chain.targets):
            raise refused(
                "wrong-patient", "Panelet kan ikke søke gjennom opplysninger om en beboer.",
                f"{kind}.{parameter.name} chained",
            )  # fmt: skip
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


def readable(grant: Grant, reference: str) -> str:
    """The type of ``Type/id``, when the panel may read such things at all; what it is, `in_scope` tells once it is here.

    Raises Refused ``bad-query`` for any other path (a search, a history, a step upwards) or ``scope-denied``."""
    if not _REFERENCE.fullmatch(reference) or set(reference.partition("/")[2]) <= {"."}:
        raise refused("bad-query", "Panelet ba om noe som ikke er en opplysning.", "read takes Type/id")
    kind = reference.partition("/")[0]
    if not restrictions_for(grant.scopes, kind, "r"):
        raise refused("scope-denied", f"Panelet har ikke lov til å lese {kind}.", f"{grant.signature}: {kind}.r")
    return kind


def visible(grant: Grant, resource: Resource) -> bool:
    """Whether a resource is about the context's patients and nobody else, or about no patient at all."""
    who = patients_of(resource)
    if who:
        return all(grant.context.allows(one) for one in who)
    kind = str(resource.get("resourceType"))
    if kind in UNBOUND:
        return all(grant.context.allows(one) for one in _named_patients(resource))
    return kind != "Bundle" and not patient_parameter(kind)  # a type that must name its patient, and does not


def in_scope(grant: Grant, resource: Resource) -> bool:
    """Included resources: the type must be within the panel's scopes for reading."""
    kind = str(resource.get("resourceType"))
    return permits(grant.scopes, kind, "r", resource) or permits(grant.scopes, kind, "s", resource)


def checked_write(grant: Grant, action: str, resource: Resource, user: str, own: frozenset[str] = frozenset()) -> None:
    """A written resource is within scope, about the context's patient alone, and its author is the user. `own` are the
    ``urn:uuid:`` names in its transaction: a Provenance may point at those alone, since whom others are about is unknown.

    An update keeps the authors it had, whom only the platform knows: it is the gateway that compares them."""
    kind = str(resource.get("resourceType"))
    letter = "c" if action == "create" else "u"
    if not permits(grant.scopes, kind, letter, resource):
        raise refused(
            "scope-denied", f"Panelet har ikke lov til å skrive {kind}.", f"{grant.signature}: {kind}.{letter}"
        )
    who = patients_of(resource)
    mine = grant.context.patient if grant.context.kind == "patient" else None
    ok = all(grant.context.allows(one) for one in who) and (bool(who) or kind in UNBOUND)
    if not ok or len(who) > 1 or (mine and who and who != (mine,)):
        raise refused(
            "wrong-patient",
            "Panelet ville skrive om en annen beboer enn den som er åpen.",
            f"{kind}: {len(who)} patients",
        )
    named = _named_patients(resource)
    # In a unit too, one resource is about one of its patients and mentions no other (law 3).
    if len(named | set(who)) > 1 or not all(grant.context.allows(one) for one in named):
        raise refused("wrong-patient", "Panelet ville nevne en annen beboer i det som skrives.", kind)
    if kind == "Provenance":
        targets = [one.get("reference") for one in resource.get("target") or () if isinstance(one, dict)]
        if not targets or any(one not in own and one != mine for one in targets):
            raise refused("wrong-patient", "Panelet ville si opphavet til noe det ikke selv skriver.", kind)
    if action == "create":
        _author(resource, user, kind)


def _author(resource: Resource, user: str, kind: str) -> None:
    staff = {one for one in authors_of(resource) if re.search(r"(?:^|/)Practitioner/", one)}
    if staff and (user not in staff or (kind not in SHARED_AUTHORS and staff != {user})):
        raise refused("wrong-author", "Panelet ville skrive i en annens navn.", kind)


def _named_patients(value: Any) -> set[str]:
    """Every patient that is named anywhere, in whatever spelling: relative, versioned, absolute, by search or number."""
    if isinstance(value, dict):
        found = set()
        text = value.get("reference")
        if isinstance(text, str) and _TO_PATIENT.search(text):
            there = local(text)
            found.add(str(there) if there else text)
        elif value.get("type") == "Patient" and "identifier" in value:
            found.add("a logical reference")
        if value.get("resourceType") == "Patient" and value.get("id"):
            found.add(f"Patient/{value['id']}")
        return found.union(*(_named_patients(part) for part in value.values()))
    if isinstance(value, list):
        return set().union(*(_named_patients(part) for part in value))
    return set()
