"""Why the gateway refuses: a Problem with an HTTP status, and the decision where one was made. Names no patient."""

from __future__ import annotations

from dataclasses import dataclass

from workspace.access.decision import RESTRICTED, Decision
from workspace.fhir import outcome
from workspace.fhir.service import FhirResponse, Resource
from workspace.problem import Problem

RETRY_AFTER = {429: 5, 503: 2}
"""Seconds after which it is worth while to ask again."""


class Refused(Problem):
    """`status` is the HTTP status, `issue` a code of R4's IssueType; `decision` is there when access was denied."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        advice: str = "",
        detail: str = "",
        *,
        issue: str = "processing",
        decision: Decision | None = None,
    ) -> None:
        super().__init__(code, sentence, advice, detail)
        self.status = status
        self.issue = issue
        self.decision = decision

    def response(self) -> FhirResponse:
        headers = {"retry-after": str(RETRY_AFTER[self.status])} if self.status in RETRY_AFTER else {}
        return FhirResponse(self.status, outcome.build(self, issue=self.issue), headers)


@dataclass(frozen=True, slots=True)
class Fault:
    """One field that the profile requires otherwise: `expression` ``Observation.status``, `sentence` Norwegian."""

    expression: str
    sentence: str
    code: str = "required"


class Rejected(Refused):
    """422: one issue for each field."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__(422, "rejected", faults[0].sentence, detail=", ".join(each.expression for each in faults))
        self.faults = faults

    def response(self) -> FhirResponse:
        issues: list[Resource] = []
        for fault in self.faults:
            problem = Problem(fault.code, fault.sentence)
            issues += outcome.build(problem, issue=_ISSUE.get(fault.code, "invalid"), expression=fault.expression)[
                "issue"
            ]
        return FhirResponse(422, {"resourceType": "OperationOutcome", "issue": issues})


_ISSUE = {
    "required": "required",
    "author": "business-rule",
    "patient": "business-rule",
    "foreign-link": "business-rule",
}


def denied(decision: Decision) -> Refused:
    """403 with the decision's sentence and stable name (`no-decision`, `purpose` …). That a patient has closed something is
    for the log alone: outwardly nothing opens the record."""
    code, rule = ("no-decision", "R-01") if decision.code == RESTRICTED else (decision.code, decision.rule)
    return Refused(403, code, decision.sentence, detail=rule, issue="forbidden", decision=decision)


def hidden(decision: Decision) -> Refused:
    """Like `denied`, of a change to what somebody names: what is not open and what is not there are answered alike."""
    refusal = denied(decision)
    if refusal.code == "no-decision":
        refusal.advice = "Det samme svares når opplysningen som endres, ikke finnes."
    return refusal


def bad_request(code: str, sentence: str, detail: str) -> Refused:
    return Refused(400, code, sentence, detail=detail, issue="invalid")
