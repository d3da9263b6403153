"""JSON to and from one line, at the price of the C parts alone.

``import json`` compiles regular expressions that cost more than the rest of a panel's start (about 10 of 25 ms). The C
scanner and encoder that `json` itself uses need none of them, so we take these directly where the interpreter has
them, and `json` where it has not. Never touches files or pipes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _unknown(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} cannot be sent to the shell: use strings, numbers, lists and dicts")


class Literal(float):
    """A number with the digits it was written with: 38.60 goes back to the record as 38.60."""

    __slots__ = ("text",)
    text: str

    def __new__(cls, text: str) -> Literal:
        made = super().__new__(cls, text)
        made.text = text
        return made

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (self.text,)

    def __copy__(self) -> Literal:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Literal:
        return self


class _Raw(str):
    """Text that stands on the line as it is."""

    __slots__ = ()


_seen = False
"""Whether a literal has been read: no message needs to be looked through before."""


def _number(text: str) -> float:
    global _seen
    value = float(text)
    if repr(value) == text:
        return value
    _seen = True
    return Literal(text)


def _literal(value: Any) -> bool:
    try:
        return _seen and _holds(value)
    except RecursionError:  # circular, or too deep: the encoder says so
        return False


def _holds(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds(part) for part in value.values())
    return any(_holds(part) for part in value) if isinstance(value, list | tuple) else isinstance(value, Literal)


def _raw(value: Any) -> Any:
    """A copy of `value` with the literals as raw text."""
    if isinstance(value, dict):
        return {key: _raw(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_raw(part) for part in value]
    return _Raw(value.text) if isinstance(value, Literal) else value


class _Scan:
    """What `json.JSONDecoder` is to its C scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = staticmethod(_number)
    parse_int = int
    parse_constant = staticmethod(_constant)

    def __init__(self) -> None:
        self.memo: dict[str, str] = {}


def _fast() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    from _json import encode_basestring, make_encoder, make_scanner

    decoder: Any = _Scan()
    scan = make_scanner(decoder)

    def loads(text: str) -> Any:
        text = text.strip()
        try:
            value, end = scan(text, 0)
        except (StopIteration, SystemError):
            # The C scanner takes its exception from `json.decoder`, and gives SystemError where that is not imported.
            raise ValueError("not JSON") from None
        if end != len(text):
            raise ValueError("more than one value on a line")
        return value

    def text(value: str) -> str:
        return value if type(value) is _Raw else encode_basestring(value)

    def dumps(value: Any) -> str:
        spell = encode_basestring
        if _literal(value):
            value, spell = _raw(value), text
        # A fresh encoder each time: its markers find circular structures.
        encode = make_encoder({}, _unknown, spell, None, ":", ",", False, False, False)
        return "".join(encode(value, 0))

    if loads(dumps({"å": [1, 2.5, None, True]})) != {"å": [1, 2.5, None, True]}:
        raise ImportError("the interpreter's JSON parts are not as known")
    return loads, dumps


def _pieced(value: Any, whole: Callable[[Any], str]) -> str:
    """A value with literals, part by part."""
    if isinstance(value, dict):
        # A name of any kind is spelt as `json` spells it.
        return "{" + ",".join(whole({key: 0})[1:-2] + _pieced(part, whole) for key, part in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_pieced(part, whole) for part in value) + "]"
    return value.text if isinstance(value, Literal) else whole(value)


def _plain() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    import json

    def loads(text: str) -> Any:
        return json.loads(text, parse_float=_number, parse_constant=_constant)

    def whole(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_unknown)

    def dumps(value: Any) -> str:
        return _pieced(value, whole) if _literal(value) else whole(value)

    return loads, dumps


try:
    loads, dumps = _fast()
except (ImportError, TypeError, AttributeError):
    loads, dumps = _plain()
