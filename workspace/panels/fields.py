"""What is typed in one open panel: values with their revisions, and the draft that keeps them (law 7).

The shell owns what is typed; a panel's change yields to newer typing, field by field. Never talks to the panel.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workspace.broker.door import Door, Draft, DraftKey
from workspace.clock import Clock, instant
from workspace.panels.protocol import State

DRAFT_AFTER = 0.25
"""Seconds from the first unsaved keystroke to the draft, which is on the disk as long after; the promise is one second."""


class Fields:
    """`values` by bind, `revision` growing by one with every change. `saved(at)` is called when a draft is safe."""

    def __init__(self, door: Door, key: DraftKey, clock: Clock, saved: Callable[[str], None]) -> None:
        self._door, self._key, self._clock, self._saved = door, key, clock, saved
        draft = door.load_draft(key)
        self.values: dict[str, Any] = dict(draft.values) if draft else {}
        self.revision = draft.revision if draft else 0
        self._changed_at: dict[str, int] = {}  # the revision each field was last changed at
        self._timer: asyncio.TimerHandle | None = None
        self._unsaved = self._ended = False
        self._handed = self.revision  # what the draft had last from here
        self._views: set[str] = set()
        self.exchanged = 0
        """The revision at which fields last changed because what stood there was sent from elsewhere."""

    @property
    def state(self) -> State:
        return State(values=dict(self.values), revision=self.revision)

    def typed(self, bind: str, value: Any) -> None:
        self.revision += 1
        self.values[bind] = value
        self._changed_at[bind] = self.revision
        self._keep()

    def looked(self, bind: str, value: Any) -> None:
        """The user chose how something is shown: the panel is told, but it is nothing that anybody has to save."""
        self.revision += 1
        self.values[bind] = value
        self._changed_at[bind] = self.revision
        self._views.add(bind)

    def apply(self, state: Mapping[str, Any], clear: Sequence[str], revision: int) -> dict[str, Any]:
        """What an action left behind, without touching what the user typed after `revision`. Returns the fields that
        did change; cleared ones are None."""
        return self._change(self.changes(state, clear, revision))

    def exchange(self, key: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
        """See `face.PanelInstance`: field by field, so that newer typing stands. Returns the fields that did change."""
        if tuple(key) != self._key.parts():
            return {}
        mine = self.values
        changes = self._change(
            {b: v for b, v in after.items() if mine.get(b) == before.get(b) and (b in mine or v is not None)}
        )
        if changes:
            self.exchanged = self.revision
        return changes

    def _change(self, changes: dict[str, Any]) -> dict[str, Any]:
        if not changes:
            return {}
        self.revision += 1
        for bind, value in changes.items():
            self._changed_at[bind] = self.revision
            if value is None:
                self.values.pop(bind, None)
            else:
                self.values[bind] = value
        self._unsaved = True
        self.save()  # a cleared form must not come back from a draft
        return changes

    def changes(self, state: Mapping[str, Any], clear: Sequence[str], revision: int) -> dict[str, Any]:
        """What `apply` would change now."""
        found = {bind: None for bind in clear if bind in self.values} | dict(state)
        found = {bind: value for bind, value in found.items() if self._changed_at.get(bind, 0) <= revision}
        return {b: v for b, v in found.items() if b not in self.values or v != self.values[b]}

    def follow(self, key: Sequence[str], values: Mapping[str, Any]) -> dict[str, Any]:
        """What stands in the draft `key` (`DraftKey.parts`) since its author was at another workstation; empty when it was
        saved or emptied there. When it is this form's draft it stands here too, and is no typing of this one, which would
        send it back as news. While something typed here waits to be handed over, that goes first. Returns the fields that
        did change; those that are gone are None."""
        if self._unsaved or tuple(key) != self._key.parts():
            return {}
        changes: dict[str, Any] = {bind: None for bind in self.values.keys() - self._views if bind not in values}
        changes |= {b: value for b, value in values.items() if b not in self.values or self.values[b] != value}
        self.revision += 1 if changes else 0
        for bind in changes:
            self._changed_at[bind] = self.revision
        self.values.update(changes)
        for bind in changes.keys() - values.keys():
            del self.values[bind]
        return changes

    def _keep(self) -> None:
        self._unsaved = True
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(DRAFT_AFTER, self.save)

    def save(self) -> None:
        """Hand the draft over now, if anything is unsaved. Idempotent."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._unsaved:
            return
        self._unsaved = False
        if self._ended:
            standing = self._door.load_draft(self._key)
            if standing is None or standing.revision > self._handed:
                return  # another opening of the form has gone on from there
        at = instant(self._clock.now())
        self._handed = self.revision
        values = {bind: value for bind, value in self.values.items() if bind not in self._views}
        told = (lambda: self._saved(at)) if values else None  # what is no more is no draft that was saved
        self._door.save_draft(self._key, Draft(values, self.revision, at), told)

    def again(self) -> None:
        """A commit that had taken fields out of the draft has ended: the draft is what the form shows."""
        self._unsaved = True
        self.save()

    def end(self) -> None:
        """Nobody types here any more; another opening of the same form may."""
        self.save()
        self._ended = True
