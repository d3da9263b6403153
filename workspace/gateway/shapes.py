"""Elements of a written resource whose JSON type is not R4's, where R4 gives that name one type: they cannot be read or
searched for. Pure; never asks what they mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from workspace.fhir.service import Resource
from workspace.gateway.refused import Fault

ROWS = frozenset({"coding", "contained", "extension", "modifierExtension"})
"""Lists of objects wherever they stand."""
TEXT = frozenset({"system", "start", "end", "family"})
"""Text wherever they stand."""
WORDS = frozenset({"code", "unit", "comparator"})
"""Text in a Coding, and beside the `value` of a Quantity."""


def faults(resource: Resource) -> list[Fault]:
    """One for each element that is of the wrong type; empty when all can be read."""
    kind = str(resource.get("resourceType", ""))
    wrong = [f"{kind}.status"] if not isinstance(resource.get("status", ""), str) else []
    wrong += _wrong(resource, kind)
    return [
        Fault(path, f"Feltet «{path.rpartition('.')[2]}» har en form som ikke kan leses.", "value")
        for path in dict.fromkeys(wrong)
    ]


def _wrong(value: Any, path: str, *, coding: bool = False) -> Iterator[str]:
    if isinstance(value, list):
        for place, each in enumerate(value):
            yield from _wrong(each, f"{path}[{place}]", coding=coding)
    if not isinstance(value, dict):
        return
    worded = coding or "value" in value
    for name, part in value.items():
        if not _fits(name, part, worded=worded):
            yield f"{path}.{name}"
        else:
            yield from _wrong(part, f"{path}.{name}", coding=name == "coding")


def _fits(name: str, part: Any, *, worded: bool) -> bool:
    if name in ROWS:
        return isinstance(part, list) and all(isinstance(each, dict) for each in part)
    if name == "identifier":
        return isinstance(part, dict) or (isinstance(part, list) and all(isinstance(each, dict) for each in part))
    if name == "reference":
        return isinstance(part, str | dict)  # in a Consent it is a Reference
    if name in TEXT:
        return isinstance(part, str)
    if name == "given":
        return isinstance(part, list) and all(isinstance(each, str) for each in part)
    return not worded or name not in WORDS or isinstance(part, str)
