"""What a no of the platform means for an item: it was done after all, it may pass yet, two have changed the same, or it is
not taken. Asks the platform; never writes, and keeps nothing but how often it has doubted an answer.

HTTP 409 and 412 are not always what they say (FHIR R4 http.html#transaction: 409 for contention too): only what is looked
up is believed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace.problem import Problem
from workspace.record import ours
from workspace.record.client import Client, PlatformProblem
from workspace.record.conflict import Conflict
from workspace.record.items import Item, State, entries, is_answer
from workspace.record.patience import may_still_pass
from workspace.record.settling import Settling

DOUBTS = 5
"""How often an answer that contradicts what stands on the platform is put down to chance."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` when it was done; `again` is why it must be tried again; else `state` and `problem` are how it ends, with
    what two have changed in `shown`."""

    answer: Mapping[str, Any] | None = None
    again: Problem | None = None
    shown: Conflict | None = None
    state: State = "avvist"
    problem: Problem | None = None


class Refusals:
    def __init__(self, client: Client, settling: Settling) -> None:
        self._client, self._settling = client, settling
        self._doubts: dict[str, int] = {}

    async def judge(self, item: Item, problem: PlatformProblem) -> Verdict:
        """Raises nothing."""
        if problem.status not in (409, 412):
            return self._ended(item, problem)
        try:
            answer = await ours.outcome_of(self._client, item)
            if answer is not None and is_answer(answer, item):
                return Verdict(answer=answer)
            shown = await self._settling.conflict(item) if problem.status == 412 and item.updates else None
        except PlatformProblem as no:
            # Gone, or closed to its author meanwhile: that is an answer, and what waits behind it must not wait for ever.
            return Verdict(again=no) if may_still_pass(no) else self._ended(item, _out_of_reach(no))
        except Problem as unknown:  # signed out
            return Verdict(again=unknown)
        if shown is not None and shown.resources:
            self._doubts.pop(item.id, None)
            return Verdict(shown=shown, state="konflikt", problem=problem)
        if not _conditional(item):
            # Nothing of it was written, and every version is as it should be: nothing stands in its way.
            self._doubts[item.id] = self._doubts.get(item.id, 0) + 1
            if self._doubts[item.id] <= DOUBTS:
                return Verdict(again=problem)
        return self._ended(item, problem)

    def _ended(self, item: Item, problem: Problem) -> Verdict:
        self._doubts.pop(item.id, None)
        return Verdict(problem=problem)


def _conditional(item: Item) -> bool:
    """Whether it asks for something not to be there: then a 412 is what it says."""
    return any((entry.get("request") or {}).get("ifNoneExist") for entry in entries(item.bundle))


def _out_of_reach(no: PlatformProblem) -> Problem:
    if no.status in (404, 410):
        return Problem(
            "base-gone",
            "Det du endret, er ikke i journalen lenger.",
            "Åpne det i skjemaet og skriv det på nytt hvis det fortsatt gjelder, eller forkast det.",
            no.detail,
        )
    return no
