"""Which refused item's words stand in a draft: what is saved from there next takes its place.

The draft itself remembers it, so it lasts as long as the words do: over a new start and a merge of two patients, and no
longer than until they are saved or emptied. Plain data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

BLANK = (None, "")


@dataclass(frozen=True, slots=True)
class Mends:
    """The words of the refused item `item` stand, or did and are being corrected, in the fields `binds`."""

    item: str
    binds: tuple[str, ...]

    def in_draft(self, values: Mapping[str, Any]) -> Mends | None:
        """Itself while any of the fields has something in it: what is typed into emptied ones is another thing."""
        return self if any(values.get(bind) not in BLANK for bind in self.binds) else None


def said_in(values: Mapping[str, Any], changes: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that a commit is made of: those that it leaves changed, else all that stand in its form."""
    named = tuple(bind for bind in changes if values.get(bind) not in BLANK)
    return named or tuple(bind for bind, value in values.items() if value not in BLANK)
