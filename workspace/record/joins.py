"""Which records the platform says were replaced, and by whom, as far as this session has heard. Asks nothing.

Records that replace each other in a circle are no merge: nobody is known to stay, so nothing is moved after them.
"""

from __future__ import annotations

from collections.abc import Iterable

from workspace.fhir.merges import circular, replaced_by
from workspace.fhir.service import Resource


class Joins:
    def __init__(self) -> None:
        self._links: dict[str, str] = {}
        self._told: set[tuple[str, str]] = set()

    def read(self, rows: Iterable[Resource]) -> list[tuple[str, str]]:
        """(gone, stays) of the patients among `rows` that nobody was told of."""
        found = []
        for row in rows:
            if row.get("resourceType") == "Patient":
                gone, stays = f"Patient/{row.get('id')}", replaced_by(row)
                self._links.pop(gone, None)
                if stays:
                    self._links[gone] = stays
                    found.append((gone, stays))
        return [pair for pair in dict.fromkeys(found) if pair not in self._told]

    def tells(self, gone: str, stays: str) -> bool:
        """Somebody says that `gone` was replaced by `stays`: whether it is to be told on."""
        self._links[gone] = stays
        self._told.add((gone, stays))
        return not circular(gone, self._links)
