"""What a no of the platform means for an item: it was done after all, it may pass yet, two have changed the same, or it is
not taken. Asks the platform; never writes, and keeps nothing but how often it has doubted an answer.

HTTP 409 and 412 are not always what they say (FHIR R4 http.html#transaction: 409 for contention too): only what is looked
up is believed.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.record import ours
from workspace.record.client import Client, PlatformProblem
from workspace.record.conflict import Conflict
from workspace.record.items import Item, State, entries, is_answer
from workspace.record.patience import may_still_pass
from workspace.record.readdress import REPLACED
from workspace.record.settling import Settling

log = logging.getLogger(__name__)
TRIES = 6
"""How often something is sent that the platform refuses without a reason that can be found there."""


LOOKS = 8
"""How often the platform may say 200 over a no, with nothing of it there, before the no is believed. The pauses between
(half a second, doubled up to fifteen) make that about half a minute: a store that finds what it wrote a little late has its
time, and whoever typed it still stands beside the bed when told."""
SPAN = 20.0
"""Seconds that must lie between the first and the last of them, however often the feed wakes what waits."""


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
    def __init__(self, client: Client, settling: Settling, clock: Clock) -> None:
        self._client, self._settling, self._clock = client, settling, clock
        self._doubts: dict[str, int] = {}
        self._denied: dict[str, tuple[int, float]] = {}  # how often, and since when

    async def judge(self, item: Item, problem: PlatformProblem) -> Verdict:
        """Raises nothing."""
        if problem.status not in (409, 412) or problem.code == REPLACED:
            return self._ended(item, problem)
        try:
            answer = await ours.outcome_of(self._client, item)
            if answer is not None and is_answer(answer, item.bundle):
                return Verdict(answer=answer)
            shown = await self._settling.conflict(item) if item.updates else None
        except PlatformProblem as no:
            # Gone, or closed to its author meanwhile: that is an answer, and what waits behind it must not wait for ever.
            return Verdict(again=no) if may_still_pass(no) else self._ended(item, closed(no))
        except Problem as unknown:  # signed out
            return Verdict(again=unknown)
        if shown is not None and shown.resources:
            self._doubts.pop(item.id, None)
            return Verdict(shown=shown, state="konflikt", problem=_changed(problem))
        if not _conditional(item):
            # Nothing of it was written, and every version is as it should be: nothing stands in its way.
            self._doubts[item.id] = self._doubts.get(item.id, 0) + 1
            if self._doubts[item.id] < TRIES:
                return Verdict(again=problem)
        return self._ended(item, _unexplained(problem))

    async def unclear(self, item: Item, said: Mapping[str, Any]) -> Verdict:
        """`said` is a 200 that does not say all of it was done: it is *lagret* when it is found there, *avvist* when it is
        certain, `LOOKS` times, that nothing of it was written, and else it waits. Raises nothing."""
        again = Verdict(again=Problem("platform-malformed", "Plattformen svarte på noe annet."))
        try:
            answer = await ours.outcome_of(self._client, item)
            if answer is not None and is_answer(answer, item.bundle):
                return Verdict(answer=answer)
            nothing = await ours.nothing_of(self._client, item)
        except Problem as problem:
            log.info("what became of it cannot be asked: %s", problem.code)
            return again
        if not nothing:
            return again
        now = self._clock.monotonic()
        count, since = self._denied.get(item.id, (0, now))
        self._denied[item.id] = (count + 1, since)
        if count + 1 < LOOKS or now - since < SPAN:
            return again
        return self._ended(item, _denied(said))

    def _ended(self, item: Item, problem: Problem) -> Verdict:
        self._doubts.pop(item.id, None)
        self._denied.pop(item.id, None)
        return Verdict(problem=problem)


def _conditional(item: Item) -> bool:
    """Whether it asks for something not to be there: then a 412 is what it says."""
    return any((entry.get("request") or {}).get("ifNoneExist") for entry in entries(item.bundle))


def closed(said: Problem) -> Problem:
    """What the update was about cannot be had: `said` is the platform's definite no."""
    status = getattr(said, "status", 0)
    if status in (404, 410):
        return Problem(
            "resource-gone",
            "Det du endret, er fjernet fra plattformen i mellomtiden.",
            "Gjelder det fortsatt, så skriv det som noe nytt. Ellers kan du forkaste det.",
            said.detail,
        )
    if status == 403:
        return Problem(
            said.code,
            "Du har ikke lenger tilgang til det du endret, og plattformen tok ikke imot endringen.",
            "Spør lederen din hvis du trenger tilgang. Det du skrev, blir stående her.",
            said.detail,
        )
    return Problem(
        "rejected",
        "Plattformen tok ikke imot endringen og viser ikke hva som står der nå.",
        "Prøv på nytt. Meld fra til brukerstøtte hvis det fortsetter.",
        said.detail,
    )


def _changed(problem: PlatformProblem) -> Problem:
    """Somebody else's version stands."""
    sentence = problem.sentence if problem.status == 412 else "Noen har endret det samme etter at du åpnet det."
    return Problem("conflict", sentence, "Se på begge utgavene og velg hva som skal gjelde.", problem.detail)


def _unexplained(problem: PlatformProblem) -> Problem:
    """The platform goes on saying no, though nobody has changed anything. A 409 says why itself."""
    sentence = "Plattformen tok ikke imot dette, enda ingen andre har endret det."
    if problem.status == 409 and problem.fields:
        sentence = problem.sentence
    advice = "Se etter om det står der før du skriver det på nytt. Meld fra til brukerstøtte hvis det fortsetter."
    return Problem("rejected", sentence, advice, problem.detail)


def _denied(said: Mapping[str, Any]) -> Problem:
    """A 200 over a no, with the platform's own words for it where it has any."""
    words = [
        str((issue.get("details") or {}).get("text") or issue.get("diagnostics") or "")
        for entry in entries(said)
        for issue in ((entry.get("response") or {}).get("outcome") or {}).get("issue") or ()
        if isinstance(issue, dict)
    ]
    why = next((text for text in words if text), "")
    return Problem(
        "rejected",
        "Plattformen svarte, men lagret ikke dette." + (f" Den sier: {why}" if why else ""),
        "Åpne det i skjemaet og se over det, eller send det på nytt. Meld fra til brukerstøtte hvis det fortsetter.",
        "200 without an answer to each entry, and nothing under the tag",
    )


def orphaned() -> Problem:
    return Problem(
        "base-gone",
        "Det dette bygger på, ble aldri lagret.",
        "Åpne det i skjemaet og skriv det på nytt, eller forkast det.",
    )


def moved_on() -> Problem:
    return Problem(
        "conflict-moved",
        "Det er endret igjen mens du så på det, så valget ditt er ikke lagret.",
        "Se på den nye utgaven og velg på nytt.",
    )


def maybe_there() -> Problem:
    return Problem(
        "not-yet",
        "Dette kan være på vei til plattformen, og kan ikke angres før den har svart.",
        "Det kan angres når det er lagret.",
    )


def built_on() -> Problem:
    return Problem("rested-on", "Noe du skrev etterpå, bygger på dette.", "Angre det siste først.")


def only_in_memory() -> Problem:
    return Problem(
        "not-durable",
        "Plattformen svarer ikke, og denne maskinen har ikke noe trygt sted å ta vare på det du skrev.",
        "Ikke lukk programmet før det er lagret.",
    )
