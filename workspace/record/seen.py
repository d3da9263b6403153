"""Which versions have been seen, so that a change that comes twice (own answer and feed, or overlap) counts once."""

from __future__ import annotations

from collections import OrderedDict

from workspace.record.rows import Changed

REMEMBERED = 20_000


class Seen:
    def __init__(self) -> None:
        self._versions: OrderedDict[str, int] = OrderedDict()

    def clear(self) -> None:
        """The platform may have begun again (a backup was restored): then its versions are lower, and news all the same."""
        self._versions.clear()

    def is_new(self, change: Changed) -> bool:
        """Whether `change` is newer than all seen of its resource; remembers it. Without a version it always is."""
        if not change.version:
            return True
        if self._versions.get(change.name, 0) >= change.version:
            return False
        self._versions[change.name] = change.version
        self._versions.move_to_end(change.name)
        if len(self._versions) > REMEMBERED:
            self._versions.popitem(last=False)
        return True
