"""What every call of a panel meets first: whether its context still stands, how often it asks, what it may ask at all. A no
is logged and told to the platform's audit; the platform's own no is said in the panel's words. Asks and writes nothing."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Any

from workspace.broker import scoping
from workspace.broker.context import Context
from workspace.broker.door import Refused
from workspace.broker.grant import Grant
from workspace.broker.reporting import Reports
from workspace.problem import Problem
from workspace.record.client import Asker, PlatformProblem

log = logging.getLogger(__name__)
REQUESTS_PER_SECOND = 60
WIRE_STATUS = {400: "bad-query", 403: "access-denied", 404: "not-found", 410: "not-found", 429: "too-many"}


class Gate:
    """`alive`, `pace` and `admit` raise Refused. ``end(context)`` when a context is over."""

    def __init__(self, reports: Reports) -> None:
        self._reports = reports
        self._ended: set[str] = set()
        self._calls: dict[tuple[str, str], deque[float]] = {}

    def end(self, context: Context) -> None:
        self._ended.add(context.token)
        for key in [key for key in self._calls if key[0] == context.token]:
            del self._calls[key]

    def is_over(self, grant: Grant) -> bool:
        return grant.context.token in self._ended

    def alive(self, grant: Grant) -> None:
        """Before a question, and after its answer."""
        if self.is_over(grant):
            raise scoping.refused("context-changed", "Beboeren er byttet.")

    def admit(self, grant: Grant, query: str) -> str:
        self.alive(grant)
        self.pace(grant)
        try:
            return scoping.narrowed(grant, query)
        except Refused as fault:
            raise self.refuse(grant, fault, query.partition("?")[0]) from None

    def pace(self, grant: Grant) -> None:
        calls = self._calls.setdefault((grant.context.token, grant.instance), deque())
        now = time.monotonic()
        while calls and now - calls[0] > 1.0:
            calls.popleft()
        if len(calls) >= REQUESTS_PER_SECOND:
            raise self.refuse(grant, scoping.refused("too-many", "Panelet spør for ofte og må vente litt."), "rate")
        calls.append(now)

    def refuse(self, grant: Grant, fault: Refused, about: str) -> Refused:
        log.warning("refused %s to %s: %s", fault.code, grant.signature, fault.detail or about)
        who = (grant.context.patient,) if grant.context.patient else ()
        self._reports.add("refused", grant, who, query=about, reason=fault.code)
        return fault

    @staticmethod
    def asker(grant: Grant) -> Asker:
        return Asker((grant.signature,), grant.context.token)

    @staticmethod
    async def asked(work: Any) -> Any:
        try:
            return await work
        except PlatformProblem as problem:
            code = WIRE_STATUS.get(problem.status, "unavailable")
            raise Refused(code, problem.sentence, problem.advice, problem.detail) from problem
        except Problem as problem:
            raise Refused(problem.code, problem.sentence, problem.advice, problem.detail) from problem
