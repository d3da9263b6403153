"""Modifier extensions: whoever does not know one must not take the resource for what it seems to say (R4 §2.4).

Pure accessors; knows none itself yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspace.fhir import json

KNOWN: frozenset[str] = frozenset()
"""URLs of modifier extensions whose meaning the workspace understands."""


def changed_in_meaning(resource: Mapping[str, Any]) -> bool:
    """Whether a modifier extension that is not known stands anywhere in it."""
    # A look at the text first: going through every element of every row is the dearest thing a search does.
    return _NAME in _encode(resource) and _unknown(resource)


_NAME = b"modifierExtension"
_encode = json.dumps


def _unknown(value: Any) -> bool:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "modifierExtension":
                held = part if isinstance(part, list) else [part]
                if any(not isinstance(one, dict) or one.get("url") not in KNOWN for one in held):
                    return True
            elif isinstance(part, (dict, list)) and _unknown(part):
                return True
        return False
    return any(_unknown(part) for part in value if isinstance(part, (dict, list))) if isinstance(value, list) else False
