"""What panels ask of each other, as a vendor sees it: what came of something raised, and what others have asked for."""

from __future__ import annotations

from workspace.sdk.errors import Suspended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Message = dict[str, Any]


class Outcome:
    """What came of an intent. `handled` False: nobody did it, and `reason` says why in the user's language."""

    __slots__ = ("handled", "reason", "result")

    def __init__(self, handled: bool, result: Any = None, reason: str = "") -> None:
        self.handled, self.result, self.reason = handled, result, reason

    @classmethod
    def read(cls, held: Any) -> Outcome:
        if not isinstance(held, dict):
            return cls(False, None, "")
        return cls(held.get("handled") is True, held.get("result"), str(held.get("reason") or ""))


class Asked:
    """An intent as one instance keeps it while it is under way. `wanted`: an action waits for its outcome."""

    def __init__(self, name: str, args: Message) -> None:
        self.name, self.args = name, args
        self.number: int | None = None  # of the request, once it has left
        self.wanted = False
        self.outcome: Outcome | None = None


class Raised:
    """What `ctx.raise_intent` gives. Left alone, the intent leaves when all of the action is committed, and its outcome
    comes to `ctx.outcome(name)`. `get()` wants it here and now: the action is run again from its beginning when it has
    come."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def get(self) -> Outcome:
        if self._asked.outcome is None:
            self._asked.wanted = True
            raise Suspended(self._asked.name)
        return self._asked.outcome


class Taken:
    """Something another panel has asked for and the user has not done yet. `source` is that panel, in words."""

    __slots__ = ("args", "id", "name", "source")

    def __init__(self, params: Message) -> None:
        self.id, self.name = str(params["id"]), str(params["name"])
        self.args: Message = params.get("args") or {}
        self.source = str(params.get("source") or "")


class Later:
    """A handler's answer: taken, and finished later by an action with ``ctx.finish``."""


LATER = Later()
