"""Resources as JSON, both ways, with the digits of a decimal kept: 38.60 is not 38.6 in FHIR (R4, datatypes, decimal).

A number whose literal a float would not write back, or would not show (38.0), becomes a `Literal`: a float that remembers
how it was written. It computes, compares and sorts as any float; 38.60 equals 38.6. All other numbers stay plain. Whoever
writes a resource as JSON does it here: other encoders refuse a `Literal` (orjson, msgspec) or lose its digits (`json`).
Never looks at what a resource means.
"""

from __future__ import annotations

import json
import math
import re
from functools import lru_cache
from typing import Any, Self

import msgspec
import orjson

_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MINUS_ZERO = re.compile(rb":\s*-0(?![.eE0-9])")
"""An integer that a decoder would not write back. Looked for only where the bytes may hold one: the search is slow."""
SORTED = orjson.OPT_SORT_KEYS
KNOWN = 32768
"""Literals remembered: clinical values are few, and come again."""


class NotJson(ValueError):
    """The bytes are no JSON, or hold a number beyond what can be computed with."""


class Literal(float):
    """A decimal with the digits it was written with. Raises ValueError for a text that is no JSON number."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Self:
        if not _DECIMAL.fullmatch(text):
            raise ValueError("a decimal is written as a JSON number, such as 38.60")
        made = super().__new__(cls, text)
        if math.isinf(made):
            raise ValueError("the number is too large")
        made.text = text
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.text,)

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self


@lru_cache(KNOWN)
def number(text: str) -> float:
    """The number that a JSON literal with a fraction or an exponent stands for. Raises ValueError."""
    value = float(text)
    # Encoders differ about exponents (1e22, 1e+22), so a literal with one is always kept; so is 38.0, for a plain 38.0 may
    # as well be a sum that nobody measured to a tenth, and is shown as 38.
    return value if repr(value) == text and "e" not in text and text[-2:] != ".0" else Literal(text)


def _integer(text: str) -> int | float:
    return Literal(text) if text == "-0" else int(text)


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


_DECODE = msgspec.json.Decoder(float_hook=number).decode


def loads(raw: bytes | str) -> Any:
    """Raises NotJson."""
    data = raw.encode("utf-8", "surrogatepass") if isinstance(raw, str) else raw
    try:
        # Whoever writes white space writes it from the first name on.
        if (b":-0" if b'":' in data[:60] and b'": ' not in data[:60] else b"-0") in data and _MINUS_ZERO.search(data):
            return json.loads(str(data, "utf-8"), parse_float=number, parse_int=_integer, parse_constant=_constant)
        return _DECODE(data)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise NotJson(str(error) or type(error).__name__) from None


def raw_literal(value: object) -> orjson.Fragment:
    """What orjson asks of a value that it does not know."""
    if isinstance(value, Literal):
        return orjson.Fragment(value.text)
    raise TypeError(f"{type(value).__name__} is not JSON")


def msgspec_literal(value: object) -> msgspec.Raw:
    """What msgspec's encoder asks of a value that it does not know."""
    if isinstance(value, Literal):
        return msgspec.Raw(value.text.encode())
    raise NotImplementedError(f"{type(value).__name__} is not JSON")


_ENCODER = msgspec.json.Encoder(enc_hook=msgspec_literal)


def dumps(value: Any, option: int | None = None) -> bytes:
    """Compact; `option` as orjson has it. Raises TypeError for what is not JSON."""
    try:
        return orjson.dumps(value, raw_literal, option)
    except TypeError as error:
        if option is not None or not any(limit in str(error) for limit in ("64-bit", "Recursion limit")):
            raise
        return _ENCODER.encode(value)  # slower, and knows integers of any size and twice the depth
