"""What the shell itself asks of the record: the user's units, who lives in one, and the facts of the banner; all live.

The shell's own questions go the panels' way, under the package name `workspace.shell`. Never writes.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from urllib.parse import quote

from workspace import __version__
from workspace.clock import Clock
from workspace.fhir.merges import circular, replaced_by
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import people
from workspace.record.client import Asker
from workspace.record.people import BannerFacts, Resident, Unit
from workspace.record.record import Record
from workspace.record.rows import Rows, RowsChange, name_of, waits
from workspace.record.watched import Watched

__all__ = ["BannerFacts", "Directory", "Resident", "Subscription", "Unit"]

SHELL = Asker((f"workspace.shell@{__version__}",))
ResidentsListener = Callable[[tuple[Resident, ...]], None]
BannerListener = Callable[[BannerFacts], None]
Failed = Callable[[str], None]


class Directory:
    """`asker` names the shell in the audit."""

    def __init__(self, record: Record, clock: Clock, asker: Asker = SHELL) -> None:
        self._record, self._clock, self._asker = record, clock, asker
        self._placed: dict[str, None] = {}
        """What was asked to find the units."""

    async def units(self, user: str) -> list[Unit]:
        """The units where `user` (``Practitioner/<id>``) works now, by name. Whoever has a role in a whole institution has
        all its units. Raises PlatformProblem."""
        query = f"PractitionerRole?practitioner={_value(user)}&_include=PractitionerRole:organization"
        found = await self._placing(query)
        now = self._clock.now()
        places = {name_of(each): each for each in found.resources if each.get("resourceType") == "Organization"}
        units: dict[str, Unit] = {}
        for role in found.resources:
            if role.get("resourceType") != "PractitionerRole" or role.get("active") is False:
                continue
            where = role.get("organization")
            reference = people.reference_of(where)
            if reference and people.is_current(role.get("period"), now):
                place = places.get(reference, {})
                for unit in await self._within(reference, place, where):
                    units.setdefault(unit.reference, unit)
        return sorted(units.values(), key=lambda each: each.name)

    async def _within(self, reference: str, place: Resource, where: object) -> list[Unit]:
        said = str(where.get("display") or "") if isinstance(where, dict) else ""
        own = Unit(reference, str(place.get("name") or said or reference.partition("/")[2]))
        if place.get("partOf"):
            return [own]
        try:
            below = await self._placing(f"Organization?partof={_value(reference)}")
        except Problem:
            return [own]
        units = [Unit(name_of(each), str(each.get("name") or each.get("id"))) for each in below.resources]
        return units or [own]

    async def _placing(self, query: str) -> Rows:
        self._placed[query] = None
        return await self._record.search(query, self._asker)

    def offline_queries(self, unit: str, patients: Iterable[str]) -> list[str]:
        """What the shell itself asks of the user's units, of `unit` and of each of its patients."""
        held = sorted(patients)
        own = [query for one in held for _, query in _banner(one)]
        return [*self._placed, _stays(unit), *([_flags(held)] if held else []), *own]

    async def residents(self, unit: str) -> list[Resident]:
        """Who lives in `unit` (``Organization/<id>``) now, by room and name. Raises PlatformProblem."""
        stays = (await self._record.search(_stays(unit), self._asker)).resources
        patients = _patients(stays)
        flags: Iterable[Resource] = ()
        if patients:
            flags = (await self._record.search(_flags(patients), self._asker)).resources
        return list(_residents(stays, flags))

    async def name_of_patient(self, patient: str) -> str:
        """The name of ``Patient/<id>``; "" when it has none. Raises PlatformProblem."""
        found = (await self._record.search(dict(_banner(patient))["patient"], self._asker)).resources
        return people.names(found[0])[2] if found else ""

    def watch_residents(self, unit: str, listener: ResidentsListener, failed: Failed | None = None) -> Subscription:
        """Like `residents`, and again whenever somebody moves in, out or between rooms, or a flag changes. `failed` gets
        a sentence when the list may be old."""
        return _Residents(self._record, self._asker, unit, listener, failed)

    def watch_banner(self, patient: str, listener: BannerListener) -> Subscription:
        """The facts of `patient` (``Patient/<id>``), as soon as it is known who it is, and again as they come."""
        return _Banner(self._record, self._asker, self._clock, patient, listener)


class Subscription:
    """Something live, made of several watches. `close()` is idempotent; no call to the listener follows it."""

    def __init__(self, record: Record, asker: Asker) -> None:
        self._record, self._asker = record, asker
        self._watches: dict[str, Watched] = {}
        self._rows: dict[str, list[Resource]] = {}
        self._errors: dict[str, str] = {}
        self._more: set[str] = set()
        """Of what the platform has more than was asked for."""
        self._telling: asyncio.Handle | None = None
        self._closed = False

    def close(self) -> None:
        self._closed = True
        for watch in self._watches.values():
            watch.close()
        self._watches.clear()
        if self._telling:
            self._telling.cancel()

    def _follow(self, name: str, query: str) -> None:
        """Keep the rows of `query` as `name`; another query of that name ends."""
        former = self._watches.pop(name, None)
        self._watches[name] = self._record.watch(
            query, self._asker, lambda change: self._moved(name, change), safety=True
        )
        if former:
            former.close()

    def _moved(self, name: str, change: RowsChange) -> None:
        if change.error:
            self._errors[name] = change.error
        else:
            self._errors.pop(name, None)
        more = change.whole.more if change.whole is not None else change.more
        if more is not None:
            (self._more.add if more else self._more.discard)(name)
        if change.whole is not None:
            self._rows[name] = list(change.whole.resources)
        elif change.gone or change.put:
            drop = {*change.gone, *(name_of(row) for _, row in change.put)}
            rows = [row for row in self._rows.get(name, []) if name_of(row) not in drop]
            for index, row in change.put:
                rows.insert(index, row)
            self._rows[name] = rows
        self._arrived(name)
        if self._telling is None and not self._closed:
            # What changes in one turn of the loop is told once.
            self._telling = asyncio.get_running_loop().call_soon(self._due)

    def _due(self) -> None:
        self._telling = None
        if not self._closed:
            self._tell()

    def _of(self, name: str, kind: str = "") -> list[Resource]:
        rows = self._rows.get(name, [])
        return [row for row in rows if row.get("resourceType") == kind] if kind else rows

    def _arrived(self, name: str) -> None:
        """Follow what only now can be asked."""

    def _tell(self) -> None:
        raise NotImplementedError


class _Residents(Subscription):
    def __init__(
        self, record: Record, asker: Asker, unit: str, listener: ResidentsListener, failed: Failed | None
    ) -> None:
        super().__init__(record, asker)
        self._listener, self._failed = listener, failed
        self._patients: tuple[str, ...] = ()
        self._told: tuple[Resident, ...] | None = None
        self._follow("stays", _stays(unit))

    def _arrived(self, name: str) -> None:
        patients = _patients(self._of("stays"))
        if name == "stays" and patients != self._patients:
            self._patients = patients
            if patients:
                self._follow("flags", _flags(patients))

    def _tell(self) -> None:
        if self._errors and self._failed:
            self._failed(next(iter(self._errors.values())))
        known = "stays" in self._rows and ("flags" in self._rows or not self._patients or "flags" in self._errors)
        found = _residents(self._of("stays"), self._of("flags"))
        if known and found != self._told:
            self._told = found
            self._listener(found)


class _Banner(Subscription):
    def __init__(self, record: Record, asker: Asker, clock: Clock, patient: str, listener: BannerListener) -> None:
        super().__init__(record, asker)
        self._clock, self._patient, self._listener = clock, patient, listener
        self._told: BannerFacts | None = None
        for name, query in _banner(patient):
            self._follow(name, query)

    def _tell(self) -> None:
        facts = self._facts()
        if facts is not None and facts != self._told:
            self._told = facts
            self._listener(facts)

    def _facts(self) -> BannerFacts | None:
        waiting = frozenset(name for name in self._watches if name not in self._rows and name not in self._errors)
        if "patient" in waiting:
            return None
        who = next(iter(self._of("patient", "Patient")), {"resourceType": "Patient", "id": self._patient[8:]})
        stay = next(iter(self._of("stay", "Encounter")), {})
        beds = {name_of(each): each for each in self._of("stay", "Location")}
        flags = tuple(people.flag_texts(self._of("flags")).get(self._patient, ()))
        resident = people.resident_of(who, stay, beds, flags)
        return BannerFacts(
            resident=resident,
            age=people.age(resident.birth_date, self._clock.now()),
            allergies=self._allergies(),
            flags=resident.flags,
            news2=people.newest_score(self._of("news2")),
            news2_waits=any(waits(one) for one in self._of("news2")[:1]),
            primary_contact=people.contact_of(stay),
            doctor=people.doctor_of(who, stay),
            problem=next(iter(self._errors.values()), ""),
            diagnoses=people.diagnosis_texts(self._of("diagnoses"), more="diagnoses" in self._more),
            waiting=waiting,
            sources=people.sources(self._of("allergies"), self._of("flags"), self._of("news2")),
            identified="patient" in self._rows,
        )

    def _allergies(self) -> tuple[tuple[str, str], ...]:
        if "allergies" in self._rows:
            return people.allergy_texts(self._of("allergies"), more="allergies" in self._more)
        return (("Allergier kunne ikke hentes", "warn"),) if "allergies" in self._errors else ()


def _banner(patient: str) -> tuple[tuple[str, str], ...]:
    who = _value(patient)
    return (
        ("patient", f"Patient?_id={_value(patient.partition('/')[2])}"),
        ("allergies", f"AllergyIntolerance?patient={who}&_count=200"),
        ("flags", f"Flag?patient={who}&status=active"),
        ("stay", f"Encounter?patient={who}&status=in-progress&_include=Encounter:location"),
        ("news2", f"Observation?patient={who}&code={people.NEWS2}&_sort=-date&_count=5"),
        ("diagnoses", f"Condition?patient={who}&_count=100"),
    )


def _stays(unit: str) -> str:
    return (
        f"Encounter?service-provider={_value(unit)}&status=in-progress"
        "&_include=Encounter:patient&_include=Encounter:location&_count=200"
    )


def _flags(patients: Iterable[str]) -> str:
    return f"Flag?status=active&patient={','.join(_value(each) for each in patients)}&_count=400"


def _patients(stays: Iterable[Resource]) -> tuple[str, ...]:
    found = {people.reference_of(each.get("subject")) for each in stays if each.get("resourceType") == "Encounter"}
    return tuple(sorted(found - {""}))


def _residents(rows: Iterable[Resource], flags: Iterable[Resource]) -> tuple[Resident, ...]:
    by_name = {name_of(each): each for each in rows}
    marked = people.flag_texts(flags)
    joined = {name: replaced_by(each) for name, each in by_name.items() if each.get("resourceType") == "Patient"}
    found: dict[str, Resident] = {}
    for stay in by_name.values():
        who = people.reference_of(stay.get("subject")) if stay.get("resourceType") == "Encounter" else ""
        patient = by_name.get(who, {"resourceType": "Patient", "id": who.partition("/")[2]})
        if who and (not joined.get(who) or circular(who, joined)):  # else the one who stays is in the list
            found[who] = people.resident_of(patient, stay, by_name, marked.get(who, ()))
    return tuple(sorted(found.values(), key=lambda each: (each.room or "~", each.family, each.given)))


def _value(text: str) -> str:
    return quote(text, safe="/:.-")
