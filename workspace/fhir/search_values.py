"""The values of search parameters: escapes, prefixes, and what a number or date means at its precision.

`str(value)` is the canonical search text of a value, escaped. Never raises anything but `BadValue`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal, cast

from workspace.fhir import codes, dates, parameters, units
from workspace.fhir.parameters import Definition
from workspace.fhir.references import ID, local

Prefix = Literal["eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"]
PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap")

_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


class BadValue(ValueError):
    """A value that does not fit its parameter; the text says what was expected."""


@dataclass(frozen=True, slots=True)
class TokenValue:
    """`system` None is any, "" is none; `code` None is any code of the system. `text` as asked."""

    system: str | None
    code: str | None

    def __str__(self) -> str:
        code = escape(self.code or "")
        return code if self.system is None else f"{escape(self.system)}|{code}"


@dataclass(frozen=True, slots=True)
class ReferenceValue:
    """`targets`: the places meant, ``Type/id``; an id alone may mean several types. With modifier ``identifier``
    `targets` is empty and `identifier` says which logical reference is meant."""

    targets: tuple[str, ...]
    identifier: TokenValue | None = None

    def __str__(self) -> str:
        if self.identifier:
            return str(self.identifier)
        if len(self.targets) == 1:
            return escape(self.targets[0])
        return escape(self.targets[0].partition("/")[2])


@dataclass(frozen=True, slots=True)
class DateValue:
    """Inclusive milliseconds since 1970 UTC, as in `dates`."""

    prefix: Prefix
    text: str
    low: int
    high: int

    def __str__(self) -> str:
        return ("" if self.prefix == "eq" else self.prefix) + self.text


@dataclass(frozen=True, slots=True)
class StringValue:
    text: str

    def __str__(self) -> str:
        return escape(self.text)


@dataclass(frozen=True, slots=True)
class NumberValue:
    """`low` ≤ x < `high` is what ``eq`` means at the precision written (R4: 100 is 99.5–100.5); `near` for ``ap``."""

    prefix: Prefix
    text: str
    value: float
    low: float
    high: float

    @property
    def near(self) -> tuple[float, float]:
        """R4 recommends a tenth of the value for ``ap``."""
        margin = max(abs(self.value) * 0.1, (self.high - self.low) / 2)
        return self.value - margin, self.value + margin

    def __str__(self) -> str:
        return ("" if self.prefix == "eq" else self.prefix) + self.text


@dataclass(frozen=True, slots=True)
class QuantityValue:
    """`system` "" is any; `unit` is a canonical code or unit text, "" is any."""

    number: NumberValue
    system: str
    unit: str

    def __str__(self) -> str:
        if not self.system and not self.unit:
            return str(self.number)
        return f"{self.number}|{escape(self.system)}|{escape(self.unit)}"


SearchValue = TokenValue | ReferenceValue | DateValue | StringValue | NumberValue | QuantityValue


def split(text: str, separator: str) -> list[str]:
    """`text` at each unescaped `separator`; the parts keep their escapes."""
    parts, current, escaped = [], "", False
    for sign in text:
        if sign == separator and not escaped:
            parts.append(current)
            current = ""
            continue
        escaped = sign == "\\" and not escaped
        current += sign
    return [*parts, current]


def unescape(text: str) -> str:
    """R4 search §"escaping": a backslash before ``, | $`` or itself."""
    return re.sub(r"\\([\\,|$])", r"\1", text)


def escape(text: str) -> str:
    return re.sub(r"([\\,|$])", r"\\\1", text)


def parse_value(known: Definition, modifier: str, text: str, base: str) -> SearchValue:
    """One alternative of a parameter's value. Raises BadValue."""
    if modifier == "missing":
        if text not in ("true", "false"):
            raise BadValue("true or false")
        return TokenValue(None, text)
    if known.kind == "token":
        return _token(text)
    if known.kind == "reference":
        return _reference(known, modifier, text, base)
    if known.kind == "date":
        return _date(text)
    if known.kind == "string":
        return StringValue(unescape(text))
    if known.kind == "quantity":
        return _quantity(text)
    if known.kind == "number":
        return _number(text)
    return TokenValue(None, unescape(text))


def _token(text: str) -> TokenValue:
    parts = [unescape(each) for each in split(text, "|")]
    if len(parts) == 1:
        return TokenValue(None, parts[0])
    if len(parts) > 2 or parts == ["", ""]:
        raise BadValue("code, system|code, |code or system|")
    return TokenValue(codes.canonical(parts[0]), parts[1] or None)


def _reference(known: Definition, modifier: str, text: str, base: str) -> ReferenceValue:
    if modifier == "identifier":
        return ReferenceValue((), _token(text))
    plain = unescape(text)
    allowed = (modifier,) if modifier else (known.targets or parameters.types())
    if ID.fullmatch(plain):
        return ReferenceValue(tuple(f"{each}/{plain}" for each in allowed))
    found = local(plain, base)
    if found:
        if found.type not in allowed:
            raise BadValue(f"points at {', '.join(allowed[:6])}")
        return ReferenceValue((str(found),))
    if ":" not in plain:
        raise BadValue("id, Type/id or an address")
    return ReferenceValue((plain,))


def _prefixed(text: str) -> tuple[Prefix, str]:
    if text[:2] in PREFIXES:
        return cast(Prefix, text[:2]), text[2:]
    if text[:1].isalpha():
        raise BadValue(f"prefix one of {', '.join(PREFIXES)}")
    return "eq", text


def _date(text: str) -> DateValue:
    # A plus sign that was not percent-encoded has become a space on the way.
    prefix, rest = _prefixed(text.replace(" ", "+"))
    try:
        low, high = dates.bounds(rest)
    except (ValueError, OverflowError) as error:
        raise BadValue("a date such as 2026-01-14 or 2026-01-14T08:00:00+01:00") from error
    return DateValue(prefix, rest, low, high)


def _number(text: str) -> NumberValue:
    prefix, rest = _prefixed(text)
    if not _NUMBER.fullmatch(rest):
        raise BadValue("a number such as 5.4 or ge100")
    exact = Decimal(rest)
    exponent = exact.as_tuple().exponent
    half = Decimal(5).scaleb((exponent if isinstance(exponent, int) else 0) - 1)
    return NumberValue(prefix, rest, float(exact), float(exact - half), float(exact + half))


def _quantity(text: str) -> QuantityValue:
    parts = [unescape(each) for each in split(text, "|")]
    if len(parts) not in (1, 3):
        raise BadValue("number, number|system|code or number||unit")
    if len(parts) == 1:
        return QuantityValue(_number(parts[0]), "", "")
    return QuantityValue(_number(parts[0]), codes.canonical(parts[1]), units.canonical(parts[2]))
