"""Every message between the shell and a panel under development: when, which way, how large, how long its answer took.

Kept in memory and bounded: what passes is patient data, if only of a sandbox. Shows nothing; `shell.inspector` draws it.
"""

from __future__ import annotations

import json
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from workspace.panels.conformance.evidence import decoded

MOST = 5_000

Kind = Literal["request", "answer", "error", "notification", "unreadable"]


@dataclass(frozen=True, slots=True)
class Line:
    """`at` in seconds since the tape began; `to_panel` its direction; `took` in milliseconds for answers, from their
    request; `method` of an answer is that of its request."""

    number: int
    at: float
    to_panel: bool
    kind: Kind
    method: str
    id: Any
    size: int
    took: float | None
    raw: bytes

    @property
    def title(self) -> str:
        return {"answer": f"↩ {self.method}", "error": f"✗ {self.method}"}.get(self.kind, self.method or "?")


class Tape:
    """`heard(line)` is called for each line as it comes."""

    def __init__(
        self, heard: Callable[[Line], None] = lambda _: None, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.lines: deque[Line] = deque(maxlen=MOST)
        self.heard = heard
        self._now, self._begun, self._count = now, now(), 0
        self._asked: dict[tuple[int, bool, Any], tuple[str, float]] = {}  # (process, direction, id) → method and when

    def tap(self, direction: str, package: str, pid: int, instance: str, context: str, raw: bytes) -> None:
        """A `process.MessageTap`."""
        at, to_panel, body = self._now() - self._begun, direction == "out", decoded(raw)
        method, number = str(body.get("method") or ""), body.get("id")
        kind: Kind = "notification"
        took = None
        if not body:
            kind = "unreadable"
        elif method and number is not None:
            kind = "request"
            self._asked[pid, to_panel, number] = (method, at)
        elif not method:
            kind = "error" if "error" in body else "answer"
            method, asked = self._asked.pop((pid, not to_panel, number), ("", at))
            took = (at - asked) * 1000
        self._count += 1
        line = Line(self._count, at, to_panel, kind, method, number, len(raw), took, raw)
        self.lines.append(line)
        self.heard(line)

    def matching(self, wanted: str) -> Iterator[Line]:
        return (line for line in self.lines if matches(line, wanted))

    def totals(self) -> dict[str, int]:
        """Messages and bytes each way, of what is still on the tape."""
        out = [line.size for line in self.lines if line.to_panel]
        back = [line.size for line in self.lines if not line.to_panel]
        return {
            "to_panel": len(out),
            "from_panel": len(back),
            "bytes_to_panel": sum(out),
            "bytes_from_panel": sum(back),
        }


def matches(line: Line, wanted: str) -> bool:
    """Every word of `wanted` stands in the message; ``>`` and ``<`` choose a direction, ``-word`` leaves a method out."""
    for word in wanted.lower().split():
        if word in (">", "<"):
            good = line.to_panel == (word == ">")
        elif len(word) > 1 and word[0] == "-":
            good = word[1:] not in line.method.lower()
        else:
            good = word in line.method.lower() or word in line.raw.decode("utf-8", "replace").lower()
        if not good:
            return False
    return True


def pretty(line: Line) -> str:
    """The message laid out to be read; as it stands when it is no JSON."""
    try:
        return json.dumps(json.loads(line.raw), ensure_ascii=False, indent=2)
    except ValueError:
        return line.raw.decode("utf-8", "replace")
