"""What leaves a draft for a transaction: in the same step of the vault, so that a crash leaves the one or the other.

The form on the screen still shows it until its commit returns; what it saves meanwhile holds only what was typed since.
What is sent again from elsewhere (a refused item, a settled conflict) leaves the open form in that very step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

if TYPE_CHECKING:
    from workspace.record.draft import Kept, Key
    from workspace.record.drafts import Drafts


DRAFT = "urn:workspace:draft"
"""The extension of a transaction's ``meta`` that names its draft (docs/seams.md, *Drafts*)."""


def new_stretch() -> str:
    """A name for what is typed into a draft at one workstation, from the first word until something of it is committed."""
    return str(uuid4())


def exchanged(values: Mapping[str, Any], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with what `after` says of each bind (None: emptied) where `before` still stands; newer typing stays."""
    fresh = dict(values)
    for bind, value in after.items():
        if fresh.get(bind) == before.get(bind):
            fresh.pop(bind, None)
            if value is not None:
                fresh[bind] = value
    return fresh


class Handover:
    """`values` stood in the form of the draft `key` when it was sent; `changes` is what becomes of them once that is
    durable, by bind, None for those that are emptied. `close` when the form knows how it went. `then` is called, and all is
    closed, once it is durable: for who hands over what the form knows nothing of."""

    def __init__(
        self,
        drafts: Drafts,
        key: Key,
        values: Mapping[str, Any],
        changes: Mapping[str, Any],
        then: Callable[[], None] | None = None,
    ) -> None:
        self._drafts, self.key, self._then = drafts, key, then
        self._values, self.changes = dict(values), dict(changes)
        self._before: Kept | None = None
        self._after: Kept | None = None
        self._closed = False

    def rest(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """`values` without what is in the transaction; what was typed since stays."""
        return exchanged(values, self._values, self.changes)

    @property
    def before(self) -> Kept | None:
        """The draft as it was."""
        return self._before

    @property
    def taken(self) -> dict[str, Any]:
        """What left the draft, by bind."""
        return self._of(self._before) if self._before is not None else {}

    def _of(self, draft: Kept) -> dict[str, Any]:
        held = draft.values
        return {bind: held[bind] for bind in self.changes if bind in held and held[bind] == self._values.get(bind)}

    def marked(self, bundle: Mapping[str, Any]) -> Mapping[str, Any]:
        """`bundle` with the name of the draft that it takes these fields from: whoever delivers it, the platform lets them
        go with it, and no other workstation shows them as unsent. Also when no copy there is known of: what was sent may
        have come without its answer, or may come after this. Itself when nothing is taken from a draft."""
        standing, sync = self._drafts.get(self.key), self._drafts.sync
        if standing is None or sync is None:
            return bundle
        fields = sorted(self._of(standing))
        own, device = sync.address(self.key)
        if not fields or not own:
            return bundle
        told = json.dumps(
            {
                "id": own,
                "revision": standing.known,
                "device": device,
                "fields": fields,
                "stretch": standing.stretch,
                "left": sorted(self.rest(standing.values)),
            }
        )
        meta = dict(bundle.get("meta") or {})
        others = [one for one in meta.get("extension") or () if one.get("url") != DRAFT]
        return {**bundle, "meta": {**meta, "extension": [*others, {"url": DRAFT, "valueString": told}]}}

    def begin(self) -> Callable[[Any], None]:
        """From here on the draft is without it. Returns what is to be done in the transaction of the vault that keeps the
        item, which must be handed over in this turn of the loop."""
        before = self._before = self._drafts.get(self.key)
        if before is not None:
            values = self.rest(before.values)
            stretch = new_stretch() if self.taken else before.stretch
            mends = before.mends and before.mends.in_draft(values)
            fresh = replace(before, values=values, expires="", stretch=stretch, mends=mends)
            self._after = fresh if values else None
        if not self._closed:
            self._drafts.handed[self.key] = self
        return self._drafts.swap(self.key, self._after)

    def kept(self) -> None:
        """It is durable: the platform's copy of the draft follows."""
        if self._drafts.sync is not None and not (self._before is None and self._after is None):
            self._drafts.sync.changed(self.key, self._before)
        if self._then is not None:
            self.close()
            self._then()

    def failed(self) -> None:
        """Nothing was kept: the draft is what it was."""
        self.close()
        if self._before is not self._after and self._drafts.get(self.key) is self._after:
            self._drafts.put(self.key, self._before)

    def close(self) -> None:
        self._closed = True
        if self._drafts.handed.get(self.key) is self:
            del self._drafts.handed[self.key]


class GivenBack(Handover):
    """The way back, for a commit that is withdrawn: `values` stand in the draft again where what the commit left (`changes`)
    still does."""

    def __init__(
        self,
        drafts: Drafts,
        key: Key,
        changes: Mapping[str, Any],
        values: Mapping[str, Any],
        then: Callable[[], None],
    ) -> None:
        super().__init__(drafts, key, changes, values, then)

    def begin(self) -> Callable[[Any], None]:
        self._drafts.press()  # a key of just now is newer, and must not take its place a moment later
        self._before = self._drafts.get(self.key)
        self._after = self._drafts.given_back(self.key, self._values, self.changes)
        return self._drafts.swap(self.key, self._after)
