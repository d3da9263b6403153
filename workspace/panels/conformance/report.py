"""What `verify` says: for a person, as JSON, and as JUnit for a vendor's build."""

from __future__ import annotations

import json
from collections.abc import Sequence
from xml.etree import ElementTree

from workspace.panels.conformance.check import Verdict

_MARKS = {"passed": "✓", "failed": "✗", "skipped": "–"}


def as_json(verdicts: Sequence[Verdict]) -> str:
    rows = [{"code": v.code, "status": v.status, "reason": v.reason, "mend": v.mend} for v in verdicts]
    return json.dumps({"checks": rows}, ensure_ascii=False, indent=2)


def as_junit(verdicts: Sequence[Verdict], name: str, seconds: float) -> str:
    """One suite, one case a check (JUnit as CI systems read it)."""
    count = {status: str(sum(v.status == status for v in verdicts)) for status in ("failed", "skipped")}
    suite = ElementTree.Element(
        "testsuite", name=f"workspace panel verify {name}", tests=str(len(verdicts)), failures=count["failed"],
        errors="0", skipped=count["skipped"], time=f"{seconds:.3f}",
    )  # fmt: skip
    for verdict in verdicts:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=verdict.code, time="0")
        if verdict.status == "failed":
            ElementTree.SubElement(case, "failure", message=_legal(verdict.reason)).text = _legal(verdict.mend)
        elif verdict.status == "skipped":
            ElementTree.SubElement(case, "skipped", message=_legal(verdict.reason))
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def as_text(verdicts: Sequence[Verdict], seconds: float) -> str:
    lines = []
    for verdict in verdicts:
        lines.append(f"{_MARKS[verdict.status]} {verdict.code}  {verdict.reason}")
        if verdict.status == "failed":
            lines.append(f"        {verdict.mend}")
    count = {status: sum(v.status == status for v in verdicts) for status in _MARKS}
    lines += ["", f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped in {seconds:.1f} s"]
    return "\n".join(lines)


def good(verdicts: Sequence[Verdict]) -> bool:
    """Whether the package conforms: nothing failed, and nothing was left unlooked at."""
    return all(verdict.status == "passed" for verdict in verdicts)


def _legal(text: str) -> str:
    """XML 1.0 has no control characters."""
    return "".join(sign for sign in text if sign >= " " or sign in "\n\t")
