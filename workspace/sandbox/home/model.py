"""The nouns of the synthetic home: plain frozen records. Hold no logic beyond a name, and no real person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime


@dataclass(frozen=True, slots=True)
class Unit:
    """A ward; `number` is its organisation number."""

    id: str
    name: str
    number: str
    short_stay: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One of the staff. `category` is Volven 9060, empty (as `hpr`) for those without authorisation."""

    id: str
    name: str
    role: str
    title: str
    category: str
    hpr: str
    units: tuple[str, ...]
    shift: str
    login: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Resident:
    """Somebody during one stay. `usual` holds the vital signs of an ordinary day; weight in kg, height in cm. `left` is
    None for those who live here now; `stay` is the last part of the encounter's id; `protected` how the address is
    protected, if it is."""

    id: str
    unit: str
    room: str
    given: str
    family: str
    sex: str
    born: date
    number_kind: str
    number: str
    language: str
    admitted: date
    gp: str
    contact: str
    protected: str
    weight: float
    height: float
    usual: Mapping[str, float]
    left: date | None = None
    died: bool = False
    stay: str = "opphold"

    @property
    def name(self) -> str:
        return f"{self.given} {self.family}"

    def here(self, day: date) -> bool:
        """Whether they live here on `day`; the day they leave is the first they do not."""
        return self.admitted <= day and (self.left is None or day < self.left)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relative:
    """`relation` is what the relative is to the resident (datter)."""

    resident: str
    relation: str
    freg: str
    given: str
    family: str
    sex: str
    primary: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    key: str
    icpc2: str
    icpc2_text: str
    icd10: str
    icd10_text: str
    short: str


@dataclass(frozen=True, slots=True)
class Drug:
    """`times` (HH:MM) are empty for what is given when needed."""

    key: str
    atc: str
    name: str
    dose: str
    times: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Order:
    """A drug ordered for a resident at `authored`; ended at the end of `until`, if at all."""

    resident: str
    drug: Drug
    authored: datetime
    until: date | None
    reason: str

    @property
    def id(self) -> str:
        return f"{self.resident}-{self.drug.key}"


@dataclass(frozen=True, slots=True)
class Allergy:
    resident: str
    text: str
    code: str
    system: str
    reaction: str
    verification: str
    criticality: str
    recorded: str


@dataclass(frozen=True, slots=True)
class Analyte:
    """`code` is NLK; `low` and `high` the reference interval, None for none."""

    code: str
    loinc: str
    name: str
    unit: str
    ucum: str
    low: float | None
    high: float | None
    decimals: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something written down for one resident at one time; `values` are the other columns of its file."""

    resident: str
    at: datetime
    by: str
    values: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Todo:
    """An open task."""

    resident: str
    text: str
    due: datetime
    priority: str
    status: str
    owner: str


@dataclass(frozen=True, slots=True)
class Measure:
    """Something to be done at `times` (HH:MM) on `days` (0 is Monday; none: every day)."""

    text: str
    times: tuple[str, ...]
    days: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Area:
    """A part of a care plan, for those who have a problem with one of `codes` (ICPC-2), or for ``all``."""

    key: str
    codes: frozenset[str]
    title: str
    goal: str
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True)
class Lock:
    """A resident's wish that `against`, one of the staff, sees nothing from the day `since`."""

    resident: str
    against: str
    since: date
    why: str
