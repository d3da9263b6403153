"""The panel's side of the protocol: one line in, lines out. Order is kept; nothing here waits, and nothing here is a
pipe, so the same code runs in a process and in a test.

After each batch of lines call `settle()`: suspended actions are tried again, each changed view runs once, and all
requests leave together.
"""

from __future__ import annotations

import sys
import time

from workspace.sdk import errors, tree
from workspace.sdk.errors import Suspended, WireError
from workspace.sdk.instance import Instance
from workspace.sdk.intents import Outcome
from workspace.sdk.wire import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from workspace.sdk.panel import Panel

    Message = dict[str, Any]

PROTOCOL = 1
"""The newest version this SDK speaks, and `OLDEST` the oldest."""
OLDEST = 1


class Session:
    """`send` takes one line (no newline) for the host; `monotonic` gives the seconds that pass."""

    def __init__(
        self, panel: Panel, send: Callable[[str], None], monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.panel = panel
        self._monotonic = monotonic
        self._send_line = send
        self._instances: dict[str, Instance] = {}
        self._waiting: list[tuple[str, Any, str, Message]] = []  # instance, id, method, params: events and asks
        self._answers: dict[int, tuple[Instance, str, Any]] = {}  # whose, method, what it is for
        self._next = 0
        self._locale = "nb"
        self.done = False

    # --- lines ----------------------------------------------------------------------------------------------

    def handle(self, line: str) -> None:
        """One line from the host. Never raises for what the host sent."""
        if not line.strip():
            return
        try:
            message = loads(line)
        except (ValueError, RecursionError):
            self._refuse(None, errors.ParseError("the line is not JSON"))
            return
        if not isinstance(message, dict):
            self._refuse(None, errors.InvalidRequest("a message is an object"))
            return
        number, method, params = message.get("id"), message.get("method"), message.get("params", {})
        if number is not None and not isinstance(number, int | str):
            self._refuse(None, errors.InvalidRequest("an id is a number or a string"))
            return
        if method is None:
            self._answered(number, message)
            return
        try:
            if not isinstance(method, str) or not isinstance(params, dict):
                raise errors.InvalidRequest("method is a string and params an object")
            answer = self._dispatch(number, method, params)
        except WireError as error:
            self._refuse(number, error)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            self._report(method)
            self._refuse(number, errors.InvalidParams(f"{method}: {type(error).__name__} {error}"))
        else:
            if answer is not _LATER and number is not None:
                self._answer(number, answer)

    def settle(self) -> None:
        """The batch is over: actions that were waiting, then views, then requests."""
        self._try_waiting()
        for one in list(self._instances.values()):
            one.tick()
            owes = any(entry[0] == one.id for entry in self._waiting)
            if owes:
                self._request(one, keep=True)
            if one.dirty and one.visible:
                self._render(one)
                self._request(one, keep=owes or not one.finished)
            self._send_blobs(one)

    def next_wake(self) -> float | None:
        """Seconds until a view that shows the time runs again; None when no one asks."""
        times = [one.next_minute for one in self._instances.values() if one.next_minute is not None and one.visible]
        return max(0.0, min(times) - self._monotonic()) if times else None

    # --- host → panel ---------------------------------------------------------------------------------------

    def _dispatch(self, number: Any, method: str, params: Message) -> Any:
        handler = getattr(self, "_on_" + method.replace("/", "_"), None)
        if handler is None:
            if number is None:
                return _LATER  # an unknown notification is from a newer host: not ours to mind
            raise errors.MethodNotFound(f"unknown method {method}")
        if method in ("event", "ask", "intent"):
            return handler(number, params)
        return handler(params)

    def _on_initialize(self, params: Message) -> Message:
        self._locale = params.get("locale") or "nb"
        newest = int(params.get("protocol") or 1)
        oldest = int(params.get("oldest") or 1)
        if newest < OLDEST or oldest > PROTOCOL:
            ours = f"protocol {OLDEST}" if OLDEST == PROTOCOL else f"protocols {OLDEST} to {PROTOCOL}"
            raise errors.UnsupportedProtocol(f"this panel's SDK speaks {ours}; the host speaks {oldest} to {newest}")
        return {
            "name": self.panel.name,
            "version": self.panel.version,
            "views": list(self.panel.views),
            "protocol": min(newest, PROTOCOL),
        }

    def _on_open(self, params: Message) -> None:
        if params["view"] not in self.panel.views:
            raise errors.InvalidParams(f"the panel has no view {params['view']!r}")
        if params["instance"] in self._instances:
            raise errors.InvalidParams("the instance is open already")
        made = Instance(self.panel, params, self._locale, self._report, self._monotonic)
        self._instances[made.id] = made

    def _on_close(self, params: Message) -> None:
        one = self._find(params)
        del self._instances[one.id]
        for _, number, _, _ in [entry for entry in self._waiting if entry[0] == one.id]:
            self._refuse(number, errors.ContextChanged("Personen er byttet."))
        self._waiting = [entry for entry in self._waiting if entry[0] != one.id]
        self._answers = {key: entry for key, entry in self._answers.items() if entry[0] is not one}

    def _on_data(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.data(params)

    def _on_event(self, number: Any, params: Message) -> Any:
        one = self._find(params)
        state = params.get("state") or {}
        one.changed(state.get("values") or {}, int(state.get("revision") or 0))
        return self._in_turn(one, number, "event", params)

    def _on_ask(self, number: Any, params: Message) -> Any:
        return self._in_turn(self._find(params), number, "ask", params)

    def _on_intent(self, number: Any, params: Message) -> Any:
        return self._in_turn(self._find(params), number, "intent", params)

    def _on_state_changed(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.changed(params.get("values") or {}, int(params.get("revision") or 0))

    def _on_settings_changed(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.settings = params.get("settings") or {}
            one.locale = self._locale = params.get("locale") or one.locale
            one.dirty = True

    def _on_resync(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.whole = one.dirty = True

    def _on_visible(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.visible = True

    def _on_hidden(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.visible = False

    def _on_cancel(self, params: Message) -> Any:
        number = params["id"]
        for entry in [entry for entry in self._waiting if entry[1] == number]:
            self._waiting.remove(entry)
            self._refuse(number, errors.Cancelled("Avbrutt."))
            for asked in self._instances[entry[0]].abandon():
                self._notify("cancel", {"id": asked})
        if isinstance(number, str):
            for one in self._instances.values():
                one.settled(number)
        return _LATER

    def _on_answer(self, params: Message) -> None:
        one = self._known(params)
        if one is not None:
            one.answered(str(params["name"]), params.get("result"))

    def _on_ping(self, params: Message) -> None:
        return None

    def _on_shutdown(self, params: Message) -> None:
        self.done = True

    # --- turns ----------------------------------------------------------------------------------------------

    def _in_turn(self, one: Instance, number: Any, method: str, params: Message) -> Any:
        """Answer now, or after what the instance already owes."""
        if any(entry[0] == one.id for entry in self._waiting):
            self._waiting.append((one.id, number, method, params))
            return _LATER
        try:
            return self._do(one, method, params)
        except Suspended:
            self._waiting.append((one.id, number, method, params))
            if number is not None:
                self._notify("ack", {"id": number})  # it has come, and will take a while
            return _LATER

    def _do(self, one: Instance, method: str, params: Message) -> Any:
        if method == "ask":
            return {}
        if method == "intent":
            return one.take(params)
        action = params["action"]
        return one.act(action["name"], action.get("args") or {})

    def _try_waiting(self) -> None:
        stuck: set[str] = set()
        for entry in list(self._waiting):
            name, number, method, params = entry
            if name in stuck:
                continue
            try:
                answer = self._do(self._instances[name], method, params)
            except Suspended:
                stuck.add(name)
                continue
            except WireError as error:
                self._refuse(number, error)
            else:
                self._answer(number, answer)
            self._waiting.remove(entry)

    # --- panel → host ---------------------------------------------------------------------------------------

    def _render(self, one: Instance) -> None:
        params = one.render()
        if params is None:
            return
        try:
            lines = self._lines(one, params)
        except (TypeError, ValueError, RecursionError):
            self._report(f"view {one.view}")
            lines = []
        if not lines:
            instead = one.too_large()
            lines = [dumps({"jsonrpc": "2.0", "method": "render", "params": instead})]
        for line in lines:
            self._send_line(line)

    def _lines(self, one: Instance, params: Message) -> list[str]:
        """The render as it goes out: one line, several when its tables are long, none when it cannot be sent at all."""
        line = dumps({"jsonrpc": "2.0", "method": "render", "params": params})
        if _fits(line):
            return [line]
        parts = tree.slices(params, lambda value: len(dumps(value).encode()))
        lines = [dumps({"jsonrpc": "2.0", "method": "render", "params": part}) for part in parts]
        if not all(_fits(line) for line in lines):
            sys.stderr.write(f"view {one.view}: a render is at most {tree.MAX_RENDER} bytes\n")
            return []
        one.drawn += len(lines) - 1
        return lines

    def _request(self, one: Instance, keep: bool) -> None:
        for method, store, params in one.requests(keep):
            if method in ("unwatch", "cancel"):
                self._notify(method, params)
            else:
                store.number = self._ask(one, method, store, params)
        about = {"instance": one.id, "context": one.token}
        for asked in one.raises():
            asked.number = self._ask(one, "raise", asked, {**about, "name": asked.name, "args": asked.args})

    def _send_blobs(self, one: Instance) -> None:
        for blob, params in one.blob_parts():
            if params["total"]:
                self._ask(one, "blob", blob, params)
            else:
                self._notify("blob", params)

    def _ask(self, one: Instance, method: str, owner: Any, params: Message) -> int:
        self._next += 1
        self._answers[self._next] = (one, method, owner)
        self._send_line(dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": self._next}))
        return self._next

    def _notify(self, method: str, params: Message) -> None:
        self._send_line(dumps({"jsonrpc": "2.0", "method": method, "params": params}))

    def _answered(self, number: Any, message: Message) -> None:
        found = self._answers.pop(number, None) if isinstance(number, int) else None
        if found is None:
            return
        one, method, owner = found
        result = message.get("result")
        error = errors.received(message["error"]) if message.get("error") is not None else None
        if method == "raise":
            owner.outcome = Outcome.read(result) if error is None else Outcome(False, None, error.message)
        elif method == "blob":
            self._blob_came(one, owner, result, error)
        else:
            self._query_came(one, method, owner, result, error)

    def _blob_came(self, one: Instance, blob: Any, result: Any, error: WireError | None) -> None:
        if error is None and isinstance(result, dict) and isinstance(result.get("received"), int):
            blob.came(result["received"])
        else:
            blob.failed()
            sys.stderr.write(f"view {one.view}: the shell did not take a blob: {error}\n")

    def _query_came(self, one: Instance, method: str, store: Any, result: Any, error: WireError | None) -> None:
        store.number = None
        if error is not None:
            one.missed(store, error.message or "Svaret kom ikke.", error.name)
        elif method == "read" and isinstance(result, dict):
            store.whole({"resources": [result]})
            one.dirty = True
        elif method == "watch" and isinstance(result, dict) and isinstance(result.get("watch"), int):
            if store.dropped:  # the answer was on its way when the cancel left
                self._notify("unwatch", {"instance": one.id, "context": one.token, "watch": result["watch"]})
            else:
                one.watching(store, result["watch"])
        else:
            one.missed(store, "Svaret kunne ikke leses.", "internal-error")

    def _answer(self, number: Any, result: Any) -> None:
        if number is None:
            return
        try:
            line = dumps({"jsonrpc": "2.0", "id": number, "result": result})
        except (TypeError, ValueError, RecursionError):
            self._report("answer")
            self._refuse(
                number, errors.InternalError("Panelet svarte med noe som ikke kan sendes. Ingenting er lagret.")
            )
            return
        self._send_line(line)
        for one in self._instances.values():
            notices, one.notices = one.notices, []
            for notice in notices:
                self._notify("notify", {"instance": one.id, "context": one.token, **notice})

    def _refuse(self, number: Any, error: WireError) -> None:
        body = {"code": error.code, "message": error.message, "data": {"name": error.name, **error.data}}
        if number is not None or isinstance(error, errors.ParseError | errors.InvalidRequest):
            self._send_line(dumps({"jsonrpc": "2.0", "id": number, "error": body}))

    # --- helpers --------------------------------------------------------------------------------------------

    def _known(self, params: Message) -> Instance | None:
        """The instance a notification is for; None when its context has ended."""
        one = self._instances.get(params.get("instance") or "")
        return one if one is not None and params.get("context") == one.token else None

    def _find(self, params: Message) -> Instance:
        one = self._known(params)
        if one is None:
            raise errors.ContextChanged("Personen er byttet, så svaret gjelder ikke lenger.")
        return one

    def _report(self, where: str) -> None:
        """The exception being handled, on stderr: the vendor's own log."""
        import traceback

        sys.stderr.write(f"{where}:\n{traceback.format_exc()}")


_LATER: Any = object()
"""No answer now: it comes later, or was not asked for."""


def _fits(line: str) -> bool:
    return len(line) * 4 <= tree.MAX_RENDER or len(line.encode()) <= tree.MAX_RENDER
