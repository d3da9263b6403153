"""Faults in a panel's own log: what went wrong, in which of its files, at which line. Reads Python's and Node.js's ways of
telling. Never sees the panel itself."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PYTHON = re.compile(r"^Traceback \(most recent call last\):$", re.MULTILINE)
_PYTHON_PLACE = re.compile(r'^\s*File "/panel/([^"]+)", line (\d+)', re.MULTILINE)
_PYTHON_END = re.compile(r"^(?!\s)([\w.]*(?:Error|Exception|Problem|InView|Context|Interrupt|Exit)\b.*)$", re.MULTILINE)
_SCRIPT = re.compile(r"^(?:Uncaught )?(\w*(?:Error|Problem)\b.*)\n((?:\s+at .*\n?)+)", re.MULTILINE)
_SCRIPT_PLACE = re.compile(r"/panel/([\w./-]+):(\d+)")


@dataclass(frozen=True, slots=True)
class Fault:
    """`file` is relative to the package, empty when it is none of its files; `line` then 0."""

    text: str
    file: str = ""
    line: int = 0

    def __str__(self) -> str:
        return f"{self.text} ({self.file}:{self.line})" if self.file else self.text


def faults(log: str) -> list[Fault]:
    """Every fault told in `log`, in order. `/panel` is where the package lies as the panel sees it."""
    found = [(place.start(), _python(log[place.end() :])) for place in _PYTHON.finditer(log)]
    for told in _SCRIPT.finditer(log):
        where = _SCRIPT_PLACE.search(told[2])
        if where is not None:
            found.append((told.start(), Fault(told[1].strip(), where[1], int(where[2]))))
    return [fault for _, fault in sorted(found, key=lambda one: one[0])]


def last(log: str) -> str:
    """The last fault in words; empty when there is none."""
    found = faults(log)
    return str(found[-1]) if found else ""


def _python(rest: str) -> Fault:
    """From what follows the first line of a traceback."""
    end = _PYTHON_END.search(rest)
    places = _PYTHON_PLACE.findall(rest[: end.start()] if end else rest)
    file, line = places[-1] if places else ("", "0")
    return Fault(end[1].strip() if end else "an unhandled exception", file, int(line))
