"""A package's files as they would be packed: which belong, which are left out, and which have no business there."""

from __future__ import annotations

import os
from pathlib import Path

LEFT_OUT = frozenset(
    {"tests", "__pycache__", "node_modules", ".git", ".venv", ".idea", ".vscode", ".pytest_cache", ".ruff_cache"}
)
"""Folders that never belong to a package."""
_SCRAP = (".pyc", ".pyo", ".swp", ".orig", ".rej", "~")
MAX_FILES = 500
MAX_BYTES = 10 << 20


def read(folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """Content by path (``texts/nb.toml``), and the entries that are neither files nor folders (links, sockets …). Stops
    at ten times the size a package may have."""
    found: dict[str, bytes] = {}
    odd: list[str] = []
    total = 0
    for here, folders, names in os.walk(folder):
        where = Path(here)
        odd += [_inside(where / name, folder) + "/" for name in folders if (where / name).is_symlink()]
        folders[:] = sorted(
            n for n in folders if n not in LEFT_OUT and not n.startswith(".") and not (where / n).is_symlink()
        )
        for name in sorted(names):
            path = where / name
            if name.startswith(".") or name.endswith(_SCRAP):
                continue
            if path.is_symlink() or not path.is_file():
                odd.append(_inside(path, folder))
                continue
            total += path.stat().st_size
            if total > 10 * MAX_BYTES or len(found) > 10 * MAX_FILES:
                odd.append("(and more: far too much to read)")
                return found, odd
            found[_inside(path, folder)] = path.read_bytes()
    return found, odd


def _inside(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
