"""What is recorded about who works where and who lives where, read from the platform and remembered until it changes.

Positions come from `PractitionerRole`, residents from `Encounter` in progress, units from `Organization`, records that were
replaced by another's and protected addresses from `Patient`, restrictions from `Consent`.
Never decides: that is `access.decision`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from workspace.access.decision import Decisions, Position
from workspace.access.kinds import elements
from workspace.access.protection import CODES, PROTECTION
from workspace.access.restrictions import PRIVACY, Restriction, restriction_of
from workspace.clock import Clock
from workspace.fhir.compartment import patients_of
from workspace.fhir.dates import bounds, moment
from workspace.fhir.merges import onward, replaced_by
from workspace.fhir.references import target
from workspace.fhir.service import FhirRequest, FhirService, Resource
from workspace.gateway.refused import Refused

WATCHED = frozenset({"PractitionerRole", "Encounter", "Organization", "Patient", "Consent"})
KEPT_SECONDS = 60.0
"""Longest age of what is remembered: imports and other writers are not announced."""
EMPTY_SECONDS = 1.0
PAGES = 50


class Book:
    """`for_person(practitioner)` gives the `Decisions` of one person; cheap when nothing has changed."""

    def __init__(
        self, service: FhirService, clock: Clock, base: str, replaced: Callable[[str, str], None] = lambda *_: None
    ) -> None:
        """`replaced(own, survivor)` is told of each record that is found to be replaced, the first time it is."""
        self._service = service
        self._clock = clock
        self._base = base
        self._lock = asyncio.Lock()
        self._age = 0
        self._homes: tuple[int, float, Decisions] | None = None
        """What is the same for everybody: decisions without positions."""
        self._replaced, self._told = replaced, dict[str, str]()
        self._people: dict[str, tuple[int, float, Decisions]] = {}

    def forget(self) -> None:
        """What was remembered may be wrong: read anew at the next question."""
        self._age += 1

    @property
    def age(self) -> int:
        """Rises with each `forget`."""
        return self._age

    async def for_person(self, practitioner: str) -> Decisions:
        """Raises Refused 503 when the platform cannot say."""
        kept = self._fresh(practitioner)
        if kept is not None:
            return kept
        async with self._lock:
            kept = self._fresh(practitioner)
            return kept if kept is not None else await self._read(practitioner)

    def _fresh(self, practitioner: str) -> Decisions | None:
        kept = self._people.get(practitioner)
        if kept and kept[0] == self._age and self._clock.monotonic() < kept[1]:
            return kept[2]
        return None

    async def _read(self, practitioner: str) -> Decisions:
        age, now = self._age, self._clock.monotonic()
        if self._homes is None or self._homes[0] != age or now >= self._homes[1]:
            residence, parents = await self._residence(), await self._parents()
            replaced = await self._read_replaced()
            after = {own: onward(own, replaced) for own in replaced}
            homes = dict(residence)
            for own, others in after.items():
                # The one who goes is open to those who may see the one who stays.
                every = (unit for one in (own, *others) for unit in homes.get(one, ()))
                residence[own] = tuple(dict.fromkeys(every))
            kept = KEPT_SECONDS if residence else EMPTY_SECONDS
            restrictions, protected = await self._restrictions(), await self._protected()
            # What any of them had closed, or protected, is so for all who come after.
            restrictions += tuple(
                replace(each, patient=one) for each in restrictions for one in after.get(each.patient, ())
            )
            protected |= {one for own in protected for one in after.get(own, ())}
            common = Decisions((), residence, parents, restrictions, protected, replaced)
            self._homes = (age, now + kept, common)
            self._tell(replaced)
        positions: tuple[Position, ...] = ()
        if practitioner.startswith("Practitioner/"):
            positions = tuple(
                each
                for role in await self._all(f"PractitionerRole?practitioner={quote(practitioner, safe='/')}&_count=200")
                if (each := position(role, self._base))
            )
        common = self._homes[2]
        found = replace(common, positions=positions, _latest={})
        until = min(self._homes[1], now + (KEPT_SECONDS if positions else EMPTY_SECONDS))
        if len(self._people) > 2000:
            self._people.clear()
        self._people[practitioner] = (age, until, found)
        return found

    async def _residence(self) -> dict[str, tuple[str, ...]]:
        found: dict[str, tuple[str, ...]] = {}
        for encounter in await self._all("Encounter?status=in-progress&_count=1000"):
            unit = target(encounter.get("serviceProvider") or {}, self._base)
            for patient in patients_of(encounter, self._base):
                if unit and unit not in found.get(patient, ()):
                    found[patient] = (*found.get(patient, ()), unit)
        return found

    def _tell(self, replaced: Mapping[str, str]) -> None:
        before, self._told = self._told, dict(replaced)
        for own, survivor in replaced.items():
            if before.get(own) != survivor:
                self._replaced(own, survivor)

    async def _read_replaced(self) -> dict[str, str]:
        """Records that were replaced, and by whose."""
        found = await self._all("Patient?active=false&link:missing=false&_count=1000")
        return {f"Patient/{each['id']}": survivor for each in found if (survivor := replaced_by(each, self._base))}

    async def _restrictions(self) -> tuple[Restriction, ...]:
        stated = await self._all(f"Consent?status=active&scope={PRIVACY}&_count=1000")
        return tuple(each for consent in stated if (each := restriction_of(consent, self._base)))

    async def _protected(self) -> frozenset[str]:
        marks = quote(",".join(f"{PROTECTION}|{code}" for code in CODES), safe=",")
        return frozenset(f"Patient/{each['id']}" for each in await self._all(f"Patient?_security={marks}&_count=1000"))

    async def _parents(self) -> dict[str, str]:
        units = await self._all("Organization?_count=1000")
        return {
            f"Organization/{unit['id']}": above
            for unit in units
            if (above := target(unit.get("partOf") or {}, self._base))
        }

    async def _all(self, asked: str) -> list[Resource]:
        rows: list[Resource] = []
        for _ in range(PAGES):
            path, _, query = asked.partition("?")
            answer = await self._service.handle(FhirRequest("GET", path, query))
            if answer.status != 200 or answer.body is None:
                raise unavailable(f"{path}: {answer.status}")
            rows += [entry["resource"] for entry in answer.body.get("entry", ()) if "resource" in entry]
            following = next((x["url"] for x in answer.body.get("link", ()) if x.get("relation") == "next"), "")
            if not following:
                break
            asked = relative(following)
        return rows


def relative(url: str) -> str:
    """``Type?query`` of a next link, whatever address it stands under."""
    head, mark, query = url.partition("?")
    return head.rstrip("/").rpartition("/")[2] + mark + query


def position(role: Mapping[str, Any], base: str = "") -> Position | None:
    """A `PractitionerRole` as a Position; None when it is not active or names no unit."""
    unit = target(role.get("organization") or {}, base)
    if not unit or role.get("active") is False:
        return None
    period = role.get("period") or {}
    code = next((str(each["code"]) for each in elements(role, "code.coding") if each.get("code")), "")
    start, end = _edge(period.get("start"), first=True), _edge(period.get("end"), first=False)
    return Position(f"PractitionerRole/{role.get('id', '')}", unit, code, start, end)


def _edge(text: Any, *, first: bool) -> datetime | None:
    if not isinstance(text, str):
        return None
    span = bounds(text)
    return moment(span.low if first else span.high)


def unavailable(detail: str) -> Refused:
    return Refused(
        503,
        "platform-failed",
        "Plattformen kan ikke slå opp tilganger akkurat nå.",
        "Prøv igjen om litt.",
        detail,
        issue="transient",
    )
