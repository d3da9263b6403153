"""The provider's file, `identity.json`: the signing key and the sessions, readable by its owner only.

Writes whole and at once (a temporary file, then a rename), so that a crash leaves the old or the new. Never
holds a refresh token, only its hash.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from workspace.problem import Problem

FILE_NAME = "identity.json"


class Store:
    """A small JSON object on disk, kept by top-level name."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._content = self._load()

    def get(self, name: str) -> Any:
        """The part called `name`, or None."""
        return self._content.get(name)

    def put(self, name: str, value: Any) -> None:
        """Replace the part called `name` (JSON) and write the file. Raises OSError."""
        self._content[name] = value
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # mkstemp makes the file with mode 0600: it is never readable by others, not even for a moment.
        handle, temporary = tempfile.mkstemp(dir=self._path.parent, prefix=".identity-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(self._content, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, self._path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise

    def _load(self) -> dict[str, Any]:
        try:
            content = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise self._damaged(str(error)) from error
        if not isinstance(content, dict):
            raise self._damaged("not a JSON object")
        return content

    def _damaged(self, detail: str) -> Problem:
        return Problem(
            "identity-file-damaged",
            f"Filen {self._path} er skadet, så sandkassen kan ikke logge inn noen.",
            "Slett filen og start på nytt; alle må da logge inn igjen.",
            detail,
        )
