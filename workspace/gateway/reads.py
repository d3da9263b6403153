"""Reads of one resource, one version, and histories: fetched first, shown only when the patient is open to this person.

What is not there and what is not open are answered alike, so that nobody learns by asking what others have.
"""

from __future__ import annotations

from workspace.access.decision import NO_PATIENT, Decision
from workspace.access.kinds import GLOBAL_TYPES, served
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.refused import denied
from workspace.gateway.sight import NOBODYS, Sight, before_deletion, last_stood


class Reads:
    def __init__(self, service: FhirService, auditing: Auditing, base: str) -> None:
        self._service = service
        self._auditing = auditing
        self._base = base

    async def answer(
        self, asking: Asking, path: str, query: str = "", none_match: str = "", reveal: str = ""
    ) -> FhirResponse:
        """``Type/id``, ``Type/id/_history``, ``Type/id/_history/3`` or ``Type/_history``. Raises Refused 403.

        `reveal` is why a protected address is to be shown; for one resource only, and in the log.
        """
        kind, _, rest = path.partition("/")
        if not served(kind):
            raise denied(asking.decide("read", kind))
        own = rest.partition("/")[0]
        first = asking.decide("read", kind, (f"Patient/{own}",) if kind == "Patient" and own != "_history" else None)
        if not first.permitted:
            raise denied(first)
        answer = await self._service.handle(FhirRequest("GET", path, query))
        if answer.status in (404, 410) and kind not in GLOBAL_TYPES and own != "_history":
            await self._missing(asking, kind, own)
        if answer.status != 200 or answer.body is None:
            return answer
        sight = Sight(self._service, asking, self._base)
        if path.endswith("_history"):
            unknown = asking.decide("read", kind, NOBODYS)
            await self._history(answer, sight, unknown, strict=own != "_history")
            decision, reveal = first, ""
        else:
            decision = await sight.decision(answer.body)
            if not decision.permitted:
                raise denied(_nobodys(asking, kind, decision))
            shown = sight.shown(answer.body)
            if shown is answer.body:
                reveal = ""  # there is nothing to reveal
            elif not reveal:
                answer = FhirResponse(answer.status, shown, answer.headers)
        if kind not in GLOBAL_TYPES:
            self._auditing.read(asking, "read", shape(path), tuple(sight.patients), decision, reason=reveal)
        if none_match and none_match == answer.headers.get("etag"):
            return FhirResponse(304, None, answer.headers)
        return answer

    async def _missing(self, asking: Asking, kind: str, own: str) -> None:
        """Raises Refused as for somebody else's, unless what was asked for is open and only gone, or not in this version."""
        refusal = asking.decide("read", kind, NOBODYS)
        if refusal.permitted:
            return  # about no patient: the log
        sight = Sight(self._service, asking, self._base)
        there = await self._service.handle(FhirRequest("GET", f"{kind}/{own}"))
        stood = there.body if there.status == 200 else None
        if there.status == 410:
            stood = await last_stood(self._service, kind, own)
        if stood is None or not (await sight.decision(stood)).permitted:
            raise denied(refusal)

    async def _history(self, answer: FhirResponse, sight: Sight, unknown: Decision, *, strict: bool) -> None:
        """An instance's history is shown whole or not at all; a type's is filtered."""
        assert answer.body is not None, "answer has looked"
        kept = []
        for entry in answer.body.get("entry", ()):
            stood = entry.get("resource") or await before_deletion(self._service, entry)
            decision = await sight.decision(stood) if stood else unknown
            if not decision.permitted and strict:
                raise denied(unknown if decision.code == NO_PATIENT else decision)
            if decision.permitted:
                if "resource" in entry:
                    entry["resource"] = sight.shown(entry["resource"])
                kept.append(entry)
        answer.body["entry"] = kept
        answer.body.pop("total", None)
        for link in answer.body.get("link", ()):
            if "://" not in link["url"]:
                link["url"] = f"{self._base}/{link['url']}"


def _nobodys(asking: Asking, kind: str, decision: Decision) -> Decision:
    """The decision on what is about no patient, and opened to nobody: it is answered as what is not there."""
    return asking.decide("read", kind, NOBODYS) if decision.code == NO_PATIENT else decision


def shape(path: str) -> str:
    """``Observation/*`` or ``Observation/*/_history``: the log names patients, not ids."""
    parts = path.split("/")
    return "/".join([parts[0], *("*" if each != "_history" else each for each in parts[1:])])
