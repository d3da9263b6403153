"""What a panel instance is about: one patient, one unit, or nothing. Immutable, and useless once ended.

A new `Context` is made for each context group and each switch; its token is opaque and stands on every protocol
message (DESIGN §3). Nothing ever changes the patient of a context.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Literal

ContextKind = Literal["patient", "unit", "none"]


@dataclass(frozen=True, slots=True)
class Context:
    """`patient` is ``Patient/<id>``; `unit` is ``Organization/<id>`` with `patients` the ones who live there now.

    `group` names the context group whose colour the banner shows ("1" until a second patient is open).
    """

    token: str
    kind: ContextKind
    group: str = "1"
    patient: str | None = None
    unit: str | None = None
    patients: tuple[str, ...] = ()

    def allows(self, patient: str) -> bool:
        """Whether data about `patient` (``Patient/<id>``) may be seen in this context."""
        return patient == self.patient if self.kind == "patient" else patient in self.patients


def new_token() -> str:
    """128 unguessable bits."""
    return secrets.token_urlsafe(16)


def for_patient(patient: str, group: str = "1") -> Context:
    return Context(new_token(), "patient", group, patient=patient)


def for_unit(unit: str, patients: tuple[str, ...], group: str = "unit") -> Context:
    return Context(new_token(), "unit", group, unit=unit, patients=patients)


def for_nothing(group: str = "none") -> Context:
    return Context(new_token(), "none", group)
