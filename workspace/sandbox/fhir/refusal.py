"""Why the store refuses a request: a Problem with an HTTP status and R4's issue code. Says nothing of users."""

from __future__ import annotations

from workspace.fhir import outcome
from workspace.fhir.service import FhirResponse
from workspace.problem import Problem


class Refusal(Problem):
    """`status` is the HTTP status, `issue` a code of R4's IssueType."""

    def __init__(
        self, status: int, code: str, sentence: str, *, advice: str = "", detail: str = "", issue: str = "processing"
    ) -> None:
        super().__init__(code, sentence, advice, detail)
        self.status = status
        self.issue = issue


def answer(problem: Problem) -> FhirResponse:
    """The response that carries `problem` as an OperationOutcome; a SearchError and other Problems are 400."""
    status, issue = (problem.status, problem.issue) if isinstance(problem, Refusal) else (400, "invalid")
    return FhirResponse(status, outcome.build(problem, issue=issue))


def bad_request(code: str, sentence: str, detail: str) -> Refusal:
    return Refusal(400, code, sentence, detail=detail, issue="invalid")


def not_found(resource_type: str, own: str) -> Refusal:
    return Refusal(
        404, "not-found", "Opplysningen finnes ikke på plattformen.", detail=f"{resource_type}/{own}", issue="not-found"
    )


def gone(resource_type: str, own: str) -> Refusal:
    return Refusal(410, "deleted", "Opplysningen er slettet.", detail=f"{resource_type}/{own}", issue="deleted")


def unknown_type(resource_type: str) -> Refusal:
    return Refusal(
        404,
        "unknown-type",
        "Plattformen har ikke denne typen opplysninger.",
        detail=f"no resource type {resource_type!r}",
        issue="not-supported",
    )


def version_conflict(detail: str) -> Refusal:
    return Refusal(
        412,
        "version-conflict",
        "Noen andre har endret opplysningen i mellomtiden.",
        advice="Se den nye versjonen og velg hva som skal gjelde.",
        detail=detail,
        issue="conflict",
    )


def several_matches(detail: str) -> Refusal:
    return Refusal(
        412,
        "several-matches",
        "Flere opplysninger passer, så ingen ble endret.",
        detail=detail,
        issue="multiple-matches",
    )
