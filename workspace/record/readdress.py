"""A write about a patient whose record was joined with another's: it belongs to the one who stays.

Only where the platform's own link says that the two are one person. What was written, by whom, when and from which panel is
left as it was; the author's own session seals it again.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

from workspace.fhir.merges import circular, replaced_by
from workspace.fhir.references import replaced
from workspace.problem import Problem
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import Item
from workspace.record.sealing import Sealing
from workspace.vault.vault import Vault

log = logging.getLogger(__name__)
REPLACED = "patient-replaced"
"""The gateway's code for a write about a patient who was joined with another."""
LINKS = 20
"""Joined records in a row that are followed; more are as good as a circle."""


class Circle(Problem):
    """The platform's links lead back to where they came from: nobody is known to stay."""

    def __init__(self, detail: str) -> None:
        super().__init__(
            "patient-circle",
            "Journalene er slått sammen med hverandre i ring: det er ikke kjent hvilken av dem som består.",
            "Meld fra til brukerstøtte, så koblingen blir rettet. Det du skrev, står her og kan sendes på nytt etterpå.",
            detail,
        )


async def to_the_one_who_stays(client: Client, item: Item) -> Item | None:
    """`item` about the patient who stays; None when no link says who that is. Raises PlatformProblem when that cannot be
    known now, and `Circle`."""
    stays: dict[str, str] = {}
    for patient in item.lanes | {item.patient}:
        if patient.startswith("Patient/") and (other := await _survivor(client, item, patient)):
            stays[patient] = other
    if not stays:
        return None
    fresh = readdressed(item, stays)
    return fresh if fresh.bundle != item.bundle else None


async def _survivor(client: Client, item: Item, patient: str) -> str:
    links: dict[str, str] = {}
    found = patient
    while len(links) < LINKS:
        try:
            there = replaced_by((await client.get(found, item.asker)).body)
        except PlatformProblem as problem:
            if problem.status in (403, 404, 410):
                return ""
            raise
        if not there:
            return found if links else ""
        links[found] = there
        found = there
        if circular(patient, links):
            break
    raise Circle(" → ".join((*links, found)))


def readdressed(item: Item, stays: Mapping[str, str]) -> Item:
    """`item` with each patient of `stays` (gone → stays, ``Patient/<id>``) named by the other; not sealed."""
    any_of = "|".join(re.escape(gone) for gone in stays)
    named = re.compile(rf"(?<![A-Za-z0-9])(?:{any_of})(?![A-Za-z0-9.-])")

    def entry(given: Mapping[str, Any]) -> dict[str, Any]:
        request = replaced(given.get("request") or {}, lambda text: named.sub(lambda one: stays[one[0]], text))
        resource = replaced(given.get("resource") or {}, lambda text: stays.get(text, text))
        return {**given, "resource": resource, "request": request}

    return replace(
        item,
        patient=stays.get(item.patient, item.patient),
        bundle={**item.bundle, "entry": [entry(each) for each in item.bundle.get("entry") or ()]},
        bases=replaced(dict(item.bases), lambda text: stays.get(text, text)),
    )


class Readdressing:
    """For the outbox: each item in its new shape is sealed anew, under another key, and in the vault when it is returned."""

    def __init__(self, client: Client, vault: Vault, sealing: Sealing) -> None:
        self._client, self._vault, self._sealing = client, vault, sealing

    async def sent(self, item: Item) -> Item | None:
        """What waits, for who stays; None when a person must see to it, as for a `Circle`. Raises Problem."""
        fresh = await to_the_one_who_stays(self._client, item)
        return None if fresh is None else await self._kept(fresh)

    async def refused(self, items: Sequence[Item], gone: str = "") -> list[Item]:
        """Those of `items` that were about `gone` (whoever it is, when it is empty), about who stays: as refused as they
        were, and they open in that one's form. Raises Problem."""
        moved = []
        for item in items:
            if gone and gone not in item.lanes | {item.patient}:
                continue
            try:
                fresh = await to_the_one_who_stays(self._client, item)
            except Circle:
                log.warning("what was refused stays where it is: the records replace each other")
                continue
            if fresh is not None:
                moved.append(await self._kept(fresh))
        return moved

    async def _kept(self, item: Item) -> Item:
        fresh = self._sealing.sealed(replace(item, key=str(uuid4())))
        row = (fresh.state, fresh.patient, fresh.body(), fresh.id)
        query = "UPDATE outbox SET state = ?, patient = ?, body = ? WHERE id = ?"
        await self._vault.run(lambda database: database.execute(query, row))
        return fresh
