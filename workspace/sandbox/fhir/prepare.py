"""From a resource to the rows that store and index it. Pure: a generator in another process may run it.

`Prepared` is a plain tuple of tuples, so that marshal and pickle carry it cheaply. Never touches a database.
"""

from __future__ import annotations

import hashlib
import zlib
from functools import lru_cache
from typing import Any

from workspace.fhir import dates, json, parameters
from workspace.fhir.parameters import Definition
from workspace.fhir.service import Resource
from workspace.fhir.texts import fold
from workspace.fhir.values import DateRange, Number, Quantity, Reference, Text, Token, extract

Prepared = tuple[
    str,
    str,
    int,
    int,
    int,
    int,
    int,
    bytes,
    tuple[tuple[int, int], ...],
    tuple[tuple[int, int, int], ...],
    tuple[tuple[int, str, str], ...],
    tuple[tuple[int, float, float, float, str, str, str], ...],
    tuple[tuple[int, int, int], ...],
]
"""type, id, version, updated (ms), low, high (clinical time, ms), present (bits), body (JSON), then rows: links (key,
system), dates (parameter, low, high), strings (parameter, folded, exact), quantities (parameter, value, low, high,
system, code, unit), vocabulary (parameter, system, key)."""

IMPLIED = -1
"""`system` of a code whose element implies it: any system asked for fits."""


@lru_cache(maxsize=262144)
def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


@lru_cache(maxsize=4096)
def parameter_key(resource_type: str, name: str) -> int:
    """A stable number for one parameter of one type."""
    return zlib.crc32(f"{resource_type}.{name}".encode())


def link_key(resource_type: str, name: str, value: str) -> int:
    """The key under which `link` keeps a token's code, or a reference's target, of one parameter."""
    return _hash(f"{resource_type}.{name}={value}")


def system_key(system: str | None) -> int:
    """0 is no system, `IMPLIED` an implied one."""
    if system is None:
        return IMPLIED
    return _hash(system) | 1 if system else 0


class _Rows:
    def __init__(self) -> None:
        self.links: dict[tuple[int, int], None] = {}
        self.dates: dict[tuple[int, int, int], None] = {}
        self.strings: dict[tuple[int, str, str], None] = {}
        self.quantities: dict[tuple[int, float, float, float, str, str, str], None] = {}
        self.vocabulary: dict[tuple[int, int, int], None] = {}

    def token(self, known: Definition, name: str, token: Token) -> None:
        key, system = link_key(known.type, name, token.code), system_key(token.system)
        self.links[key, system] = None
        if system not in (0, IMPLIED):
            self.vocabulary[parameter_key(known.type, name), system, key] = None

    def add(self, known: Definition, value: Any) -> None:
        if isinstance(value, Token):
            self.token(known, known.name, value)
        elif isinstance(value, Reference):
            if value.target:
                self.links[link_key(known.type, known.name, value.target), 0] = None
            if value.identifier:
                self.token(known, known.name + ":identifier", value.identifier)
        elif isinstance(value, DateRange):
            self.dates[parameter_key(known.type, known.name), value.low, value.high] = None
        elif isinstance(value, Text):
            self.strings[parameter_key(known.type, known.name), fold(value.value), value.value] = None
        elif isinstance(value, Quantity):
            self.quantities[parameter_key(known.type, known.name), *value] = None
        elif isinstance(value, Number):
            whole = (value.value, value.value, value.value, "", "", "")
            self.quantities[parameter_key(known.type, known.name), *whole] = None


_COLUMNS = frozenset({"versionId", "lastUpdated"})


@lru_cache(maxsize=128)
def _indexed(resource_type: str) -> tuple[tuple[Definition, frozenset[str]], ...]:
    """Parameters that need rows, each with the elements it reads (``meta.tag`` for what is in `meta`, which every resource
    has); ``_id`` and ``_lastUpdated`` are columns."""
    found = []
    for known in parameters.definitions(resource_type).values():
        if known.name not in ("_id", "_lastUpdated"):
            tops = frozenset() if known.default else frozenset(_top(path) for path in known.paths)
            found.append((known, tops))
    return tuple(found)


def _top(path: tuple[parameters.Step, ...]) -> str:
    first = path[0].name
    return f"meta.{path[1].name}" if first == "meta" and len(path) > 1 else first


def prepare(resource: Resource, base: str = "") -> Prepared:
    """The rows of `resource`, which has an id; `meta.versionId` (default 1) and `meta.lastUpdated` are kept.

    Raises ValueError for a resource without a known type, an id or a readable `meta.lastUpdated`.
    """
    kind, own = resource.get("resourceType", ""), resource.get("id", "")
    known_types = _indexed(kind)
    if not known_types or not own:
        raise ValueError(f"cannot store {kind}/{own}")
    meta = resource.get("meta") or {}
    rows, present = _Rows(), 0
    keys = resource.keys() | {f"meta.{name}" for name in meta if name not in _COLUMNS}
    for known, tops in known_types:
        if tops and tops.isdisjoint(keys):
            continue
        values = extract(resource, known, base)
        if values:
            present |= 1 << known.bit
            for value in values:
                rows.add(known, value)
    low, high = _clinical(kind, rows)
    return (
        kind,
        own,
        int(meta.get("versionId", 1)),
        dates.bounds(meta["lastUpdated"]).low if "lastUpdated" in meta else 0,
        low,
        high,
        present,
        json.dumps(resource),
        tuple(rows.links),
        tuple(rows.dates),
        tuple(rows.strings),
        tuple(rows.quantities),
        tuple(rows.vocabulary),
    )


def _clinical(kind: str, rows: _Rows) -> tuple[int, int]:
    """The clinical time's range; `dates.EARLIEST` - 1 for both where there is none."""
    known = parameters.clinical_time(kind)
    if known:
        own = parameter_key(kind, known.name)
        found = [(low, high) for parameter, low, high in rows.dates if parameter == own]
        if found:
            return min(low for low, _ in found), max(high for _, high in found)
    return UNTIMED, UNTIMED


UNTIMED = dates.EARLIEST - 1
"""Stands where a resource has no clinical time, so that it sorts last among the newest first."""
