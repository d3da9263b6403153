"""All checks, in the order of their codes' groups. Codes are stable: one is never reused for something else."""

from __future__ import annotations

from workspace.panels.conformance import rules_data, rules_drawn, rules_files, rules_run
from workspace.panels.conformance.check import Check

GROUPS: dict[str, str] = {
    "M": "Manifest and what users are told", "T": "Texts and languages", "S": "Scopes", "P": "Patient isolation",
    "A": "Accessibility", "C": "Components", "R": "Responsiveness and life", "L": "Limits", "E": "Data as they are",
    "D": "Drafts", "W": "Writes", "K": "Packaging",
}  # fmt: skip
ALL: tuple[Check, ...] = tuple(
    sorted(
        [*rules_files.rules.all, *rules_drawn.rules.all, *rules_run.rules.all, *rules_data.rules.all],
        key=lambda check: (list(GROUPS).index(check.code[0]), check.code),
    )
)
