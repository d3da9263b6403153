"""OperationOutcome: building one from a failure, and reading one back into a `Problem`.

`details.text` is the Norwegian sentence a person sees, `details.coding[0].code` the stable name, `diagnostics` the
English detail for the log. Never holds patient data of its own making.
"""

from __future__ import annotations

from typing import Any

from workspace.problem import Problem

SYSTEM = "urn:clinician-workspace:problem"

_UNKNOWN = "Plattformen svarte med en feil."


def build(
    problem: Problem, *, issue: str = "processing", severity: str = "error", expression: str = ""
) -> dict[str, Any]:
    """The outcome of a failed request. `issue` is a code of R4's IssueType (``invalid``, ``not-found`` …)."""
    found: dict[str, Any] = {
        "severity": severity,
        "code": issue,
        "details": {"coding": [{"system": SYSTEM, "code": problem.code}], "text": str(problem)},
    }
    if problem.detail:
        found["diagnostics"] = problem.detail
    if expression:
        found["expression"] = [expression]
    return {"resourceType": "OperationOutcome", "issue": [found]}


def success(sentence: str) -> dict[str, Any]:
    """The outcome of a request that went well (``Prefer: return=OperationOutcome``)."""
    issue = {"severity": "information", "code": "informational", "details": {"text": sentence}}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def problem_of(outcome: Any, *, code: str = "platform-refused") -> Problem:
    """The first error of an OperationOutcome as a Problem; servers that give no text still get a sentence.

    `code` is used when the outcome names none of ours.
    """
    issues = outcome.get("issue", []) if isinstance(outcome, dict) else []
    ordered = sorted(
        (each for each in issues if isinstance(each, dict)),
        key=lambda each: each.get("severity") not in ("fatal", "error"),
    )
    if not ordered:
        return Problem(code, _UNKNOWN, detail="no OperationOutcome")
    first = ordered[0]
    details = first.get("details") or {}
    coding: dict[str, Any] = next(iter(details.get("coding") or []), {})
    detail = first.get("diagnostics") or first.get("code") or ""
    return Problem(str(coding.get("code") or code), str(details.get("text") or _UNKNOWN), detail=str(detail))
