"""Who may see what, and why: one pure function over what the platform has recorded (R-01 … R-09).

A role alone never opens a record. What opens it is a *decision*: here, that the user has a recorded position at
the unit where the patient has an encounter in progress. Never reads or stores anything itself: the gateway hands
in the decisions it found, and audits what comes out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from workspace.access.kinds import GLOBAL_TYPES, served
from workspace.access.restrictions import Restriction, closed

Action = Literal["read", "search", "create", "update"]
Effect = Literal["permit", "deny", "reason"]

PURPOSES = frozenset({"TREAT", "ETREAT", "COC", "BTG"})
"""urn:oid:2.16.840.1.113883.1.11.20448 (R-07)."""

ADMINISTRATIVE_TYPES = GLOBAL_TYPES | {"Patient", "Encounter", "EpisodeOfCare", "Appointment"}
"""What a case worker may see (R-04)."""

CARING_ROLES = frozenset(
    {
        "sykepleier",
        "vernepleier",
        "helsefagarbeider",
        "assistent",
        "vikar",
        "avdelingsleder",
        "sykehjemslege",
        "lege",
        "fastlege",
        "fysioterapeut",
        "ergoterapeut",
        "helsesekretær",
        "helsesekretar",
    }
)
"""Roles that take part in care. The others (systemansvarlig, fagutvikling, personvernombud, saksbehandler) hold
positions too, but these open no record."""

OUTSIDE_CARE = frozenset({"systemansvarlig", "fagutvikling", "personvernombud", "saksbehandler"})
"""Codes of positions that open no record (R-01)."""

LOG_ROLES = frozenset({"personvernombud", "systemansvarlig"})
"""Roles that read the log (R-22); nobody changes it."""
NO_WRITE_TYPES = GLOBAL_TYPES | {"Patient", "Encounter", "AuditEvent", "Consent"}

RESTRICTED = "restricted"
NO_PATIENT = "no-patient"
UNKNOWN = "Du har ikke tilgang: ingen registrert beslutning knytter deg til denne pasienten nå."

_LAW = "helsepersonelloven §§ 25 og 45, pasientjournalloven § 19"
_NO_LAW = "helsepersonelloven § 21 a og pasientjournalloven § 16"


@dataclass(frozen=True, slots=True)
class Subject:
    """Who asks: `practitioner` is ``Practitioner/tone``, `role` the token's claim, `hpr` may be empty."""

    sub: str
    name: str
    practitioner: str
    role: str = ""
    hpr: str = ""
    session: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """A `PractitionerRole`: `unit` ``Organization/havblikk``, `code` its role, open ends are None."""

    reference: str
    unit: str
    code: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        return (self.start is None or self.start <= moment) and (self.end is None or moment <= self.end)


@dataclass(frozen=True, slots=True)
class Decisions:
    """What is recorded: the subject's `positions`, and the units where each patient lives now
    (``{"Patient/x": ("Organization/havblikk",)}``), with `parents` of units for positions above them, the `restrictions`
    that patients have set, and those whose address is `protected`; who was `replaced` by whom."""

    positions: tuple[Position, ...] = ()
    residence: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    parents: Mapping[str, str] = field(default_factory=dict)
    restrictions: tuple[Restriction, ...] = ()
    protected: frozenset[str] = frozenset()
    replaced: Mapping[str, str] = field(default_factory=dict)
    _latest: dict[tuple[Subject, datetime], tuple[dict[str, Position], tuple[Restriction, ...]]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def permitted(self, subject: Subject, moment: datetime) -> Mapping[str, Position]:
        """Each patient the positions open at `moment`, and who has not closed the record to the subject, with the
        position that opens it."""
        return self._now(subject, moment)[0]

    def closed_to(self, subject: Subject, moment: datetime) -> tuple[Restriction, ...]:
        """The restrictions that stand against the subject at `moment`."""
        return self._now(subject, moment)[1]

    def _now(self, subject: Subject, moment: datetime) -> tuple[dict[str, Position], tuple[Restriction, ...]]:
        found = self._latest.get((subject, moment))
        if found is None:
            # One request asks for each row it returns, all at the same moment: reckon once.
            standing = closed(self.restrictions, self._names(subject), moment) if self.restrictions else ()
            whole = {each.patient for each in standing if not each.parts}
            opened = self._reckoned(subject, moment)
            found = {patient: by for patient, by in opened.items() if patient not in whole}, standing
            self._latest.clear()
            self._latest[subject, moment] = found
        return found

    def _names(self, subject: Subject) -> frozenset[str]:
        """Whom a restriction may name to mean the subject: themselves, their positions, past ones too, and the units."""
        held = {subject.practitioner}
        for position in self.positions:
            held |= {position.reference, position.unit}
        return frozenset(held - {""})

    def _reckoned(self, subject: Subject, moment: datetime) -> dict[str, Position]:
        open_at: dict[str, Position] = {}
        for position in self.positions:
            if position.holds(moment) and cares(position.code or subject.role, subject.role):
                open_at.setdefault(position.unit, position)
        found: dict[str, Position] = {}
        for patient, units in self.residence.items():
            for unit in units:
                opened = self._opened_by(unit, open_at)
                if opened:
                    found[patient] = opened
                    break
        return found

    def _opened_by(self, unit: str, open_at: Mapping[str, Position]) -> Position | None:
        seen: set[str] = set()
        while unit and unit not in seen:
            if unit in open_at:
                return open_at[unit]
            seen.add(unit)
            unit = self.parents.get(unit, "")
        return None


def cares(code: str, role: str) -> bool:
    """Whether a position takes part in care. Closed unless the signed-in role, or the position's code when the
    issuer sends no role, is a caring one; a code outside care takes away whatever the role says."""
    words, held = role.casefold(), code.casefold()
    if held in OUTSIDE_CARE:
        return False
    return (words or held) in CARING_ROLES


@dataclass(frozen=True, slots=True)
class Target:
    """What is asked for. `patients` are those named; None means nobody is named (a search to be narrowed)."""

    type: str
    patients: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """`patients` is the filter of a permit: only these, or None for *no patient filter* (global types).
    `sentence` is Norwegian and names no patient."""

    effect: Effect
    code: str
    rule: str
    basis: str
    sentence: str
    patients: frozenset[str] | None = None

    @property
    def permitted(self) -> bool:
        return self.effect == "permit"


def decide(
    subject: Subject,
    action: Action,
    target: Target,
    context: str,
    decisions: Decisions,
    purpose: str,
    time: datetime,
) -> Decision:
    """Permit with a filter, deny, or needs-a-reason, with the rule and the legal basis that decided.

    `context` is the opaque token of the opening (it only reaches the audit); `time` is clinical, aware.
    """
    refusal = _purpose(action, target, purpose) or _kind(subject, action, target)
    if refusal:
        return refusal
    if target.type == "AuditEvent":
        if subject.role.casefold() not in LOG_ROLES:
            return _deny("no-decision", "R-22", "Loggen leses av personvernombudet og systemansvarlig.")
        said = "Rollen din leser loggen."
        return Decision("permit", "permit", "R-22", "pasientjournalloven § 22, Normen kap. 5.2", said)
    if target.type in GLOBAL_TYPES:
        return Decision("permit", "permit", "R-34", "Normen kap. 5.2", "Opplysningen gjelder ingen pasient.")
    standing = decisions.closed_to(subject, time)
    decision = _patients(subject, target, decisions.permitted(subject, time))
    named = target.patients or ()
    if not decision.permitted and any(each.patient in named and not each.parts for each in standing):
        return restricted(decision.sentence)
    return decision


def restricted(sentence: str = UNKNOWN) -> Decision:
    """What the log says when a patient has closed something; outwardly it is as if nothing opened the record (R-14)."""
    return Decision("deny", RESTRICTED, "R-14", "pasient- og brukerrettighetsloven § 5-3", sentence)


def _purpose(action: Action, target: Target, purpose: str) -> Decision | None:
    if purpose not in PURPOSES:
        return _deny("purpose", "R-07", f"Formålet «{purpose[:20]}» er ikke et kjent formål for oppslag.")
    if purpose == "BTG":
        said = (
            "Nødtilgang krever en begrunnelse, og den kan ikke registreres her ennå. Be en kollega på enheten slå opp."
        )
        return Decision("reason", "reason-required", "R-09", "helsepersonelloven § 7", said)
    if purpose == "COC" and (target.type not in ADMINISTRATIVE_TYPES or action in ("create", "update")):
        return _deny(
            "purpose", "R-07", "Formålet administrasjon åpner ikke helseopplysninger, bare administrative data."
        )
    return None


def _kind(subject: Subject, action: Action, target: Target) -> Decision | None:
    if not served(target.type):
        return _deny("type", "R-01", f"Opplysninger av typen {target.type[:40]} er ikke åpnet på denne plattformen.")
    if action in ("create", "update") and target.type in NO_WRITE_TYPES:
        rule = "R-22" if target.type == "AuditEvent" else "R-01"
        return _deny("read-only", rule, f"Opplysninger av typen {target.type} kan ikke endres herfra.")
    if not subject.practitioner.startswith("Practitioner/"):
        return _deny("no-decision", "R-34", "Påloggingen er ikke knyttet til en person i helsetjenesten.")
    return None


def _patients(subject: Subject, target: Target, permitted: Mapping[str, Position]) -> Decision:
    if target.patients is not None:
        if not target.patients:
            return _deny(NO_PATIENT, "R-26", "Opplysningen sier ikke hvilken pasient den gjelder.")
        if any(patient not in permitted for patient in target.patients):
            return _no_decision(subject, permitted)
        units = sorted({permitted[p].unit for p in target.patients})
        said = f"Du har stilling ved {_names(units)}, der pasienten er innlagt."
        return Decision("permit", "permit", "R-01", _LAW, said, frozenset(target.patients))
    if not permitted:
        return _no_decision(subject, permitted)
    units = sorted({position.unit for position in permitted.values()})
    said = f"Du har stilling ved {_names(units)} og ser pasientene der."
    return Decision("permit", "permit", "R-01", _LAW, said, frozenset(permitted))


def _no_decision(subject: Subject, permitted: Mapping[str, Position]) -> Decision:
    if not permitted and subject.role and subject.role.casefold() not in CARING_ROLES:
        said = "Rollen din gir ikke tilgang til pasientopplysninger: en rolle alene åpner ingen journal."
    else:
        said = UNKNOWN
    return _deny("no-decision", "R-01", said)


def _deny(code: str, rule: str, sentence: str) -> Decision:
    return Decision("deny", code, rule, _NO_LAW, sentence)


def _names(units: Iterable[str]) -> str:
    names = [unit.rpartition("/")[2] for unit in units]
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + " og " + names[-1]
