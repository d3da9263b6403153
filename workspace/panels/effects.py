"""The answer to an event, before anything of it happens: is every write about the context's own patient?

The broker checks the same again, with scopes; this check is the host's own, so that a mistake there is not enough
(law 3). Never commits.
"""

from __future__ import annotations

from typing import Any

from workspace.broker.context import Context
from workspace.broker.door import Write
from workspace.panels import wire
from workspace.panels.protocol import MAX_STATE, MAX_WRITES, Effects, InvalidParams, TooLarge, WrongPatient

_SUBJECTS = ("subject", "patient", "for", "beneficiary")


def writes(effects: Effects, context: Context) -> list[Write]:
    """The transaction as the door takes it. Raises WrongPatient, InvalidParams or TooLarge, naming the entry."""
    if len(effects.writes) > MAX_WRITES:
        raise TooLarge(f"{len(effects.writes)} writes in one transaction; the limit is {MAX_WRITES}")
    if effects.state and len(wire.encode(effects.state)) > MAX_STATE:
        raise TooLarge(f"state of more than {MAX_STATE >> 10} KiB")
    own = {entry.full_url for entry in effects.writes if entry.full_url}
    checked = []
    for number, entry in enumerate(effects.writes):
        kind = entry.resource.get("resourceType")
        if not isinstance(kind, str) or not kind:
            raise InvalidParams(f"writes[{number}]: no resourceType")
        if entry.action == "update" and not entry.resource.get("id"):
            raise InvalidParams(f"writes[{number}] ({kind}): an update without id")
        if entry.action == "create" and entry.resource.get("id"):
            raise InvalidParams(f"writes[{number}] ({kind}): a create with an id")
        if not _about_context(entry.resource, context, own):
            raise WrongPatient(f"writes[{number}] ({kind}) does not name the context's patient")
        checked.append(Write(entry.action, entry.resource, entry.full_url, entry.if_match))
    return checked


def _about_context(resource: dict[str, Any], context: Context, own: set[str]) -> bool:
    patients = patients_of(resource)
    if patients:
        return all(context.allows(patient) for patient in patients)
    # Provenance has no patient in R4: it must point at entries of this very transaction.
    targets = [t.get("reference") for t in resource.get("target", []) if isinstance(t, dict)]
    return resource.get("resourceType") == "Provenance" and bool(targets) and all(t in own for t in targets)


def patients_of(resource: dict[str, Any]) -> list[str]:
    """Every ``Patient/<id>`` that a resource says it is about."""
    if resource.get("resourceType") == "Patient":
        return [f"Patient/{resource.get('id', '')}"]
    found = []
    for name in _SUBJECTS:
        held = resource.get(name)
        reference = held.get("reference") if isinstance(held, dict) else None
        if isinstance(reference, str) and reference.startswith("Patient/"):
            found.append(reference.partition("/_history/")[0])
    return found
