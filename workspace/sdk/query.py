"""FHIR searches as text: written, read back and compared. Never sends anything.

Two queries are the same when type and parameters are, whatever their order: that is how a prefetched result is found
by the view that asks for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

Pairs = list[tuple[str, str]]

_ORDERED = ("_sort", "_elements", "_include", "_revinclude")
"""Parameters whose commas do not mean «any of»; order counts, or repeats are meant."""


def build(kind: str, more: dict[str, Any] | None = None, **params: Any) -> str:
    """``build("Observation", category="vital-signs", _sort="-date")`` →
    ``Observation?category=vital-signs&_sort=-date``.

    Lists mean «any of» (comma), except for ``_include`` and ``_revinclude``, and inside `more`, where each value is a
    parameter of its own. Underscores inside a name become hyphens (``clinical_status``). None is left out."""
    _, _, tail = kind.partition("?")
    base = kind.partition("?")[0]
    pairs: Pairs = _split(tail)
    for name, value in (more or {}).items():
        pairs += [(name, _text(one)) for one in _listed(value)]
    for name, value in params.items():
        if value is None:
            continue
        real = name if name.startswith("_") else name.replace("_", "-")
        if real in ("_include", "_revinclude"):
            pairs += [(real, _text(one)) for one in _listed(value)]
        else:
            pairs.append((real, ",".join(_text(one) for one in _listed(value))))
    return base + ("?" + "&".join(f"{_quote(n)}={_quote(v)}" for n, v in pairs) if pairs else "")


def pairs(query: str) -> Pairs:
    """The parameters of a query, decoded, in order."""
    return _split(query.partition("?")[2])


def canonical(query: str) -> str:
    """A text that is equal for equal queries: decoded, parameters and their alternatives in a fixed order."""
    base, _, tail = query.partition("?")
    pairs: Pairs = []
    for name, value in _split(tail):
        if name not in _ORDERED and "," in value:
            value = ",".join(sorted(value.split(",")))
        pairs.append((name, value))
    pairs.sort()
    return base.strip("/") + "?" + "&".join(f"{_quote(n)}={_quote(v)}" for n, v in pairs)


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple | set | frozenset) else [value]


def _text(value: Any) -> str:
    if value is True or value is False:
        return "true" if value else "false"
    return str(value)


def _split(tail: str) -> Pairs:
    pairs: Pairs = []
    for part in tail.split("&"):
        if part:
            name, _, value = part.partition("=")
            pairs.append((_unquote(name), _unquote(value)))
    return pairs


def _quote(text: str) -> str:
    """Percent-encode only what would break a query: everything else stays legible in logs."""
    if text.isascii() and not any(c in "&#%+ =?" for c in text):
        return text
    return "".join(c if c.isascii() and c not in "&#%+ =?" else "".join(f"%{b:02X}" for b in c.encode()) for c in text)


def _unquote(text: str) -> str:
    if "%" not in text:
        return text.replace("+", " ")
    out = bytearray()
    raw = text.replace("+", " ").encode()
    at = 0
    while at < len(raw):
        if raw[at] == 0x25 and len(raw) >= at + 3:
            try:
                out.append(int(raw[at + 1 : at + 3], 16))
                at += 3
                continue
            except ValueError:
                pass
        out.append(raw[at])
        at += 1
    return out.decode("utf-8", "replace")
