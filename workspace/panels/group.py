"""The instances of one package in one context, and the one process they share.

Starts it (a warm spare when there is one), routes what it says to the instance it names, watches that it is alive,
and brings it back by itself when it dies, later each time. Never gives a process to another context.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from workspace.broker.context import Context
from workspace.panels.faults import Fault, Verdict
from workspace.panels.instance import Instance
from workspace.panels.manifest import Package
from workspace.panels.process import PanelProcess, StartFailed
from workspace.panels.protocol import ANSWER_TIMEOUT, Ask, AskResult, ContextChanged, InvalidParams, Message, PanelError
from workspace.panels.tasks import Kept
from workspace.problem import Problem

log = logging.getLogger(__name__)
PING_EVERY = 5.0
MAX_STRAY = 100
"""Messages for somebody else before the process is ended: a late one is normal, a stream of them is not."""


class Crashes(Protocol):
    """The host's count: `faults.Crashes`."""

    def crashed(self, package: Package, reason: str) -> Verdict: ...

    def noticed(self, package: Package, reason: str, disabled: bool = False) -> None: ...

    def disabled(self, package: Package) -> bool: ...


class Group:
    """`acquire(package)` gives a process that has served nobody, or raises Problem. `ended` for good: the context is over,
    or the last instance was closed."""

    def __init__(self, package: Package, context: Context, acquire: Any, crashes: Crashes) -> None:
        self.package, self.context = package, context
        self.process: PanelProcess | None = None
        self.instances: dict[str, Instance] = {}
        self._acquire, self._crashes = acquire, crashes
        self._starting: asyncio.Task[PanelProcess] | None = None
        self.ended = False
        self._again: asyncio.TimerHandle | None = None
        self.kept = Kept()

    # --- opening --------------------------------------------------------------------------------------------

    def add(self, instance: Instance) -> None:
        """It belongs here from now on; `begin` opens it."""
        self.instances[instance.id] = instance
        if self._crashes.disabled(self.package):
            instance.lost("disabled", self._disabled())

    def begin(self, instance: Instance) -> None:
        """Open it, in the process that is there or one that is being made ready. Returns at once."""
        if not self.ended and instance.state == "starting":
            instance.prefetch()
            self.kept.start(self._open(instance))

    async def _open(self, instance: Instance) -> None:
        try:
            process = await self._ready()
        except StartFailed:
            return  # `_start` has told all of them
        except Problem as problem:
            if not self.ended:
                instance.lost("dead", str(problem))
            return
        if not self.ended and process.alive:
            await instance.open_in(process)

    async def _ready(self) -> PanelProcess:
        if self.process is not None and self.process.alive:
            return self.process
        if self._starting is None or self._starting.done():
            self._starting = asyncio.get_running_loop().create_task(self._start())
            self._starting.add_done_callback(lambda task: task.cancelled() or task.exception())
        return await asyncio.shield(self._starting)

    async def _start(self) -> PanelProcess:
        if self._crashes.disabled(self.package):
            raise Problem("panel-disabled", self._disabled())
        try:
            process: PanelProcess = await self._acquire(self.package)
        except StartFailed as failed:
            if not self.ended:
                self._fell(failed.sentence, failed.why, failed.fault, failed.log_tail)
            raise
        if self.ended:
            await process.kill()
            raise Problem("context-changed", "Pasienten er byttet.")
        process.adopt(self.context.token, self)
        self.process = process
        self.kept.start(self._ping(process))
        return process

    # --- from the process -----------------------------------------------------------------------------------

    def heard(self, params: Message, size: int) -> None:
        instance = self._addressed(params)
        if instance is not None:
            instance.heard(params, size)

    async def asked(self, params: Message) -> Any:
        instance = self._addressed(params)
        if instance is None:
            if getattr(params, "context", "") != self.context.token:
                raise ContextChanged("this context has ended")
            raise InvalidParams("no such instance in this process")
        return await instance.asked(params)

    def _addressed(self, params: Message) -> Instance | None:
        """The instance, when it is open here and the context is this one; else the message is dropped and counted."""
        instance = self.instances.get(getattr(params, "instance", ""))
        if instance is not None and getattr(params, "context", "") == self.context.token and instance.state != "closed":
            return instance
        if instance is not None:
            instance.dropped += 1
        if self.process is not None:
            if not self.process.dropped:
                log.warning("%s@%s sent a message for somebody else", self.package.id, self.package.version)
                self.process.note("[host] dropped: a message for another instance or an ended context\n")
            self.process.dropped += 1
            if self.process.dropped > MAX_STRAY:
                self.process.end_for("det sendte meldinger for andre enn seg selv", "stray")
        return None

    def silence(self, process: PanelProcess, silent: bool) -> None:
        if silent:
            self._crashes.noticed(self.package, "det svarer ikke")
        for instance in self.instances.values():
            instance.silent(silent)

    def exited(self, process: PanelProcess) -> None:
        """It died."""
        if self.ended or process.ending or process is not self.process:
            return
        self.process = None
        sentence = f"«{self.package.name}» fra {self.package.vendor} stanset: {process.reason}."
        self.kept.start(process.peer.close(PanelError("the panel has ended")))
        self._fell(sentence, process.reason, process.fault, process.log_tail)

    def _fell(self, sentence: str, reason: str, fault: Fault, log_tail: str) -> None:
        """It died or would not start: it comes back by itself, later each time, until it is disabled."""
        verdict = self._crashes.crashed(self.package, reason)
        if verdict.disabled:
            sentence = self._disabled()
        elif verdict.again_in:
            sentence += f" Det starter på nytt om {verdict.again_in:.0f} s."
        for instance in self.instances.values():
            instance.fault, instance.last_log = fault, log_tail
            instance.lost("disabled" if verdict.disabled else "dead", sentence)
        if not verdict.disabled:
            self._reopen_in(verdict.again_in)

    def _reopen_in(self, seconds: float) -> None:
        self._stay_away()
        if seconds:
            self._again = asyncio.get_running_loop().call_later(seconds, self._reopen)
        else:
            self._reopen()

    def _stay_away(self) -> None:
        if self._again is not None:
            self._again.cancel()
            self._again = None

    def mute(self) -> None:
        """It answers, but not to `open`."""
        self._crashes.noticed(self.package, "det åpner ikke")

    def broke(self, reason: str) -> None:
        if self.process is not None:
            self.process.end_for(reason, "flood")

    def _disabled(self) -> str:
        name = f"«{self.package.name}» fra {self.package.vendor}"
        return f"{name} er slått av for deg, fordi det stanset tre ganger på ti minutter. Administrator får beskjed."

    # --- watching -------------------------------------------------------------------------------------------

    async def _ping(self, process: PanelProcess) -> None:
        while process.alive and not self.ended:
            await asyncio.sleep(PING_EVERY)
            if process.alive and any(instance.visible for instance in self.instances.values()):
                process.check()

    async def ask(self) -> list[tuple[Instance, str]]:
        """The barrier: who holds, and why. The caller sets the deadline."""
        process = self.process
        if process is None or not process.alive:
            return []
        open_ = [instance for instance in self.instances.values() if instance.state in ("running", "silent")]
        answers = await asyncio.gather(*(self._ask(process, instance) for instance in open_))
        return [(instance, reason) for instance, reason in zip(open_, answers, strict=True) if reason]

    async def _ask(self, process: PanelProcess, instance: Instance) -> str:
        instance.flush()
        question = Ask(instance=instance.id, context=self.context.token)
        try:
            answer: AskResult = await process.peer.request(question, ANSWER_TIMEOUT)
        except (PanelError, TimeoutError):
            return ""
        return (answer.reason or "En prosedyre pågår.")[:300] if answer.hold else ""

    # --- again, and the end ---------------------------------------------------------------------------------

    async def restart(self, instance: Instance) -> None:
        """The user's *Start på nytt*: a new process for all that share it, with everything typed."""
        if self.ended or self._crashes.disabled(self.package):
            return
        self._stay_away()
        process, self.process = self.process, None
        if process is not None:
            instance.last_log = process.log_tail
            process.ending = True
            await process.kill()
        self._reopen()

    def enabled(self) -> None:
        """It was switched off, and is on again."""
        if not self.ended and any(instance.state == "disabled" for instance in self.instances.values()):
            self._reopen()

    def _reopen(self) -> None:
        self._stay_away()
        for instance in self.instances.values():
            if instance.state != "closed":
                instance.lost("starting", "")
                self.kept.start(self._open(instance))

    async def leave(self, instance: Instance) -> None:
        """One instance closed; the process ends with the last."""
        if self.instances.get(instance.id) is instance:
            del self.instances[instance.id]
        if not self.instances:
            await self.end()

    def stop(self) -> None:
        """The context is over, now: nothing more reaches the shell. `end` clears up behind."""
        self._stay_away()
        for instance in self.instances.values():
            instance.finish()
        self.ended = True
        if self.process is not None:
            self.process.ending = True
            self.process.peer.drop()
            self.process.peer.fail(ContextChanged("the context has ended"), self.context.token)

    async def end(self) -> None:
        """See the process out. Idempotent."""
        self.stop()
        instances = list(self.instances.values())
        if self._starting is not None and not self._starting.done():
            self._starting.cancel()
            await asyncio.wait([self._starting])
        if self.process is not None:
            await self.process.end()
        await asyncio.gather(*(instance.acts.kept.finish(3.0) for instance in instances))
        await asyncio.gather(*(instance.errands.kept.close() for instance in instances))
        await self.kept.close()
        for instance in instances:
            instance.empty()
