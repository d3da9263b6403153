"""What an acknowledged item means for those that wait behind it: real names for what it made, and the version to build on.

Pure functions on bundles; keeps nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record import conflict
from workspace.record.items import HELD, Item, entries, version_in


@dataclass(frozen=True, slots=True)
class Done:
    """A resource that an item changed: from which version, of which earlier ones it took the place, and what it is now.
    `joined` is the colleague's version that it was put together with, if it was."""

    match: str
    formerly: tuple[str, ...]
    now: Resource
    joined: Resource | None = None


def learnt(item: Item) -> dict[str, str]:
    """What each ``urn:uuid`` of an acknowledged item became, so that later ones can name it."""
    pairs = zip(item.bundle.get("entry") or (), (item.answer or {}).get("entry") or (), strict=False)
    found = {str(asked.get("fullUrl", "")): reference_of(got) for asked, got in pairs}
    found |= {old: found.get(new, "") for old, new in item.stands_for.items()}
    return {name: reference for name, reference in found.items() if name.startswith("urn:uuid:") and reference}


def changed(item: Item) -> dict[str, Done]:
    """What an acknowledged item updated, by ``Type/id``."""
    found = {}
    pairs = zip(entries(item.bundle), entries(item.answer or {}), strict=False)
    for asked, got in pairs:
        request, now = asked.get("request") or {}, got.get("resource")
        if request.get("method") == "PUT" and isinstance(now, dict) and (now.get("meta") or {}).get("versionId"):
            name = str(request.get("url", ""))
            match = version_in(str(request.get("ifMatch", "")))
            formerly = tuple(item.formerly.get(name, ()))
            found[name] = Done(match, formerly, now, item.bases.get(name) if formerly else None)
    return found


def after(item: Item, names: Mapping[str, str], done: Mapping[str, Done]) -> Item:
    """`item` as it must be sent once an earlier one has given `names` and changed `done`; itself when that concerns it
    not."""
    bundle = named(item.bundle, names)
    bases = dict(item.bases)
    moved = []
    for entry in entries(bundle):
        fresh = _rebased(entry, bases, done)
        moved.append(fresh if fresh is not None else entry)
    if bundle is item.bundle and all(one is two for one, two in zip(moved, entries(bundle), strict=True)):
        return item
    return replace(item, bundle={**bundle, "entry": moved}, bases=bases, wire="")


def _rebased(entry: Mapping[str, Any], bases: dict[str, Resource], done: Mapping[str, Done]) -> dict[str, Any] | None:
    """A later update of the same resource builds on what the earlier one made of it.

    Both were typed from the same version: what the later one did not touch is taken from the earlier. Where both changed a
    field, the later typing of the same person stands; but when a colleague's version lies between (a resolved conflict, or
    a change that was joined), it must be joinable with that one too, as if it had come first: else the entry keeps its
    version and becomes a conflict of its own. So does one of what the earlier one called off: it is not to hold again
    because somebody had it open."""
    request = entry.get("request") or {}
    name = str(request.get("url", ""))
    earlier = done.get(name)
    match = version_in(str(request.get("ifMatch", "")))
    if request.get("method") != "PUT" or earlier is None or match not in (earlier.match, *earlier.formerly):
        return None
    resource, base = entry.get("resource") or {}, bases.get(name)
    if base is not None:
        found = conflict.compare(base, resource, earlier.now)
        if found.withdrawn == ("theirs",):
            return None
        if match != earlier.match and (found.open or not _stands_beside(base, resource, earlier.joined)):
            return None
        resource = found.merged
    else:  # what each of the two changed is not known: the platform's no asks for the version they were made from
        return None
    bases[name] = earlier.now
    fresh = {**request, "ifMatch": f'W/"{earlier.now["meta"]["versionId"]}"'}
    return {**entry, "resource": resource, "request": fresh}


def _stands_beside(base: Resource, mine: Mapping[str, Any], theirs: Resource | None) -> bool:
    return theirs is None or conflict.compare(base, mine, theirs).joinable


def holder(item: Item, others: Iterable[Item]) -> Item | None:
    """The one of `others` that `item` must wait for a person about: it names what a refused one was to make, or changes
    what one in conflict changes, or rests on one that is itself held."""
    uses, updates = item.uses, set(item.updates)
    for other in others:
        if other.id == item.id:
            continue
        stuck = other.state in ("avvist", "konflikt") or other.held
        if stuck and uses & other.creates:
            return other
        if (other.state == "konflikt" or other.held) and other.seq < item.seq and updates & set(other.updates):
            return other
    return None


def hold(item: Item, by: Item) -> Item:
    """`item`, waiting in sight with the reason."""
    what = (
        "er i konflikt" if by.state == "konflikt" else "ikke ble godtatt" if by.state == "avvist" else "selv må vente"
    )
    sentence = f"Dette bygger på noe du skrev tidligere, som {what}."
    return replace(item, problem=Problem(HELD, sentence, "Se på det første; da går dette videre av seg selv.", by.id))


def named(bundle: Mapping[str, Any], known: Mapping[str, str]) -> Mapping[str, Any]:
    """The bundle with acknowledged creates of earlier items under their real names; itself when it names none."""
    own = {entry.get("fullUrl") for entry in entries(bundle)}
    outer = {name: reference for name, reference in known.items() if name not in own}
    changed_any = False

    def walk(value: Any) -> Any:
        nonlocal changed_any
        if isinstance(value, dict):
            fresh = {}
            for key, part in value.items():
                if key == "reference" and isinstance(part, str) and part in outer:
                    changed_any = True
                    fresh[key] = outer[part]
                else:
                    fresh[key] = walk(part)
            return fresh
        return [walk(part) for part in value] if isinstance(value, list) else value

    renamed: Mapping[str, Any] = walk(bundle) if outer else bundle
    return renamed if changed_any else bundle


def reference_of(entry: Mapping[str, Any]) -> str:
    """``Type/id`` of an answered entry, from its resource or its location."""
    resource = entry.get("resource") or {}
    if resource.get("id") and resource.get("resourceType") != "OperationOutcome":
        return f"{resource.get('resourceType', '')}/{resource['id']}"
    location = str((entry.get("response") or {}).get("location") or "")
    parts = location.split("/_history")[0].rstrip("/").split("/")
    return "/".join(parts[-2:]) if len(parts) >= 2 else ""
