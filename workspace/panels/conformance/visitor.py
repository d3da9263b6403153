"""One visit to one view: what a user and a shell would do to it, step by step. Remembers, never judges."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from workspace.panels.components import Action
from workspace.panels.conformance import processes
from workspace.panels.conformance.evidence import Evidence, Look, Message, Node, Passed, Pressed, Visit
from workspace.panels.face import QuietListener, TreeChange, Unknown
from workspace.panels.host import PanelHost
from workspace.panels.instance import Instance
from workspace.panels.process import PanelProcess
from workspace.panels.protocol import (
    Ask,
    Cancel,
    Event,
    Intent,
    InternalError,
    MethodNotFound,
    PanelError,
    Ping,
    Shutdown,
)
from workspace.panels.protocol import Message as WireMessage

FIRST_RENDER = 5.0
ANSWER = 2.0
QUIET = 0.03
COMPLETE = 3.0
HELD = 3.0
"""Seconds that late data wait for a first picture."""
IDLE = 0.8
MOST_LOOKS = 200
MOST_PRESSES = 24
KEYSTROKES = 120
LEAVES = 3.0

ODD: tuple[Any, ...] = ("ikke et tall", "x" * 5000, "Ærlig talt, 37,5 😀\nny linje", -1, 1e300, True, ["a", "b"], "")
"""What a field may hold: typed by somebody, or left by another version of the panel."""


class Gone(Exception):
    """The panel's process is not there any more."""


class FromTheFuture(WireMessage, frozen=True, kw_only=True):
    """A notification that a newer shell might send."""

    method = "conformance/from-the-future"
    instance: str
    context: str


class Visitor(QuietListener):
    """Implements `face.PanelListener`: every drawn tree becomes a look."""

    def __init__(self, seen: Evidence, host: PanelHost, visit: Visit) -> None:
        self._seen, self._host, self.visit = seen, host, visit
        self._instance: Instance | None = None
        self._when = "opened"
        self._heard = time.monotonic()

    # --- PanelListener --------------------------------------------------------------------------------------

    def rendered(self, change: TreeChange) -> None:
        self._heard = time.monotonic()
        if self._instance is not None and len(self.visit.looks) < MOST_LOOKS:
            self.visit.looks.append(look(self._instance, self._when))

    def values_changed(self, binds: tuple[str, ...]) -> None:
        self._heard = time.monotonic()

    def bound_changed(self, watch: int) -> None:
        self._heard = time.monotonic()

    def state_changed(self) -> None:
        if self._instance is not None and self._instance.problem:
            self.visit.problems.append(self._instance.problem)

    # --- coming and going -----------------------------------------------------------------------------------

    @property
    def instance(self) -> Instance:
        if self._instance is None:
            raise Gone
        return self._instance

    @property
    def process(self) -> PanelProcess:
        process = self.instance.keeper.process
        if process is None or not process.alive:
            raise Gone
        return process

    async def open(self) -> None:
        visit, package = self.visit, self._seen.package
        assert package is not None
        name = f"{visit.view.id}-{visit.mode}-{visit.context.token[:6]}"
        self._instance = self._host.open(name, package.id, visit.view.id, visit.context, self)
        await until(
            lambda: self.instance.root is not None or self._over(), HELD if visit.mode == "late" else FIRST_RENDER
        )
        self._seen.door.release(visit.context.token)
        await until(lambda: self.instance.root is not None or self._over(), FIRST_RENDER)
        visit.drew = self.instance.root is not None
        taken = self.instance.first_render_ms
        visit.first_render = None if taken is None else taken / 1000
        await self._settle()
        if visit.mode != "failing":
            await self._complete()
        visit.binds_before = frozenset(fields(self._now()))

    def _over(self) -> bool:
        return self.instance.state in ("dead", "disabled", "closed")

    async def leave(self) -> None:
        """Ask it to go, see that it goes, and keep what it said."""
        visit, instance = self.visit, self.instance
        process = instance.keeper.process
        visit.resyncs = sum(one.method == "resync" for one in self._seen.messages(visit, to_panel=True))
        if process is not None and process.alive:
            visit.dropped = process.dropped
            process.ending = True
            begun = time.monotonic()
            asked = process.peer.start(Shutdown())
            asked.add_done_callback(lambda f: f.cancelled() or f.exception())
            gone = await until(lambda: not process.alive, LEAVES)
            visit.left = time.monotonic() - begun if gone else None
            visit.log += process.log_tail
        else:
            visit.log += instance.log_tail
        await self._host.end_context(visit.context)

    # --- what is done ---------------------------------------------------------------------------------------

    async def use(self) -> None:
        """As a user would: look, type, press, change settings and language, go away and come back."""
        await self._rest()
        await self._type()
        await self._press_all()
        await self._languages()
        await self._settings()
        await self._redraw()
        self.process.peer.notify(FromTheFuture(instance=self.instance.id, context=self.visit.context.token))
        await self._hide()
        await self._intents()
        await self._ask()
        await self._cancel()
        await self._ping("after all else")

    async def abuse(self) -> None:
        """What a field should not hold."""
        self._when = "odd values typed"
        for number, odd in enumerate(ODD):
            for place, bind in enumerate(fields(self._now())):
                self.instance.typed(bind, ODD[(number + place) % len(ODD)] if number else odd)
            await asyncio.sleep(0.03)
        await self._settle()
        await self._ping("with odd values in its fields")

    async def kill(self) -> None:
        """Typed in, killed in the middle, and back with what was typed."""
        visit = self.visit
        visit.binds_before = frozenset(fields(self._now()))
        for bind, value in values_for(self._now()).items():
            visit.typed[bind] = value
            self.instance.typed(bind, value)
        await self._settle()
        pid, before = self.process.pid, len(self._seen.crashes)
        self._when = "killed and started again"
        renders = len(visit.looks)
        if pid is not None:
            os.kill(pid, signal.SIGKILL)
        await until(lambda: len(visit.looks) > renders and self.instance.state == "running", FIRST_RENDER)
        del self._seen.crashes[before : before + 1]  # that one was ours
        self._host.enable(self.instance.package.id)
        await self._complete()
        visit.binds_after = frozenset(fields(self._now())) if len(visit.looks) > renders else None
        visit.values_after = dict(self.instance.values)

    async def strain(self) -> None:
        """Many rows on screen, quick typing, and a ping in the middle of it."""
        found = values_for(self._now())
        for number in range(KEYSTROKES):
            for bind, value in found.items():
                self.instance.typed(bind, f"{value}{number}" if isinstance(value, str) else value)
            if number % 10 == 0:
                await asyncio.sleep(0.005)
        await self._ping("while somebody types and many rows are shown")
        await self._settle()
        self.visit.memory, self.visit.processes = await asyncio.to_thread(processes.measure, self.process.pid or 0)

    # --- steps ----------------------------------------------------------------------------------------------

    async def _rest(self) -> None:
        """Nothing happens: nothing should be drawn."""
        before = self._renders()
        await asyncio.sleep(IDLE)
        self.visit.idle_renders = self._renders() - before

    def _renders(self) -> int:
        return sum(one.method == "render" for one in self._seen.messages(self.visit))

    async def _type(self) -> None:
        self._when = "typed"
        for _ in range(3):  # a choice may bring further fields
            fresh = {b: v for b, v in values_for(self._now()).items() if b not in self.visit.typed}
            for bind, value in fresh.items():
                self.visit.typed[bind] = value
                self.instance.typed(bind, value)
            await self._settle()
            if not fresh:
                return

    async def _press_all(self) -> None:
        done: set[str] = set()
        while len(done) < MOST_PRESSES:
            found = next(((t, a) for t, a in actions(self._now()) if _key(a) not in done), None)
            if found is None:
                return
            text, action = found
            done.add(_key(action))
            self.visit.typed.clear()
            await self._type()
            self._when = f"pressed «{text}»"
            await self._press(text, action)
            await self._settle()

    async def _press(self, text: str, action: Action) -> None:
        token, begun = self.visit.context.token, time.monotonic()
        outcome = await self.instance.act(action)
        taken = time.monotonic() - begun
        answer = self._answer("event", token)
        body = answer.body if answer is not None else {}
        effects, error = body.get("result"), body.get("error")
        self.visit.pressed.append(
            Pressed(
                text, action.name, outcome.ok, outcome.problem, taken,
                effects if isinstance(effects, dict) else None, error if isinstance(error, dict) else None,
            )
        )  # fmt: skip

    def _answer(self, method: str, token: str) -> Passed | None:
        """The panel's answer to the last request `method` of this context."""
        mine = [one for one in self._seen.passed if one.token == token]
        asked = next((one for one in reversed(mine) if one.to_panel and one.method == method), None)
        if asked is None:
            return None
        number = asked.body.get("id")
        return next((o for o in reversed(mine) if not o.to_panel and not o.method and o.body.get("id") == number), None)

    async def _languages(self) -> None:
        assert self._seen.package is not None
        for locale in (*self._seen.package.languages[1:], self._seen.package.languages[0]):
            self._when = f"language {locale}"
            self.instance.set_settings({}, locale)
            await self._settle()
            self.visit.locales[locale] = self._now()

    async def _settings(self) -> None:
        assert self._seen.package is not None
        self._when = "settings changed"
        known = self._seen.package.settings
        if known:
            self.instance.set_settings(
                {name: another(one) for name, one in known.items()}, self._seen.package.languages[0]
            )
            await self._settle()

    async def _redraw(self) -> None:
        """A whole tree anew must be the tree that the patches led to."""
        self._when = "drawn anew"
        before, renders = self._now(), len(self.visit.looks)
        self.instance.resync()
        if not await until(lambda: len(self.visit.looks) > renders, ANSWER):
            self.visit.unanswered.append("`resync` was not answered with a whole tree within 2 s")
        elif shape(before) != shape(self._now()):
            self.visit.problems.append("patch: the whole tree after `resync` is not the one its patches led to")

    async def _hide(self) -> None:
        self.instance.show(False)
        await asyncio.sleep(0.02)
        self._when = "shown again"
        self.instance.show(True)
        await self._settle()

    async def _ask(self) -> None:
        await self._request("ask", Ask(instance=self.instance.id, context=self.visit.context.token))

    async def _intents(self) -> None:
        """What the panel says it handles, asked by somebody who knows nothing of its arguments."""
        for number, name in enumerate(self.instance.package.handles):
            self._when = f"asked for «{name}»"
            address = {"instance": self.instance.id, "context": self.visit.context.token}
            asked = Intent(**address, id=f"i{number}", name=name, args={}, source="Et annet panel")
            await self._answered(f"`intent` {name}", self.process.peer.start(asked))
            await self._settle()

    async def _cancel(self) -> None:
        """An event that is no longer wanted: answered all the same, one way or the other; its effects go nowhere."""
        self.visit.typed.clear()
        await self._type()
        found = next((action for _, action in actions(self._now())), None)
        if found is None:
            return
        process, instance = self.process, self.instance
        event = Event(instance=instance.id, context=self.visit.context.token, action=found, state=instance.fields.state)
        answer = process.peer.start(event)
        sent = next(one for one in reversed(self._seen.messages(self.visit, to_panel=True)) if one.method == "event")
        process.peer.notify(Cancel(id=int(sent.body["id"])))
        await self._answered("a cancelled `event`", answer)

    async def _ping(self, when: str) -> None:
        await self._answered(f"`ping` {when}", self.process.peer.start(Ping()))

    async def _request(self, name: str, message: WireMessage) -> None:
        await self._answered(f"`{name}`", self.process.peer.start(message))

    async def _answered(self, what: str, answer: asyncio.Future[Any]) -> None:
        try:
            async with asyncio.timeout(ANSWER):
                await asyncio.shield(answer)
        except TimeoutError:
            answer.cancel()
            self.visit.unanswered.append(f"{what}: no answer within {ANSWER:.0f} s")
        except PanelError as error:
            if what == "`ask`" or error.code in (MethodNotFound.code, InternalError.code):
                self.visit.unanswered.append(f"{what}: answered with the error {error.name}: {error.message}")

    # --- looking --------------------------------------------------------------------------------------------

    def _now(self) -> Look:
        return look(self.instance, self._when)

    async def _settle(self) -> None:
        """Until the panel has heard all that was sent, and drawn what follows from it: what was sent before a ping is
        handled before it, and drawn before the next is answered."""
        self.instance.flush()
        for _ in range(2):
            process = self.instance.keeper.process
            if self._over() or process is None:
                raise Gone
            pong = process.peer.start(Ping())
            pong.add_done_callback(lambda f: f.cancelled() or f.exception())
            await asyncio.wait([pong], timeout=ANSWER)
        self._heard = time.monotonic()
        await until(lambda: time.monotonic() - self._heard > QUIET or self._over(), 1.0)
        if self._over():
            raise Gone

    async def _complete(self) -> None:
        """Until nothing is drawn as pending, or it will not be otherwise."""
        await until(lambda: self._over() or not self._now().all("pending"), COMPLETE)


async def until(good: Callable[[], object], seconds: float) -> bool:
    """Whether it became good in time."""
    deadline = time.monotonic() + seconds
    while not good():
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(0.005)
    return True


def _key(action: Action) -> str:
    return action.name + json.dumps(action.args, sort_keys=True, default=str)


# --- reading a tree -----------------------------------------------------------------------------------------


def look(instance: Instance, when: str) -> Look:
    nodes, found = instance.nodes, []
    waiting = [instance.root] if instance.root is not None else []
    while waiting:
        node = nodes[waiting.pop()]
        kind = node.component.type if isinstance(node.component, Unknown) else node.component.kind
        props = msgspec.to_builtins(node.component)
        found.append(Node(node.id, kind, props, node.parent, tuple(node.children)))
        waiting.extend(reversed(node.children))
    return Look(when, tuple(found))


def shape(seen: Look) -> list[tuple[str, str, str]]:
    return [(node.id, node.type, json.dumps(node.props, sort_keys=True, default=str)) for node in seen.nodes]


def fields(seen: Look) -> Iterator[str]:
    """Every bind, in reading order."""
    for node in seen.nodes:
        for props in bound(node):
            yield str(props["bind"])


def bound(node: Node) -> Iterator[Message]:
    """The properties that own a bind: the node's own, or those of the fields within it."""
    if "bind" in node.props:
        yield node.props
    for held in node.props.values():
        if isinstance(held, dict) and "bind" in held:
            yield held


def values_for(seen: Look) -> dict[str, Any]:
    """Something fitting for each field."""
    found: dict[str, Any] = {}
    for node in seen.nodes:
        for props in bound(node):
            found[str(props["bind"])] = fitting(node.type, props)
    return found


def fitting(kind: str, props: Message) -> Any:
    if props.get("options"):
        first = props["options"][-1]
        value = first["value"] if isinstance(first, dict) else first
        return [value] if props.get("multiple") else value
    if "number" in kind or "pair" in kind:
        low, high = props.get("minimum"), props.get("maximum")
        if low is None or high is None:
            return 5
        return (
            round((float(low) + float(high)) / 2, int(props.get("decimals") or 0))
            if props.get("decimals")
            else int((low + high) / 2)
        )
    if "date" in kind and "time" in kind:
        return "2026-01-14T14:30:00+01:00"
    if "date" in kind:
        return "2026-01-14"
    if "time" in kind:
        return "14:30"
    if "check" in kind or "toggle" in kind or "switch" in kind:
        return True
    return "Prøvetekst æøå"


def actions(seen: Look) -> Iterator[tuple[str, Action]]:
    """What can be pressed, and what it is called; of many rows only the first two."""
    for node in seen.nodes:
        if node.props.get("disabled"):
            continue
        text = str(node.props.get("text") or node.props.get("label") or node.props.get("title") or node.type)
        yield from _within(node.props, text)


def _within(value: Any, text: str) -> Iterator[tuple[str, Action]]:
    if isinstance(value, list):
        for inner in value[:2] if len(value) > 8 else value:
            yield from _within(inner, text)
    if not isinstance(value, dict) or value.get("disabled"):
        return
    named = str(value.get("text") or value.get("label") or text)
    for name, inner in value.items():
        if name == "args":
            continue
        if is_action(inner):
            if not str(inner["name"]).startswith("sdk."):
                yield named, Action(str(inner["name"]), dict(inner.get("args") or {}))
        else:
            yield from _within(inner, named)


def is_action(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and set(value) <= {"name", "args"}


def another(setting: Any) -> Any:
    """A value that is not the default."""
    others = [choice for choice in setting.choices if choice != setting.default]
    if others:
        return others[0]
    if setting.type == "boolean":
        return not setting.default
    if setting.type in ("integer", "number"):
        return (setting.default or 0) + 1
    return "annet"
