"""The synthetic home as its makers wrote it down: the files of `resources/home`, read and checked.

Reads files and nothing else; makes no resources. Every reference between the files is checked here, so that what
generates from a `Home` need not doubt it.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from workspace.access.protection import CODES
from workspace.clock import OSLO
from workspace.fhir.identifiers import national_number, organisation_number
from workspace.problem import Problem
from workspace.sandbox.home import former
from workspace.sandbox.home.model import (
    Allergy,
    Analyte,
    Area,
    Diagnosis,
    Drug,
    Event,
    Lock,
    Measure,
    Member,
    Order,
    Relative,
    Resident,
    Todo,
    Unit,
)
from workspace.sandbox.identity.people import Person

T = TypeVar("T")
Row = Mapping[str, str]
VITALS = ("respiration", "saturation", "oxygen", "systolic", "diastolic", "pulse", "temperature")
_TIME = re.compile(r"^([01]\d|2[0-3]):[0-5]\d$")


@dataclass(frozen=True, kw_only=True)
class Home:
    """Everything known of the home. Dictionaries are by id or key; events by resident, oldest first."""

    id: str
    name: str
    number: str
    address: Mapping[str, str]
    now: datetime
    units: Mapping[str, Unit]
    staff: Mapping[str, Member]
    residents: Mapping[str, Resident]
    former: Mapping[str, tuple[Resident, ...]]
    relatives: tuple[Relative, ...]
    diagnoses: Mapping[str, Diagnosis]
    conditions: tuple[tuple[str, str, str, str], ...]
    flags: tuple[tuple[str, str, str], ...]
    allergies: tuple[Allergy, ...]
    drugs: Mapping[str, Drug]
    orders: Mapping[str, tuple[Order, ...]]
    analytes: Mapping[str, Analyte]
    vitals: Mapping[str, tuple[Event, ...]]
    labs: Mapping[str, tuple[Event, ...]]
    weights: Mapping[str, tuple[Event, ...]]
    notes: Mapping[str, tuple[Event, ...]]
    falls: Mapping[str, tuple[Event, ...]]
    messages: Mapping[str, tuple[Event, ...]]
    tasks: tuple[Todo, ...]
    areas: tuple[Area, ...]
    restrictions: tuple[Lock, ...]
    templates: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def people(self) -> list[Person]:
        """Who may sign in to the sandbox, as the identity provider wants them."""
        return [self._person(one) for one in self.staff.values() if one.login]

    @property
    def former_until(self) -> date:
        """The first day on which nothing is recorded of former residents: the last two weeks are of those here now."""
        return self.now.date() - timedelta(days=13)

    def _person(self, one: Member) -> Person:
        units = [self.units[unit].name for unit in one.units if unit in self.units]
        return Person(
            username=one.id,
            name=one.name,
            role_title=one.title,
            unit_text=self.name if not units or len(units) == len(self.units) else " og ".join(units),
            shift_text=one.shift,
            practitioner=f"Practitioner/{one.id}",
            role=one.role,
            hpr=one.hpr,
        )

    def working(self, unit: str, *roles: str) -> tuple[Member, ...]:
        """The members of staff at `unit` in one of `roles`, in the file's order."""
        return tuple(one for one in self.staff.values() if unit in one.units and one.role in roles)


def default_folder() -> Path:
    """`resources/home` of this checkout or installation."""
    return Path(__file__).resolve().parents[3] / "resources" / "home"


def load(folder: Path | None = None) -> Home:
    """Read and check the definitions in `folder` (`resources/home` when None).

    Raises Problem ``home-definitions`` naming the file and the field that is wrong.
    """
    reader = _Reader(folder or default_folder())
    about, units = reader.home()
    staff = reader.table("staff.csv", lambda row: reader.member(row, {*units, about["id"]}))
    people = {one.id: one for one in staff}
    residents = {one.id: one for one in reader.table("residents.csv", lambda row: reader.resident(row, units, people))}
    left = former.stays(reader.table("former.csv", reader.leaver), reader.table("stays.csv", reader.past_stay))
    diagnoses = {one.key: one for one in reader.table("diagnoses.csv", lambda row: Diagnosis(**row))}
    drugs = {one.key: one for one in reader.table("drugs.csv", reader.drug)}
    analytes = {one.code: one for one in reader.table("analytes.csv", reader.analyte)}

    def events(name: str) -> dict[str, tuple[Event, ...]]:
        made: dict[str, list[Event]] = {}
        for one in reader.table(name, lambda row: reader.event(row, residents, people, analytes)):
            made.setdefault(one.resident, []).append(one)
        return {key: tuple(sorted(held, key=lambda one: one.at)) for key, held in made.items()}

    orders: dict[str, list[Order]] = {}
    for order in reader.table("medications.csv", lambda row: reader.order(row, residents, drugs)):
        orders.setdefault(order.resident, []).append(order)
    orders |= former.orders(left, drugs)
    return Home(
        id=about["id"],
        former=left,
        name=about["name"],
        number=about["number"],
        address=about,
        now=about["now"].astimezone(OSLO),
        units=units,
        staff=people,
        residents=residents,
        diagnoses=diagnoses,
        drugs=drugs,
        analytes=analytes,
        relatives=tuple(reader.table("relatives.csv", lambda row: reader.relative(row, residents))),
        conditions=tuple(reader.table("conditions.csv", lambda row: reader.condition(row, residents, diagnoses))),
        flags=tuple(reader.table("flags.csv", lambda row: reader.flag(row, residents))),
        allergies=tuple(reader.table("allergies.csv", lambda row: reader.allergy(row, residents))),
        orders={key: tuple(held) for key, held in orders.items()},
        vitals=events("vitals.csv"),
        labs=events("labs.csv"),
        weights=events("weights.csv"),
        notes=events("notes.csv"),
        falls=events("falls.csv"),
        messages=events("messages.csv"),
        areas=reader.areas(),
        restrictions=tuple(reader.table("restrictions.csv", lambda row: reader.restriction(row, residents, people))),
        tasks=tuple(reader.table("tasks.csv", lambda row: reader.todo(row, residents, people))),
        templates=reader.templates(),
    )


class _Reader:
    """Reads one folder, and knows which file and line it is at when something is wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = ""
        self.line = 0

    def wrong(self, column: str, why: str) -> Problem:
        place = f"{self.file}, linje {self.line}" if self.line else self.file
        return Problem(
            "home-definitions",
            f"Definisjonene av det syntetiske sykehjemmet er feil: {place}, felt «{column}» ({why}).",
            "Rett filen i resources/home, eller hent den på nytt.",
            detail=f"{self.folder / self.file}:{self.line} {column}: {why}",
        )

    def toml(self, name: str) -> dict[str, Any]:
        self.file, self.line = name, 0
        try:
            return tomllib.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self.wrong("fil", "kan ikke leses") from error

    def table(self, name: str, make: Callable[[dict[str, str]], T]) -> list[T]:
        made = []
        for row in self._rows(name):
            try:
                made.append(make(row))
            except (KeyError, TypeError) as error:
                raise self.wrong(str(error.args[0]), "kolonnen mangler eller er ukjent") from error
        return made

    def _rows(self, name: str) -> Iterator[dict[str, str]]:
        self.file, self.line = name, 0
        try:
            text = (self.folder / name).read_text(encoding="utf-8")
        except (OSError, ValueError) as error:
            raise self.wrong("fil", "kan ikke leses") from error
        rows = csv.DictReader(text.splitlines())
        for row in rows:
            self.file, self.line = name, rows.line_num
            missing = [column for column, value in row.items() if column is None or value is None]
            if missing:
                raise self.wrong(str(missing[0]), "for mange eller for få felt")
            yield row

    # --- one row each -------------------------------------------------------------------------------------

    def home(self) -> tuple[dict[str, Any], dict[str, Unit]]:
        held = self.toml("home.toml")
        about = held.get("home", {})
        for name in ("id", "name", "number", "line", "postal_code", "city", "municipality", "now"):
            if name not in about:
                raise self.wrong(name, "mangler")
        if not isinstance(about["now"], datetime) or about["now"].tzinfo is None:
            raise self.wrong("now", "ikke et tidspunkt med tidssone")
        units = {}
        for one in held.get("units", []):
            try:
                units[one["id"]] = Unit(one["id"], one["name"], one["number"], bool(one["short_stay"]))
            except KeyError as error:
                raise self.wrong(f"units.{error.args[0]}", "mangler") from None
        for number in (about["number"], *(unit.number for unit in units.values())):
            if not organisation_number(number):
                raise self.wrong("number", "ugyldig organisasjonsnummer")
        return about, units

    def member(self, row: Row, units: set[str]) -> Member:
        places = tuple(self.column(row, "units").split())
        if not set(places) <= units:
            raise self.wrong("units", "ukjent enhet")
        return Member(
            id=self.column(row, "id"),
            name=f"{self.column(row, 'given')} {self.column(row, 'family')}",
            role=self.column(row, "role"),
            title=self.column(row, "title"),
            category=self.column(row, "category"),
            hpr=self.column(row, "hpr"),
            units=places,
            shift=self.column(row, "shift"),
            login=self.column(row, "login") == "yes",
        )

    def resident(self, row: Row, units: Mapping[str, Unit], staff: Mapping[str, Member]) -> Resident:
        number = national_number(self.column(row, "number"))
        if not (number.synthetic or number.kind == "fhn"):
            raise self.wrong("number", "ikke et gyldig syntetisk nummer")
        return Resident(
            id=self.column(row, "id"),
            unit=self.known(row, "unit", units),
            room=self.column(row, "room"),
            given=self.column(row, "given"),
            family=self.column(row, "family"),
            sex=self.column(row, "sex"),
            born=self.day(row, "born"),
            number_kind=self.column(row, "number_kind"),
            number=number.text,
            language=self.column(row, "language"),
            admitted=self.day(row, "admitted"),
            gp=self.known(row, "gp", staff),
            contact=self.known(row, "contact", staff),
            protected=self.protection(row),
            weight=self.number(row, "weight"),
            height=self.number(row, "height"),
            usual={
                "respiration": self.number(row, "resp"),
                "saturation": self.number(row, "spo2"),
                "systolic": self.number(row, "systolic"),
                "diastolic": self.number(row, "diastolic"),
                "pulse": self.number(row, "pulse"),
                "temperature": self.number(row, "temperature"),
            },
        )

    def protection(self, row: Row) -> str:
        value = self.column(row, "protected")
        if value and value not in CODES:
            raise self.wrong("protected", f"ikke {' eller '.join(CODES)}")
        return value

    def condition(
        self, row: Row, residents: Mapping[str, Resident], diagnoses: Mapping[str, Diagnosis]
    ) -> tuple[str, str, str, str]:
        onset = self.column(row, "onset")  # as exact as it is known: a year, a month or a date
        try:
            date.fromisoformat(onset + "-01-01"[len(onset) - 4 :] if len(onset) < 10 else onset)
        except ValueError:
            raise self.wrong("onset", "ikke et år, en måned eller en dato") from None
        who, key = self.known(row, "resident", residents), self.known(row, "diagnosis", diagnoses)
        return who, key, onset, self.column(row, "status")

    def flag(self, row: Row, residents: Mapping[str, Resident]) -> tuple[str, str, str]:
        return self.known(row, "resident", residents), self.column(row, "text"), self.column(row, "category")

    def allergy(self, row: Row, residents: Mapping[str, Resident]) -> Allergy:
        self.known(row, "resident", residents)
        self.day(row, "recorded")
        return Allergy(**row)

    def leaver(self, row: Row) -> dict[str, str]:
        if not national_number(self.column(row, "number")).synthetic:
            raise self.wrong("number", "ikke et gyldig syntetisk nummer")
        self.day(row, "born")
        for column in ("from", "to") if row["room"] else ():
            self.day(row, column)
        return dict(row)

    def past_stay(self, row: Row) -> dict[str, str]:
        if self.day(row, "from") >= self.day(row, "to"):
            raise self.wrong("to", "før innleggelsen")
        return dict(row)

    def relative(self, row: Row, residents: Mapping[str, Resident]) -> Relative:
        return Relative(
            resident=self.known(row, "resident", residents),
            relation=row["relation"],
            freg=row["freg"],
            given=row["given"],
            family=row["family"],
            sex=row["sex"],
            primary=row["primary"] == "yes",
        )

    def restriction(self, row: Row, residents: Mapping[str, Resident], staff: Mapping[str, Member]) -> Lock:
        who, against = self.known(row, "resident", residents), self.known(row, "against", staff)
        return Lock(who, against, self.day(row, "since"), self.column(row, "why"))

    def drug(self, row: Row) -> Drug:
        times = tuple(self.column(row, "times").split())
        if not all(_TIME.match(one) for one in times):
            raise self.wrong("times", "ikke et klokkeslett")
        return Drug(row["key"], self.column(row, "atc"), self.column(row, "name"), self.column(row, "dose"), times)

    def order(self, row: Row, residents: Mapping[str, Resident], drugs: Mapping[str, Drug]) -> Order:
        until = self.day(row, "until") if self.column(row, "until") else None
        resident, drug = self.known(row, "resident", residents), self.known(row, "drug", drugs)
        return Order(resident, drugs[drug], self.moment(row, "authored"), until, row["reason"])

    def analyte(self, row: Row) -> Analyte:
        low = self.number(row, "low") if self.column(row, "low") else None
        high = self.number(row, "high") if self.column(row, "high") else None
        decimals = int(self.number(row, "decimals"))
        return Analyte(row["code"], row["loinc"], row["name"], row["unit"], row["ucum"], low, high, decimals)

    def event(
        self,
        row: Row,
        residents: Mapping[str, Resident],
        staff: Mapping[str, Member],
        analytes: Mapping[str, Analyte],
    ) -> Event:
        """A row of any of the scripted files: what the file has of columns decides what is read."""
        values: dict[str, float | str] = {}
        for column in row:
            if column in (*VITALS, "value", "kg"):
                values[column] = self.number(row, column)
            elif column == "code":
                values[column] = self.known(row, column, analytes)
            elif column not in ("resident", "at", "by"):
                values[column] = row[column]
        if values.get("consciousness", "A") not in tuple("ACVPU"):
            raise self.wrong("consciousness", "ikke A, C, V, P eller U")
        by = self.known(row, "by", staff) if "by" in row else ""
        return Event(self.known(row, "resident", residents), self.moment(row, "at"), by, values)

    def todo(self, row: Row, residents: Mapping[str, Resident], staff: Mapping[str, Member]) -> Todo:
        return Todo(
            self.known(row, "resident", residents),
            self.column(row, "text"),
            self.moment(row, "due"),
            self.column(row, "priority"),
            self.column(row, "status"),
            self.known(row, "owner", staff),
        )

    def areas(self) -> tuple[Area, ...]:
        made = []
        for row in self.toml("plans.toml").get("areas", []):
            try:
                measures = tuple(
                    Measure(one["text"], tuple(one["times"]), tuple(one.get("days", ()))) for one in row["measures"]
                )
                made.append(Area(row["key"], frozenset(row["for"]), row["title"], row["goal"], measures))
            except (KeyError, TypeError) as error:
                raise self.wrong(f"areas.{error.args[0]}", "mangler") from None
            for measure in measures:
                if not measure.times or not all(_TIME.match(clock) for clock in measure.times):
                    raise self.wrong(f"areas.{row['key']}.times", "ikke et klokkeslett")
                if not set(measure.days) <= set(range(7)):
                    raise self.wrong(f"areas.{row['key']}.days", "ikke en ukedag fra 0 til 6")
        return tuple(made)

    def templates(self) -> dict[str, dict[str, tuple[str, ...]]]:
        held = self.toml("templates.toml")
        made = {}
        for name, shifts in held.items():
            for shift in ("day", "evening", "night"):
                if not shifts.get(shift):
                    raise self.wrong(f"{name}.{shift}", "mangler")
            made[name] = {shift: tuple(texts) for shift, texts in shifts.items()}
        for name in ("all", "contacts", "messages"):
            if name not in made:
                raise self.wrong(name, "mangler")
        return made

    # --- one field each -----------------------------------------------------------------------------------

    def column(self, row: Row, name: str) -> str:
        if name not in row:
            raise self.wrong(name, "kolonnen mangler")
        return row[name].strip()

    def known(self, row: Row, column: str, among: Mapping[str, Any]) -> str:
        value = self.column(row, column)
        if value not in among:
            raise self.wrong(column, f"«{value}» finnes ikke")
        return value

    def number(self, row: Row, column: str) -> float:
        try:
            value = float(self.column(row, column))
        except ValueError:
            raise self.wrong(column, "ikke et tall") from None
        return int(value) if value == int(value) and column not in ("kg", "temperature") else value

    def day(self, row: Row, column: str) -> date:
        try:
            return date.fromisoformat(self.column(row, column))
        except ValueError:
            raise self.wrong(column, "ikke en dato") from None

    def moment(self, row: Row, column: str) -> datetime:
        try:
            return datetime.fromisoformat(self.column(row, column)).replace(tzinfo=OSLO)
        except ValueError:
            raise self.wrong(column, "ikke et tidspunkt") from None
