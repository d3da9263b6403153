"""What the workspace itself needs of a platform, and what of it a CapabilityStatement (R4, §2.1.0) says is not there.

What a statement leaves out altogether (no list of parameters, of includes) is unknown and not called lacking. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Need:
    """Searches by `parameters`, with `includes` (``Encounter:location``) coming along."""

    parameters: tuple[str, ...]
    includes: tuple[str, ...] = ()


NEEDS: Mapping[str, Need] = {
    "AllergyIntolerance": Need(("patient",)),
    "Condition": Need(("patient",)),
    "Encounter": Need(("patient", "service-provider", "status"), ("Encounter:location", "Encounter:patient")),
    "Flag": Need(("patient", "status")),
    "Observation": Need(("code", "date", "patient")),
    "Organization": Need(("partof",)),
    "Patient": Need(()),
    "PractitionerRole": Need(("practitioner",), ("PractitionerRole:organization",)),
}
"""What sign-on, resident list and patient banner ask (`record.directory`); panels ask for more, each as it declares."""
WRITTEN = ("Observation",)
"""What has to be possible to write, with the version that it was made from."""
RELEASE = "4.0"


def lacking(statement: Mapping[str, Any]) -> tuple[str, ...]:
    """In Norwegian, a few words each: «søk i Flag etter status». Empty when all is there."""
    return tuple(dict.fromkeys(_lacking(statement)))


def _lacking(statement: Mapping[str, Any]) -> Iterator[str]:
    if not str(statement.get("fhirVersion", "")).startswith(RELEASE):
        yield "FHIR R4"
        return
    server = next((each for each in _list(statement, "rest") if each.get("mode") == "server"), {})
    if "transaction" not in _codes(server):
        yield "lagring av flere opplysninger samlet"
    types = {each.get("type"): each for each in _list(server, "resource")}
    for name, need in NEEDS.items():
        told = types.get(name)
        if told is None:
            yield name
            continue
        if not {"read", "search-type"} <= _codes(told):
            yield f"lesing og søk i {name}"
            continue
        known = {each.get("name") for each in _list(told, "searchParam")}
        if known:
            yield from (f"søk i {name} etter {each}" for each in need.parameters if each not in known)
        along = told.get("searchInclude")
        if isinstance(along, list) and "*" not in along:
            yield from (
                f"{each.partition(':')[2]} sammen med {name}" for each in need.includes if not _along(each, along)
            )
    for name in WRITTEN:
        told = types.get(name) or {}
        if told and not {"create", "update"} <= _codes(told):
            yield f"lagring av {name}"
        if told.get("versioning") == "no-version":
            yield f"versjoner av {name}"


def _along(include: str, told: list[Any]) -> bool:
    return any(str(each) == include or str(each).startswith(f"{include}:") for each in told)


def _codes(told: Mapping[str, Any]) -> set[str]:
    return {str(each.get("code")) for each in _list(told, "interaction")}


def _list(told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name)
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
