"""References between resources: reading them, making them local, finding and replacing them in a resource.

A reference is local when it reads ``Type/id``. Never resolves anything: that is the store's work.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
_TAIL = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})(?:/_history/[A-Za-z0-9\-.]{1,64})?$")


class Local(NamedTuple):
    """`type` "Patient", `id` "BEB-18"."""

    type: str
    id: str

    def __str__(self) -> str:
        return f"{self.type}/{self.id}"


@lru_cache(maxsize=4096)
def local(text: str, base: str = "") -> Local | None:
    """The type and id of a relative reference, or of an absolute one under `base`; a version is dropped.

    None for ``urn:uuid:…``, ``#contained``, conditional references and addresses elsewhere.
    """
    if base and text.startswith(base):
        text = text[len(base) :].lstrip("/")
    if "://" in text or "?" in text:
        return None
    match = _TAIL.match(text)
    return Local(match[1], match[2]) if match else None


def absolute(text: str) -> str:
    """``Type/id`` at the end of an address somewhere (``https://…/fhir/Patient/x``); "" for all else."""
    match = _TAIL.search(text) if "://" in text else None
    return f"{match[1]}/{match[2]}" if match else ""


def relative(value: Any, base: str) -> Any:
    """A copy of `value` in which references to what lies under `base` read ``Type/id``: the platform's own resources go by
    one name here, however it writes them. A version that is named stays."""
    if isinstance(value, dict):
        return {
            key: part[len(base) :].lstrip("/")
            if key == "reference" and isinstance(part, str) and part.startswith(base + "/")
            else relative(part, base)
            for key, part in value.items()
        }
    return [relative(part, base) for part in value] if isinstance(value, list) else value


def target(reference: Any, base: str = "") -> str:
    """Where a Reference element (or a canonical or uri) points: ``Type/id``, else the text as it stands, else ""."""
    text = reference.get("reference", "") if isinstance(reference, dict) else reference
    if not isinstance(text, str) or not text or text.startswith("#"):
        return ""
    found = local(text, base)
    return str(found) if found else text


def walk(value: Any) -> Iterator[dict[str, Any]]:
    """Every element of `value` that holds a literal reference, contained resources included."""
    if isinstance(value, dict):
        if isinstance(value.get("reference"), str):
            yield value
        for each in value.values():
            yield from walk(each)
    elif isinstance(value, list):
        for each in value:
            yield from walk(each)


def replaced(value: Any, change: Callable[[str], str]) -> Any:
    """A copy of `value` in which every string is passed through `change`. Keys are left alone."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: replaced(each, change) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, change) for each in value]
    return value


def name(resource: Mapping[str, Any]) -> str:
    """``Type/id`` of a resource."""
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"
