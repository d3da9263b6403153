"""Whom a resource is about, Provenance included, and whether one request may see it. Never writes and never logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from workspace.access.decision import RESTRICTED, Decision, restricted
from workspace.access.kinds import GLOBAL_TYPES
from workspace.access.restrictions import is_restriction, marks_of
from workspace.fhir.compartment import patients_of
from workspace.fhir.references import local
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.gateway.asking import Asking

NOBODYS = ("Patient/-",)
"""A patient there is not: what is decided about it is said of all that is not there."""


async def about(
    service: FhirService, resource: Resource, base: str, known: Mapping[str, Resource] | None = None
) -> tuple[str, ...]:
    """``("Patient/x", …)``. A Provenance is about whom its targets are about; one of them unknown makes it about nobody.

    `known` are resources by reference (``Type/id`` or ``urn:uuid:…``) that need not be fetched.
    """
    if resource.get("resourceType") != "Provenance":
        return patients_of(resource, base)
    found: dict[str, None] = {}
    targets = resource.get("target")
    for each in targets if isinstance(targets, list) else ():
        text = str(each.get("reference", "")) if isinstance(each, dict) else ""
        there = local(text, base)
        if there and there.type == "Patient":
            found[str(there)] = None
            continue
        one = (known or {}).get(text) or (known or {}).get(str(there) if there else "")
        if one is None and there:
            answer = await service.handle(FhirRequest("GET", str(there)))
            one = answer.body if answer.status == 200 else None
        patients = patients_of(one, base) if one else ()
        if not patients:
            return ()
        found.update(dict.fromkeys(patients))
    return tuple(found)


async def last_stood(service: FhirService, kind: str, own: str) -> Resource | None:
    """The last version of what was deleted; None when nobody can say."""
    newest = await service.handle(FhirRequest("GET", f"{kind}/{own}/_history", "_count=1"))
    entries = (newest.body or {}).get("entry") or [{}]
    return await before_deletion(service, entries[0]) if newest.status == 200 else None


async def before_deletion(service: FhirService, entry: Resource) -> Resource | None:
    """What stood before a history's entry of a deletion: those who could see that are told that it is gone."""
    path = str((entry.get("request") or {}).get("url", ""))
    version = str((entry.get("response") or {}).get("etag", "")).removeprefix("W/").strip('"')
    if not version.isdigit() or int(version) < 2:
        return None
    former = await service.handle(FhirRequest("GET", f"{path}/_history/{int(version) - 1}"))
    return former.body if former.status == 200 else None


async def versions(service: FhirService, paths: Sequence[str]) -> list[Resource | None]:
    """What stands at each of `paths`, in one request; None where nobody can say."""
    if len(paths) == 1:
        answer = await service.handle(FhirRequest("GET", paths[0]))
        return [answer.body if answer.status == 200 else None]
    asked = [{"request": {"method": "GET", "url": one}} for one in paths]
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": asked}
    answer = await service.handle(FhirRequest("POST", "", body=bundle))
    entries = (answer.body or {}).get("entry") or () if answer.status == 200 else ()
    if len(entries) != len(paths):
        return [None] * len(paths)
    return [
        each.get("resource") if str((each.get("response") or {}).get("status", "")).startswith("200") else None
        for each in entries
    ]


class Sight:
    """What one request may see; remembers its answers, so that a page of 200 rows costs one decision."""

    def __init__(self, service: FhirService, asking: Asking, base: str) -> None:
        self._service = service
        self._asking = asking
        self._base = base
        self._decided: dict[tuple[str, tuple[str, ...]], Decision] = {}
        self._parts = asking.closes_parts()  # for most nothing is, and a page of 200 rows need not be looked at
        self.patients: dict[str, None] = {}
        """Everybody about whom something was let through."""
        self.closed: dict[str, None] = {}
        """Everybody who had closed something that was asked for."""

    async def decision(self, resource: Resource) -> Decision:
        kind = str(resource.get("resourceType", ""))
        patients: tuple[str, ...] = ()
        if kind not in GLOBAL_TYPES and kind != "AuditEvent":
            patients = await about(self._service, resource, self._base)
        held = self._decided.get((kind, patients))
        if held is None:
            held = self._decided[kind, patients] = self._asking.decide("read", kind, patients)
        if held.permitted and (is_restriction(resource) or await self._hides(resource, patients)):
            held = restricted()
        if held.permitted:
            self.patients.update(dict.fromkeys(patients))
        elif held.code == RESTRICTED:
            self.closed.update(dict.fromkeys(patients))
        return held

    async def _hides(self, resource: Resource, patients: tuple[str, ...]) -> bool:
        if not self._parts:
            return False
        marks = marks_of(resource, self._base)
        targets = resource.get("target") if resource.get("resourceType") == "Provenance" else None
        for each in targets if isinstance(targets, list) else ():
            there = local(str(each.get("reference", "")), self._base) if isinstance(each, dict) else None
            told = await self._service.handle(FhirRequest("GET", str(there))) if there else None
            if told is not None and told.body is not None:  # closed by its code, its origin is closed too
                marks |= marks_of(told.body, self._base)
        return self._asking.hides(patients, marks)

    async def sees(self, resource: Resource) -> bool:
        return (await self.decision(resource)).permitted

    def shown(self, resource: Resource) -> Resource:
        """A resource that may be seen, as it is shown."""
        if not self._asking.decisions.protected:
            return resource
        return self._asking.shown(resource, patients_of(resource, self._base))
