"""What the shell itself shows of people: units, residents and the banner's facts, read from resources that may have holes.

Pure functions on plain resources; asks nothing and never fails on what is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from workspace.clock import OSLO, parse
from workspace.fhir import codes, dates
from workspace.fhir.modifiers import changed_in_meaning
from workspace.fhir.service import Resource
from workspace.fhir.units import is_limit
from workspace.record.rows import name_of

NEWS2 = "1104051000000101"
"""SNOMED CT, Royal College of Physicians NEWS2 total score."""
NONE_KNOWN = "716186003"
"""SNOMED CT: no known allergy, of whatever kind."""
NONE_OF_A_KIND = {
    "409137002": "legemiddel", "429625007": "mat", "428607008": "miljø", "716220001": "dyre", "428197003": "insekt",
    "716184000": "lateks",
}  # fmt: skip
"""SNOMED CT: no known allergy of one kind. It says nothing of the others, nor do several of them together."""
NATIONAL = (codes.FNR, codes.DNR, codes.FHN)
UNNAMED = "Uten navn"
MORE_ALLERGIES = "Flere allergier: se journalen"
NO_ALLERGIES = "Ingen kjente allergier"
RESERVED = "se journalen, opplysningen har et ukjent forbehold"
"""Of what has a modifier extension that we do not know: it may say the opposite of what it seems to."""


@dataclass(frozen=True, slots=True)
class Unit:
    """`reference` is ``Organization/<id>``."""

    reference: str
    name: str


@dataclass(frozen=True, slots=True)
class Resident:
    """`patient` is ``Patient/<id>``, `unit` ``Organization/<id>``; texts are "" where the record has none."""

    patient: str
    family: str
    given: str
    name: str
    birth_date: date | None
    national_id: str
    room: str
    unit: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BannerFacts:
    """Whom the banner is about. `allergies` are (text, tone: ``bad``, ``warn`` or ``ok``), never empty once they are
    known; `news2` is (score, whether one part alone is 3, when), `news2_waits` whether the
    platform has not acknowledged it. `waiting` names the facts that are not here yet;
    `problem` is a sentence when something could not be fetched, so that nobody takes a gap for "nothing to know"; `sources`
    what stands in which ``Type/id``, by its text (`NEWS2` the score's); `identified` whether the platform has said who it
    is: without that `resident` is a reference alone."""

    resident: Resident
    age: int | None
    allergies: tuple[tuple[str, str], ...]
    flags: tuple[str, ...]
    news2: tuple[int, bool, datetime | None] | None
    primary_contact: str
    doctor: str
    problem: str
    diagnoses: tuple[str, ...] = ()
    waiting: frozenset[str] = frozenset()
    news2_waits: bool = False
    sources: Mapping[str, str] = field(default_factory=dict)
    identified: bool = True


def resident_of(
    patient: Resource, stay: Resource | None, beds: Mapping[str, Resource], flags: Sequence[str]
) -> Resident:
    """A Resident from a Patient, the Encounter in progress, Locations by ``Location/id``, and flag texts."""
    family, given, name = names(patient)
    if changed_in_meaning(patient):
        flags = [f"Personopplysninger: {RESERVED}", *flags]
    return Resident(
        patient=name_of(patient),
        family=family,
        given=given,
        name=name,
        birth_date=born(patient),
        national_id=national_id(patient),
        room=_room(stay or {}, beds),
        unit=_reference((stay or {}).get("serviceProvider")),
        flags=tuple(flags),
    )


def names(patient: Mapping[str, Any]) -> tuple[str, str, str]:
    """Family, given and the whole name; the official one when there are several."""
    known = [each for each in _list(patient.get("name")) if isinstance(each, dict) and each.get("use") != "old"]
    known.sort(key=lambda each: each.get("use") not in ("official", "usual", None))
    if not known:
        return "", "", UNNAMED
    chosen = known[0]
    family = str(chosen.get("family") or "")
    given = " ".join(str(each) for each in _list(chosen.get("given")) if each)
    return family, given, str(chosen.get("text") or f"{given} {family}".strip() or UNNAMED)


def born(patient: Mapping[str, Any]) -> date | None:
    """The birth date when it is known to the day."""
    try:
        return date.fromisoformat(str(patient.get("birthDate") or ""))
    except ValueError:
        return None


def age(birth_date: date | None, now: datetime) -> int | None:
    """Whole years in Norway's calendar; None without a birth date, or when it lies ahead."""
    if birth_date is None:
        return None
    today = now.astimezone(OSLO).date()
    years = today.year - birth_date.year - ((today.month, today.day) < (birth_date.month, birth_date.day))
    return years if years >= 0 else None


def national_id(patient: Mapping[str, Any]) -> str:
    """Fødselsnummer, else D-nummer, else felles hjelpenummer, else ""."""
    found: dict[str, str] = {}
    for each in _list(patient.get("identifier")):
        if isinstance(each, dict) and each.get("value") and each.get("use") != "old":
            found.setdefault(codes.canonical(str(each.get("system") or "")), str(each["value"]))
    return next((found[system] for system in NATIONAL if system in found), "")


def flag_texts(flags: Iterable[Resource]) -> dict[str, list[str]]:
    """Texts of active flags by patient, in their order."""
    found: dict[str, list[str]] = {}
    for each in flags:
        words = _flag(each)
        if words and each.get("status") in (None, "active"):
            held = found.setdefault(_reference(each.get("subject")), [])
            if words not in held:
                held.append(words)
    return found


def sources(allergies: Iterable[Resource], flags: Iterable[Resource], scores: Iterable[Resource]) -> dict[str, str]:
    """What stands where, by its text, as `flag_texts` and `allergy_texts` say it; the newest score as `NEWS2`."""
    told = {_flag(each): name_of(each) for each in flags if each.get("status") in (None, "active")}
    valid = [each for each in allergies if _is_valid(each)]
    told |= {_allergy(each): name_of(each) for each in valid if _is_real(each)}
    none, _, whence = _none_known([each for each in valid if not _is_real(each)])
    told |= {none: whence} if whence else {}
    newest = next((each for each in scores if _counts(each)), None)
    return {**told, **({NEWS2: name_of(newest)} if newest is not None else {})}


def _flag(one: Resource) -> str:
    return f"Merk: {RESERVED}" if changed_in_meaning(one) else text(one.get("code"))


def _counts(score: Resource) -> bool:
    value = (score.get("valueQuantity") or {}).get("value")
    return score.get("status") not in ("entered-in-error", "cancelled") and isinstance(value, int | float)


def allergy_texts(found: Iterable[Resource], *, more: bool = False) -> tuple[tuple[str, str], ...]:
    """Never silent: each allergy, that there are none, or that nobody has asked. `more`: these are not all."""
    if more:
        return ((MORE_ALLERGIES, "bad"), *(one for one in allergy_texts(found) if one[1] == "bad"))
    valid = [each for each in found if _is_valid(each)]
    real = [each for each in valid if _is_real(each)]
    return tuple((_allergy(each), "bad") for each in real) if real else (_none_known(valid)[:2],)


def _is_real(one: Resource) -> bool:
    return changed_in_meaning(one) or not {NONE_KNOWN, *NONE_OF_A_KIND} & set(_codes(one.get("code")))


def _none_known(found: Sequence[Resource]) -> tuple[str, str, str]:
    """What those who say that there is no allergy say together: the words, their tone, and which of them says it."""
    kinds: dict[str, str] = {}
    for each in found:
        if "confirmed" in _codes(each.get("verificationStatus")):
            said = _codes(each.get("code"))
            own = {NONE_OF_A_KIND[code]: name_of(each) for code in said if code in NONE_OF_A_KIND}
            if not own:
                return NO_ALLERGIES, "ok", name_of(each)
            kinds = {**own, **kinds}
    if not kinds:
        return f"{NO_ALLERGIES}: bekreft", "warn", name_of(found[0]) if found else ""
    named = [kind for kind in NONE_OF_A_KIND.values() if kind in kinds]
    words = " og ".join(one for one in (", ".join(f"{kind}-" for kind in named[:-1]), named[-1]) if one)
    return f"Ingen kjente {words}allergier: bekreft andre", "warn", kinds[named[0]]


def _allergy(one: Resource) -> str:
    if changed_in_meaning(one):
        return f"Allergi: {RESERVED}"
    reactions = [text(held) for part in _dicts(one.get("reaction")) for held in _list(part.get("manifestation"))]
    said = f"Allergi: {text(one.get('code')) or 'ukjent stoff'}"
    said += f" ({reactions[0]})" if reactions and reactions[0] else ""
    return said + (", ikke bekreftet" if "unconfirmed" in _codes(one.get("verificationStatus")) else "")


def newest_score(observations: Iterable[Resource]) -> tuple[int, bool, datetime | None] | None:
    """The newest valid NEWS2 of rows that come newest first."""
    for each in observations:
        if not _counts(each):
            continue
        value = each["valueQuantity"]["value"]
        if changed_in_meaning(each) or is_limit(each["valueQuantity"]):
            return None  # the newest says something we do not understand, or no score: an older one is not the answer
        parts = [(part.get("valueQuantity") or {}).get("value") for part in _dicts(each.get("component"))]
        return int(value), 3 in parts, moment(each.get("effectiveDateTime"))
    return None


def diagnosis_texts(conditions: Iterable[Resource], *, more: bool = False) -> tuple[str, ...]:
    """Active problems, in their order. `more`: these are not all."""
    active = {"active", "recurrence", "relapse"}
    kept = [
        f"Diagnose: {RESERVED}" if changed_in_meaning(each) else text(each.get("code"))
        for each in conditions
        if _is_valid(each, active) and "resolved" not in _codes(each.get("clinicalStatus"))
    ]
    kept += ["Flere diagnoser: se journalen"] if more else []
    return tuple(dict.fromkeys(each for each in kept if each))


def contact_of(stay: Mapping[str, Any]) -> str:
    """Who is the resident's primary contact among the staff."""
    for each in _taking_part(stay):
        if any(text(kind) == "Primærkontakt" for kind in _list(each.get("type"))):
            return _display(each.get("individual"))
    return ""


def doctor_of(patient: Mapping[str, Any], stay: Mapping[str, Any]) -> str:
    """The doctor who treats her here; else her own GP."""
    for each in _taking_part(stay):
        if any(text(kind) == "Behandlingsansvarlig lege" for kind in _list(each.get("type"))):
            return _display(each.get("individual"))
    return next((said for each in _list(patient.get("generalPractitioner")) if (said := _display(each))), "")


def _taking_part(stay: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [] if changed_in_meaning(stay) else _dicts(stay.get("participant"))


def is_current(period: Any, now: datetime) -> bool:
    """Whether a FHIR Period covers `now`; one that is missing or unreadable does."""
    if not isinstance(period, dict):
        return True
    try:
        span = dates.period(period)
    except (ValueError, OverflowError):
        return True
    return span is None or span.low <= dates.milliseconds(now) <= span.high


def moment(value: Any) -> datetime | None:
    try:
        return parse(str(value))
    except ValueError:
        return None


def text(concept: Any) -> str:
    """A CodeableConcept in words: its text, else the first display, else the first code."""
    if not isinstance(concept, dict):
        return ""
    known = _dicts(concept.get("coding"))
    words = [concept.get("text"), *(each.get("display") for each in known), *(each.get("code") for each in known)]
    return next((str(each) for each in words if each), "")


def reference_of(element: Any) -> str:
    """Where a Reference element points, or ""."""
    return _reference(element)


def _is_valid(one: Resource, statuses: frozenset[str] | set[str] = frozenset({"active"})) -> bool:
    if {"entered-in-error", "refuted"} & set(_codes(one.get("verificationStatus"))):
        return False
    found = _codes(one.get("clinicalStatus"))
    return not found or bool(statuses & set(found))


def _room(stay: Mapping[str, Any], beds: Mapping[str, Resource]) -> str:
    for each in [] if changed_in_meaning(stay) else _dicts(stay.get("location")):
        if each.get("status") in (None, "active"):
            place = each.get("location")
            bed = beds.get(_reference(place), {})
            return str(bed.get("name") or _display(place) or "")
    return ""


def _codes(concept: Any) -> list[str]:
    held = _dicts(concept.get("coding")) if isinstance(concept, dict) else []
    return [str(each["code"]) for each in held if each.get("code")]


def _display(element: Any) -> str:
    return str(element.get("display") or "") if isinstance(element, dict) else ""


def _reference(element: Any) -> str:
    return str(element.get("reference") or "") if isinstance(element, dict) else ""


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in _list(value) if isinstance(each, dict)]
