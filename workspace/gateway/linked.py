"""What a write points at is about the same patient (DESIGN §1, law 3), as at the broker (`fhir.links`). What is not there
and what is not open are answered like what is another's. Asks the platform once for a whole transaction, and not at all
where nothing points outside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workspace.fhir.compartment import patients_of
from workspace.fhir.links import pointed_at, searched_for
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.gateway.asking import Asking
from workspace.gateway.refused import Fault, Refused
from workspace.gateway.sight import Sight

FOREIGN = "Her pekes det på en opplysning som ikke hører til denne pasienten."
UNLOOKED = frozenset({"Provenance", "AuditEvent"})
"""They are about what they tell of, and tell it of the patient's own."""


@dataclass(frozen=True, slots=True)
class Pointing:
    """A resource that is to be written, about `patients`; `before` stands there now."""

    resource: Resource
    patients: tuple[str, ...]
    before: Resource | None = None

    def links(self, base: str) -> dict[str, str]:
        """``Type/id`` by path of what is new. Whom a Provenance is about follows from its targets."""
        told = {
            k: v for k, v in self.resource.items() if k != "target" or self.resource["resourceType"] != "Provenance"
        }
        found = pointed_at(told, base) | searched_for(told)
        stood = pointed_at(self.before, base) if self.before else {}
        return {one: path for one, path in found.items() if one not in stood and one.partition("/")[0] not in UNLOOKED}


class Linked:
    def __init__(self, service: FhirService, base: str) -> None:
        self._service, self._base = service, base

    async def faults(
        self, asking: Asking, written: Sequence[Pointing], known: Mapping[str, Resource]
    ) -> list[list[Fault]]:
        """What is wrong with the links of each of `written`; `known` (by ``Type/id``) is written with them. Raises Refused
        503 when the platform cannot say."""
        links = [each.links(self._base) if each.patients else {} for each in written]
        outside = sorted({one for found in links for one in found if one not in known and "?" not in one})
        there = dict(known) | (await self._fetched(outside) if outside else {})
        sight = Sight(self._service, asking, self._base)
        about: dict[str, tuple[str, ...]] = {}
        for name in {one for found in links for one in found if one in there}:
            if name in known or await sight.sees(there[name]):
                about[name] = patients_of(there[name], self._base)
        return [
            [
                Fault(path, FOREIGN, "foreign-link")
                for name, path in found.items()
                if not set(about.get(name, ())) & set(each.patients)
            ]
            for each, found in zip(written, links, strict=True)
        ]

    async def _fetched(self, names: Sequence[str]) -> dict[str, Resource]:
        """Those of `names` that are there, in one request."""
        if len(names) == 1:
            answer = await self._service.handle(FhirRequest("GET", names[0]))
            rows = [(str(answer.status), answer.body)]
        else:
            asked = [{"request": {"method": "GET", "url": one}} for one in names]
            bundle = {"resourceType": "Bundle", "type": "batch", "entry": asked}
            answer = await self._service.handle(FhirRequest("POST", "", body=bundle))
            entries: Sequence[Any] = (answer.body or {}).get("entry") or () if answer.status == 200 else ()
            rows = [(str((each.get("response") or {}).get("status", "")), each.get("resource")) for each in entries]
        if len(rows) != len(names) or any(status[:3] not in ("200", "404", "410") for status, _ in rows):
            raise Refused(
                503, "platform-failed", "Plattformen har en feil akkurat nå.", "Prøv igjen om litt.",
                f"links {answer.status}", issue="transient",
            )  # fmt: skip
        return {name: body for name, (status, body) in zip(names, rows, strict=True) if status[:3] == "200" and body}
