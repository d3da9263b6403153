"""One listener of a live result: told all of it first, and what changes from then on."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from workspace.record.client import Asker
from workspace.record.rows import Rows, RowsChange, RowsListener

if TYPE_CHECKING:
    from workspace.record.lives import Live


class Watched:
    """A live query of one listener. `close()` is idempotent, and calls `left` once; no call to the listener follows it."""

    def __init__(self, live: Live, asker: Asker, listener: RowsListener, left: Callable[[Live, Watched], None]) -> None:
        self._live, self._listener, self._left = live, listener, left
        self.asker = asker
        self._begun = False
        self._closed = False

    @property
    def rows(self) -> Rows | None:
        """The result as it stands, with the change that is being told."""
        return self._live.page.rows if self._live.page is not None else None

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            self._left(self._live, self)

    def begin(self) -> None:
        """The first call, when there is something to say."""
        live = self._live
        if self._closed or self._begun:
            return
        if live.shown is not None:
            self._begun = True
            error, code = live.said if live.unfollowed else ("", "")
            if live.problem is not None:
                error, code = live.words(), live.problem.code
            self._listener(RowsChange(whole=live.shown.rows, error=error, code=code))
        elif live.problem is not None:
            self._begun = True
            self._listener(RowsChange(error=str(live.problem), code=live.problem.code))

    def tell(self, change: RowsChange) -> None:
        if self._closed:
            return
        if self._begun:
            self._listener(change)
        else:
            self.begin()
