"""What a patient has closed to whom (pasient- og brukerrettighetsloven § 5-3, R-13 and R-14): pure rules over `Consent`.

A restriction names persons, positions or units, and closes the whole record or parts of it, what is written later too, until
it is revoked. Evaluated in the gateway alone: no workstation learns it. Never says to anybody that there is one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from workspace.access.kinds import elements
from workspace.fhir.compartment import patients_of
from workspace.fhir.dates import bounds, moment
from workspace.fhir.references import target

PRIVACY = "patient-privacy"
"""The scope (http://terminology.hl7.org/CodeSystem/consentscope) of a Consent about who may see what."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """`against` are ``Practitioner/x``, ``PractitionerRole/x`` or ``Organization/x``; `parts` are marks (`marks_of`) of what
    is closed, none: everything about `patient`."""

    id: str
    patient: str
    against: frozenset[str]
    parts: frozenset[str] = frozenset()
    start: datetime | None = None
    end: datetime | None = None

    def stands(self, who: frozenset[str], time: datetime) -> bool:
        """Whether it closes something to one of `who` (a person, with positions and units) at `time`."""
        if (self.start is not None and time < self.start) or (self.end is not None and self.end < time):
            return False
        return bool(self.against & who)


def restriction_of(consent: Mapping[str, Any], base: str = "") -> Restriction | None:
    """The restriction that a `Consent` states; None when it states none (a permit, another scope, not active).

    One whose limits cannot be read closes everything: what a patient has closed is not opened by a mistake.
    """
    provision = consent.get("provision")
    if not is_restriction(consent) or consent.get("status") != "active" or not isinstance(provision, dict):
        return None
    about = patients_of(consent, base)
    against = frozenset(there for each in elements(provision, "actor.reference") if (there := target(each, base)))
    if not about or not against:
        return None
    classes = {str(each.get("code")) for each in elements(provision, "class") if isinstance(each, dict)}
    codes = {_token(each) for each in elements(provision, "code.coding") if isinstance(each, dict)}
    items = {there for each in elements(provision, "data.reference") if (there := target(each, base))}
    held = provision.get("period")
    period = held if isinstance(held, dict) else {}
    return Restriction(
        str(consent.get("id", "")),
        about[0],
        against,
        frozenset(classes | codes | items),
        _edge(period.get("start"), first=True),
        _edge(period.get("end"), first=False),
    )


def is_restriction(resource: Mapping[str, Any]) -> bool:
    """Whether this is a Consent that closes something; such are not shown to anybody through the gateway."""
    if resource.get("resourceType") != "Consent":
        return False
    scopes = {each.get("code") for each in elements(resource, "scope.coding") if isinstance(each, dict)}
    provision = resource.get("provision")
    return PRIVACY in scopes and isinstance(provision, dict) and provision.get("type") == "deny"


def marks_of(resource: Mapping[str, Any], base: str = "") -> frozenset[str]:
    """What a restriction may name of a resource: its type, itself, its codes; for a Provenance those of its targets too."""
    kind = str(resource.get("resourceType", ""))
    marks = {kind, f"{kind}/{resource.get('id', '')}"}
    for path in ("code.coding", "type.coding", "category.coding"):
        marks |= {_token(each) for each in elements(resource, path) if isinstance(each, dict)}
    if kind == "Provenance":
        for each in elements(resource, "target"):
            there = target(each, base)
            marks |= {there, there.partition("/")[0]}
    return frozenset(marks)


def closed(restrictions: Iterable[Restriction], who: frozenset[str], time: datetime) -> tuple[Restriction, ...]:
    """Those of `restrictions` that stand against `who` at `time`."""
    return tuple(each for each in restrictions if each.stands(who, time))


def _token(coding: Mapping[str, Any]) -> str:
    return f"{coding.get('system', '')}|{coding.get('code', '')}"


def _edge(text: Any, *, first: bool) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        span = bounds(text)
    except ValueError:
        return None
    return moment(span.low if first else span.high)
