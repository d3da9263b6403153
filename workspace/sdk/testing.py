"""A host in miniature, for vendors' tests: opens a panel's view with results of your choice, types, clicks, and keeps
the tree as the shell would. No process, no shell, no platform.

    bench = Bench(panel)
    bench.open("vitals", {"Observation?category=vital-signs&_sort=-date": observations})
    bench.type(pulse=112)
    effects = bench.click("Lagre")
"""

from __future__ import annotations

import json

from workspace.sdk import query
from workspace.sdk.session import Session

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from workspace.sdk.panel import Panel

    Message = dict[str, Any]

NOW = "2026-01-14T15:04:00+01:00"
USER = {"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}


class Refused(Exception):
    """The panel answered with an error; `error` is the JSON-RPC error."""

    def __init__(self, error: Message) -> None:
        super().__init__(str(error.get("message")))
        self.error = error


class Bench:
    """One panel, one open view. `sent` holds every message the panel has sent; `tree` the drawn tree."""

    def __init__(self, panel: Panel) -> None:
        self.sent: list[Message] = []
        self.tree: Message = {}
        self.revision = 0  # of the tree
        self.values: Message = {}
        self.typed = 0
        self.queries: dict[int, str] = {}  # watches asked for and given, by handle
        self._session = Session(panel, self._receive)
        self._next = 100
        self._handle = 0
        self._answers: dict[int, Message] = {}
        self.instance, self.token = "i1", "t1"
        self.request("initialize", protocol=1, locale="nb", scopes=[])

    # --- the wire -------------------------------------------------------------------------------------------

    def _receive(self, line: str) -> None:
        message = json.loads(line)
        self.sent.append(message)
        if "method" not in message:
            if message.get("id") is not None:
                self._answers[message["id"]] = message
        elif message["method"] == "render":
            self._draw(message["params"])

    def send(self, *messages: Message | str) -> None:
        """One batch: dicts as they are, or raw lines."""
        for message in messages:
            self._session.handle(message if isinstance(message, str) else json.dumps(message))
        self._session.settle()

    def notify(self, method: str, **params: Any) -> None:
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def request(self, method: str, **params: Any) -> Any:
        """The answer, or `Refused`. LookupError when the panel has not answered yet."""
        self._next += 1
        self.send({"jsonrpc": "2.0", "id": self._next, "method": method, "params": params})
        answer = self._answers.pop(self._next)
        if "error" in answer:
            raise Refused(answer["error"])
        return answer.get("result")

    # --- the life of a view ---------------------------------------------------------------------------------

    def open(
        self,
        view: str,
        results: Mapping[str, Sequence[Message] | Message] | None = None,
        *,
        kind: str = "patient",
        patient: str = "Patient/BEB-18",
        unit: str = "Organization/havblikk",
        patients: Sequence[str] = (),
        user: Mapping[str, str] | None = None,
        now: str = NOW,
        values: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Message:
        """Opens `view`; `results` are prefetched: rows by query, or a whole result with ``included`` and ``error``."""
        context: Message = {"token": self.token, "kind": kind, "now": now, "user": dict(user or USER)}
        context.update({"patient": patient} if kind == "patient" else {})
        context.update({"unit": unit, "patients": list(patients)} if kind == "unit" else {})
        self.values = dict(values or {})
        self.request(
            "open",
            instance=self.instance,
            view=view,
            context=context,
            settings=dict(settings or {}),
            state={"values": self.values, "revision": 0},
            results=[self._result(text, rows) for text, rows in (results or {}).items()],
        )
        return self.tree

    def _result(self, text: str, rows: Sequence[Message] | Message) -> Message:
        self._handle += 1
        self.queries[self._handle] = text
        held = dict(rows) if isinstance(rows, dict) else {"resources": list(rows)}
        return {"query": text, "watch": self._handle, **held}

    def asked(self, method: str = "watch") -> list[Message]:
        """Requests of the panel that have not been answered by this bench."""
        return [one for one in self.sent if one.get("method") == method and not one.get("seen")]

    def answer(self, results: Mapping[str, Sequence[Message] | Message], data: bool = True) -> None:
        """Answers every open `watch` that `results` has rows for."""
        known = {query.canonical(text): rows for text, rows in results.items()}
        batch: list[Message | str] = []
        for one in self.asked():
            rows = known.get(query.canonical(one["params"]["query"]))
            if rows is None:
                continue
            one["seen"] = True
            result = self._result(one["params"]["query"], rows)
            batch.append({"jsonrpc": "2.0", "id": one["id"], "result": {"watch": result["watch"]}})
            if data and not one["params"].get("bound"):
                params = {"watch": result["watch"], "whole": result}
                batch.append({"jsonrpc": "2.0", "method": "data", "params": self._about(**params)})
        self.send(*batch)

    def data(self, text: str, **change: Any) -> None:
        """A change of the query `text`: ``whole=[…]``, or ``gone=``, ``put=``, ``error=``."""
        handle = next(h for h, known in self.queries.items() if query.canonical(known) == query.canonical(text))
        if isinstance(change.get("whole"), list):
            change["whole"] = {"query": text, "resources": change["whole"]}
        self.notify("data", **self._about(watch=handle, **change))

    def type(self, **values: Any) -> None:
        """What the user types, as the shell tells it."""
        self.values.update(values)
        self.typed += 1
        self.notify("state/changed", **self._about(values=values, revision=self.typed))

    def act(self, name: str, /, **args: Any) -> Message:
        """Runs an action; gives its effects. They are applied to state as the shell would."""
        state = {"values": self.values, "revision": self.typed}
        action = {"name": name, "args": args}
        effects: Message = self.request("event", **self._about(action=action, state=state))
        changed = {**effects.get("state", {}), **dict.fromkeys(effects.get("clear", []))}
        if changed:
            self.type(**changed)
        return effects

    def click(self, text: str) -> Message:
        """Clicks the button that says `text`."""
        for one in self.all("button"):
            if one["props"]["text"] == text:
                if one["props"].get("disabled"):
                    raise AssertionError(f"{text!r} is disabled: {one['props']['disabled']}")
                action = one["props"]["action"]
                return self.act(action["name"], **action.get("args", {}))
        raise LookupError(f"no button says {text!r}: {[one['props']['text'] for one in self.all('button')]}")

    def _about(self, **params: Any) -> Message:
        return {"instance": self.instance, "context": self.token, **params}

    # --- the tree -------------------------------------------------------------------------------------------

    def nodes(self) -> Iterator[Message]:
        """Every node, in reading order."""
        stack = [self.tree] if self.tree else []
        while stack:
            one = stack.pop()
            yield one
            stack.extend(reversed(one.get("children", [])))

    def all(self, kind: str) -> list[Message]:
        return [one for one in self.nodes() if one["type"] == kind]

    def one(self, kind: str) -> Message:
        """Props of the only (or first) component of its kind."""
        found = self.all(kind)
        if not found:
            raise LookupError(f"no {kind} in {[one['type'] for one in self.nodes()]}")
        props: Message = found[0].get("props", {})
        return props

    def texts(self) -> str:
        """All that can be read, a line each."""
        found: list[str] = []
        _gather([one.get("props", {}) for one in self.nodes()], found)
        return "\n".join(found)

    def rows(self, at: int = 0) -> list[Message]:
        """The rows of table number `at`."""
        rows: list[Message] = self.all("table")[at]["props"].get("rows", [])
        return rows

    def _draw(self, params: Message) -> None:
        if params.get("tree") is not None:
            self.tree = params["tree"]
        else:
            if params["base"] != self.revision:
                raise AssertionError(f"a patch on {params['base']}, but {self.revision} is drawn")
            for operation in params["patch"]:
                self._apply(operation)
        self.revision = params["revision"]

    def _apply(self, op: Message) -> None:
        nodes = {one["id"]: one for one in self.nodes()}
        if op["op"] == "gone":
            for one in nodes.values():
                one["children"] = [child for child in one.get("children", []) if child["id"] != op["id"]]
        elif op["op"] == "add":
            nodes[op["parent"]].setdefault("children", []).insert(op["index"], op["node"])
        elif op["op"] == "children":
            by_id = {child["id"]: child for child in nodes[op["id"]]["children"]}
            nodes[op["id"]]["children"] = [by_id[name] for name in op["children"]]
        elif op["op"] == "props":
            props = nodes[op["id"]].setdefault("props", {})
            props.update(op.get("props", {}))
            for name in op.get("unset", []):
                props.pop(name, None)
        else:
            rows = nodes[op["id"]]["props"]["rows"]
            drop = set(op.get("gone", [])) | {row["key"] for _, row in op.get("put", [])}
            rows[:] = [row for row in rows if row["key"] not in drop]
            for index, row in op.get("put", []):
                rows.insert(index, row)


_READ = (
    "text",
    "title",
    "label",
    "secondary",
    "source",
    "hint",
    "error",
    "empty",
    "empty_hint",
    "placeholder",
    "disabled",
)


def _gather(held: Any, found: list[str]) -> None:
    if isinstance(held, dict):
        found += [held[name] for name in _READ if isinstance(held.get(name), str) and held[name]]
        for name, inner in held.items():
            if name == "cells":
                found += [one for one in inner.values() if isinstance(one, str)]
            if name == "cells" and isinstance(inner, dict):
                _gather(list(inner.values()), found)
            elif isinstance(inner, dict | list):
                _gather(inner, found)
    elif isinstance(held, list):
        for inner in held:
            if isinstance(inner, dict | list):
                _gather(inner, found)
