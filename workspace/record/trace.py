"""A value's whole story as its resource and the Provenance of it tell: who, in which panel, when, from what, and what was
done to it since. Pure functions on plain resources; asks nothing, and says nothing that does not stand there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from workspace.access.kinds import AUTHOR, elements
from workspace.fhir.describe import describe
from workspace.fhir.references import target
from workspace.fhir.service import Resource
from workspace.fhir.withdrawn import in_error
from workspace.record.origin import PACKAGE, Origin, origin_of
from workspace.record.ours import TRANSACTION, tag
from workspace.record.people import names
from workspace.record.rows import name_of, version_of, waits

State = Literal["venter", "lagret", "rettet", "feilført"]
SOURCES = frozenset({"source", "quotation", "derivation"})
"""Roles of a Provenance's entity that a value was made from (R4 provenance-entity-role); others were replaced by it."""
MOST_SOURCES = 6
MOST_STEPS = 8


@dataclass(frozen=True, slots=True)
class Person:
    """`name` is "" where nobody could say it."""

    reference: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """What one Provenance says was done: `what` is the activity's code (``CREATE``, ``UPDATE``, …) or words, `recorded` when
    the platform got it, `reason` in words. `own` is the transaction's key, by which its version is known."""

    what: str
    people: tuple[Person, ...]
    package: str
    version: str
    recorded: str
    reason: str = ""
    own: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """What a value was reused from: in words, with its own origin."""

    reference: str
    words: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Trace:
    """`words` is the value; `people` answer for it; `origin` says panel and times, `at` when it happened ("" of what has no
    time of its own); `source` is the platform's own word for where it came in (``meta.source``). `version` is its
    own, "" while there is none. `steps` are the newest first; `sources` what it was reused from, and `unseen` how many of
    those cannot be shown. Not `whole`: what the platform keeps besides the resource could not be asked for."""

    reference: str
    words: str
    state: State
    people: tuple[Person, ...]
    origin: Origin
    at: str = ""
    source: str = ""
    version: str = ""
    steps: tuple[Step, ...] = ()
    sources: tuple[Source, ...] = ()
    unseen: int = 0
    whole: bool = True


def trace_of(resource: Resource, words: str = "") -> Trace:
    """What the resource alone tells. `words` in place of its own, where those may not be shown."""
    meta = resource.get("meta") or {}
    version = "" if waits(resource) else str(meta.get("versionId") or "")
    said = words or (names(resource)[2] if resource.get("resourceType") == "Patient" else describe(resource))
    return Trace(
        name_of(resource), said, _state(resource), people_of(resource), origin_of(resource), _at(resource),
        str(meta.get("source") or ""), version,
    )  # fmt: skip


def _at(resource: Resource) -> str:
    begun = resource.get("period")
    since = begun.get("start") if isinstance(begun, dict) else None
    return origin_of(resource).at or str(resource.get("onsetDateTime") or since or "")


def _state(resource: Resource) -> State:
    if in_error(resource):
        return "feilført"
    if waits(resource):
        return "venter"
    return "rettet" if version_of(resource) > 1 or resource.get("status") in ("corrected", "amended") else "lagret"


def people_of(resource: Mapping[str, Any]) -> tuple[Person, ...]:
    """Those who answer for the content, with the names that the resource itself gives them."""
    found: dict[str, Person] = {}
    for path in AUTHOR.get(str(resource.get("resourceType", "")), ()):
        for value in elements(resource, path):
            who = target(value, "") or ""
            name = str(value.get("display") or "") if isinstance(value, dict) else ""
            if who or (name and not is_software(value)):
                found.setdefault(who or name, Person(who, name))
    return tuple(found.values())


def is_software(value: object) -> bool:
    """Whether a Reference names a panel and no person."""
    known = value.get("identifier") if isinstance(value, dict) else None
    return isinstance(known, dict) and known.get("system") == PACKAGE


def step_of(provenance: Resource) -> Step:
    """What a Provenance says was done, by whom and in which panel."""
    panel = ""
    for value in elements(provenance, "agent.who"):
        if is_software(value):
            panel = str(value["identifier"].get("value") or "")
    panel = panel or tag(provenance, PACKAGE)
    package, _, version = panel.partition("@")
    reasons = [str(one.get("text") or "") for one in provenance.get("reason") or () if isinstance(one, dict)]
    return Step(
        _activity(provenance), people_of(provenance), package, version, str(provenance.get("recorded") or ""),
        "; ".join(one for one in reasons if one), tag(provenance, TRANSACTION),
    )  # fmt: skip


def _activity(provenance: Resource) -> str:
    concept = provenance.get("activity")
    if not isinstance(concept, dict):
        return ""
    coded = next((str(one["code"]) for one in concept.get("coding") or () if one.get("code")), "")
    return coded or str(concept.get("text") or "")


def steps_of(provenances: Iterable[Resource]) -> tuple[Step, ...]:
    """The newest first, each write once: two of one transaction that say the same are one."""
    found: dict[tuple[str, str, str], Step] = {}
    for each in sorted(provenances, key=lambda one: str(one.get("recorded") or ""), reverse=True):
        step = step_of(each)
        found.setdefault((step.own or name_of(each), step.what, step.reason), step)
    return tuple(found.values())[:MOST_STEPS]


def sources_of(resource: Resource, provenances: Sequence[Resource]) -> tuple[str, ...]:
    """``Type/id`` of what the value was reused from: what its Provenance names, and what it says itself (derivedFrom)."""
    named = [
        entity.get("what")
        for each in provenances
        for entity in each.get("entity") or ()
        if isinstance(entity, dict) and entity.get("role") in SOURCES
    ]
    derived = resource.get("derivedFrom")
    named += derived if isinstance(derived, list) else []
    found = (target(one, "") for one in named)
    own = name_of(resource)
    return tuple(dict.fromkeys(one for one in found if one and one != own))
