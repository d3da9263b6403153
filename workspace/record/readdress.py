"""A write about a patient whose record was joined with another's: it belongs to the one who stays.

Only where the platform's own link says that the two are one person. What was written, by whom, when and from which panel is
left as it was; the author's own session seals it again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from workspace.fhir.merges import replaced_by
from workspace.fhir.references import replaced
from workspace.record.client import Client, PlatformProblem
from workspace.record.items import Item

REPLACED = "patient-replaced"
"""The gateway's code for a write about a patient who was joined with another."""
LINKS = 5
"""Joined records in a row that are followed."""


async def to_the_one_who_stays(client: Client, item: Item) -> Item | None:
    """`item` about the patient who stays; None when no link says who that is. Raises PlatformProblem when that cannot be
    known now."""
    stays: dict[str, str] = {}
    for patient in item.lanes | {item.patient}:
        if patient.startswith("Patient/") and (other := await _survivor(client, item, patient)):
            stays[patient] = other
    if not stays:
        return None
    fresh = readdressed(item, stays)
    return fresh if fresh.bundle != item.bundle else None


async def _survivor(client: Client, item: Item, patient: str) -> str:
    found = ""
    for _ in range(LINKS):
        try:
            there = replaced_by((await client.get(found or patient, item.asker)).body)
        except PlatformProblem as problem:
            if problem.status in (403, 404, 410):
                return ""
            raise
        if not there:
            break
        found = there
    return found


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


def keep(database: Any, item: Item) -> None:
    """Inside a step of the vault."""
    row = (item.patient, item.body(), item.id)
    database.execute("UPDATE outbox SET state = 'venter', patient = ?, body = ? WHERE id = ?", row)
