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


class _Scan:
    """What `json.JSONDecoder` is to its C scanner."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
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

    def dumps(value: Any) -> str:
        # A fresh encoder each time: its markers find circular structures.
        encode = make_encoder({}, _unknown, encode_basestring, None, ":", ",", False, False, False)
        return "".join(encode(value, 0))

    if loads(dumps({"å": [1, 2.5, None, True]})) != {"å": [1, 2.5, None, True]}:
        raise ImportError("the interpreter's JSON parts are not as known")
    return loads, dumps


def _plain() -> tuple[Callable[[str], Any], Callable[[Any], str]]:
    import json

    def loads(text: str) -> Any:
        return json.loads(text, parse_constant=_constant)

    def dumps(value: Any) -> str:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_unknown)

    return loads, dumps


try:
    loads, dumps = _fast()
except (ImportError, TypeError, AttributeError):
    loads, dumps = _plain()
