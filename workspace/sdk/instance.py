"""One open view: its context, state, results and last tree. Runs the vendor's view and actions; knows nothing of pipes.

A run never waits. What it needs and has not is asked for when the run is over, all at once; it runs again when that comes.
"""

from __future__ import annotations

import time

from workspace.sdk import errors, query, tree
from workspace.sdk.ctx import Ctx, Run
from workspace.sdk.parts import RETRY, SORRY, Part, guarded
from workspace.sdk.results import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from workspace.sdk.panel import Panel
    from workspace.sdk.tree import Node

    Message = dict[str, Any]


class Instance:
    """Made from `open`. `report` takes the traceback of the exception being handled to stderr."""

    def __init__(self, panel: Panel, params: Message, locale: str, report: Callable[[str], None]) -> None:
        self.panel, self.report, self.locale = panel, report, locale
        self.id: str = params["instance"]
        self.view: str = params["view"]
        self.info: Message = params["context"]
        self.token: str = self.info["token"]
        self.settings: Message = params.get("settings") or {}
        state = params.get("state") or {}
        self.values: Message = _present(state.get("values") or {})
        self.revision: int = int(state.get("revision") or 0)  # of what is typed
        self.started = time.monotonic()
        self.stores: dict[str, Store] = {}
        self.handles: dict[int, Store] = {}
        self.dirty = True
        self.visible = True
        self.whole = True  # the next render is whole
        self.tree: Node | None = None
        self.drawn = 0  # revision of the last render
        self.read_keys: set[str] = set()
        self.next_minute: float | None = None
        self.finished = False  # the last run of the view came to its end: it has asked for all it needs
        self.asks: list[Message] = []  # requests to the host, to be sent when the run is over
        for result in params.get("results") or []:
            self._given(result)

    # --- results --------------------------------------------------------------------------------------------

    def _given(self, result: Message) -> None:
        store = Store(str(result["query"]), result.get("watch"))
        store.whole(result)
        store.given = True
        self.stores[query.canonical(store.query)] = store
        if store.watch is not None:
            self.handles[store.watch] = store

    def _late(self, text: str, handle: int) -> Store:
        key = query.canonical(text)
        store = self.stores.get(key)
        if store is None:
            store = self.stores[key] = Store(text)
        if store.watch is None:
            store.watch = handle
        store.given = store.asked = True
        self.handles[handle] = store
        return store

    def find(self, text: str) -> Store:
        """The store of a query, or of a reference to be read."""
        key = query.canonical(text)
        store = self.stores.get(key)
        if store is None:
            store = self.stores[key] = Store(text)
        store.touched = True
        return store

    def data(self, params: Message) -> None:
        whole = params.get("whole")
        store = self.handles.get(params["watch"])
        if store is None and whole is not None and whole.get("query"):
            # A prefetched result that was too late, or too large, to come with `open`.
            store = self._late(str(whole["query"]), params["watch"])
        if store is None:
            return
        if whole is not None:
            store.whole(whole, bool(params.get("more")))
        else:
            store.change(
                params.get("gone") or [], params.get("put") or [], params.get("error") or "", params.get("code") or ""
            )
        bound_only = store.handled and not store.wanted and store.ready and store.drawn
        if store.touched and not bound_only and not params.get("more"):
            self.dirty = True
        store.drawn = True

    def watching(self, store: Store, handle: int) -> None:
        """The host has given the handle of a query asked for."""
        known = store.watch is not None and store.given
        self.handles[handle] = store
        if not known:
            store.watch = handle
            self.dirty = self.dirty or store.handled

    def missed(self, store: Store, text: str, code: str) -> None:
        """The host refused a query."""
        store.error, store.code = text, code
        self.dirty = True

    def requests(self, keep: bool) -> list[tuple[str, Store, Message]]:
        """What must be asked of the host now: method, whom for, params. Unless `keep`, what no one used is let go."""
        about = {"instance": self.id, "context": self.token}
        made: list[tuple[str, Store, Message]] = []
        for key, store in list(self.stores.items()):
            if not store.touched and not store.given and not keep:
                del self.stores[key]
                if store.watch is not None:
                    self.handles.pop(store.watch, None)
                    made.append(("unwatch", store, {**about, "watch": store.watch}))
                continue
            if not store.touched:
                continue
            if store.asked and not (store.bound and store.wanted and not store.ready):
                continue
            if "?" not in store.query and "/" in store.query:
                made.append(("read", store, {**about, "reference": store.query}))
            else:
                store.bound = store.handled and not store.wanted
                params = {**about, "query": store.query}
                made.append(("watch", store, {**params, "bound": True} if store.bound else params))
            store.asked = True
        return made

    def retry(self) -> None:
        """Ask anew for all that failed."""
        for store in self.stores.values():
            if store.error and not store.ready:
                store.error = store.code = ""
                store.asked = False
        self.dirty = True

    # --- state ----------------------------------------------------------------------------------------------

    def changed(self, values: Message, revision: int) -> None:
        """The user typed, a draft came back, or effects were applied. Only the keys that the view read count."""
        for key, value in values.items():
            if self.values.get(key) == value:
                continue
            if value is None:
                self.values.pop(key, None)
            else:
                self.values[key] = value
            if key in self.read_keys or "*" in self.read_keys:
                self.dirty = True
        self.revision = max(self.revision, revision)

    def tick(self) -> None:
        if self.next_minute is not None and time.monotonic() >= self.next_minute:
            self.dirty = True

    def _ctx(self, writable: bool) -> Ctx:
        run = Run(self.info, self.values, self.settings, self.locale, self.started, self.find)
        return Ctx(run, writable)

    # --- views ----------------------------------------------------------------------------------------------

    def render(self) -> Message | None:
        """Runs the view. A `render` message (without instance and context filled in wrongly: both are), or None when
        nothing changed or the first results are still on their way behind a tree that stands."""
        self.dirty = False
        for store in self.stores.values():
            store.touched = store.handled = store.wanted = False
        try:
            made = tree.assemble(self._run_view(), self.tree)
            return self._message(made)
        except (TypeError, ValueError, RecursionError):
            self.report(f"view {self.view}")
            return self._message(tree.assemble(_broken(), None))

    def _run_view(self) -> Part:
        ctx = self._ctx(writable=False)
        view = self.panel.views[self.view]
        completed = True
        try:
            part = guarded(lambda: view(ctx), "", {})
        except Exception:  # noqa: BLE001 - whatever a vendor's view raises is shown as a failed component
            self.report(f"view {self.view}")
            part, completed = _broken(), False
        finally:
            ctx._end()
        self.read_keys = ctx._reads
        self.finished = completed and not (part is not None and (part.suspended or part.kind == "failed"))
        self.next_minute = time.monotonic() + 60 if ctx._reads_now else None
        return part or Part("column", {}, [])

    def _message(self, made: Node) -> Message | None:
        if len(tree.index(made)) > tree.MAX_NODES:
            raise ValueError(f"the view has more than {tree.MAX_NODES} components")
        message: Message = {"instance": self.id, "context": self.token}
        patch = None if self.whole or self.tree is None else tree.diff(self.tree, made)
        if patch == []:
            return None
        self.drawn += 1
        message["revision"] = self.drawn
        if patch is None:
            message["tree"] = made
        else:
            message.update(base=self.drawn - 1, patch=patch)
        self.tree, self.whole = made, False
        return message

    def too_large(self) -> Message | None:
        """The view's tree did not fit: show that instead, whole."""
        self.whole = True
        self.drawn -= 1
        return self._message(tree.assemble(_broken("Panelet har mer å vise enn det er plass til."), None))

    # --- actions --------------------------------------------------------------------------------------------

    def act(self, name: str, args: Message) -> Message:
        """Runs an action to its effects. Raises `Suspended` when it needs a result that has not come, and `WireError`
        for the host to show."""
        if name == RETRY:
            self.retry()
            return {"revision": self.revision} if self.revision else {}
        function = self.panel.actions.get(name)
        if function is None:
            raise errors.InvalidParams(f"Panelet kjenner ikke handlingen «{name}».")
        effects = self._guard(lambda ctx: function(ctx, **args), name, writable=True)[1]
        if effects.get("writes") or effects.get("state") or effects.get("clear"):
            effects["revision"] = self.revision
        return effects

    def intent(self, name: str, context: Message) -> Any:
        """Another panel asks. Gives the handler's answer."""
        function = self.panel.intents.get(name)
        if function is None:
            raise errors.MethodNotFound(f"Panelet tar ikke imot «{name}».")
        return self._guard(lambda ctx: function(ctx, **context), name, writable=False)[0]

    def _guard(self, call: Callable[[Ctx], Any], name: str, writable: bool) -> tuple[Any, Message]:
        ctx = self._ctx(writable)
        try:
            answer = call(ctx)
        except errors.WireError:
            raise
        except errors.PanelProblem as problem:
            raise errors.WireError(str(problem)) from problem
        except errors.ResultFailed as failure:
            raise errors.WireError(failure.text or SORRY) from failure
        except Exception as mistake:
            self.report(f"action {name}")
            text = "Det skjedde en feil i panelet, og ingenting er lagret. Prøv igjen, eller meld fra til leverandøren."
            raise errors.InternalError(text, {"action": name}) from mistake
        finally:
            effects = ctx._end()
        return answer, effects


def _present(values: Message) -> Message:
    return {key: value for key, value in values.items() if value is not None}


def _broken(text: str = SORRY) -> Part:
    return Part("column", {}, [Part("failed", {"text": text, "retry": {"name": RETRY}}, [])])
