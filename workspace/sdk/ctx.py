"""What a view or an action sees of one run: an immutable snapshot of context, state and results.

In an action it also gathers *effects*; nothing leaves the process before the action has returned. It is useless after
its run and in other threads: nothing about a patient can be kept by keeping a `ctx`.
"""

from __future__ import annotations

import os
from _thread import get_ident

from workspace.sdk import compose, query, tree
from workspace.sdk.errors import SdkError, StaleContext, WriteInView, at
from workspace.sdk.intents import LATER, Later, Outcome, Raised, Taken
from workspace.sdk.parts import Part
from workspace.sdk.record import parse
from workspace.sdk.results import Lazy, Result, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from typing import Any, NoReturn

    from workspace.sdk.instance import Instance
    from workspace.sdk.intents import Asked

    Resource = dict[str, Any]


MAX_SENTENCE = 500
MAX_TITLE = 200


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
        raise WriteInView(at("state is read-only here: use ctx.set(...) in an action"))

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
        self._effects: dict[str, Any] = {"writes": [], "state": {}, "clear": [], "answers": []}
        self._raised: list[Asked] = []
        self._notices: list[dict[str, str]] = []
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

    def t(self, key: str, /, **args: Any) -> str:
        """The text of `key` in the user's language, from ``texts/<language>.toml``, with its ``{names}`` filled in; `n`
        chooses between the forms ``one`` and ``other``. What a language lacks is taken from bokmål."""
        self._check()
        return self._run.text(key, args)

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
        """A live, lazy search in the context: ``ctx.search("Observation", category="vital-signs", _sort="-date")``, or
        the whole query as text, just as the manifest prefetches it. Never names a patient: the shell adds it."""
        self._check()
        return Result(self._run.store(query.build(kind, more, **params)))

    def read(self, reference: str) -> Lazy:
        """One resource, ``Type/id``: ``.get()`` gives it. Not live."""
        self._check()
        return Lazy(self._run.store(reference))

    def blob(self, mime: str, data: bytes) -> str:
        """Hand a picture or a PDF to the shell; gives the handle that ``ui.picture`` shows. The same bytes are sent
        once."""
        self._check()
        return self._run.blob(mime, data)

    def outcome(self, name: str) -> Outcome | None:
        """What came of the intent `name` that an action raised last; None until then, and when it was never raised."""
        self._check()
        return self._run.outcomes.get(name)

    def taken(self, name: str) -> list[Taken]:
        """What other panels have asked for and this one answered with ``ctx.later()``, oldest first."""
        self._check()
        return [one for one in self._run.taken if one.name == name]

    # --- effects --------------------------------------------------------------------------------------------

    def create(self, resource: Resource | str, /, **fields: Any) -> str:
        """A new resource: a dict, or a type and fields. Its patient is added where the type names one and none is
        given. Returns a ``urn:uuid:`` that other resources of the same action may refer to.

        Observations may be written short: ``ctx.create("Observation", code="8867-4", value=72, unit="/min")``."""
        self._writing("create")
        made = compose.resource(resource, fields, self._info(), self._run.moment)
        full_url = uuid_urn()
        self._effects["writes"].append({"action": "create", "resource": made, "full_url": full_url})
        return full_url

    def update(self, resource: Resource) -> str:
        """The whole resource as it shall be. The version it was read at goes with it, so another's change is not
        lost."""
        self._writing("update")
        if not resource.get("resourceType") or not resource.get("id"):
            raise SdkError(at("ctx.update takes a resource that was read: with resourceType and id"))
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
        self._effects["message"], self._effects["tone"] = _sentence("say", text, tone), tone

    def notify(self, text: str, tone: str = "neutral") -> None:
        """A sentence in the panel's state line, whatever comes of the action. For what follows a commit, use
        ``ctx.say``."""
        self._writing("notify")
        self._notices.append({"text": _sentence("notify", text, tone), "tone": tone})

    def print(self, title: str, content: str | Part) -> None:
        """Have the shell print a text or a component once all is committed. The shell shows it first and asks the
        user."""
        self._writing("print")
        if "print" in self._effects:
            raise SdkError(at("ctx.print: one document for each action"))
        if not isinstance(title, str) or len(title) > MAX_TITLE:
            raise SdkError(at(f"ctx.print: the title is a text of at most {MAX_TITLE} characters"))
        if isinstance(content, str):
            self._effects["print"] = {"title": title, "text": content}
        elif isinstance(content, Part):
            self._effects["print"] = {"title": title, "tree": tree.assemble(content, None)}
        else:
            raise SdkError(at("ctx.print takes a text, or a component made with ui"))

    def raise_intent(self, name: str, **args: Any) -> Raised:
        """Ask the shell, or another panel about the same patient, for something that panel.toml says this one raises:
        ``ctx.raise_intent("record vital-signs")``. See `Raised` for how to get at what comes of it."""
        self._writing("raise_intent")
        asked = self._run.asked(name, args)
        self._raised.append(asked)
        return Raised(asked)

    def later(self) -> Later:
        """What a handler returns when the user must do something first: ``return ctx.later()``. An action then finishes
        it."""
        self._check()
        return LATER

    def finish(self, name: str, result: Any = None) -> None:
        """Others asked for `name`, and it is done: they get `result` once all is committed, with saved references in
        the place of what ``ctx.create`` gave."""
        self._writing("finish")
        self._effects["answers"] += [{"id": one.id, "result": result} for one in self._run.taken if one.name == name]

    def decline(self, name: str, reason: str) -> None:
        """Others asked for `name`, and it will not be done; `reason` is for the user."""
        self._writing("decline")
        told = {"handled": False, "reason": _sentence("decline", reason, "neutral")}
        self._effects["answers"] += [{"id": one.id, **told} for one in self._run.taken if one.name == name]

    # --- guards ---------------------------------------------------------------------------------------------

    def _check(self) -> None:
        if not self._alive:
            run = f"{self._run.label}, which is over"
            raise StaleContext(
                at(f"this ctx is from {run}: take what you need from it while it runs, and let go of it")
            )
        if get_ident() != self._thread:
            mine = "ctx belongs to the thread that runs the view"
            raise StaleContext(at(f"{mine}: read what you need of it before you start another thread"))

    def _writing(self, what: str) -> None:
        self._check()
        if not self._writable:
            text = f"ctx.{what} in {self._run.label}: it only describes; do this in a function marked @panel.action"
            raise WriteInView(at(text))

    def _info(self) -> dict[str, Any]:
        self._check()
        return self._run.info

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("_"):
            self._refuse(name)
        object.__setattr__(self, name, value)

    def _refuse(self, name: str) -> NoReturn:
        raise WriteInView(at(f"ctx.{name} cannot be set: ctx is a snapshot (use ctx.set(...) for local state)"))

    def _end(self) -> None:
        """The run is over."""
        self._alive = False


class Run:
    """What a `Ctx` may know of its instance: made anew for each run, so that it cannot reach the session. `label` says
    which run it is, for messages."""

    def __init__(self, label: str, instance: Instance) -> None:
        self.label = label
        self.info, self.values, self.settings = instance.info, instance.values, instance.settings
        self.locale = instance.locale
        self.outcomes, self.taken = dict(instance.outcomes), list(instance.taken.values())
        self.asked: Callable[[str, dict[str, Any]], Asked] = instance.asked
        self.blob: Callable[[str, bytes], str] = instance.blob
        self._texts, self._monotonic = instance.panel.texts, instance.monotonic
        self._started, self._find = instance.started, instance.find

    def text(self, key: str, args: dict[str, Any]) -> str:
        return self._texts.get(key, self.locale, args)

    def store(self, text: str) -> Store:
        return self._find(text)

    def moment(self) -> datetime:
        from datetime import UTC, timedelta

        from workspace.sdk.record import local

        passed = timedelta(seconds=self._monotonic() - self._started)
        return local(parse(self.info["now"]).astimezone(UTC) + passed)


def _sentence(what: str, text: str, tone: str) -> str:
    if tone not in ("ok", "warn", "bad", "neutral"):
        raise SdkError(at(f"ctx.{what}: tone is ok, warn, bad or neutral; not {tone!r}"))
    if not isinstance(text, str) or len(text) > MAX_SENTENCE:
        raise SdkError(at(f"ctx.{what} takes one sentence of at most {MAX_SENTENCE} characters"))
    return text


def uuid_urn() -> str:
    """A random UUID (RFC 9562, version 4) as ``urn:uuid:``, without the price of importing `uuid`."""
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    text = raw.hex()
    return f"urn:uuid:{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
