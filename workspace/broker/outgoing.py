"""What a panel writes, as it leaves: under its panel's mark, and resting by name on what itself still waits. Pure rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from workspace.broker import scoping
from workspace.broker.door import Form, Write
from workspace.broker.grant import Grant
from workspace.fhir.references import replaced, walk
from workspace.record.items import Form as Kept
from workspace.record.rows import WAITS
from workspace.record.waiting import Waiting

FOREIGN = "Panelet ville knytte det som skrives, til en annen beboers opplysning."
NOT_YET = "Dette er ikke lagret ennå. Det kan endres når plattformen har tatt imot det."
PACKAGE = "urn:workspace:package"
OURS = (PACKAGE, WAITS["system"])


def rested(grant: Grant, writes: Sequence[Write], waiting: Waiting) -> list[Write]:
    """What points at a row that waits (``Observation/<uuid>``) says so by its ``urn:uuid:``: the outbox sends it after that
    one, and puts the platform's name in its place. Raises Refused ``wrong-patient``."""
    return [_rested(grant, write, waiting) for write in writes]


def _rested(grant: Grant, write: Write, waiting: Waiting) -> Write:
    names = {str(one["reference"]) for one in walk(write.resource)}
    moved = {name: other for name in names if (other := waiting.standing(name)) != name}
    there = [made for name in names if (made := waiting.unsettled(name)) is not None]
    if not all(scoping.visible(grant, one) for one in there):
        raise scoping.refused("wrong-patient", FOREIGN, str(write.resource.get("resourceType")))
    if not moved:
        return write
    return replace(write, resource=replaced(write.resource, lambda text: moved.get(text, text)))


def bundle(grant: Grant, writes: Sequence[Write]) -> dict[str, Any]:
    """The transaction."""
    return {"resourceType": "Bundle", "type": "transaction", "entry": [_entry(grant, write) for write in writes]}


def _entry(grant: Grant, write: Write) -> dict[str, Any]:
    """A bundle's entry: marked with the panel that wrote it, and without the marks that only the shell gives."""
    resource = dict(write.resource)
    meta = dict(resource.get("meta") or {})
    tags = [tag for tag in meta.get("tag") or () if tag.get("system") not in OURS]
    meta["tag"] = [*tags, {"system": PACKAGE, "code": grant.signature}]
    resource["meta"] = meta
    kind = str(resource["resourceType"])
    if write.action == "create":
        full = write.full_url or f"urn:uuid:{uuid4()}"
        return {"fullUrl": full, "resource": resource, "request": {"method": "POST", "url": kind}}
    url = f"{kind}/{resource['id']}"
    match = write.if_match if write.if_match.startswith("W/") else f'W/"{write.if_match}"'
    return {"fullUrl": url, "resource": resource, "request": {"method": "PUT", "url": url, "ifMatch": match}}


def kept(grant: Grant, form: Form | None) -> Kept:
    """Where it was typed, as the outbox keeps it."""
    form = form or Form()
    return Kept(
        grant.package, grant.version, form.view, grant.instance, dict(form.values), form.revision, form.state_version,
        dict(form.changes),
    )  # fmt: skip
