"""Interpreters that a manifest's `start` may name in place of a program of its own: ``["node", "panel.js"]``.

They are the machine's, never the package's, and are seen from inside read-only. ``python`` is not among them: that is
the host's own (`confinement.python`). Never starts anything.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from workspace.problem import Problem

NAMES = frozenset({"node"})
_DEBIAN = {"node": "nodejs"}


class NoRuntime(Problem):
    """The interpreter that the package is written for is not on this machine."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "no-runtime",
            f"Panelet trenger {name}, som ikke finnes på denne maskinen.",
            f"Be driftsansvarlig installere {_DEBIAN[name]}.",
            detail=f"no {name} on PATH",
        )


def find(name: str) -> Path:
    """The interpreter itself, links followed. Raises NoRuntime."""
    found = shutil.which(name)
    if found is None:
        raise NoRuntime(name)
    return Path(os.path.realpath(found))


def script(start: tuple[str, ...]) -> str:
    """The file in the package that `start` runs: the second word after an interpreter's name; empty when it is missing."""
    at = 1 if start[0] == "python" or start[0] in NAMES else 0
    return start[at] if len(start) > at else ""
