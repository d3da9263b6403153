"""What a check is: a stable code, why it is there, how to mend what it finds, and a function from evidence to findings.

The list is `rules.ALL`; `docs/vendors/rules.md` is generated from it. Never runs a panel.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

from workspace.panels.conformance.evidence import Evidence

Findings = Iterable[str]
"""Each finding is one English sentence for the vendor: where, and what is wrong. None at all is a pass."""
Status = Literal["passed", "failed", "skipped"]

MOST = 3
"""Findings told of one check; a vendor mends the first and runs again."""


@dataclass(frozen=True, slots=True)
class Check:
    """`needs` says what must be there for the check to mean anything: the files, the manifest, or a run."""

    code: str
    title: str
    why: str
    mend: str
    needs: Literal["files", "manifest", "run"]
    find: Callable[[Evidence], Findings]


@dataclass(frozen=True, slots=True)
class Verdict:
    code: str
    status: Status
    reason: str
    mend: str


class Rules:
    """Collects the checks of one module: ``@rules("A-01", "Every field has a label", why=…, mend=…)``."""

    def __init__(self) -> None:
        self.all: list[Check] = []

    def __call__(
        self, code: str, title: str, *, why: str, mend: str, needs: Literal["files", "manifest", "run"] = "run"
    ) -> Callable[[Callable[[Evidence], Findings]], Callable[[Evidence], Findings]]:
        def register(find: Callable[[Evidence], Findings]) -> Callable[[Evidence], Findings]:
            self.all.append(Check(code, title, why, mend, needs, find))
            return find

        return register


def judged(checks: Iterable[Check], seen: Evidence) -> list[Verdict]:
    """Every check's verdict, in order. What could not be looked at is skipped, with the reason."""
    return [_verdict(check, seen) for check in checks]


def _verdict(check: Check, seen: Evidence) -> Verdict:
    if check.needs != "files" and seen.package is None:
        return Verdict(check.code, "skipped", "Not looked at: the manifest cannot be used.", check.mend)
    if check.needs == "run" and seen.unrun:
        return Verdict(check.code, "skipped", f"Not looked at: {seen.unrun}.", check.mend)
    found = list(dict.fromkeys(check.find(seen)))
    if not found:
        return Verdict(check.code, "passed", check.title, check.mend)
    more = f" (and {len(found) - MOST} more)" if len(found) > MOST else ""
    return Verdict(check.code, "failed", " · ".join(found[:MOST]) + more, check.mend)
