"""A host in miniature, for vendors' tests: opens a panel's view over a record of your choice, types, clicks, lets time
pass, and keeps the tree as the shell would. No process, no shell, no platform.

    bench = Bench(panel)
    bench.open("vitals", record=[observation, flag])
    bench.type(pulse=112)
    bench.click("Lagre")
    assert bench.record.search("Observation?code=8867-4", {bench.patient})

It holds the panel to the rules of the real host, as they follow from the ``panel.toml`` beside it: scope, patient,
limits, declared intents. What the shell would not draw is `RuleBroken`; what the host would refuse is `Refused`."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from workspace.sdk import errors, fakes, query, wire
from workspace.sdk.drawn import Drawn
from workspace.sdk.fakes import FakeRecord, Manifest, RuleBroken
from workspace.sdk.panel import Panel
from workspace.sdk.session import Session

__all__ = ["NOW", "USER", "Bench", "FakeRecord", "Refused", "RuleBroken", "Waiting"]

Message = dict[str, Any]

NOW = "2026-01-14T15:04:00+01:00"
USER = {"reference": "Practitioner/tone", "display": "Tone Nilsen", "role": "sykepleier"}


class Refused(Exception):
    """The panel answered with an error, or the host refuses its effects; `error` is the JSON-RPC error."""

    def __init__(self, error: Message) -> None:
        super().__init__(str(error.get("message")))
        self.error = error


class Waiting:
    """An intent that the panel has taken and not finished: `result` is there when an action has finished it."""

    def __init__(self) -> None:
        self.done = False
        self.handled = False
        self.result: Any = None
        self.reason = ""


class Bench(Drawn):
    """One panel, one open view. `sent` holds every message the panel has sent, `tree` the drawn tree, `effects` what
    each action answered, `raised` the intents (name, arguments), `printed` the documents, `notices` the sentences told
    outside effects, `blobs` type and bytes by handle, `record` the platform's resources."""

    def __init__(self, panel: Panel, *, locale: str = "nb") -> None:
        super().__init__()
        self.sent: list[Message] = []
        self.values: Message = {}
        self.typed = 0
        self.queries: dict[int, str] = {}  # watches asked for and given, by handle
        self.record: FakeRecord | None = None
        self.effects: list[Message] = []
        self.raised: list[tuple[str, Message]] = []
        self.printed: list[Message] = []
        self.notices: list[tuple[str, str]] = []
        self.blobs: dict[str, tuple[str, bytes]] = {}
        self.instance, self.token, self.patient = "i1", "t1", ""
        self.manifest = Manifest(panel.texts.folder)
        self._others: dict[str, Callable[..., Any]] = {}
        self._taken: dict[str, Waiting] = {}
        self._shown: dict[int, list[Message]] = {}  # what the panel was last given, by watch
        self._bound: set[int] = set()
        self._partial: dict[str, bytes] = {}
        self._patients: set[str] = set()
        self._seconds = 1_000.0
        self._locale = locale
        self._settings: Message = {}
        self._session = Session(panel, self._receive, lambda: self._seconds)
        self._next = 100
        self._handle = 0
        self._answers: dict[int, Message] = {}
        self.request("initialize", protocol=1, locale=locale, scopes=self.manifest.scopes)

    # --- the wire -------------------------------------------------------------------------------------------

    def _receive(self, line: str) -> None:
        if len(line.encode()) >= fakes.MAX_LINE:
            raise RuleBroken(f"a line of {len(line.encode())} bytes; the limit is {fakes.MAX_LINE}")
        message = wire.loads(line)
        self.sent.append(message)
        method, params = message.get("method"), message.get("params", {})
        if method is None:
            if message.get("id") is not None:
                self._answers[message["id"]] = message
        elif method == "render":
            if len(line.encode()) > fakes.MAX_RENDER:
                raise RuleBroken(f"a render of {len(line.encode())} bytes; the limit is {fakes.MAX_RENDER}")
            self.draw(params)
        elif method == "notify":
            self.notices.append((params["text"], params.get("tone", "neutral")))
        elif method == "unwatch":
            self.queries.pop(params["watch"], None)

    def send(self, *messages: Message | str) -> None:
        """One batch: dicts as they are, or raw lines. What the panel asks in return is answered, as far as it can
        be."""
        for message in messages:
            self._session.handle(message if isinstance(message, str) else wire.dumps(message))
        self._session.settle()
        while batch := self._replies():
            for message in batch:
                self._session.handle(wire.dumps(message))
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

    def _replies(self) -> list[Message]:
        """The answers to what the panel has asked since, so far as this bench has them by itself."""
        batch: list[Message] = []
        for one in self.sent:
            if one.get("id") is None or "method" not in one or one.get("seen"):
                continue
            try:
                answers = self._reply(one["method"], one["params"])
            except errors.WireError as error:
                body = {"code": error.code, "message": error.message, "data": {"name": error.name}}
                answers = [{"error": body}]
            if answers is not None:
                one["seen"] = True
                first, *rest = answers
                batch += [{"jsonrpc": "2.0", "id": one["id"], **first}, *rest]
        return batch

    def _reply(self, method: str, params: Message) -> list[Message] | None:
        """The answer and what follows it; None when the test must answer. Raises the host's refusals."""
        if method == "raise":
            return [{"result": self._raise(params["name"], params.get("args") or {})}]
        if method == "blob":
            return [{"result": {"received": self._blob(params)}}]
        if method == "watch" and self.record is not None:
            return self._watch(params)
        if method == "read" and self.record is not None:
            return [{"result": self._read(params["reference"])}]
        return None

    # --- the life of a view ---------------------------------------------------------------------------------

    def open(
        self,
        view: str,
        results: Mapping[str, Sequence[Message] | Message] | None = None,
        *,
        record: Sequence[Message] | None = None,
        kind: str = "patient",
        patient: str = "Patient/BEB-18",
        unit: str = "Organization/havblikk",
        patients: Sequence[str] = (),
        user: Mapping[str, str] | None = None,
        now: str = NOW,
        values: Mapping[str, Any] | None = None,
        settings: Mapping[str, Any] | None = None,
    ) -> Message:
        """Opens `view` over the resources of `record`, searched as the platform would; or with `results`, prefetched:
        rows by query, or a whole result with ``included`` and ``error``. Without `record` the test answers the other
        queries."""
        context: Message = {"token": self.token, "kind": kind, "now": now, "user": dict(user or USER)}
        context.update({"patient": patient} if kind == "patient" else {})
        context.update({"unit": unit, "patients": list(patients)} if kind == "unit" else {})
        self.patient = patient if kind == "patient" else ""
        self._patients = {patient} if kind == "patient" else set(patients)
        self.values = dict(values or {})
        self._settings = {**self.manifest.settings, **(settings or {})}
        given = dict(results or {})
        if record is not None:
            self.record = FakeRecord([dict(one) for one in record])
            for text in self.manifest.prefetch(view):
                given.setdefault(text, self.record.search(text, self._patients))
        bound = self.manifest.bound(view) if record is not None else set()
        self.request(
            "open",
            instance=self.instance,
            view=view,
            context=context,
            settings=self._settings,
            state={"values": self.values, "revision": 0},
            results=[self._result(text, rows, text in bound) for text, rows in given.items()],
        )
        return self.tree

    def advance(self, seconds: float) -> None:
        """Let time pass: views that show the time run again."""
        self._seconds += seconds
        self.send()

    def language(self, locale: str) -> None:
        """The user switches the language while the panel runs."""
        self._locale = locale
        self.notify("settings/changed", **self._about(settings=self._settings, locale=locale))

    def settings(self, **settings: Any) -> None:
        """An administrator changes settings while the panel runs."""
        self._settings.update(settings)
        self.notify("settings/changed", **self._about(settings=self._settings, locale=self._locale))

    def put(self, *resources: Message) -> None:
        """Something happens on the platform: every query it concerns changes."""
        if self.record is None:
            raise LookupError("open the view with record=[…] first")
        for one in resources:
            self.record.put(one)
        self._moved()

    # --- queries --------------------------------------------------------------------------------------------

    def _result(self, text: str, rows: Sequence[Message] | Message, bound: bool = False) -> Message:
        self._handle += 1
        self.queries[self._handle] = text
        held = dict(rows) if isinstance(rows, dict) else {"resources": list(rows)}
        self._shown[self._handle] = list(held.get("resources") or [])
        if bound:
            return {"query": text, "watch": self._handle, "bound": True}
        return {"query": text, "watch": self._handle, **held}

    def _allowed(self, kind: str, letter: str) -> None:
        if not self.manifest.permits(kind, letter):
            raise errors.ScopeDenied(f"Panelet har ikke lov til å lese {kind}.")

    def _watch(self, params: Message) -> list[Message]:
        assert self.record is not None
        text = params["query"]
        self._allowed(text.partition("?")[0], "s")
        named = {value for name, value in query.pairs(text) if name in ("patient", "subject")}
        if not {one if "/" in one else f"Patient/{one}" for one in named} <= self._patients:
            raise errors.WrongPatient("Panelet spurte om en annen beboer enn den som er åpen.")
        if len(self.queries) >= fakes.MAX_WATCHES:
            raise errors.TooMany(f"more than {fakes.MAX_WATCHES} watches in one instance")
        result = self._result(text, self.record.search(text, self._patients))
        answers: list[Message] = [{"result": {"watch": result["watch"]}}]
        if params.get("bound"):
            self._bound.add(result["watch"])
        else:
            data = self._about(watch=result["watch"], whole=result)
            answers.append({"jsonrpc": "2.0", "method": "data", "params": data})
        return answers

    def _read(self, reference: str) -> Message:
        assert self.record is not None
        self._allowed(reference.partition("/")[0], "r")
        found = self.record.resources.get(reference)
        if found is None or not fakes.about(found) <= self._patients:
            raise errors.WrongPatient("Opplysningen gjelder en annen beboer enn den som er åpen.")
        return found

    def _moved(self) -> None:
        """Tell the panel what changed in what it watches: ids gone, then rows at their final places."""
        batch: list[Message | str] = []
        for handle, text in list(self.queries.items()):
            before, after = self._shown[handle], self.record.search(text, self._patients) if self.record else []
            if before == after:
                continue
            self._shown[handle] = after
            names = [f"{one['resourceType']}/{one['id']}" for one in after]
            was = {f"{one['resourceType']}/{one['id']}": one for one in before}
            kept = [name for name in was if name in names]
            same_order = [name for name in names if name in was] == kept
            gone = [name for name in was if name not in names]
            put = [[at, one] for at, one in enumerate(after) if was.get(names[at]) != one]
            change: Message = {"gone": gone, "put": put}
            if not same_order:
                change = {"whole": {"query": text, "watch": handle, "resources": after}}
            if handle not in self._bound:
                params = self._about(watch=handle, **change)
                batch.append({"jsonrpc": "2.0", "method": "data", "params": params})
        if batch:
            self.send(*batch)

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

    # --- the user -------------------------------------------------------------------------------------------

    def type(self, **values: Any) -> None:
        """What the user types, as the shell tells it."""
        self.values.update(values)
        self.typed += 1
        self.notify("state/changed", **self._about(values=values, revision=self.typed))

    def act(self, name: str, /, **args: Any) -> Message:
        """Runs an action; gives its effects. They are checked, saved in `record` if there is one, and applied to state,
        as the host would. Raises Refused, and nothing has then happened."""
        state = {"values": self.values, "revision": self.typed}
        action = {"name": name, "args": args}
        effects: Message = self.request("event", **self._about(action=action, state=state))
        try:
            if len(json.dumps(effects.get("state", {})).encode()) > fakes.MAX_STATE:
                raise errors.TooLarge(f"state of more than {fakes.MAX_STATE >> 10} KiB")
            fakes.check_writes(effects, self._patients, self.manifest)
        except errors.WireError as error:
            raise Refused({"code": error.code, "message": error.message, "data": {"name": error.name}}) from error
        self.effects.append(effects)
        self._commit(effects)
        return effects

    def _commit(self, effects: Message) -> None:
        saved: dict[str, str] = {}
        for entry in effects.get("writes", []):
            if self.record is not None:
                resource = _named(entry["resource"], saved)
                saved[entry.get("full_url", "")] = self.record.put(resource)
        changed = {**dict.fromkeys(effects.get("clear", [])), **effects.get("state", {})}
        if changed:
            self.type(**changed)
        if saved:
            self._moved()
        if effects.get("print"):
            self.printed.append(effects["print"])
        for answer in effects.get("answers", []):
            waiting = self._taken.pop(answer["id"], None)
            if waiting is not None:
                waiting.done, waiting.handled = True, answer.get("handled", True)
                waiting.result, waiting.reason = _named(answer.get("result"), saved), answer.get("reason", "")
                self.notify("cancel", id=answer["id"])
        for one in effects.get("raise", []):
            result = self._raise(one["name"], one.get("args") or {})
            if one.get("id"):
                self.notify("answer", **self._about(id=one["id"], name=one["name"], result=result))

    def click(self, text: str) -> Message:
        """Clicks the button, or activates the row, that says `text`."""
        for one in self.nodes():
            props = one.get("props", {})
            if one["type"] == "button" and text in (props["text"], props.get("label")):
                if props.get("disabled"):
                    raise AssertionError(f"{text!r} is disabled: {props['disabled']}")
                return self._run(props["action"])
            for row in props.get("rows", []) if one["type"] == "table" else []:
                words: list[str] = []
                fakes.gather({"cells": row.get("cells", {}), "label": row.get("label", "")}, words)
                if text in words and row.get("action"):
                    return self._run(row["action"])
        said = [one["props"]["text"] for one in self.all("button")]
        raise LookupError(f"no button says {text!r}, and no row that can be activated: {said}")

    def _run(self, action: Message) -> Message:
        return self.act(action["name"], **action.get("args", {}))

    # --- other panels ---------------------------------------------------------------------------------------

    def other(self, name: str, answer: Callable[..., Any]) -> None:
        """Another panel is there that handles the intent `name`: ``answer(**args)`` gives its result."""
        self._others[name] = answer

    def ask(self, name: str, source: str = "Et annet panel", /, **args: Any) -> Any:
        """Another panel asks this one. Gives the result, or a `Waiting` when the user must do something first."""
        if self.manifest.found and name not in self.manifest.handles:
            raise RuleBroken(f"panel.toml does not say that this panel handles {name!r}")
        number = f"{self.instance}/{len(self.sent)}"
        params = self._about(id=number, name=name, args=args, source=source)
        answer = self.request("intent", **params)
        if not answer.get("later"):
            if fakes.strangers(answer.get("result"), self._patients):
                raise RuleBroken(f"the result of {name!r} is about another patient than the context's")
            return answer.get("result")
        self._taken[number] = Waiting()
        return self._taken[number]

    def _raise(self, name: str, args: Message) -> Message:
        if self.manifest.found and name not in self.manifest.raises:
            raise RuleBroken(f"panel.toml does not say that this panel raises {name!r}")
        self.raised.append((name, args))
        if name == "open Patient":
            return {"handled": True}
        if fakes.strangers(args, self._patients):
            raise RuleBroken(f"{name!r} was asked for another patient than the context's")
        if name not in self._others:
            return {"handled": False, "reason": f"Ingen andre paneler her tar imot «{name}»."}
        return {"handled": True, "result": self._others[name](**args)}

    def _blob(self, params: Message) -> int:
        if not params["total"]:
            self.blobs.pop(params["handle"], None)
            return 0
        data = self._partial.pop(params["handle"], b"") if params["offset"] else b""
        data += b64decode(params["data"])
        if len(data) == params["total"]:
            self.blobs[params["handle"]] = (params["mime"], data)
        else:
            self._partial[params["handle"]] = data
        return len(data)

    def _about(self, **params: Any) -> Message:
        return {"instance": self.instance, "context": self.token, **params}


def _named(value: Any, saved: Mapping[str, str]) -> Any:
    """A JSON value with saved references in place of the transaction's own ``urn:uuid:``."""
    if isinstance(value, str):
        return saved.get(value, value) if value else value
    if isinstance(value, list):
        return [_named(one, saved) for one in value]
    if isinstance(value, dict):
        return {name: _named(one, saved) for name, one in value.items()}
    return value
