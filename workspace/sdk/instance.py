"""One open view: its context, state, results and last tree. Runs the vendor's view and actions; knows nothing of pipes.

A run never waits. What it needs and has not is asked for when the run is over, all at once; it runs again when that
comes."""

from __future__ import annotations

import time

from workspace.sdk import blobs, errors, query, tree
from workspace.sdk.ctx import Ctx, Run
from workspace.sdk.intents import Asked, Later, Outcome, Taken
from workspace.sdk.memory import Guard
from workspace.sdk.parts import RETRY, SORRY, Part, guarded
from workspace.sdk.results import Store
from workspace.sdk.wire import dumps

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from workspace.sdk.panel import Panel
    from workspace.sdk.tree import Node

    Message = dict[str, Any]


class Instance:
    """Made from `open`. `report` takes the traceback of the exception being handled to stderr."""

    def __init__(
        self,
        panel: Panel,
        params: Message,
        locale: str,
        report: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.monotonic = monotonic
        self.panel, self.report, self.locale = panel, report, locale
        self.id: str = params["instance"]
        self.view: str = params["view"]
        self.info: Message = params["context"]
        self.token: str = self.info["token"]
        self.settings: Message = params.get("settings") or {}
        state = params.get("state") or {}
        self.values: Message = _present(state.get("values") or {})
        self.revision: int = int(state.get("revision") or 0)  # of what is typed
        self.started = monotonic()
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
        self.raising: dict[str, Asked] = {}  # intents that actions have raised and wait for, by name and arguments
        self.outcomes: dict[str, Outcome] = {}
        self.taken: dict[str, Taken] = {}
        self.blobs: dict[str, blobs.Blob] = {}
        self.notices: list[Message] = []  # to be told when the run is over
        self.memory = Guard([*panel.views.values(), *panel.actions.values(), *panel.intents.values()])
        for result in params.get("results") or []:
            self._given(result)

    # --- results --------------------------------------------------------------------------------------------

    def _given(self, result: Message) -> None:
        store = Store(str(result["query"]), result.get("watch"))
        if result.get("bound"):
            store.bound = True  # its rows stay with the shell, unless a view wants them
        else:
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
            store.more = store.more if params.get("further") is None else bool(params["further"])
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
                store.dropped = True
                if store.watch is not None:
                    self.handles.pop(store.watch, None)
                    made.append(("unwatch", store, {**about, "watch": store.watch}))
                elif store.number is not None:
                    made.append(("cancel", store, {"id": store.number}))
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
        if self.next_minute is not None and self.monotonic() >= self.next_minute:
            self.dirty = True

    def _ctx(self, label: str, writable: bool) -> Ctx:
        return Ctx(Run(label, self), writable)

    def _clean(self, label: str) -> None:
        """Raises PatientState when the vendor's modules kept something of the run."""
        self.memory.check(str(self.info.get("patient") or ""), label)

    # --- intents and blobs ----------------------------------------------------------------------------------

    def asked(self, name: str, args: Message) -> Asked:
        """The intent as it is under way, or a new one."""
        key = f"{name} {dumps(args)}"
        one = self.raising.get(key)
        if one is None:
            one = self.raising[key] = Asked(name, args)
        return one

    def raises(self) -> list[Asked]:
        """Those an action waits for and that have not left."""
        return [one for one in self.raising.values() if one.wanted and one.number is None and one.outcome is None]

    def abandon(self) -> list[int]:
        """The action that waited was cancelled: the requests nobody wants any more."""
        numbers = [one.number for one in self.raising.values() if one.number is not None and one.outcome is None]
        self.raising.clear()
        return numbers

    def answered(self, name: str, held: Any) -> None:
        """What came of an intent from an action's effects."""
        self.outcomes[name] = Outcome.read(held)
        self.dirty = True

    def take(self, params: Message) -> Message:
        """Another panel asks. Gives the `IntentResult`."""
        name = params["name"]
        function = self.panel.intents.get(name)
        if function is None:
            raise errors.MethodNotFound(f"Panelet tar ikke imot «{name}».")
        args = params.get("args") or {}
        answer = self._guard(lambda ctx: function(ctx, **args), f"intent {name}", writable=False)[0]
        if isinstance(answer, Later):
            self.taken[str(params["id"])] = Taken(params)
            self.dirty = True
            return {"handled": True, "later": True}
        return {"handled": True, "result": answer}

    def settled(self, number: str) -> None:
        """Nobody waits any more for something taken: it is done and saved, or the asker has gone."""
        if self.taken.pop(number, None) is not None:
            self.dirty = True

    def blob(self, mime: str, data: bytes) -> str:
        """The handle under which the shell has it, or will have it."""
        handle = blobs.handle(mime, data)
        known = self.blobs.get(handle)
        if known is None:
            others = sum(one.total for one in self.blobs.values() if one.touched)
            if others + len(data) > blobs.MAX_BLOBS:
                limit = f"a panel's blobs are at most {blobs.MAX_BLOBS >> 20} MiB in all"
                raise errors.SdkError(errors.at(f"ctx.blob: {limit}; show fewer at a time"))
            self.blobs[handle] = blobs.Blob(handle, mime, data)
        else:
            known.touched = True
        return handle

    def blob_parts(self) -> list[tuple[blobs.Blob, Message]]:
        """What must be sent of blobs now: parts, and `total` 0 for those that no view has used any more."""
        about = {"instance": self.id, "context": self.token}
        made: list[tuple[blobs.Blob, Message]] = []
        for handle, one in list(self.blobs.items()):
            if not one.touched and not one.waiting:
                del self.blobs[handle]
                made.append((one, {**about, "handle": handle, "mime": one.mime, "total": 0}))
            elif (part := one.part()) is not None:
                made.append((one, {**about, **part}))
        return made

    # --- views ----------------------------------------------------------------------------------------------

    def render(self) -> Message | None:
        """Runs the view. A `render` message (without instance and context filled in wrongly: both are), or None when
        nothing changed or the first results are still on their way behind a tree that stands."""
        self.dirty = False
        for store in self.stores.values():
            store.touched = store.handled = store.wanted = False
        for blob in self.blobs.values():
            blob.touched = False
        try:
            made = tree.assemble(self._run_view(), self.tree)
            return self._message(made)
        except (TypeError, ValueError, RecursionError):
            self.report(f"view {self.view}")
            return self._message(tree.assemble(_broken(), None))

    def _run_view(self) -> Part:
        label = f"view {self.view}"
        ctx = self._ctx(label, writable=False)
        view = self.panel.views[self.view]
        completed = True
        try:
            part = guarded(lambda: view(ctx), "", {})
            self._clean(label)
        except Exception:  # noqa: BLE001 - whatever a vendor's view raises is shown as a failed component
            self.report(label)
            part, completed = _broken(), False
        finally:
            ctx._end()
        self.read_keys = ctx._reads
        self.finished = completed and not (part is not None and (part.suspended or part.kind == "failed"))
        self.next_minute = self.monotonic() + 60 if ctx._reads_now else None
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
        ctx = self._guard(lambda ctx: function(ctx, **args), f"action {name}", writable=True)[1]
        effects = self._effects(ctx)
        if effects.get("writes") or effects.get("state") or effects.get("clear"):
            effects["revision"] = self.revision
        return effects

    def _effects(self, ctx: Ctx) -> Message:
        """What the action gathered, as the wire has it; intents and documents included."""
        effects = {name: value for name, value in ctx._effects.items() if value}
        raised: list[Message] = []
        for asked in ctx._raised:
            if asked.outcome is None:
                self.outcomes.pop(asked.name, None)
                self.dirty = True
                one = {"name": asked.name, "args": asked.args, "id": asked.name}
                raised.append(one if asked.args else {"name": asked.name, "id": asked.name})
        if raised:
            effects["raise"] = raised
        self.raising.clear()
        self.notices += ctx._notices
        return effects

    def _guard(self, call: Callable[[Ctx], Any], label: str, writable: bool) -> tuple[Any, Ctx]:
        ctx = self._ctx(label, writable)
        try:
            answer = call(ctx)
            self._clean(label)
        except errors.WireError as error:
            if error.message:
                raise
            raise type(error)(SORRY, error.data) from error
        except errors.PanelProblem as problem:
            raise errors.WireError(str(problem)) from problem
        except Exception as mistake:
            self.report(label)
            text = "Det skjedde en feil i panelet, og ingenting er lagret. Prøv igjen, eller meld fra til leverandøren."
            raise errors.InternalError(text, {"in": label}) from mistake
        finally:
            ctx._end()
        return answer, ctx


def _present(values: Message) -> Message:
    return {key: value for key, value in values.items() if value is not None}


def _broken(text: str = SORRY) -> Part:
    return Part("column", {}, [Part("failed", {"text": text, "retry": {"name": RETRY}}, [])])
