"""The same fact typed twice: found before it is saved, and what the user chose about it. Rules are data
(``resources/duplicates.toml``).

Never stops anybody: the user may always say that it is a new measurement. Finds and rewrites; asks the user through whoever
shows it.
"""

from __future__ import annotations

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

from workspace.broker import facts
from workspace.broker.door import Refused, Write
from workspace.broker.grant import Grant
from workspace.clock import Clock, instant, parse
from workspace.fhir import codes, units
from workspace.fhir.compartment import patients_of
from workspace.fhir.describe import describe
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record.client import Asker
from workspace.record.directory import SHELL
from workspace.record.origin import Origin, origin_of
from workspace.record.record import Record
from workspace.record.rows import waits

RULES = Path(__file__).parents[2] / "resources" / "duplicates.toml"
GONE = frozenset({"entered-in-error", "cancelled", "refuted", "not-done"})
LOOK = 1.0
"""Seconds that a save waits to hear whether the value exists already."""
Code = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Duplicate:
    """What exists: `write` is the place of the new value in the commit, `new` and `existing` both in words, `reference` of
    the existing one, `origin` who wrote it where and when, `minutes` between the two, `same` whether they say the same,
    `waits` whether the existing one is itself not on the platform yet: then it cannot be replaced. Not `usable`: somebody
    has changed its meaning in a way that we do not know, so that it can neither be used nor replaced, only known of."""

    write: int
    reference: str
    new: str
    existing: str
    origin: Origin
    minutes: int
    same: bool
    resource: Resource
    waits: bool = False
    usable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """``use`` takes the existing one and saves nothing, ``replace`` marks the existing one as entered in error (`reason` is
    kept with it), ``new`` saves both."""

    choice: Literal["use", "replace", "new"]
    reason: str = ""


Ask = Callable[[Sequence[Duplicate]], Awaitable[Mapping[int, Answer] | None]]
"""The shell's question: an answer by `Duplicate.write`; None when the user went back to the form."""


class Rules:
    """How far apart two values must be not to be asked about."""

    def __init__(self, kinds: Mapping[str, int], by_code: Mapping[Code, int]) -> None:
        self._kinds, self._codes = dict(kinds), dict(by_code)

    @classmethod
    def read(cls, path: Path = RULES) -> Rules:
        """Raises Problem ``rules-damaged``."""
        try:
            held = tomllib.loads(path.read_text("utf-8"))
            kinds = {str(kind): int(minutes) for kind, minutes in held.get("kind", {}).items()}
            by_code = {
                codes.concept(str(one["system"]), str(one["code"])): int(one["minutes"]) for one in held.get("code", ())
            }
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Problem(
                "rules-damaged", f"Reglene for det som allerede finnes, kan ikke leses ({path.name}).",
                "Rett filen, eller hent den på nytt.", repr(error),
            ) from error  # fmt: skip
        return cls(kinds, by_code)

    def minutes(self, resource: Mapping[str, Any]) -> int | None:
        """The window of `resource`; None when its kind is never asked about. 0 is without end."""
        kind = self._kinds.get(str(resource.get("resourceType")))
        found = [self._codes[code] for code in codes_of(resource) if code in self._codes]
        return max(found) if found else kind


class Guard:
    """Looks for what exists of a commit's new values, and asks about it through `ask`, when there is one."""

    def __init__(self, record: Record, rules: Rules, clock: Clock, *, user: str) -> None:
        self._record, self._rules, self._clock, self._user = record, rules, clock, user
        self.ask: Ask | None = None

    async def checked(self, grant: Grant, writes: Sequence[Write]) -> tuple[Sequence[Write], int]:
        """The writes as the user wants them, and how many values were reused. Raises Refused ``exists`` when the user
        went back to the form, ``reason-missing``."""
        found = await self._found(grant, writes) if self.ask is not None else []
        if not found or self.ask is None:
            return writes, 0
        answers = await self.ask(found)
        if answers is None:
            raise Refused("exists", "Ikke lagret: opplysningen finnes allerede.")
        return applied(writes, found, answers, user=self._user, now=self._clock.now())

    async def _found(self, grant: Grant, writes: Sequence[Write]) -> list[Duplicate]:
        """One question for each kind and patient, however many values a set has."""
        groups: dict[tuple[str, str], list[tuple[int, Write, int]]] = {}
        for place, write in enumerate(writes):
            minutes = self._rules.minutes(write.resource) if write.action == "create" else None
            who = patients_of(write.resource)
            if minutes is not None and len(who) == 1 and codes_of(write.resource):
                groups.setdefault((str(write.resource["resourceType"]), who[0]), []).append((place, write, minutes))
        asked = await asyncio.gather(*(self._of(grant, kind, who, group) for (kind, who), group in groups.items()))
        return sorted((each for found in asked for each in found), key=lambda one: one.write)

    async def _of(self, grant: Grant, kind: str, who: str, group: Sequence[tuple[int, Write, int]]) -> list[Duplicate]:
        """What stands already of one kind. A platform that does not answer in time holds up nobody."""
        text = question(kind, who, [(write, minutes) for _, write, minutes in group])
        try:
            async with asyncio.timeout(LOOK):
                rows = (await self._record.search(text, Asker(SHELL.packages, grant.context.token))).resources
        except (Problem, TimeoutError):
            # What is on the screen or kept, and what was typed here meanwhile: a form may show nothing of either.
            rows = await self._record.at_hand(kind, who)
        found = (nearest(place, write, rows, minutes) for place, write, minutes in group)
        return [each for each in found if each is not None]


def codes_of(resource: Mapping[str, Any]) -> frozenset[Code]:
    """What it is about, under the one name of each code system and of each thing measured."""
    found: set[Code] = set()
    for name in ("code", "medicationCodeableConcept"):
        concept = resource.get(name)
        for coding in (concept.get("coding") if isinstance(concept, dict) else None) or ():
            if isinstance(coding, dict) and coding.get("code"):
                found.add(codes.concept(str(coding.get("system") or ""), str(coding["code"])))
    return frozenset(found)


def question(kind: str, who: str, asked: Sequence[tuple[Write, int]]) -> str:
    """The search for what may be the same as any of `asked` (write, minutes), all of `kind` and about `who`: the newest
    first, for no more comes than a search may have."""
    about = frozenset().union(*(codes_of(write.resource) for write, _ in asked))
    named = {each for code in about for each in codes.spellings(*code)}
    tokens = ",".join(sorted(f"{system}|{code}" if system else code for system, code in named))
    spans = [(when(write.resource), timedelta(minutes=minutes)) for write, minutes in asked]
    known = [(moment - far, moment + far) for moment, far in spans if moment is not None and far]
    span, newest = "", "_lastUpdated"
    if len(known) == len(spans):  # else one of them is asked about for as long as the earlier one stands
        name = newest = {"MedicationAdministration": "effective-time"}.get(kind, "date")
        first, last = min(low for low, _ in known), max(high for _, high in known)
        span = f"&{name}=ge{_stamp(first)}&{name}=le{_stamp(last)}"
    return f"{kind}?patient={who}&code={tokens}{span}&_sort=-{newest}"


def nearest(place: int, write: Write, rows: Sequence[Resource], minutes: int) -> Duplicate | None:
    """The one of `rows` that says the same nearest in time, if any does within `minutes`."""
    moment, about = when(write.resource), codes_of(write.resource)
    found = []
    for row in rows:
        if row.get("resourceType") != write.resource.get("resourceType") or not codes_of(row) & about or _gone(row):
            continue
        if patients_of(row) != patients_of(write.resource):
            continue
        there = when(row)
        apart = abs((there - moment).total_seconds()) / 60 if there and moment else 0.0
        if not minutes or apart <= minutes:
            found.append((apart, row))
    if not found:
        return None
    apart, row = min(found, key=lambda one: one[0])
    seen = facts.shown(row)
    usable = seen is row
    new, existing = describe(write.resource), describe(row) if usable else facts.SENTENCE
    reference = f"{row['resourceType']}/{row['id']}"
    same = usable and (new == existing or _same_amount(write.resource, row))
    return Duplicate(
        place, reference, new, existing, origin_of(seen), round(apart), same, seen, waits(row), usable
    )  # fmt: skip


def _same_amount(one: Resource, other: Resource) -> bool:
    """Whether both say the same in numbers, whatever units (71,5 kg and 71500 g) and names they say it in."""
    here, there, main = _amounts(one), _amounts(other), codes_of(one)
    if not here or here.keys() != there.keys():
        return False
    for about, (quantity, sign) in here.items():
        value = units.edge(there[about][0], units.unit_of(quantity), [code for _, code in about | main])
        if value is None or sign != there[about][1] or value != units.edge(quantity, units.unit_of(quantity)):
            return False
    return True


def _amounts(resource: Resource) -> dict[frozenset[Code], tuple[Any, Any]]:
    """Its quantity and those of its components, each with its comparator; none at all where one says something else."""
    found: dict[frozenset[Code], tuple[Any, Any]] = {}
    parts = [one for one in resource.get("component") or () if isinstance(one, dict)]
    if "valueQuantity" in resource or not parts:
        parts = [{**resource, "code": {}}, *parts]
    for part in parts:
        quantity = part.get("valueQuantity")
        if not isinstance(quantity, dict) or quantity.get("value") is None:
            return {}
        found[codes_of(part)] = (quantity, quantity.get("comparator"))
    return found


def applied(
    writes: Sequence[Write], found: Sequence[Duplicate], answers: Mapping[int, Answer], *, user: str, now: datetime
) -> tuple[list[Write], int]:
    """The commit as the user wants it, and how many values were reused. Raises Refused ``reason-missing``."""
    kept: dict[int, Write] = dict(enumerate(writes))
    renamed: dict[str, str] = {}
    more: list[Write] = []
    for one in found:
        answer = (answers.get(one.write) if one.usable else None) or Answer("new")
        if answer.choice == "use":
            renamed[writes[one.write].full_url] = one.reference
            del kept[one.write]
        elif answer.choice == "replace":
            if one.waits:
                raise Refused("not-saved-yet", "Den første er ikke lagret ennå, og kan ikke erstattes nå.")
            if not answer.reason.strip():
                raise Refused("reason-missing", "Skriv hvorfor den første erstattes.")
            kept[one.write] = fresh = _with_name(kept[one.write])
            more += _replacing(one, fresh, answer.reason.strip(), user, now)
    left = (_renamed(write, renamed) for write in kept.values())
    return [*(write for write in left if write is not None), *more], len(renamed)


def _replacing(one: Duplicate, fresh: Write, reason: str, user: str, now: datetime) -> list[Write]:
    """The existing one becomes entered in error, and a Provenance says what took its place and why."""
    wrong = dict(one.resource)
    if wrong["resourceType"] in ("Condition", "AllergyIntolerance"):
        wrong["verificationStatus"] = {"coding": [{"code": "entered-in-error"}]}
        wrong.pop("clinicalStatus", None)
    else:
        wrong["status"] = "entered-in-error"
    subject = wrong.get("subject") or wrong.get("patient")
    why = {
        "resourceType": "Provenance",
        "target": [{"reference": fresh.full_url}, *([subject] if isinstance(subject, dict) else [])],
        "recorded": instant(now),
        "reason": [{"text": reason}],
        "agent": [{"who": {"reference": user}}],
        "entity": [{"role": "revision", "what": {"reference": one.reference}}],
    }
    return [
        Write("update", wrong, if_match=str((wrong.get("meta") or {}).get("versionId", ""))),
        Write("create", why, f"urn:uuid:{uuid4()}"),
    ]


def _with_name(write: Write) -> Write:
    return write if write.full_url else replace(write, full_url=f"urn:uuid:{uuid4()}")


def _renamed(write: Write, names: Mapping[str, str]) -> Write | None:
    """The write with reused facts under their real names; None for a Provenance of nothing but those."""
    if not names:
        return write
    resource = dict(write.resource)
    if resource.get("resourceType") == "Provenance":
        # Its targets are what is written here; a fact that was there before has an origin of its own.
        targets = [each for each in resource.get("target") or () if each.get("reference") not in names]
        if not any(str(each.get("reference", "")).startswith("urn:uuid:") for each in targets):
            return None
        resource["target"] = targets
    return replace(write, resource=_walk(resource, names))


def _walk(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.get(part, part) if key == "reference" and isinstance(part, str) else _walk(part, names)
            for key, part in value.items()
        }
    return [_walk(part, names) for part in value] if isinstance(value, list) else value


def when(resource: Mapping[str, Any]) -> datetime | None:
    try:
        return parse(origin_of(resource).at)
    except ValueError:
        return None


def _stamp(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+", "%2B")


def _gone(row: Mapping[str, Any]) -> bool:
    said = {str(row.get("status") or "")}
    for name in ("verificationStatus", "clinicalStatus"):
        for coding in (row.get(name) or {}).get("coding") or ():
            said.add(str(coding.get("code") or ""))
    return bool(said & (GONE | {"resolved", "inactive"}))
