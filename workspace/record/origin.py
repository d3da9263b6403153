"""Where a value comes from: who, in which panel, when. Read from the resource itself; asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspace.access.kinds import AUTHOR, authors_of, elements

PACKAGE = "urn:workspace:package"
CLINICAL = (
    "effectiveDateTime",
    "authoredOn",
    "occurrenceDateTime",
    "performedDateTime",
    "recordedDate",
    "date",
    "sent",
)


@dataclass(frozen=True, slots=True)
class Origin:
    """`who` is a reference with `name` when the resource says it; `package` and `version` of the panel that wrote it, empty
    for what came from elsewhere; `at` the clinical instant, `recorded` when the platform got it."""

    who: str = ""
    name: str = ""
    package: str = ""
    version: str = ""
    at: str = ""
    recorded: str = ""


def origin_of(resource: Mapping[str, Any]) -> Origin:
    """The provenance of what stands in `resource`; empty where it does not say."""
    meta = resource.get("meta") or {}
    tags = meta.get("tag") or ()
    panel = next(
        (str(tag.get("code", "")) for tag in tags if isinstance(tag, dict) and tag.get("system") == PACKAGE), ""
    )
    package, _, version = panel.partition("@")
    who = authors_of(resource)
    at = next((str(resource[name]) for name in CLINICAL if resource.get(name)), "")
    if not at and isinstance(resource.get("effectivePeriod"), dict):
        at = str(resource["effectivePeriod"].get("start") or "")
    name = _display(resource)
    return Origin(who[0] if who else "", name, package, version, at, str(meta.get("lastUpdated") or ""))


def _display(resource: Mapping[str, Any]) -> str:
    for path in AUTHOR.get(str(resource.get("resourceType", "")), ()):
        for value in elements(resource, path):
            if isinstance(value, dict) and value.get("display"):
                return str(value["display"])
    return ""
