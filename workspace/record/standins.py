"""What a mended item makes in place of what the refused one was to make, so that those who rest on it go on. Pure.

A pulse never stands for a temperature: where it cannot be told which is which, none does, and what rests on it says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from workspace.fhir.service import Resource
from workspace.record.items import Item, entries, updates

ABOUT = ("code", "type", "medicationCodeableConcept", "vaccineCode")
"""Elements that say what a resource is about."""


def in_place_of(item: Item, former: Item) -> Item:
    """`item` where `former` stood: its names are known to those that wait behind, and its versions too."""
    formerly = {
        name: tuple(dict.fromkeys((*former.formerly.get(name, ()), match)))
        for name, match in former.updates.items()
        if name in updates(item.bundle)
    }
    fresh = stand_ins(former.bundle, item.bundle)
    made = item.creates
    handed = {old: name for old, new in former.stands_for.items() if (name := fresh.get(new, new)) in made}
    return replace(item, stands_for={**handed, **fresh}, formerly=formerly)


def stand_ins(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, str]:
    """Names of creates in `old` with the name of what replaces each in `new`: about the same and of the same time, else
    about the same where there are as many of them as before."""
    lost, fresh = _creates(old), _creates(new)
    for name in lost.keys() & fresh.keys():
        del lost[name], fresh[name]
    found: dict[str, str] = {}
    for alike in (_same_time, _same_kind):
        found.update(_paired(lost, fresh, alike))
        lost = {name: one for name, one in lost.items() if name not in found}
        fresh = {name: one for name, one in fresh.items() if name not in found.values()}
    return found


def _paired(
    lost: Mapping[str, Resource], fresh: Mapping[str, Resource], alike: Callable[[Resource, Resource], bool]
) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, one in lost.items():
        fits = [other for other, each in fresh.items() if alike(one, each)]
        rivals = [other for other, each in lost.items() if any(alike(each, fresh[fit]) for fit in fits)]
        if fits and len(fits) == len(rivals) and (fit := fits[rivals.index(name)]) not in found.values():
            found[name] = fit
    return found


def _creates(bundle: Mapping[str, Any]) -> dict[str, Resource]:
    found = {}
    for entry in entries(bundle):
        name = str(entry.get("fullUrl", ""))
        if (entry.get("request") or {}).get("method") == "POST" and name.startswith("urn:uuid:"):
            found[name] = entry.get("resource") or {}
    return found


def _same_kind(one: Resource, other: Resource) -> bool:
    """Of one type, and about the same where both say what."""
    mine, theirs = _about(one), _about(other)
    return one.get("resourceType") == other.get("resourceType") and (not mine or not theirs or bool(mine & theirs))


def _same_time(one: Resource, other: Resource) -> bool:
    return bool(_about(one)) and _same_kind(one, other) and _when(one) == _when(other) != {}


def _about(resource: Resource) -> frozenset[tuple[str, str]]:
    held = (resource.get(name) for name in ABOUT)
    codings = [coding for one in held if isinstance(one, dict) for coding in one.get("coding") or ()]
    return frozenset((str(one.get("system", "")), str(one.get("code", ""))) for one in codings if one.get("code"))


def _when(resource: Resource) -> dict[str, Any]:
    return {
        name: value for name, value in resource.items() if name.startswith(("effective", "occurrence", "performed"))
    }
