"""What a view or an action sees of one run: an immutable snapshot of context, state and results.

In an action it also gathers *effects*; nothing leaves the process before the action has returned. It is useless after
its run and in other threads: nothing about a patient can be kept by keeping a `ctx`.
"""

from __future__ import annotations

import os
import time
from _thread import get_ident

from workspace.sdk import compose, query
from workspace.sdk.errors import SdkError, StaleContext, WriteInView
from workspace.sdk.record import parse
from workspace.sdk.results import Lazy, Result, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import Any, NoReturn

    Resource = dict[str, Any]


class Values:
    """State or settings as they were when the run began: ``ctx.state.pulse``, ``ctx.state["pulse"]``. Missing is None.
    What is read is remembered, so that a view runs again when just that changes."""

    __slots__ = ("_read", "_values")

    def __init__(self, values: dict[str, Any], read: set[str]) -> None:
        object.__setattr__(self, "_values", values)
        object.__setattr__(self, "_read", read)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __getitem__(self, name: str) -> Any:
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise WriteInView("state is read-only here: use ctx.set(...) in an action")

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __iter__(self) -> Iterator[str]:
        self._read.add("*")
        return iter(dict(self._values))

    def get(self, name: str, default: Any = None) -> Any:
        """The value, or `default` where there is none."""
        self._read.add(name)
        value = self._values.get(name)
        return default if value is None else value


class Ctx:
    """See the module. Made by the session, one for each run."""

    def __init__(self, session: Run, writable: bool) -> None:
        self._run = session
        self._writable = writable
        self._alive = True
        self._thread = get_ident()
        self._reads: set[str] = set()
        self._reads_now = False
        self._effects: dict[str, Any] = {"writes": [], "state": {}, "clear": [], "raise": []}
        self._state = Values(dict(session.values), self._reads)
        self._settings = Values(dict(session.settings), set())
        self._moment: datetime | None = None

    # --- the context ----------------------------------------------------------------------------------------

    @property
    def patient(self) -> str:
        """``Patient/<id>`` in a patient context, else empty."""
        return str(self._info().get("patient") or "")

    @property
    def unit(self) -> str:
        return str(self._info().get("unit") or "")

    @property
    def patients(self) -> tuple[str, ...]:
        """The unit's patients, as references."""
        return tuple(self._info().get("patients") or ())

    @property
    def user(self) -> dict[str, str]:
        """Who is signed in: ``reference``, ``display``, ``role``."""
        return dict(self._info().get("user") or {})

    @property
    def state(self) -> Values:
        """Fields and local state."""
        self._check()
        return self._state

    @property
    def settings(self) -> Values:
        self._check()
        return self._settings

    @property
    def locale(self) -> str:
        self._check()
        return self._run.locale

    @property
    def now(self) -> datetime:
        """Clinical time, the same all through the run. A view that reads it runs again each minute."""
        self._check()
        self._reads_now = True
        if self._moment is None:
            self._moment = self._run.moment()
        return self._moment

    # --- the record -----------------------------------------------------------------------------------------

    def search(self, kind: str, more: dict[str, Any] | None = None, /, **params: Any) -> Result:
        """A live, lazy search in the context: ``ctx.search("Observation", category="vital-signs", _sort="-date")``, or the
        whole query as text, just as the manifest prefetches it. Never names a patient: the shell adds it."""
        self._check()
        return Result(self._run.store(query.build(kind, more, **params)))

    def read(self, reference: str) -> Lazy:
        """One resource, ``Type/id``: ``.get()`` gives it. Not live."""
        self._check()
        return Lazy(self._run.store(reference))

    # --- effects --------------------------------------------------------------------------------------------

    def create(self, resource: Resource | str, /, **fields: Any) -> str:
        """A new resource: a dict, or a type and fields. Its patient is added where the type names one and none is given.
        Returns a ``urn:uuid:`` that other resources of the same action may refer to.

        Observations may be written short: ``ctx.create("Observation", code="8867-4", value=72, unit="/min")``.
        """
        self._writing("create")
        made = compose.resource(resource, fields, self._info(), self._run.moment)
        full_url = uuid_urn()
        self._effects["writes"].append({"action": "create", "resource": made, "full_url": full_url})
        return full_url

    def update(self, resource: Resource) -> str:
        """The whole resource as it shall be. The version it was read at goes with it, so another's change is not lost."""
        self._writing("update")
        if not resource.get("resourceType") or not resource.get("id"):
            raise SdkError("ctx.update takes a resource that was read: with resourceType and id")
        version = str((resource.get("meta") or {}).get("versionId") or "")
        write = {"action": "update", "resource": resource}
        self._effects["writes"].append({**write, "if_match": version} if version else write)
        return f"{resource['resourceType']}/{resource['id']}"

    def clear(self, *binds: str) -> None:
        """Empty these fields once all is committed."""
        self._writing("clear")
        self._effects["clear"] += [bind for bind in binds if bind not in self._effects["clear"]]

    def set(self, **state: Any) -> None:
        """Set local state or a field. Yields to what the user has typed since."""
        self._writing("set")
        self._effects["state"].update(state)

    def say(self, text: str, tone: str = "ok") -> None:
        """One sentence to the user, told once all is committed."""
        self._writing("say")
        if tone not in ("ok", "warn", "bad", "neutral"):
            raise SdkError("ctx.say: tone is ok, warn, bad or neutral")
        self._effects["message"], self._effects["tone"] = text, tone

    def raise_intent(self, name: str, **context: Any) -> None:
        """Ask the shell, or another panel, for something: ``ctx.raise_intent("open Patient", patient="Patient/1")``."""
        self._writing("raise_intent")
        self._effects["raise"].append({"name": name, "args": context} if context else {"name": name})

    # --- guards ---------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if not self._alive:
            raise StaleContext("this ctx is from a run that is over: nothing of it may be kept")
        if get_ident() != self._thread:
            raise StaleContext(
                "ctx belongs to the thread that runs the view: read what you need before you start another"
            )

    def _writing(self, what: str) -> None:
        self._check()
        if not self._writable:
            raise WriteInView(f"ctx.{what} in a view: a view only describes; write in a function marked @panel.action")

    def _info(self) -> dict[str, Any]:
        self._check()
        return self._run.info

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            self._refuse(name)
        object.__setattr__(self, name, value)

    def _refuse(self, name: str) -> NoReturn:
        raise WriteInView(f"ctx.{name} cannot be set: ctx is a snapshot (use ctx.set(...) for local state)")

    def _end(self) -> dict[str, Any]:
        """The run is over. Gives the effects, empty ones left out."""
        self._alive = False
        return {name: value for name, value in self._effects.items() if value}


class Run:
    """What a `Ctx` may know of its instance: made anew for each run, so that it cannot reach the session."""

    def __init__(
        self,
        info: dict[str, Any],
        values: dict[str, Any],
        settings: dict[str, Any],
        locale: str,
        started: float,
        find: Callable[[str], Store],
    ) -> None:
        self.info, self.values, self.settings, self.locale = info, values, settings, locale
        self._started, self._find = started, find

    def store(self, text: str) -> Store:
        return self._find(text)

    def moment(self) -> datetime:
        from datetime import UTC, timedelta

        from workspace.sdk.record import local

        passed = timedelta(seconds=time.monotonic() - self._started)
        return local(parse(self.info["now"]).astimezone(UTC) + passed)


def uuid_urn() -> str:
    """A random UUID (RFC 9562, version 4) as ``urn:uuid:``, without the price of importing `uuid`."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
