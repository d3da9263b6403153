"""Whom the things are about that a written resource points at. A link to another resident's fact would mix two records, and
let a search through it answer about her. Pure; the broker asks the record what it does not know."""

from __future__ import annotations

from typing import Any

from workspace.broker.scoping import patient_parameter
from workspace.fhir.references import local
from workspace.fhir.service import Resource

WAIT = 0.5
"""Seconds to find out; a platform that is away must not keep a write from being durable."""


def pointed_at(resource: Resource) -> set[str]:
    """Every ``Type/id`` that the resource refers to and that is about some patient; not patients, who are checked by name,
    nor itself, nor what is written with it."""
    own = f"{resource.get('resourceType')}/{resource.get('id', '')}"
    found = set()
    for text in _references(resource):
        there = local(text)
        if there is not None and there.type != "Patient" and patient_parameter(there.type):
            found.add(f"{there.type}/{there.id}")
    return found - {own}


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        text = value.get("reference")
        found = [text] if isinstance(text, str) else []
        return found + [one for part in value.values() for one in _references(part)]
    if isinstance(value, list):
        return [one for part in value for one in _references(part)]
    return []
