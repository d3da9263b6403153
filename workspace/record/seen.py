"""Which versions have been seen, so that a change that comes twice (own answer and feed, or overlap) counts once.

Knows too whether what is kept from before is outdated by what was told since. Holds no content.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from workspace.fhir.withdrawn import in_error
from workspace.record.rows import Changed, is_older, name_of

REMEMBERED = 20_000
T = TypeVar("T")


class Seen:
    def __init__(self) -> None:
        self._versions: OrderedDict[str, int] = OrderedDict()
        self._latest: OrderedDict[str, Changed] = OrderedDict()
        """The last word on each resource, without its content; None where it was deleted or taken back."""
        self._doubted: dict[str, Changed] = {}
        """What that was before a `clear`, until the platform has answered with it again."""

    def clear(self) -> None:
        """The platform may have begun again (a backup was restored): then its versions are lower, and news all the same."""
        self._versions.clear()
        self._doubted = {**(self._doubted if len(self._doubted) < REMEMBERED else {}), **self._latest}
        self._latest.clear()

    def is_new(self, change: Changed) -> bool:
        """Whether `change` is newer than all seen of its resource; remembers it. Without a version it always is."""
        if change.version:
            if self._versions.get(change.name, 0) >= change.version:
                return False
            _put(self._versions, change.name, change.version)
        _put(self._latest, change.name, _bare(change))
        return True

    def answered(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """The platform has answered with `rows`: what was told of them before a `clear` counts no more."""
        if self._doubted:
            for row in rows:
                self._doubted.pop(name_of(row), None)

    def outdates(self, row: Mapping[str, Any]) -> bool:
        """Whether something newer of `row` was told."""
        last = self._last(name_of(row))
        return last is not None and is_older(last, row) is not True

    def ended(self, row: Mapping[str, Any]) -> bool:
        """Whether it was told since that `row` is no fact: deleted, taken back, or not for this person any more."""
        last = self._last(name_of(row))
        return last is not None and last.resource is None and is_older(last, row) is not True

    def _last(self, name: str) -> Changed | None:
        return self._latest.get(name) or self._doubted.get(name)


def _bare(change: Changed) -> Changed:
    """`change` without content: what it takes to compare."""
    held = change.resource
    return replace(change, resource=None if held is None or in_error(held) else {"meta": held.get("meta") or {}})


def _put(held: OrderedDict[str, T], name: str, value: T) -> None:
    held[name] = value
    held.move_to_end(name)
    if len(held) > REMEMBERED:
        held.popitem(last=False)
