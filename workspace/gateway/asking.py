"""One request as the gateway sees it: who asks, through which panels, in which context, why. Never reads a token itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from workspace.access.decision import Action, Decision, Decisions, Subject, Target, decide
from workspace.access.protection import KINDS, without_place
from workspace.fhir.service import Resource
from workspace.gateway.refused import bad_request
from workspace.gateway.tokens import Bearer

UNNAMED = "ukjent"
_SAFE = re.compile(r"[^A-Za-z0-9_.@:+/\-]")
LONGEST = 200
MOST_PACKAGES = 16
"""Panels that one fetch may serve; each is a line in the log."""


@dataclass(frozen=True, slots=True)
class Asking:
    """`packages` are ``nordlys.vitals@1.0.0``; `context` an opaque token; `request` the id that joins gateway and broker;
    `device` the workstation that delivers what its author sealed."""

    bearer: Bearer
    decisions: Decisions
    now: datetime
    packages: tuple[str, ...]
    context: str
    purpose: str
    request: str
    device: str = ""

    @property
    def subject(self) -> Subject:
        return self.bearer.subject

    @property
    def author(self) -> str:
        """Whose drafts they are: the person of the token, ``Practitioner/tone``."""
        return self.subject.practitioner or self.subject.sub

    def decide(self, action: Action, type: str, patients: tuple[str, ...] | None = None) -> Decision:
        return decide(
            self.subject, action, Target(type, patients), self.context, self.decisions, self.purpose, self.now
        )

    def permitted(self) -> frozenset[str]:
        """``Patient/x`` of everybody this person may see now."""
        return frozenset(self.decisions.permitted(self.subject, self.now))

    def sight(self) -> str:
        """A fingerprint of what this person may see: another one means that something was opened or closed, or that a place
        must not be shown any more, or may be."""
        standing = self.decisions.closed_to(self.subject, self.now)
        opened = self.decisions.permitted(self.subject, self.now)
        # Who works in the unit of somebody protected is shown that much: it counts which one opens the record.
        hidden = [f"{one} protected {opened[one].unit}" for one in self.decisions.protected if one in opened]
        parts = sorted(opened) + sorted(each.id for each in standing) + sorted(hidden)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def hides(self, patients: tuple[str, ...], marks: frozenset[str]) -> bool:
        """Whether one of `patients` has closed something with one of `marks` to this person."""
        standing = self.decisions.closed_to(self.subject, self.now)
        return any(each.patient in patients and each.parts & marks for each in standing)

    def closes_parts(self) -> bool:
        """Whether parts of any record are closed to this person: then sizes of results would tell of them."""
        return any(each.parts for each in self.decisions.closed_to(self.subject, self.now))

    def shown(self, resource: Resource, patients: tuple[str, ...]) -> Resource:
        """`resource` as this person is shown it: without the place of those whose address is protected."""
        if resource.get("resourceType") not in KINDS or not any(one in self.decisions.protected for one in patients):
            return resource
        opened = self.decisions.permitted(self.subject, self.now)
        unit = next((opened[one].unit for one in patients if one in opened), "")
        return without_place(resource, unit=unit)

    def unit(self, patients: tuple[str, ...]) -> str:
        """The unit of the position that opened the first of `patients`; empty when none did, or it must not be told."""
        if any(one in self.decisions.protected for one in patients):
            return ""
        opened = self.decisions.permitted(self.subject, self.now)
        return next((opened[each].unit for each in patients if each in opened), "")


def read(bearer: Bearer, decisions: Decisions, now: datetime, headers: Mapping[str, str]) -> Asking:
    """From the headers of docs/seams.md; a request without a purpose is for treatment. Raises Refused 400."""
    given = headers.get("x-workspace-package", "").split(",", MOST_PACKAGES)
    if len(given) > MOST_PACKAGES:
        said = f"Forespørselen nevner for mange paneler. Høyst {MOST_PACKAGES} kan dele ett oppslag."
        raise bad_request("too-many-packages", said, "X-Workspace-Package")
    named = (clean(each) for each in given)
    return Asking(
        bearer,
        decisions,
        now,
        tuple(dict.fromkeys(each for each in named if each)) or (UNNAMED,),
        clean(headers.get("x-workspace-context", "")),
        clean(headers.get("x-workspace-purpose", "")) or "TREAT",
        clean(headers.get("x-request-id", "")) or str(uuid4()),
    )


def clean(text: str) -> str:
    """A header's value as it may stand in a log."""
    return _SAFE.sub("", text.strip())[:LONGEST]
