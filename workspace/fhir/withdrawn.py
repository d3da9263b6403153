"""What a resource says of itself when it no longer holds. Pure accessors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

IN_ERROR = "entered-in-error"
REFUTED = "refuted"
"""Of an allergy or a problem (R4 *verificationStatus*): looked into, and not so."""


def in_error(resource: Mapping[str, Any]) -> bool:
    """Whether it says of itself that it was entered in error, whatever its type."""
    return IN_ERROR in (resource.get("status"), resource.get("lifecycleStatus"), *_verified(resource))


def called_off(resource: Mapping[str, Any]) -> str:
    """`IN_ERROR`, `REFUTED`, or "" for what still holds."""
    if in_error(resource):
        return IN_ERROR
    return REFUTED if REFUTED in _verified(resource) else ""


def _verified(resource: Mapping[str, Any]) -> list[Any]:
    concept = resource.get("verificationStatus")
    codings = concept.get("coding") if isinstance(concept, dict) else None
    return [one.get("code") for one in codings if isinstance(one, dict)] if isinstance(codings, list) else []
