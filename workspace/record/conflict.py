"""Two people changed the same resource: what each changed, what can be joined, and what a person must choose. Pure.

The unit of choice is what belongs together clinically: a value with its unit, a coded concept, a reference, a period, are
never put together from two authors, nor is a value with what is said of that very value (``_valueString``). Where one of the
two called the whole off (entered in error, or refuted), nothing is joined: whoever adds to it takes it to hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Literal

from workspace.fhir import json
from workspace.fhir.service import Resource
from workspace.fhir.withdrawn import called_off, in_error

Side = Literal["mine", "theirs", "both"]
ABSENT: Any = None
"""An element that is not there; FHIR has no null."""
_WHOLE = (
    frozenset({"coding"}), frozenset({"reference"}), frozenset({"value", "unit"}), frozenset({"value", "code"}),
    frozenset({"system", "code"}), frozenset({"start"}), frozenset({"end"}), frozenset({"system", "value"}),
    frozenset({"numerator"}), frozenset({"low"}), frozenset({"high"}), frozenset({"contentType"}), frozenset({"div"}),
)  # fmt: skip
"""Marks of the data types that are one value: CodeableConcept, Reference, Quantity, Coding, Period and their like."""
_SIGNED = tuple(frozenset({"text", name}) for name in ("authorReference", "authorString", "time"))
"""Marks of an Annotation whose words are somebody's."""
_CHOICES = (
    "abatement", "asNeeded", "author", "deceased", "dose", "due", "effective", "medication", "multipleBirth", "occurrence",
    "onset", "performed", "product", "rate", "reported", "scheduled", "timing", "value",
)  # fmt: skip
"""Elements that stand under one of several names (R4 formats.html#choice): ``value[x]``. A resource has one of them."""
CHOICE = "[x]"
"""Ends the path of what stands under several names: a choice, or a primitive (``title``) and its extensions (``_title``)."""
_WITH = {"clinicalStatus": "verificationStatus"}
"""Of what was entered in error: it has no clinical status (R4 ait-2, con-5), so whoever chooses the one chooses both."""
_KEYS = ("id", "linkId", "url", "system")
"""What tells the elements of a list apart, when all of them have it and no two the same."""
_OWN = ("meta", "resourceType", "id", "implicitRules")
"""The platform's, or the same by definition."""
_WEIGHTY = frozenset(
    {"status", "clinicalStatus", "verificationStatus", "intent", "doNotPerform", "dosage", "dosageInstruction", "code",
     "medicationCodeableConcept", "medicationReference", "medication", "subject", "patient", "component",
     "interpretation", "dataAbsentReason", "criticality"}
)  # fmt: skip
"""Elements that decide what a resource means: one stops a drug while another changes its dose is for people to settle."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote a version and when (a FHIR instant); empty where the record does not say."""

    reference: str = ""
    name: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One element that was changed since `base`. `path` is dotted, list elements by key or number
    (``component[8480-6]`` is ``component.1``). `side` says who changed it: ``both``, to different values, needs a choice."""

    path: str
    base: Any
    mine: Any
    theirs: Any
    side: Side


@dataclass(frozen=True, slots=True)
class Comparison:
    """`merged` has every change that needs no choice, and mine where it does. `withdrawn` names who called the whole off."""

    fields: tuple[Field, ...]
    merged: Resource
    withdrawn: tuple[Side, ...] = ()

    @property
    def open(self) -> tuple[Field, ...]:
        """The fields that need a choice."""
        return tuple(each for each in self.fields if each.side == "both")

    @property
    def joinable(self) -> bool:
        """Whether both changes can stand together without anybody being asked: no element was changed by both, nobody called
        the whole off, and not both changed what decides what the resource means."""
        weighty = {each.side for each in self.fields if _is_weighty(each.path)}
        return not self.open and not self.withdrawn and not {"mine", "theirs"} <= weighty


@dataclass(frozen=True, slots=True)
class Versions:
    """One resource of a transaction that somebody else changed meanwhile."""

    name: str
    base: Resource | None
    mine: Resource
    theirs: Resource
    mine_by: Author
    theirs_by: Author
    comparison: Comparison


@dataclass(frozen=True, slots=True)
class Conflict:
    """What a person is shown. `id` is the item's; choices are given per resource and path (`resolved`)."""

    id: str
    patient: str
    resources: tuple[Versions, ...]
    package: str = ""
    view: str = ""
    made: str = ""

    @property
    def automatic(self) -> bool:
        """Whether all of it can be joined without asking."""
        return all(each.comparison.joinable and each.base is not None for each in self.resources)


Choice = Any
"""``"mine"``, ``"theirs"``, or ``{"value": …}`` for a text that joins both; ``{"value": None}`` removes the element."""


@dataclass(slots=True)
class _Found:
    fields: list[Field] = field(default_factory=list)


def compare(base: Mapping[str, Any] | None, mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> Comparison:
    """Every element that differs, and what can be joined. Without a `base` each difference needs a choice."""
    found = _Found()
    merged = _element(found, "", dict(base) if base is not None else {}, dict(mine), dict(theirs), base is not None)
    sides: tuple[tuple[Side, Mapping[str, Any]], ...] = (("mine", mine), ("theirs", theirs))
    withdrawn = [side for side, one in sides if called_off(one) not in ("", called_off(base or {}))]
    if withdrawn:
        # A fact that one has called off is not mended by another's change: the person sees both wholes.
        found.fields[:] = [Field(f.path, f.base, f.mine, f.theirs, "both") for f in found.fields]
        merged = deepcopy(dict(mine))
    for name in _OWN:
        if name in theirs:
            merged[name] = deepcopy(theirs[name])
        elif name in merged and name == "meta":
            del merged[name]
    if "text" in merged and {each.side for each in found.fields} - {"mine"}:
        status = merged["text"].get("status") if isinstance(merged["text"], dict) else ""
        if status == "generated":  # made from one side's values: it would contradict the joined ones
            del merged["text"]
    return Comparison(tuple(found.fields), merged, tuple(withdrawn))


def resolved(comparison: Comparison, choices: Mapping[str, Choice]) -> Resource:
    """The resource that `choices` (path → Choice) make of a comparison. Raises KeyError for an open field without one, and
    ValueError for a choice that is none."""
    result = deepcopy(comparison.merged)
    for each in comparison.fields:
        if each.path not in choices:
            if each.side == "both":
                raise KeyError(each.path)
            continue
        choice = choices[each.path]
        if choice == "mine":
            value = each.mine
        elif choice == "theirs":
            value = each.theirs
        elif isinstance(choice, Mapping) and set(choice) == {"value"}:
            value = choice["value"]
        else:
            raise ValueError(f"{each.path}: neither mine, theirs nor a value")
        _put(result, each.path.split("."), deepcopy(value))
    return result


def loses(comparison: Comparison, result: Mapping[str, Any]) -> bool:
    """Whether anything of mine is not in `result`: it must then be kept in the history in another way."""
    for each in comparison.fields:
        if each.side in ("mine", "both") and not _stands(each, _get(result, each.path.split("."))):
            return True
    return False


def _stands(change: Field, value: Any) -> bool:
    """Whether what I changed is in `value`: a list that only grew is, when all that I added is, beside what others added."""
    if _same(value, change.mine):
        return True
    base = change.base if isinstance(change.base, list) else []
    if not isinstance(value, list) or not isinstance(change.mine, list) or change.mine[: len(base)] != base:
        return False
    return all(any(_same(each, other) for other in value) for each in change.mine[len(base) :])


# Walking ----------------------------------------------------------------------------------------------


def _element(found: _Found, path: str, base: Any, mine: Any, theirs: Any, known: bool) -> Any:
    """Note what differs at `path`; the joined value (mine where a choice is needed)."""
    if _same(mine, theirs):
        # Nobody changed it, or both made the same change: nothing to tell. 38.6 and 38.60 are one value, and whoever
        # wrote it anew has the word about its digits.
        return deepcopy(theirs if known and _spelt(mine) == _spelt(base) else mine)
    opens = _open_dict(mine) and _open_dict(theirs) and (_open_dict(base) or base is ABSENT)
    if opens and not path.endswith(CHOICE):
        return _dict(found, path, base or {}, mine, theirs, known and base is not ABSENT)
    if isinstance(mine, list) and isinstance(theirs, list):
        joined = _list(found, path, base if isinstance(base, list) else [], mine, theirs, known)
        if joined is not None:
            return joined
    if known and _same(theirs, base):
        found.fields.append(Field(path, base, mine, theirs, "mine"))
        return deepcopy(mine)
    if known and _same(mine, base):
        found.fields.append(Field(path, base, mine, theirs, "theirs"))
        return deepcopy(theirs)
    found.fields.append(Field(path, base, mine, theirs, "both"))
    return deepcopy(mine)


def _dict(found: _Found, path: str, base: Any, mine: Any, theirs: Any, known: bool) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    base, mine, theirs = _gathered(base, mine, theirs)
    for key in _ordered(mine, theirs, base):
        if not path and key in _OWN:
            continue
        value = _element(found, f"{path}.{key}" if path else key, base.get(key), mine.get(key), theirs.get(key), known)
        if value is not ABSENT:
            joined.update(value if key.endswith(CHOICE) else {key: value})
    return joined


def _gathered(*sides: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where the sides have an element under different names, all of them under one, ``value[x]``: nobody gets half of it."""
    others = _WITH if any(in_error(side) for side in sides) else {}
    elements = {key: others.get(key) or _element_of(key) for side in sides for key in side}
    held = list(elements.values())
    apart = {one for key, one in elements.items() if key.startswith("_") or held.count(one) > 1} - {*_OWN}
    if not apart:
        return list(sides)
    gathered: list[Mapping[str, Any]] = []
    for side in sides:
        fresh: dict[str, Any] = {}
        for key, value in side.items():
            if elements[key] in apart:
                fresh.setdefault(f"{elements[key]}{CHOICE}", {})[key] = value
            else:
                fresh[key] = value
        gathered.append(fresh)
    return gathered


def _element_of(key: str) -> str:
    """Whose name `key` is: that of a choice (``valueString`` is a `value`), of a primitive's extensions, or its own."""
    bare = key.removeprefix("_")
    stems = (one for one in _CHOICES if bare.startswith(one) and bare[len(one) : len(one) + 1].isupper())
    return next(stems, bare)


def _belongs(key: str, step: str) -> bool:
    """Whether `key` is one of the names that `step`, the end of a path, stands for."""
    return step.removesuffix(CHOICE) in (_element_of(key), _WITH.get(key))


def _list(
    found: _Found, path: str, base: Sequence[Any], mine: Sequence[Any], theirs: Sequence[Any], known: bool
) -> list[Any] | None:
    """Lists whose elements can be told apart are joined element by element; lists that only grew get both additions."""
    if not known:
        return None
    names = [_names(each) for each in (base, mine, theirs)]
    if all(each is not None for each in names):
        by = [dict(zip(each or (), rows, strict=True)) for each, rows in zip(names, (base, mine, theirs), strict=True)]
        joined = []
        for name in _ordered(by[1], by[2], by[0]):
            value = _element(found, f"{path}.{name}", by[0].get(name), by[1].get(name), by[2].get(name), True)
            if value is not ABSENT:
                joined.append(value)
        return joined
    same = len(base) == len(mine) == len(theirs) and not _moved(base, mine) and not _moved(base, theirs)
    if same and all(_open_dict(each) or _is_signed(each) for rows in (base, mine, theirs) for each in rows):
        return [
            _element(found, f"{path}.{at}", *rows, True) for at, rows in enumerate(zip(base, mine, theirs, strict=True))
        ]
    if mine[: len(base)] == base and theirs[: len(base)] == base:
        found.fields.append(Field(path, list(base), list(mine), list(theirs), "theirs" if mine == base else "mine"))
        added = list(theirs[len(base) :])  # not all of theirs: mine may repeat what stood there before
        return [*deepcopy(list(theirs)), *(deepcopy(each) for each in mine[len(base) :] if each not in added)]
    return None


def _moved(base: Sequence[Any], rows: Sequence[Any]) -> bool:
    """Whether an element stands in another place than before: then a place says nothing of which one it is."""
    return any(one != was and one in base for one, was in zip(rows, base, strict=True))


def _names(rows: Sequence[Any]) -> list[str] | None:
    """A name for each element of a list, or None when they cannot be told apart by one."""
    for key in _KEYS:
        names = [str(each.get(key) or "") if isinstance(each, dict) else "" for each in rows]
        if all(name and "." not in name for name in names) and len(set(names)) == len(names):
            return names
    codes = [_code(each) for each in rows]
    if all(codes) and len(set(codes)) == len(codes):
        return codes
    return None if rows else []


def _code(row: Any) -> str:
    concept = row.get("code") if isinstance(row, dict) else None
    codings = concept.get("coding") if isinstance(concept, dict) else None
    first = codings[0] if isinstance(codings, list) and codings and isinstance(codings[0], dict) else {}
    code = str(first.get("code") or "")
    return code if "." not in code else ""


def _open_dict(value: Any) -> bool:
    """Whether its elements may come from two authors."""
    return isinstance(value, dict) and not _has(value, (*_WHOLE, *_SIGNED))


def _is_signed(value: Any) -> bool:
    return isinstance(value, dict) and _has(value, _SIGNED)


def _has(value: Mapping[str, Any], kinds: Sequence[frozenset[str]]) -> bool:
    """Whether it has the marks of one of `kinds`, be it as a value or as what is said in place of one."""
    held = {key.removeprefix("_") for key in value}
    return any(marks <= held for marks in kinds)


def _is_weighty(path: str) -> bool:
    head = path.partition(".")[0].removesuffix(CHOICE)
    return head in _WEIGHTY or head.startswith("value") or path.rpartition(".")[2] == "modifierExtension"


def _ordered(*parts: Mapping[str, Any]) -> Iterator[str]:
    yield from dict.fromkeys(key for part in parts for key in part)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    return bool(one == other)


def _spelt(value: Any) -> bytes:
    return b"" if value is ABSENT else json.dumps(value)


# Paths ------------------------------------------------------------------------------------------------


def _get(value: Any, path: Sequence[str]) -> Any:
    for step in path:
        value = _child(value, step)
        if value is ABSENT:
            return ABSENT
    return value


def _child(value: Any, step: str) -> Any:
    if isinstance(value, dict):
        if step.endswith(CHOICE):
            return {key: part for key, part in value.items() if _belongs(key, step)} or ABSENT
        return value.get(step)
    if isinstance(value, list):
        place = _place(value, step)
        return value[place] if place is not None else ABSENT
    return ABSENT


def _place(rows: list[Any], step: str) -> int | None:
    names = _names(rows)
    if names and step in names:
        return names.index(step)
    return int(step) if step.isdigit() and int(step) < len(rows) else None


def _put(holder: Any, path: Sequence[str], value: Any) -> None:
    for step in path[:-1]:
        inner = _child(holder, step)
        if inner is ABSENT:
            inner = {}
            _set(holder, step, inner)
        holder = inner
    _set(holder, path[-1], value)


def _set(holder: Any, step: str, value: Any) -> None:
    if isinstance(holder, dict):
        if step.endswith(CHOICE):
            for key in [key for key in holder if _belongs(key, step)]:
                del holder[key]
            holder.update(value or {})
        elif value is ABSENT:
            holder.pop(step, None)
        else:
            holder[step] = value
        return
    place = _place(holder, step)
    if place is None:
        if value is not ABSENT:
            holder.append(value)
    elif value is ABSENT:
        del holder[place]
    else:
        holder[place] = value
