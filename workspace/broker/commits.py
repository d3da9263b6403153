"""What the broker remembers of a commit, so that it can be taken back, and its counts for the status line. Plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workspace.broker.door import Write
from workspace.broker.grant import Grant
from workspace.fhir.service import Resource
from workspace.record import inverse
from workspace.record.rows import name_of


@dataclass(frozen=True, slots=True)
class Counts:
    """For the status line. `registered` facts were typed and saved in this shift, `reused` were taken from earlier ones.
    `unsent` wait for the platform or for what they rest on; `refused` and `conflicts` for the user (`Broker.pending`)."""

    unsent: int = 0
    registered: int = 0
    reused: int = 0
    refused: int = 0
    conflicts: int = 0


@dataclass(slots=True)
class Commit:
    """What can be taken back: who wrote it, and, once acknowledged, each entry as the platform has it."""

    grant: Grant
    writes: tuple[Write, ...]
    patient: str = ""
    answered: tuple[Resource, ...] = ()
    matches: Mapping[str, str] = field(default_factory=dict)
    """The version that each update was written upon, by ``Type/id``; without those of which another wrote the very same."""

    def undoable(self) -> bool:
        """Acknowledged, all of it this one's own, and every create has a status that can say it was a mistake."""
        if not self.writes or len(self.answered) != len(self.writes) or not all(one.get("id") for one in self.answered):
            return False
        if any(write.action == "update" and name_of(write.resource) not in self.matches for write in self.writes):
            return False
        pairs = zip(self.writes, self.answered, strict=True)
        return inverse.undoable([now for write, now in pairs if write.action == "create"])
