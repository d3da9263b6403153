"""Who stands behind a written resource (R-26): a pure comparison of what is sent with what stood there before.

Whoever writes is among the authors; whoever changes stands among them too, and the former ones stay where the element
holds several. Only a change of nothing but the status may leave the authors as they were. Never looks anything up.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

from workspace.access.kinds import AUTHOR, authors_of, elements
from workspace.fhir.references import target
from workspace.fhir.service import Resource
from workspace.gateway.refused import Fault

SHARED_AUTHORS = frozenset({"MedicationAdministration", "Procedure", "Provenance"})
"""Types with several who take part (double control): the person must be among them."""

STATUS = frozenset({"status", "statusReason", "clinicalStatus", "verificationStatus", "docStatus", "abatementDateTime"})
"""Elements that say how it stands with the fact, not what it is."""
WORK = frozenset(
    {"status", "statusReason", "businessStatus", "owner", "lastModified", "executionPeriod", "note", "output"}
)
"""What those who carry out a Task change of it; the requester answers for the rest."""

_NOT_WRITTEN = "Den som er logget inn, må stå som den som har utført eller skrevet dette."
_NOT_CHANGED = (
    "Du endrer noe en annen har skrevet, og må selv stå som ansvarlig for endringen. Bare statusen kan endres uten det."
)
_DROPPED = "De som sto bak opplysningen før endringen, skal fortsatt stå der."
_FOR_ANOTHER = "Du kan ikke skrive på vegne av en annen."


def faults(resource: Resource, before: Resource | None, me: Set[str], base: str = "") -> list[Fault]:
    """What is wrong with the authors; empty when nothing is. `me` are the writer's own references."""
    kind = str(resource.get("resourceType", ""))
    if kind not in AUTHOR:
        return []
    element = f"{kind}.{AUTHOR[kind][0]}"
    given, kept = set(authors_of(resource, base)), set(authors_of(before, base)) if before else set()
    staff = {each for each in given if each.startswith(("Practitioner/", "PractitionerRole/"))}
    if before is not None and given == kept and only_status(before, resource):
        return []
    if kind == "Communication" and not staff and given >= kept and _received(resource, base) & me:
        return []  # what somebody outside said is written down by the one who heard it
    if not staff & me:
        return [Fault(element, _NOT_CHANGED if before is not None and kept else _NOT_WRITTEN, "author")]
    if kind not in SHARED_AUTHORS and not staff <= me | kept:
        return [Fault(element, _FOR_ANOTHER, "author")]
    if before is not None and _holds_several(before, kind) and not kept <= given:
        return [Fault(element, _DROPPED, "author")]
    return []


def only_status(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether nothing but how it stands has changed."""
    kind = before.get("resourceType")
    return same_content(before, after, WORK if kind == "Task" else STATUS)


def same_content(one: Mapping[str, Any], other: Mapping[str, Any], besides: Set[str] = frozenset()) -> bool:
    """Whether two versions say the same, in words too; of `meta` the security labels count, and the elements `besides`
    do not."""
    names = (one.keys() | other.keys()) - besides - {"meta"}
    labels = [(each.get("meta") or {}).get("security") for each in (one, other)]
    return labels[0] == labels[1] and all(one.get(name) == other.get(name) for name in names)


def marked_wrong(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> bool:
    """Whether the change is that the fact was entered in error."""
    return before is not None and _is_wrong(after) and not _is_wrong(before)


def _is_wrong(resource: Mapping[str, Any]) -> bool:
    if resource.get("status") == "entered-in-error":
        return True
    held = resource.get("verificationStatus")
    codings = held.get("coding") if isinstance(held, dict) else None
    return any(
        isinstance(each, dict) and each.get("code") == "entered-in-error"
        for each in (codings if isinstance(codings, list) else ())
    )


def _received(resource: Mapping[str, Any], base: str) -> set[str]:
    return {there for each in elements(resource, "recipient") if (there := target(each, base))}


def _holds_several(resource: Mapping[str, Any], kind: str) -> bool:
    return isinstance(resource.get(AUTHOR[kind][0].partition(".")[0]), list)
