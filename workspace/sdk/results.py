"""Results that may not have come yet. Using one before it is there suspends whoever used it, and nobody else.

Resources are the host's own dicts: treat them as read-only; a change belongs in `ctx.update`.
"""

from __future__ import annotations

from workspace.sdk.errors import Suspended, named

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, Self

    Resource = dict[str, Any]


class Store:
    """One query's rows as this process knows them; outlives the runs that look at it."""

    def __init__(self, query: str, watch: int | None = None) -> None:
        self.query = query
        self.watch = watch
        self.rows: list[Resource] = []
        self.included = 0
        self.total: int | None = None
        self.more = False  # the answer was cut: there are further rows
        self.ready = False
        self.error = ""
        self.code = ""
        self.asked = watch is not None  # a request has left (or the host opened it for us)
        self.bound = False  # asked for a handle only: no data will come
        self.wanted = False  # some view needs the rows themselves
        self.handled = False  # some component is bound to it
        self.drawn = watch is not None  # a view has run since its handle came
        self.touched = False  # asked for in the run going on
        self.given = watch is not None  # prefetched: the host's to end
        self.number: int | None = None  # of the request that has not been answered yet
        self.dropped = False  # nobody wants it any more
        self.chunks: list[Resource] | None = None

    def whole(self, result: dict[str, Any], more: bool = False) -> None:
        """A whole result. In chunks (`more`) the rows stand until the last has come."""
        rows = (self.chunks or []) + list(result.get("resources") or [])
        if more:
            self.chunks = rows
            return
        self.chunks = None
        self.error, self.code = result.get("error") or "", result.get("code") or ""
        if self.error and not rows and self.ready:
            return  # what is left from before still stands, as stale
        self.rows = rows
        self.included = int(result.get("included") or 0)
        self.total = result.get("total")
        self.more = bool(result.get("more"))
        self.ready = True if not self.error else bool(rows)

    def change(self, gone: list[str], put: list[Any], error: str, code: str) -> None:
        """Ids (``Type/id``) gone, then each ``[index, resource]`` at its final place; matches stay before included."""
        self.error, self.code = error or "", code or ""
        drop = set(gone) | {reference(entry[1]) for entry in put}
        extra = {reference(row) for row in self.rows[len(self.rows) - self.included :]}
        base = self.query.partition("?")[0]
        rows = [row for row in self.rows if reference(row) not in drop]
        for index, resource in sorted(put, key=lambda entry: int(entry[0])):
            rows.insert(min(int(index), len(rows)), resource)
            if resource.get("resourceType") != base:
                extra.add(reference(resource))
        self.rows = rows
        self.included = sum(1 for row in rows if reference(row) in extra) if extra else 0


def reference(resource: Resource) -> str:
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"


class Lazy:
    """Something that will come. `ready` asks without suspending; `get()` gives it or suspends."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def ready(self) -> bool:
        return self._store.ready

    @property
    def error(self) -> str:
        """Why it is stale or missing, in the user's language; empty when all is well."""
        return self._store.error

    def get(self) -> Any:
        rows = self._rows()
        return rows[0] if rows else None

    @property
    def code(self) -> str:
        """The stable name of `error`, such as ``unavailable``."""
        return self._store.code

    def _rows(self) -> list[Resource]:
        store = self._store
        store.wanted = True
        if store.ready:
            return store.rows
        if store.error:
            raise named(store.code, store.error)
        raise Suspended(store.query.partition("?")[0])


class Result(Lazy):
    """A live search: iterate it for the matches, in the order asked for. Bind it to a table or trend by handing it over
    as it is; the shell then follows the changes itself."""

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __bool__(self) -> bool:
        return bool(self.all())

    def __getitem__(self, index: int) -> Resource:
        return self.all()[index]

    def all(self) -> list[Resource]:
        """The matches, without what was included."""
        rows = self._rows()
        return rows[: len(rows) - self._store.included] if self._store.included else rows

    def first(self) -> Resource | None:
        rows = self.all()
        return rows[0] if rows else None

    def included(self, kind: str = "") -> list[Resource]:
        """What ``_include`` and ``_revinclude`` brought, of type `kind` if given."""
        rows = self._rows()
        extra = rows[len(rows) - self._store.included :] if self._store.included else []
        return [row for row in extra if not kind or row.get("resourceType") == kind]

    def wait(self) -> Self:
        """Suspend here unless it has come."""
        self._rows()
        return self

    @property
    def total(self) -> int | None:
        return self._store.total

    @property
    def more(self) -> bool:
        """Whether the answer was cut (`_count`, or the platform's own limit): say so beside rows that you draw yourself. A
        bound table says it by itself."""
        return self._store.more

    @property
    def query(self) -> str:
        return self._store.query

    def handle(self) -> int:
        """The host's handle for bound tables and trends; suspends until the host has given one."""
        self._store.handled = True
        if self._store.watch is None:
            if self._store.error:
                raise named(self._store.code, self._store.error)
            raise Suspended(self._store.query.partition("?")[0])
        return self._store.watch
