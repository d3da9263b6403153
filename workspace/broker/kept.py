"""What its author has begun and not saved, as the shell lists it: drafts that stand, that run out or have run out, that an
earlier version of a form left, and texts that lost to newer ones elsewhere.

Data only: the shell draws it. Never shows anybody but its author, and never drops anything unasked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from workspace.broker.door import DraftKey
from workspace.clock import Clock, parse
from workspace.record.draft import LOST, Kept, Key
from workspace.record.drafts import Drafts

SOON = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class KeptDraft:
    """`values` by bind; `saved` and `expires` are clinical instants. `lost`: not the draft itself, but the text that lost to
    it. `elsewhere`: typed on another workstation."""

    key: DraftKey
    values: Mapping[str, Any]
    saved: str
    expires: str = ""
    expired: bool = False
    ends_soon: bool = False
    elsewhere: bool = False
    lost: bool = False

    @property
    def id(self) -> str:
        return "\x1f".join((*self.key.parts(), "lost" if self.lost else ""))


class KeptDrafts:
    """`broker.kept`."""

    def __init__(self, drafts: Drafts, clock: Clock) -> None:
        self._drafts, self._clock = drafts, clock

    def all(self) -> tuple[KeptDraft, ...]:
        """Every draft of the user, the newest first, each followed by the text that lost to it."""
        found = []
        for one in self._drafts.all():
            found.append(self._draft(one.key, one.kept))
            if one.kept.other is not None:
                other = one.kept.other
                found.append(
                    KeptDraft(_key(one.key), other.values, other.saved, elsewhere=bool(other.device), lost=True)
                )
        return tuple(found)

    def older(self, about: str, package: str, view: str, state_version: int) -> KeptDraft | None:
        """What another version of a form left that is open about `about` (a reference)."""
        key = DraftKey(self._drafts.tenant, self._drafts.user, about, package, view, "", state_version)
        found = self._drafts.older(key.parts())
        return None if found is None else self._draft(found.key, found.kept)

    def discard(self, one: KeptDraft) -> None:
        """Its author has seen to it."""
        if one.lost and LOST not in one.key.draft:
            self._drafts.drop_other(one.key.parts())
        else:
            self._drafts.discard(one.key.parts())

    def listen(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Called whenever `all` may say something else. Returns what ends it."""
        return self._drafts.on_touch(listener)

    def _draft(self, key: Key, kept: Kept) -> KeptDraft:
        return KeptDraft(
            _key(key), kept.values, kept.saved, kept.expires, self._drafts.is_expired(kept), self._ends_soon(kept),
            elsewhere=bool(kept.device), lost=LOST in key[5],
        )  # fmt: skip

    def _ends_soon(self, kept: Kept) -> bool:
        try:
            return bool(kept.expires) and parse(kept.expires) - self._clock.now() <= SOON
        except ValueError:
            return False


def _key(key: Key) -> DraftKey:
    tenant, user, patient, package, view, draft, version = key
    return DraftKey(tenant, user, patient, package, view, draft, int(version))
