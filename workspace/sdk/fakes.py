"""What `testing.Bench` needs instead of a platform: a record that is searched, and the rules that a real host holds a
panel to.

Only for tests; a running panel never imports it. It knows the plain searches that panels use, and says so when it is
asked for more."""

from __future__ import annotations

import os
import tomllib
from datetime import UTC, datetime
from typing import Any

from workspace.sdk import errors, query, record

Resource = dict[str, Any]

MAX_NODES, MAX_DEPTH, MAX_STRING, MAX_RENDER, MAX_LINE = 5_000, 40, 20_000, 256 << 10, 1 << 20
MAX_WRITES, MAX_STATE, MAX_WATCHES = 200, 256 << 10, 64
_SUBJECTS = ("subject", "patient", "for", "beneficiary")
_RESULT = ("_sort", "_count", "_elements", "_summary")


class RuleBroken(AssertionError):
    """The real shell would not take this; the message says which rule, and where."""


class Manifest:
    """The part of ``panel.toml`` that the rules need. Without one there are no scopes and no intents to hold it to."""

    def __init__(self, folder: str) -> None:
        path = os.path.join(folder, "panel.toml")
        self.found = os.path.isfile(path)
        held: dict[str, Any] = {}
        if self.found:
            with open(path, "rb") as file:
                held = tomllib.load(file)
        self.scopes: list[str] = held.get("access", {}).get("scopes", [])
        intents = held.get("intents", {})
        self.raises, self.handles = set(intents.get("raises", [])), set(intents.get("handles", []))
        self.views = {view["id"]: view for view in held.get("views", [])}
        self.settings = {
            name: one["default"] for name, one in held.get("settings", {}).items() if one.get("default") is not None
        }

    def prefetch(self, view: str) -> list[str]:
        return [one["query"] for one in self.views.get(view, {}).get("prefetch", [])]

    def bound(self, view: str) -> set[str]:
        """Those of its prefetched queries that the view only draws from."""
        return {one["query"] for one in self.views.get(view, {}).get("prefetch", []) if one.get("bound")}

    def permits(self, kind: str, letter: str) -> bool:
        """SMART v2, without restrictions behind ``?``: a test of those belongs to the conformance kit."""
        if not self.found:
            return True
        for scope in self.scopes:
            _, _, rest = scope.partition("?")[0].partition("/")
            type_, _, letters = rest.partition(".")
            if type_ in ("*", kind) and letter in letters:
                return True
        return False


# --- the record ---------------------------------------------------------------------------------------------


class FakeRecord:
    """Resources by ``Type/id``, searched as the platform would within one context's `patients`."""

    def __init__(self, resources: list[Resource]) -> None:
        self.resources: dict[str, Resource] = {}
        self._made = 0
        for one in resources:
            self.put(one)

    def put(self, one: Resource) -> str:
        """Store it, under a new id if it has none. Gives its reference."""
        held = dict(one)
        if not held.get("id"):
            self._made += 1
            held["id"] = f"ny-{self._made}"
        reference = f"{held['resourceType']}/{held['id']}"
        version = int((self.resources.get(reference, {}).get("meta") or {}).get("versionId") or 0) + 1
        held["meta"] = {**(held.get("meta") or {}), "versionId": str(version)}
        self.resources[reference] = held
        return reference

    def search(self, text: str, patients: set[str]) -> list[Resource]:
        """The matches, in the platform's order. Raises LookupError for a parameter this fake does not know."""
        kind, pairs = text.partition("?")[0], query.pairs(text)
        found = [
            one
            for one in self.resources.values()
            if one["resourceType"] == kind
            and about(one) <= patients
            and all(_matches(one, name, value) for name, value in pairs if name not in _RESULT)
        ]
        found.sort(key=lambda one: str(one["id"]))
        settings = dict(pairs)
        for key in reversed([one for one in settings.get("_sort", "").split(",") if one]):
            found = _sorted(found, key)
        return found[: int(settings["_count"])] if "_count" in settings else found


def about(resource: Resource) -> set[str]:
    """Every patient that it names."""
    if resource.get("resourceType") == "Patient":
        return {f"Patient/{resource.get('id', '')}"}
    held = (resource.get(name) for name in _SUBJECTS)
    named = (one.get("reference") for one in held if isinstance(one, dict))
    return {one for one in named if isinstance(one, str) and one.startswith("Patient/")}


def _matches(one: Resource, name: str, value: str) -> bool:
    if name == "_id":
        return str(one.get("id")) in value.split(",")
    if name == "date":
        return _dated(one, value)
    words = name.split("-")
    element = one.get(words[0] + "".join(word.capitalize() for word in words[1:]))
    if element is None and name not in ("code", "category", "status", "type", "clinical-status", "intent", "class"):
        raise LookupError(
            f"the fake record cannot search {one['resourceType']} by {name!r}: give the rows by query instead"
        )
    return any(_token(element, token.rpartition("|")[2]) for token in value.split(","))


def _token(element: Any, code: str) -> bool:
    if isinstance(element, list):
        return any(_token(one, code) for one in element)
    if isinstance(element, dict):
        return code in record.codes(element) or element.get("code") == code
    return bool(element == code)


def _dated(one: Resource, value: str) -> bool:
    moment = record.when(one)
    if moment is None:
        return False
    prefix, rest = (value[:2], value[2:]) if value[:2].isalpha() else ("eq", value)
    if len(rest) == 10:
        left, right = moment.date().isoformat(), rest
    else:
        left, right = moment.astimezone(UTC).isoformat(), record.parse(rest).astimezone(UTC).isoformat()
    return {"eq": left == right, "ge": left >= right, "gt": left > right, "le": left <= right, "lt": left < right}[
        prefix
    ]


def _sorted(found: list[Resource], key: str) -> list[Resource]:
    falling, name = key.startswith("-"), key.lstrip("-")
    if name == "_id":
        return sorted(found, key=lambda one: str(one["id"]), reverse=falling)
    if name not in ("date", "_lastUpdated", "authored", "authoredon", "effective", "recorded-date"):
        raise LookupError(f"the fake record cannot sort by {name!r}: give the rows by query instead")
    dated = [(moment, one) for one in found if (moment := record.when(one)) is not None]
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    dated.sort(key=lambda entry: (entry[0] - epoch).total_seconds() * (-1 if falling else 1))
    return [one for _, one in dated] + [one for one in found if record.when(one) is None]


# --- the rules ----------------------------------------------------------------------------------------------


def check_tree(root: dict[str, Any]) -> None:
    """Raises RuleBroken for a tree that the shell would not draw."""
    ids: set[str] = set()
    binds: dict[str, str] = {}
    waiting: list[tuple[dict[str, Any], int]] = [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        if node["id"] in ids:
            raise RuleBroken(f"the id {node['id']!r} stands twice")
        ids.add(node["id"])
        if depth > MAX_DEPTH:
            raise RuleBroken(f"{node['id']} is nested more than {MAX_DEPTH} levels deep")
        for bind in _binds(node.get("props", {})):
            if bind in binds:
                raise RuleBroken(f"{bind!r} is the field of {binds[bind]} and of {node['id']}: one bind, one field")
            binds[bind] = node["id"]
        check_strings(node.get("props", {}), node["id"])
        waiting.extend((child, depth + 1) for child in node.get("children", ()))
    if len(ids) > MAX_NODES:
        raise RuleBroken(f"a tree of {len(ids)} nodes; the limit is {MAX_NODES}")


def _binds(props: dict[str, Any]) -> list[str]:
    parts = (props, props.get("first"), props.get("second"))
    return [part["bind"] for part in parts if isinstance(part, dict) and part.get("bind")]


def check_strings(value: Any, node: str) -> None:
    if isinstance(value, str) and len(value) > MAX_STRING:
        raise RuleBroken(f"{node}: a text of {len(value)} characters; the limit is {MAX_STRING}")
    if isinstance(value, dict):
        for one in value.values():
            check_strings(one, node)
    elif isinstance(value, list):
        for one in value:
            check_strings(one, node)


def check_writes(effects: dict[str, Any], patients: set[str], manifest: Manifest) -> None:
    """Raises the error class that the host's refusal stands for: nothing of the effects happens."""
    writes = effects.get("writes", [])
    if len(writes) > MAX_WRITES:
        raise errors.TooLarge(f"{len(writes)} writes in one transaction; the limit is {MAX_WRITES}")
    own = {entry.get("full_url") for entry in writes} - {None, ""}
    for number, entry in enumerate(writes):
        resource = entry["resource"]
        kind, named = resource["resourceType"], about(resource)
        letter = "c" if entry["action"] == "create" else "u"
        if not manifest.permits(kind, letter):
            raise errors.ScopeDenied(f"writes[{number}]: panel.toml has no scope patient/{kind}.{letter}")
        if named and not named <= patients:
            raise errors.WrongPatient(f"writes[{number}] ({kind}) names another patient than the context's")
        targets = [one.get("reference") for one in resource.get("target", []) if isinstance(one, dict)]
        provenance = kind == "Provenance" and bool(targets) and all(target in own for target in targets)
        if not named and not provenance:
            raise errors.WrongPatient(f"writes[{number}] ({kind}) does not name the context's patient")


def strangers(value: Any, patients: set[str]) -> bool:
    """Whether a JSON value names a patient that is not among `patients`."""
    if isinstance(value, str):
        return "Patient/" in value and "Patient/" + value.partition("Patient/")[2] not in patients
    if isinstance(value, dict):
        return any(strangers(one, patients) for one in value.values())
    return isinstance(value, list) and any(strangers(one, patients) for one in value)


def outline(node: dict[str, Any], depth: int = 0) -> list[str]:
    """A tree as text: a line for each component, with what can be read on it."""
    props = node.get("props", {})
    words: list[str] = []
    gather(props, words)
    lines = ["  " * depth + " ".join([node["type"], *(f"«{word}»" for word in words)])]
    for child in node.get("children", ()):
        lines += outline(child, depth + 1)
    return lines


READ = (
    "text", "title", "label", "secondary", "source", "hint", "error", "empty", "empty_hint", "placeholder", "disabled",
)  # fmt: skip


def gather(held: Any, found: list[str]) -> None:
    """Every text in properties that a user can read."""
    if isinstance(held, dict):
        found += [held[name] for name in READ if isinstance(held.get(name), str) and held[name]]
        for name, inner in held.items():
            if name == "cells" and isinstance(inner, dict):
                found += [str(one) for one in inner.values() if isinstance(one, str | int | float) and one != ""]
                gather([one for one in inner.values() if isinstance(one, dict)], found)
            elif isinstance(inner, dict | list):
                gather(inner, found)
    elif isinstance(held, list):
        for inner in held:
            if isinstance(inner, dict | list):
                gather(inner, found)
