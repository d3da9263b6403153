"""Who may sign in to the sandbox: the people the login page offers.

Plain data given by the caller (the home's staff table). Holds no password and no real person.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

_NAMESPACE = uuid.UUID("6f1f6a0e-7a44-5d0a-9b5c-2f4e1c6f3a11")
"""Ours alone: makes a person's `sub` the same in every sandbox without revealing the username."""

SECURITY_LEVEL = "helseid://claims/identity/security_level"
HPR_NUMBER = "helseid://claims/hpr/hpr_number"


@dataclass(frozen=True, kw_only=True)
class Person:
    """One member of staff.

    Attributes:
        username: short and unique, ``tone``; becomes ``preferred_username``.
        name: full name as shown.
        role_title: title as shown, ``Sykepleier``.
        unit_text: where they work, as shown, ``Havblikk``.
        shift_text: today's shift, as shown, ``Kveldsvakt 14.30–22.00``; may be empty.
        practitioner: FHIR reference, ``Practitioner/tone``; becomes ``fhirUser``.
        role: machine name of the role, ``sykepleier``.
        hpr: health personnel number, empty for those who have none.
        security_level: Norwegian level of assurance, ``4`` is the highest.
    """

    username: str
    name: str
    role_title: str
    unit_text: str
    shift_text: str
    practitioner: str
    role: str
    hpr: str = ""
    security_level: str = "4"

    @property
    def subject(self) -> str:
        """The stable, opaque ``sub``."""
        return str(uuid.uuid5(_NAMESPACE, self.username))

    @property
    def initials(self) -> str:
        """First and last name's first letters, for the card."""
        words = self.name.split()
        return "".join(word[0] for word in (words[:1] + words[1:][-1:])).upper()

    def claims(self) -> dict[str, Any]:
        """The identity claims of docs/seams.md, without those of the session."""
        claims: dict[str, Any] = {
            "sub": self.subject,
            "name": self.name,
            "preferred_username": self.username,
            "fhirUser": self.practitioner,
            "role": self.role,
            SECURITY_LEVEL: self.security_level,
        }
        if self.hpr:
            claims[HPR_NUMBER] = self.hpr
        return claims
