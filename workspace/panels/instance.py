"""One open panel as the shell sees it (`face.PanelInstance`): its tree, its values, its state.

Takes what the panel says, checks the address, applies it, and tells the listener once per drained batch. Never
starts or ends a process (`group`), never talks to the platform but through the door.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol

from workspace.broker.context import Context
from workspace.broker.door import Door, DraftKey, Receipt
from workspace.broker.grant import Grant
from workspace.clock import Clock, instant
from workspace.panels import wire
from workspace.panels.acts import Acts
from workspace.panels.blobs import Blobs
from workspace.panels.budget import Bucket
from workspace.panels.components import Action, ChoiceField
from workspace.panels.face import ActOutcome, BoundRows, PanelInfo, PanelListener, PanelState, TreeNode
from workspace.panels.faults import Fault
from workspace.panels.feeds import Feed, Feeds
from workspace.panels.fields import Fields
from workspace.panels.intents import Errands, Intents
from workspace.panels.manifest import Package, View
from workspace.panels.papers import Papers
from workspace.panels.process import PanelProcess
from workspace.panels.protocol import (
    MAX_RENDER,
    MAX_STRING,
    RENDERS,
    Blob,
    BlobResult,
    Close,
    ContextChanged,
    ContextInfo,
    Hidden,
    IntentRequest,
    InvalidParams,
    Message,
    MethodNotFound,
    Notify,
    Open,
    PanelError,
    Print,
    Raise,
    Read,
    Render,
    Result,
    Resync,
    Search,
    SettingsChanged,
    StateChanged,
    TooLarge,
    Unwatch,
    Visible,
    WatchQuery,
    WatchResult,
)
from workspace.panels.telling import Telling
from workspace.panels.tree import Tree, check_strings

BATCH = 0.02
"""Seconds that typing is gathered after what the panel has just heard; the first key after a pause is sent at once."""
PREFETCH_WAIT = 0.05
OPEN_TIMEOUT = 2.0
OPEN_BYTES = 640 << 10
MAX_PATCHES = 4 << 20
"""Bytes of patches on one whole tree; then a fresh whole one is asked for, so that no tree grows without end."""


class Keeper(Protocol):
    """What an instance needs of whoever keeps its process; `group.Group` is it."""

    process: PanelProcess | None

    async def restart(self, instance: Instance) -> None: ...

    async def leave(self, instance: Instance) -> None: ...

    def broke(self, reason: str) -> None: ...

    def mute(self) -> None: ...


class Instance:
    """See `face.PanelInstance`. `keeper` owns the process; `listener` is the shell."""

    def __init__(
        self,
        instance_id: str,
        package: Package,
        view: View,
        context: Context,
        *,
        door: Door,
        clock: Clock,
        user: Mapping[str, str],
        tenant: str,
        locale: str,
        settings: Mapping[str, Any],
        listener: PanelListener,
        label: Callable[[], str],
        keeper: Keeper,
        intents: Intents,
    ) -> None:
        self._id, self.package, self.view, self._context = instance_id, package, view, context
        self._door, self._clock, self._user, self.keeper = door, clock, dict(user), keeper
        self._settings, self._locale = {**package.defaults(), **settings}, locale
        self.grant = Grant(package.id, package.version, package.vendor, package.scopes, instance_id, context)
        self._label = label
        self.telling = Telling(listener)
        about = context.patient or context.unit or ""
        key = DraftKey(tenant, user.get("reference", ""), about, package.id, view.id, "", package.state_version)
        self.fields = Fields(door, key, clock, self.telling.saved)
        self.feeds = Feeds(door, self.grant, self.send, self.telling.bound, listener.in_sight)
        self.acts = Acts(self, door, clock)
        self.errands = Errands(self, intents, door)
        self.blobs = Blobs(self.telling.blob)
        self._known = asyncio.Event()  # it runs, or it will not
        self.papers = Papers(listener, view.title, lambda: self.acts.asked_for)
        self._tree = Tree()
        self._state: PanelState = "starting"
        self._problem = ""
        self._asked_at = clock.monotonic()
        self._first_render: float | None = None
        self._visible = True
        self._opened = False  # `open` has left for the process that stands now
        self._resyncing = False
        self._patched = 0
        self._renders = Bucket(*RENDERS, self._asked_at)
        self._unsent: dict[str, Any] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._flushed = 0.0
        self._prefetched: list[Feed] = []
        self.dropped = 0
        self.restarted = 0
        self.last_log = ""
        self.fault: Fault = ""
        if self.fields.values:
            self.telling.values(tuple(self.fields.values))

    # --- what the shell asks --------------------------------------------------------------------------------

    @property
    def id(self) -> str:
        return self._id

    @property
    def info(self) -> PanelInfo:
        package, view = self.package, self.view
        return PanelInfo(package.id, package.version, package.vendor, view.id, view.title, self._label(), view.minimum)

    @property
    def context(self) -> Context:
        return self._context

    @property
    def state(self) -> PanelState:
        return self._state

    @property
    def problem(self) -> str:
        return self._problem

    @property
    def pid(self) -> int | None:
        return self.keeper.process.pid if self.keeper.process is not None else None

    @property
    def first_render_ms(self) -> float | None:
        return self._first_render

    @property
    def root(self) -> str | None:
        return self._tree.root

    @property
    def nodes(self) -> Mapping[str, TreeNode]:
        return MappingProxyType(self._tree.nodes)

    @property
    def values(self) -> Mapping[str, Any]:
        return MappingProxyType(self.fields.values)

    @property
    def log_tail(self) -> str:
        """What the panel wrote to stderr and as `log`, also of the process before; the vendor's, bounded."""
        return self.keeper.process.log_tail if self.keeper.process is not None else self.last_log

    @property
    def visible(self) -> bool:
        return self._visible

    @property
    def waits(self) -> bool:
        """Whether it has not drawn anything yet, or something it asked for is still on its way."""
        return self._state == "starting" if self._tree.root is None else not self.feeds.ready

    def bound(self, watch: int) -> BoundRows:
        return self.feeds.bound(watch)

    def typed(self, bind: str, value: Any) -> None:
        node = self.nodes.get(self._tree.binds.get(bind, ""))
        if node is not None and node.component.slot == "toolbar" and isinstance(node.component, ChoiceField):
            self.fields.looked(bind, value)
        else:
            self.fields.typed(bind, value)
        self.changed({bind: value})

    def keep(self) -> None:
        self.fields.save()

    def follow(self, key: Sequence[str], values: Mapping[str, Any]) -> tuple[str, ...]:
        changes = self.fields.follow(key, values)
        if changes:
            self.changed(changes)
        return tuple(changes)

    def exchange(self, key: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
        changes = self.fields.exchange(key, before, after)
        if changes:
            self.changed(changes)
            self.flush()
        return tuple(changes)

    async def act(self, action: Action) -> ActOutcome:
        return await self.acts.act(action)

    def cancel(self) -> bool:
        return self.acts.cancel()

    async def undo(self, receipt: Receipt) -> ActOutcome:
        return await self.acts.undo(receipt)

    def blob(self, handle: str) -> tuple[str, bytes] | None:
        return self.blobs.get(handle)

    async def settled(self, timeout: float) -> bool:
        """Wait until it has opened; whether it has."""
        try:
            async with asyncio.timeout(timeout):
                await self._known.wait()
        except TimeoutError:
            return False
        return self._state in ("running", "silent")

    def show(self, visible: bool) -> None:
        if visible != self._visible:
            self._visible = visible
            kind = Visible if visible else Hidden
            self.send(kind(instance=self._id, context=self._context.token))

    def set_settings(self, settings: Mapping[str, Any], locale: str) -> None:
        """The layout's settings or the language changed while running."""
        self._settings, self._locale = {**self.package.defaults(), **settings}, locale
        address = {"instance": self._id, "context": self._context.token}
        self.send(SettingsChanged(**address, settings=self._settings, locale=locale))

    async def restart(self) -> None:
        await self.keeper.restart(self)

    async def close(self) -> None:
        """Over: drafts are handed over, watches closed, the process ended when nobody else is in it. Idempotent."""
        if self._state != "closed":
            self.finish()
            await self.keeper.leave(self)

    # --- opening --------------------------------------------------------------------------------------------

    def prefetch(self) -> None:
        """Ask at once for what the manifest names: it travels while the process is made ready."""
        self._door.opened(self.grant)
        self._prefetched = [self.feeds.watch(item.query, bound=item.bound, mute=True) for item in self.view.prefetch]

    async def open_in(self, process: PanelProcess) -> None:
        """Open in `process`: with the results that have come within 50 ms; the rest follow as `data`."""
        left = PREFETCH_WAIT - (self._clock.monotonic() - self._asked_at)
        if left > 0 and self._prefetched:
            await self.feeds.settle([feed.handle for feed in self._prefetched if not feed.bound], left)
        if self._state == "closed" or not process.alive:
            return
        results, late = self._results()
        self._renew()
        message = Open(
            instance=self._id,
            view=self.view.id,
            context=self._context_info(),
            settings=self._settings,
            state=self.fields.state,
            results=results,
        )
        answer = process.peer.start(message)
        self._opened = True
        for feed in late:
            self.feeds.tell(feed)
        if not self._visible:
            self.send(Hidden(instance=self._id, context=self._context.token))
        try:
            async with asyncio.timeout(OPEN_TIMEOUT):
                await asyncio.shield(answer)
        except TimeoutError:
            self.silent(True)
            self.keeper.mute()
            answer.add_done_callback(self._opened_late)
        except ContextChanged:
            return
        except PanelError as error:
            if process.alive:
                self.become("dead", f"«{self.view.title}» kunne ikke åpnes: {error.message or error.name}")
        else:
            self.running()

    def _opened_late(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and answer.exception() is None:
            self.running()

    def _results(self) -> tuple[list[Result], list[Feed]]:
        """What goes with `open` (each marked as told), and what must follow as `data`."""
        results, late, size = [], [], 0
        for feed in self._prefetched:
            if feed.asked_bound:
                results.append(Result(query=feed.query, watch=feed.handle, bound=True))
                continue
            weight = sum(len(wire.encode(row)) for row in feed.rows)
            if feed.ready and size + weight <= OPEN_BYTES:
                size += weight
                feed.told = True
                results.append(feed.result())
            else:
                late.append(feed)
        return results, late

    def _renew(self) -> None:
        """A new process knows nothing of what stood before; the shell keeps the old tree until the first render."""
        self._resyncing, self._patched = True, 0  # only a whole tree is taken first
        self._unsent.clear()

    def _context_info(self) -> ContextInfo:
        context = self._context
        return ContextInfo(
            token=context.token,
            kind=context.kind,
            now=instant(self._clock.now()),
            user=self._user,
            patient=context.patient or "",
            unit=context.unit or "",
            patients=list(context.patients),
        )

    # --- states ---------------------------------------------------------------------------------------------

    def become(self, state: PanelState, problem: str = "") -> None:
        if self._state != "closed" and (state, problem) != (self._state, self._problem):
            self._state, self._problem = state, problem
            if state == "starting":
                self._known.clear()
            else:
                self._known.set()
            self.telling.state()

    def running(self) -> None:
        if self._state in ("starting", "silent"):
            self.fault = ""
            self.become("running", "")

    def silent(self, silent: bool) -> None:
        name = f"«{self.view.title}» fra {self.package.vendor}"
        if silent and self._state in ("starting", "running"):
            self.fault = "mute" if self._tree.root is None else "hang"
            self.become("silent", f"{name} svarer ikke. Det du har skrevet, er tatt vare på.")
        elif not silent:
            self.running()

    def lost(self, state: PanelState, reason: str) -> None:
        """The process is gone."""
        self._opened = False
        self.feeds.forget()
        self.blobs.clear()
        self.errands.lost(reason)
        self.fields.save()
        self.become(state, reason)

    def finish(self) -> None:
        """No more of this context reaches the shell or the door; what was typed is kept. Does not touch the process."""
        if self._state == "closed":
            return
        self.flush()
        if self._opened and self.keeper.process is not None:
            gone = self.keeper.process.peer.start(Close(instance=self._id, context=self._context.token))
            gone.add_done_callback(lambda f: f.cancelled() or f.exception())
        if self.keeper.process is not None:
            self.keeper.process.peer.drop(self._id)
        self.fields.end()
        self.feeds.close()
        self.become("closed", "")
        self.errands.end()
        self._opened = False

    def empty(self) -> None:
        """Nobody draws it any more: what it showed goes now, and not when Python's collector comes by."""
        self._tree, self._prefetched = Tree(), []

    # --- to the panel ---------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        if self._opened and self.keeper.process is not None and self._state != "closed":
            try:
                self.keeper.process.peer.notify(message)
            except TooLarge as error:
                self.note(f"[host] not sent: {error.message}\n")

    def note(self, text: str) -> None:
        """Into the panel's own log."""
        if self.keeper.process is not None:
            self.keeper.process.note(text if text.endswith("\n") else text + "\n")

    def changed(self, values: Mapping[str, Any]) -> None:
        """Values changed: the panel hears of it at the end of this turn, or with the next batch when it has just heard."""
        self._unsent.update(values)
        if self._timer is None:
            since = self._clock.monotonic() - self._flushed
            self._timer = asyncio.get_running_loop().call_later(max(0.0, BATCH - since), self.flush)

    def flush(self) -> None:
        """Send the batch now: before an event, or at the end. What a panel out of sight has not been told yet goes first."""
        self.feeds.flush()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._unsent:
            self._flushed = self._clock.monotonic()
            values, self._unsent = self._unsent, {}
            address = {"instance": self._id, "context": self._context.token}
            self.send(StateChanged(**address, values=values, revision=self.fields.revision))

    # --- from the panel -------------------------------------------------------------------------------------

    def heard(self, params: Message, size: int) -> None:
        """A notification with this instance's address and context, both already checked."""
        match params:
            case Render():
                self._rendered(params, size)
            case Notify():
                self.telling.told(params.text, params.tone)
            case Raise():
                self.errands.after([IntentRequest(name=params.name, args=params.args)])
            case Unwatch():
                self.feeds.unwatch(params.watch)
            case _:
                self.dropped += 1

    async def asked(self, params: Message) -> Any:
        """A request of the panel's. Raises the door's refusals and protocol errors."""
        match params:
            case Search():
                found = await self._door.search(self.grant, params.query)
                rows = list(found.resources)
                return Result(
                    query=params.query, resources=rows, included=found.included, total=found.total,
                    fetched=found.fetched, more=found.more,
                )  # fmt: skip
            case Read():
                return await self._door.read(self.grant, params.reference)
            case WatchQuery():
                feed = self.feeds.watch(params.query, params.bound)
                if not params.bound:
                    # After the answer has left: the panel must know the handle before its first data.
                    asyncio.get_running_loop().call_soon(self.feeds.tell, feed)
                return WatchResult(watch=feed.handle)
            case Unwatch():
                self.feeds.unwatch(params.watch)
                return None
            case Raise():
                return await self.errands.raised(params.name, params.args)
            case Print():
                return await self.papers.print(params.document)
            case Blob():
                return BlobResult(received=self.blobs.take(params))
        raise MethodNotFound(f"{params.method} is no request")

    def _rendered(self, render: Render, size: int) -> None:
        if not self._renders.take(1, self._clock.monotonic()):
            self.keeper.broke("det tegnet seg på nytt for ofte")
            return
        if render.tree is None and self._resyncing:
            return  # on its way before the panel heard `resync`
        try:
            if size > MAX_RENDER:
                raise TooLarge(f"a render of {size} bytes; the limit is {MAX_RENDER}")
            if size > MAX_STRING:
                check_strings(render.tree if render.tree is not None else render.patch)
            if render.tree is not None:
                change = self._tree.whole(render.tree, render.revision)
                self._resyncing, self._patched = False, 0
            else:
                if render.base != self._tree.revision:
                    raise InvalidParams(f"a patch on {render.base}; the tree is at {self._tree.revision}")
                change = self._tree.patch(render.patch, render.revision)
        except (InvalidParams, TooLarge) as error:
            self._unfit(render, error)
            return
        self._patched += size if render.tree is None else 0
        if self._first_render is None:
            self._first_render = (self._clock.monotonic() - self._asked_at) * 1000
        self.running()
        if self._problem:
            self.become(self._state, "")
        self.telling.rendered(change)
        if self._patched > MAX_PATCHES:
            self.resync()

    def _unfit(self, render: Render, error: PanelError) -> None:
        """A patch that does not fit is repaired by a whole tree; a whole tree that does not fit is the vendor's
        fault."""
        if render.tree is None:
            self.resync()
            return
        text = f"«{self.view.title}» fra {self.package.vendor} sendte noe som ikke kan vises: {error.message}."
        self.become(self._state if self._state != "starting" else "running", text)

    def resync(self) -> None:
        self._resyncing = True
        self.send(Resync(instance=self._id, context=self._context.token))
