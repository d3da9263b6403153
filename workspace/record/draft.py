"""One draft as it is kept: its values, what the platform has of it, and the text that lost to it. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from workspace.fhir import json as exact
from workspace.record.handover import new_stretch
from workspace.record.mending import Mends

EMPTIED = "{}"
"""The body of a draft that is no more, until the platform has heard: else a crash in between would bring it back."""

LOST = "~tapt"
"""In the name of a draft: a text that lost, when the one it lost to was saved, or another one lost to it, before its author
had seen to it. A number follows where there are several."""

Key = tuple[str, ...]
"""(tenant, user, patient, package, view, draft, state version)"""


@dataclass(frozen=True, slots=True)
class Lost:
    """What stood in the same fields on another workstation, and was older."""

    values: Mapping[str, Any]
    saved: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """`values` by bind; `saved` the clinical instant of the newest change. `known` is the platform's revision of it (0: it
    has none), `expires` when the platform will forget it, `device` where it was typed when not here. A commit ends the
    `stretch`: what comes of it to the platform after that comes late. `mends` names the refused item that it corrects."""

    values: Mapping[str, Any]
    revision: int
    saved: str
    known: int = 0
    expires: str = ""
    device: str = ""
    other: Lost | None = None
    stretch: str = field(default_factory=new_stretch, compare=False)
    mends: Mends | None = field(default=None, compare=False)

    def more(self) -> str:
        """What the vault keeps beside the values."""
        other = self.other and {
            "values": dict(self.other.values),
            "saved": self.other.saved,
            "device": self.other.device,
        }
        more: dict[str, Any] = {"expires": self.expires, "device": self.device, "other": other}
        more["stretch"] = self.stretch
        if self.mends is not None:
            more["mends"] = [self.mends.item, *self.mends.binds]
        return exact.dumps(more).decode()


@dataclass(frozen=True, slots=True)
class Listed:
    """One draft in a list: `text` are its fields in words, for when no form can show them. `expired`: the platform has
    forgotten it; it stands here until its author has seen to it."""

    key: Key
    kept: Kept
    expired: bool = False
    text: tuple[str, ...] = field(default=())


def goes_on(former: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Whether all of `former` is in `values`: that form has gone on from it."""

    def within(old: Any, new: Any) -> bool:
        return old == new or (isinstance(old, str) and isinstance(new, str) and old in new)

    return all(within(old, values.get(bind)) for bind, old in former.items())


def same(one: Kept | Lost, other: Lost) -> bool:
    return dict(one.values) == dict(other.values)


def tombstone(known: int, since: str, stretch: str) -> Kept:
    return Kept({}, 0, since, known, stretch=stretch)


def standing_beside(key: Key, fresh: Key) -> Key:
    """Where a draft of `key` goes when one stands under its patient's new name already (docs/seams.md, *A merge*)."""
    return (*fresh[:5], f"{fresh[5]}~{key[2].rpartition('/')[2]}", fresh[6])


def as_text(values: Mapping[str, Any]) -> tuple[str, ...]:
    """A draft's fields in words, a line each."""
    lines = []
    for bind, value in values.items():
        if isinstance(value, (dict, list)):
            value = exact.dumps(value).decode()
        elif isinstance(value, float):
            value = (value.text if isinstance(value, exact.Literal) else str(value)).replace(".", ",")
        if value not in (None, ""):
            lines.append(f"{bind}: {value}")
    return tuple(lines)
