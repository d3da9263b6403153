"""Two records that turned out to be one person (FHIR R4, `Patient.link`). Only reads what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.fhir.references import target


def replaced_by(patient: Mapping[str, Any], base: str = "") -> str:
    """``Patient/y`` that this record was replaced by; empty when it stands for itself."""
    links = patient.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, dict) and link.get("type") == "replaced-by":
            there = target(link.get("other") or {}, base)
            if there and there.startswith("Patient/"):
                return there
    return ""


def onward(gone: str, replaced: Mapping[str, str]) -> tuple[str, ...]:
    """Who comes after `gone` by `replaced` (each by whom), the one who stays last. A circle ends where it closes, with the
    one it closes at."""
    row: list[str] = []
    found = gone
    while found not in row and (there := replaced.get(found, "")):
        row.append(found)
        found = there
    return (*row[1:], found) if row else ()


def circular(gone: str, replaced: Mapping[str, str]) -> bool:
    """Whether nobody stays of `gone`: who comes after it replace each other in a circle."""
    row = (gone, *onward(gone, replaced))
    return len(set(row)) < len(row)
