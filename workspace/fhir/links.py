"""Whom the things are about that a written resource points at. A link to another resident's fact would mix two records, and
let a search through it answer about her. Pure: the broker asks the record what it does not know, the gateway the platform.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workspace.fhir import parameters
from workspace.fhir.references import local
from workspace.fhir.service import Resource


def patient_parameter(kind: str) -> str:
    """The search parameter that names the patient of `kind`: ``_id`` for Patient, "" for types without one."""
    if kind == "Patient":
        return "_id"
    for name in ("patient", "subject"):
        definition = parameters.definition(kind, name)
        if definition is not None and definition.kind == "reference":
            return name
    return ""


def pointed_at(resource: Resource, base: str = "") -> dict[str, str]:
    """Every ``Type/id`` that the resource refers to and that is about some patient, with the path where it stands first
    (``Observation.hasMember[0]``); not patients, who are checked by name, nor itself, nor what is written with it."""
    own = f"{resource.get('resourceType')}/{resource.get('id', '')}"
    found: dict[str, str] = {}
    for text, path in _references(resource, str(resource.get("resourceType"))):
        there = local(text, base)
        if there is not None and there.type != "Patient" and patient_parameter(there.type) and str(there) != own:
            found.setdefault(str(there), path)
    return found


def searched_for(resource: Resource) -> dict[str, str]:
    """References by a search (``Observation?identifier=…``) to what is about some patient, with their paths: what they come
    to is known to nobody before it is written."""
    found = {}
    for text, path in _references(resource, str(resource.get("resourceType"))):
        kind = text.partition("?")[0].rpartition("/")[2]
        if "?" in text and patient_parameter(kind):
            found[text] = path
    return found


def _references(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """(reference, path of its element)."""
    if isinstance(value, dict):
        text = value.get("reference")
        if isinstance(text, str):
            yield text, path
        for name, part in value.items():
            yield from _references(part, f"{path}.{name}")
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _references(part, f"{path}[{place}]")
