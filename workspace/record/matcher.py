"""Whether a changed resource belongs to a watched query, and where: the store's search, evaluated on one resource.

Three answers: in, out, or undecidable from the resource alone (chains, ``ap`` dates, a whole code system): then the query
is fetched again. Searches nothing and knows no other resource. Its counterpart is tested against the store.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

from workspace.fhir import parameters
from workspace.fhir.parameters import Definition
from workspace.fhir.references import absolute
from workspace.fhir.search import (
    DateValue,
    NumberValue,
    Parameter,
    QuantityValue,
    Query,
    ReferenceValue,
    Sort,
    StringValue,
    TokenValue,
)
from workspace.fhir.service import Resource
from workspace.fhir.texts import fold
from workspace.fhir.values import DateRange, Number, Quantity, Reference, Text, Token, Value, extract

Verdict = Literal["in", "out", "undecidable"]
Key = tuple[Any, ...]
"""What a resource sorts by; keys of one query can be compared."""
Read = Callable[[Resource, Definition], list[Value]]
"""`extract`, or a memory of it: `Reading`."""


class Reading:
    """Values already read of the resources of one batch: many queries ask the same of them."""

    def __init__(self) -> None:
        self._read: dict[tuple[int, str], list[Value]] = {}
        self._kept: list[Resource] = []  # an id is a resource's as long as it is held

    def __call__(self, resource: Resource, known: Definition) -> list[Value]:
        place = (id(resource), known.name)
        found = self._read.get(place)
        if found is None:
            self._kept.append(resource)
            found = self._read[place] = extract(resource, known)
        return found


def judge(query: Query, resource: Resource, read: Read = extract) -> Verdict:
    """Whether `resource`, of the query's type, is a match. One failed constraint decides, whatever the others are."""
    unsure = False
    for each in query.parameters:
        held = _holds(query.type, each, resource, read)
        if held is False:
            return "out"
        unsure = unsure or held is None
    return "undecidable" if unsure else "in"


def _holds(kind: str, parameter: Parameter, resource: Resource, read: Read) -> bool | None:
    known = parameters.definition(kind, parameter.name)
    if known is None or parameter.chain is not None:
        return None
    values: Sequence[Value] = read(resource, known)
    if parameter.modifier == "missing":
        missing = not values and parameter.name not in ("_id", "_lastUpdated")
        return missing == (str(parameter.values[0]) == "true")
    if known.kind == "date" and _is_clinical(kind, known):
        values = _merged(values)
    answers = [_meets(known, parameter.modifier, asked, values) for asked in parameter.values]
    if True in answers:
        met: bool | None = True
    else:
        met = None if None in answers else False
    return met if parameter.modifier != "not" or met is None else not met


def _meets(known: Definition, modifier: str, asked: Any, values: Sequence[Value]) -> bool | None:
    if isinstance(asked, ReferenceValue):
        if asked.identifier:
            logical = [each.identifier for each in values if isinstance(each, Reference) and each.identifier]
            return _token(asked.identifier, logical)
        targets = [each.target for each in values if isinstance(each, Reference)]
        if any(one in asked.targets for one in targets):
            return True
        # An address may be the platform's own, under a name that is not known here: then it is one of those asked for.
        return None if any(absolute(one) in asked.targets for one in targets) else False
    if isinstance(asked, TokenValue):
        return _token(asked, [each for each in values if isinstance(each, Token)])
    if isinstance(asked, DateValue):
        if asked.prefix == "ap":
            return None  # measured from the platform's now
        return any(isinstance(each, DateRange) and _date(asked, each) for each in values)
    if isinstance(asked, StringValue):
        return any(isinstance(each, Text) and _string(asked.text, modifier, each.value) for each in values)
    if isinstance(asked, QuantityValue):
        return any(isinstance(each, Quantity) and _quantity(asked, each) for each in values)
    if isinstance(asked, NumberValue):
        return any(isinstance(each, Number) and _number(asked, each.value, each.value, each.value) for each in values)
    return None


def _token(asked: TokenValue, values: Sequence[Token]) -> bool | None:
    if asked.code is None:
        if any(each.system == asked.system for each in values):
            return True
        # A code whose element implies its system may or may not be of this one.
        return None if any(each.system is None for each in values) else False
    return any(
        each.code == asked.code and (asked.system is None or each.system in (None, asked.system)) for each in values
    )


def _date(asked: DateValue, found: DateRange) -> bool:
    """R4 search §"prefix", on ranges."""
    low, high = found
    match asked.prefix:
        case "eq":
            return asked.low <= low and high <= asked.high
        case "ne":
            return low < asked.low or high > asked.high
        case "gt":
            return high > asked.high
        case "lt":
            return low < asked.low
        case "ge":
            return high >= asked.low
        case "le":
            return low <= asked.high
        case "sa":
            return low > asked.high
        case _:
            return high < asked.low


def _string(asked: str, modifier: str, found: str) -> bool:
    if modifier == "exact":
        return found == asked
    if modifier == "contains":
        return fold(asked) in fold(found)
    return fold(found).startswith(fold(asked))


def _quantity(asked: QuantityValue, found: Quantity) -> bool:
    if asked.system and (found.system != asked.system or found.code != asked.unit):
        return False
    if not asked.system and asked.unit and asked.unit not in (found.code, found.unit):
        return False
    return _number(asked.number, found.value, found.low, found.high)


def _number(asked: NumberValue, value: float, low: float, high: float) -> bool:
    match asked.prefix:
        case "eq":
            return asked.low <= value < asked.high and low == high
        case "ne":
            return value < asked.low or value >= asked.high
        case "gt":
            return high > asked.value
        case "lt":
            return low < asked.value
        case "ge":
            return high >= asked.value
        case "le":
            return low <= asked.value
        case "sa":
            return low > asked.value
        case "eb":
            return high < asked.value
        case _:
            near = asked.near
            return near[0] <= value <= near[1]


# Order ------------------------------------------------------------------------------------------------


def orders(query: Query) -> tuple[Sort, ...]:
    """The sort asked for, else the newest clinical time first."""
    clinical = parameters.clinical_time(query.type)
    return query.sort or (Sort(clinical.name if clinical else "_lastUpdated", True),)


def sort_key(query: Query, resource: Resource, read: Read = extract) -> Key:
    """What `resource` sorts by: keys of one query compare as their resources are ordered; equal ones tie."""
    return tuple(_directed(_sort_value(query.type, each, resource, read), each.descending) for each in orders(query))


def _sort_value(kind: str, sort: Sort, resource: Resource, read: Read) -> Any:
    known = parameters.definition(kind, sort.name)
    values = read(resource, known) if known else []
    if sort.name == "_lastUpdated":
        return min((each.low for each in values if isinstance(each, DateRange)), default=0)
    if known and _is_clinical(kind, known):
        return min((each.low for each in values if isinstance(each, DateRange)), default=None)
    plain = [_plain(each) for each in values]
    if not plain:
        return None
    return max(plain) if sort.descending else min(plain)


def _directed(value: Any, descending: bool) -> tuple[Any, ...]:
    """A value so that less means earlier; a missing one comes last both ways."""
    if value is None:
        return (1,)
    if not descending:
        return (0, value)
    if isinstance(value, str):
        return (0, (*(-ord(sign) for sign in value), 1))
    return (0, -value)


def _plain(value: Value) -> Any:
    if isinstance(value, Token):
        return value.code
    if isinstance(value, Reference):
        return value.target
    if isinstance(value, Text):
        return fold(value.value)
    return value.low if isinstance(value, DateRange) else value.value


def _is_clinical(kind: str, known: Definition) -> bool:
    clinical = parameters.clinical_time(kind)
    return clinical is not None and clinical.name == known.name


def _merged(values: Sequence[Value]) -> list[Value]:
    """The clinical time counts as one range, from its first moment to its last."""
    found = [each for each in values if isinstance(each, DateRange)]
    return [DateRange(min(each.low for each in found), max(each.high for each in found))] if found else []
