"""What the record hands out: results, their changes, and the changes that come from the platform.

The same fields as the door's `SearchResult` and `Change`, which lie above this room; the broker converts. Plain data,
never changed once made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from workspace.clock import parse
from workspace.fhir.service import Resource


@dataclass(frozen=True, slots=True)
class Rows:
    """`resources` in the order asked for, matches first, then included ones (`included` of them, at the end). `total` is
    None when the platform did not say. `fetched` is the clinical instant of the newest fetch, `request` the id under
    which the platform's audit knows it. `more`: there are further rows behind the last one."""

    resources: tuple[Resource, ...]
    included: int = 0
    total: int | None = None
    fetched: str = ""
    request: str = ""
    more: bool = False


@dataclass(frozen=True, slots=True)
class RowsChange:
    """A watched result moved on: drop the rows in `gone` (``Type/id``) and those that `put` names, then put each
    ``(index, resource)`` at its final place, lowest index first. `whole` replaces everything. `error` is a Norwegian
    sentence when the result is stale; `code` its stable name; the next change without it says that all is well. `more`
    says anew whether there are further rows; None: as before."""

    whole: Rows | None = None
    gone: tuple[str, ...] = ()
    put: tuple[tuple[int, Resource], ...] = ()
    error: str = ""
    code: str = ""
    more: bool | None = None


RowsListener = Callable[[RowsChange], None]
"""Called on the event loop; the first call is always a whole result or an error."""


@dataclass(frozen=True, slots=True)
class Changed:
    """One resource has a new version. `resource` is None when it was deleted; `transaction` the idempotency key."""

    type: str
    id: str
    version: int
    resource: Resource | None
    transaction: str = ""

    @property
    def name(self) -> str:
        return f"{self.type}/{self.id}"


WAITS = {"system": "urn:workspace:state", "code": "venter"}
"""The tag (``meta.tag``) of what the platform has not acknowledged yet; nobody but the record gives it."""


ServiceWord = Literal["ok", "treg", "nede", "ukjent"]
"""``ukjent`` until the first word of the platform."""


Follows = Literal["strøm", "spørring", ""]
"""How changes come: pushed as they happen, by asking every few seconds, or not at all."""


@dataclass(frozen=True, slots=True)
class ServiceState:
    """A service light. `since` is ``hh:mm`` of clinical time when it is not ok."""

    name: str
    state: ServiceWord
    since: str = ""
    follows: Follows = "strøm"

    @property
    def text(self) -> str:
        if self.state == "nede":
            return f"nede siden {self.since}"
        if self.state == "ukjent":
            return "ikke tilkoblet"
        return f"{self.state}, oppdateres med noen sekunders mellomrom" if self.follows == "spørring" else self.state

    @property
    def works(self) -> str:
        """What can be done now, in a sentence; "" when all can."""
        if self.state == "nede":
            return "Du kan lese det som er hentet, og skrive: det sendes når plattformen er tilbake."
        return "Endringer fra andre vises etter noen sekunder." if self.follows == "spørring" else ""


def name_of(resource: Mapping[str, Any]) -> str:
    """``Type/id``."""
    return f"{resource.get('resourceType', '')}/{resource.get('id', '')}"


def waits(resource: Mapping[str, Any]) -> bool:
    """Whether it is not on the platform yet, as shown: typed here, and *venter*."""
    tags: Any = (resource.get("meta") or {}).get("tag")
    return bool(tags) and tags[-1] == WAITS


IN_ERROR = "entered-in-error"


def in_error(resource: Mapping[str, Any]) -> bool:
    """Whether it says of itself that it was entered in error, whatever its type."""
    if resource.get("status") == IN_ERROR or resource.get("lifecycleStatus") == IN_ERROR:
        return True
    verified = resource.get("verificationStatus")
    codings = verified.get("coding") if isinstance(verified, dict) else None
    return any(isinstance(one, dict) and one.get("code") == IN_ERROR for one in codings or ())


def version_of(resource: Mapping[str, Any]) -> int:
    """The version as a number; 0 when there is none that can be compared."""
    meta = resource.get("meta")
    text = meta.get("versionId", "") if isinstance(meta, dict) else ""
    return int(text) if isinstance(text, str) and text.isascii() and text.isdigit() else 0


def is_older(change: Changed, row: Mapping[str, Any]) -> bool | None:
    """Whether `change` says nothing that `row` does not say already; None when that cannot be told, and the platform must be
    asked. Versions that are numbers are counted; others (R4: opaque) are the same or not, and `lastUpdated` orders them."""
    here = version_of(row)
    if change.version and here:
        return here >= change.version
    if change.resource is None:
        return None
    new, old = change.resource.get("meta") or {}, row.get("meta") or {}
    if new.get("versionId") and new.get("versionId") == old.get("versionId"):
        return True
    try:
        then, now = parse(str(new["lastUpdated"])), parse(str(old["lastUpdated"]))
    except (KeyError, ValueError):
        return None
    return None if then == now else then < now


def changed(resource: Resource, transaction: str = "") -> Changed:
    """A change that says `resource` is the newest version."""
    kind, own = str(resource.get("resourceType", "")), str(resource.get("id", ""))
    return Changed(kind, own, version_of(resource), resource, transaction)
