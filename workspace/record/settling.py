"""Brings together what a conflict is made of: the version it was made from, mine, the other's, and who wrote them.

Asks the platform for versions and names; never writes and never chooses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any
from uuid import uuid4

from workspace.access.kinds import authors_of
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import conflict
from workspace.record.chain import Done
from workspace.record.client import Asker, Client, PlatformProblem
from workspace.record.conflict import Author, Choice, Conflict, Versions
from workspace.record.items import Item, entries, version_in
from workspace.record.people import names

LOST = "urn:workspace:conflict"
"""Marks the Provenance that keeps what its author gave up."""


class Settling:
    def __init__(self, client: Client, user: str) -> None:
        self._client, self._user = client, user
        self._names: dict[str, str] = {}

    async def conflict(self, item: Item) -> Conflict:
        """The resources of `item` that have another version than it was made from. Raises PlatformProblem."""
        found = []
        for entry in entries(item.bundle):
            request = entry.get("request") or {}
            if request.get("method") != "PUT":
                continue
            name, match = str(request.get("url", "")), version_in(str(request.get("ifMatch", "")))
            theirs: Resource = (await self._client.get(name, item.asker)).body
            if str((theirs.get("meta") or {}).get("versionId", "")) == match:
                continue
            base = item.bases.get(name) or await self._version(name, match, item.asker)
            mine = entry.get("resource") or {}
            mine_by = Author(item.author, await self._name(item.author, item.asker), item.made)
            found.append(
                Versions(
                    name, base, mine, theirs, mine_by, await self._author(name, theirs, item.asker),
                    conflict.compare(base, mine, theirs),
                )
            )  # fmt: skip
        return Conflict(item.id, item.patient, tuple(found), item.form.package, item.form.view, item.made)

    def settled(
        self, item: Item, shown: Conflict, choices: Mapping[str, Mapping[str, Choice]], now: str
    ) -> tuple[dict[str, Any], dict[str, Resource]]:
        """The bundle that the choices make, and what its updates are made from. Raises Problem ``choice-missing``."""
        versions = {each.name: each for each in shown.resources}
        kept: list[dict[str, Any]] = []
        bases = dict(item.bases)
        lost: list[dict[str, Any]] = []
        for entry in entries(item.bundle):
            name = str((entry.get("request") or {}).get("url", ""))
            one = versions.get(name)
            if one is None or (entry.get("request") or {}).get("method") != "PUT":
                kept.append(dict(entry))
                continue
            try:
                resource = conflict.resolved(one.comparison, choices.get(name, {}))
            except KeyError as missing:
                raise Problem(
                    "choice-missing",
                    "Velg hva som skal gjelde for hvert felt som er endret av begge.",
                    "",
                    str(missing),
                ) from None
            bases[name] = one.theirs
            if not _equal(resource, one.theirs):
                kept.append(_put(entry, resource, one))
            if conflict.loses(one.comparison, resource):
                lost.append(_kept_in_history(one, item, now))
        return {**item.bundle, "entry": [*kept, *lost]}, bases

    def chosen(
        self, item: Item, shown: Conflict, choices: Mapping[str, Mapping[str, Choice]], now: str
    ) -> tuple[dict[str, Any], dict[str, Resource]]:
        """`settled` by a person. Where all of it stands there already (the other one has written the very same meanwhile) it
        is written as it stands, with its author among those who answer for it: an empty transaction can never be sent."""
        bundle, bases = self.settled(item, shown, choices, now)
        if not bundle["entry"]:
            puts = {str((entry.get("request") or {}).get("url", "")): entry for entry in entries(item.bundle)}
            bundle["entry"] = [_put(puts[one.name], deepcopy(one.theirs), one) for one in shown.resources]
        return bundle, bases

    async def with_bases(self, item: Item, done: Mapping[str, Done], waiting: Iterable[Item]) -> dict[str, Done]:
        """`done`, with the version it was made from put into those who wait and do not have it: without it a later update
        would silently take back what the earlier one wrote."""
        needed = [one for one in waiting if one.id != item.id and set(one.updates) & set(done)]
        for one in needed:
            for name in set(one.updates) & set(done):
                if name not in one.bases and one.updates[name] == done[name].match:
                    base = item.bases.get(name) or await self._version(name, done[name].match, item.asker)
                    if base is not None and isinstance(one.bases, dict):
                        one.bases[name] = base
        return dict(done)

    async def _version(self, name: str, version: str, asker: Asker) -> Resource | None:
        try:
            found: Resource = (await self._client.get(f"{name}/_history/{version}", asker)).body
        except Problem:  # signed out, too: the item that ends here is done, whatever becomes of those behind it
            return None
        return found

    async def _author(self, name: str, theirs: Mapping[str, Any], asker: Asker) -> Author:
        """Who wrote the version that stands: by its Provenance, else the last who answers for its content."""
        at = str((theirs.get("meta") or {}).get("lastUpdated", ""))
        who = ""
        try:
            found = (await self._client.get(f"Provenance?target={name}&_sort=-recorded&_count=1", asker)).body
            rows = [each.get("resource") or {} for each in entries(found)]
            recorded = str(rows[0].get("recorded", "")) if rows else ""
            if rows and recorded[:16] == at[:16]:  # of this version, not of an earlier one
                who = next(iter(authors_of(rows[0])), "")
        except PlatformProblem:
            pass
        staff = [each for each in authors_of(theirs) if each.startswith("Practitioner")]
        others = [each for each in staff if each != self._user]
        who = who or next(iter(reversed(others or staff)), "")
        return Author(who, await self._name(who, asker), at)

    async def _name(self, who: str, asker: Asker) -> str:
        if not who.startswith("Practitioner/"):
            return ""
        if who not in self._names:
            try:
                self._names[who] = names((await self._client.get(who, asker)).body)[2]
            except PlatformProblem:
                return ""
        return self._names[who]


def moved_on(seen: Conflict, now: Conflict) -> bool:
    """Whether there is a version of the other's in `now` that was not in `seen`: nobody has chosen between that and mine."""
    shown = {each.name: each.theirs for each in seen.resources}
    return any(each.name not in shown or not _equal(each.theirs, shown[each.name]) for each in now.resources)


def _equal(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    def strip(resource: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in resource.items() if name != "meta"}

    return strip(one) == strip(other)


def _put(entry: Mapping[str, Any], resource: Resource, one: Versions) -> dict[str, Any]:
    """`entry` with `resource`, on top of the other's version."""
    match = (one.theirs.get("meta") or {}).get("versionId", "")
    request = {**(entry.get("request") or {}), "ifMatch": f'W/"{match}"'}
    return {**entry, "resource": _authored(resource, one), "request": request}


def _authored(resource: Resource, one: Versions) -> Resource:
    """The joined version answers to both: the platform wants whoever changes a resource among its authors."""
    for name in ("performer", "author"):
        mine, now = one.mine.get(name), resource.get(name)
        if isinstance(mine, list) and isinstance(now, list):
            resource[name] = [*now, *(deepcopy(each) for each in mine if each not in now)]
    return resource


def _kept_in_history(one: Versions, item: Item, now: str) -> dict[str, Any]:
    """A Provenance of the resource that holds, whole, what its author gave up."""
    mine = deepcopy({name: value for name, value in one.mine.items() if name not in ("meta", "text")})
    mine["id"] = "valgt-bort"
    subject = one.theirs.get("subject") or one.theirs.get("patient")
    resource = {
        "resourceType": "Provenance",
        "meta": {"tag": [{"system": LOST, "code": item.id}]},
        "contained": [mine],
        "target": [
            {"reference": one.name},
            *([subject] if isinstance(subject, dict) and "reference" in subject else []),
        ],
        "recorded": now,
        "activity": {"text": "Valgt bort i en konflikt"},
        "agent": [{"who": {"reference": item.author}}],
        "entity": [{"role": "removal", "what": {"reference": "#valgt-bort"}}],
    }
    name = f"urn:uuid:{uuid4()}"
    return {"fullUrl": name, "resource": resource, "request": {"method": "POST", "url": "Provenance"}}
