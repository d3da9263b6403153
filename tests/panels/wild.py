"""Messages that no good panel sends: arbitrary JSON, messages that are almost right, and bytes that are almost messages."""

from __future__ import annotations

import json
import os
import random
import types
import typing
from typing import Any

import msgspec
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from workspace.panels.components import COMPONENTS
from workspace.panels.protocol import ERRORS, HOST_TO_PANEL, PANEL_TO_HOST, Effects, Message, Operation, Render

CI = os.environ.get("CI") == "true"
SEED = int(os.environ.get("FUZZ_SEED") or (0 if CI else random.SystemRandom().randrange(1 << 32)))
"""In CI always the same; elsewhere another each time. It is printed with a failure: ``FUZZ_SEED=… pytest …`` repeats it."""


def profile(examples: int, *, shrink: bool = True) -> settings:
    """`shrink` is off where an example takes long: the first failing one is shown as it was found."""
    return settings(
        max_examples=examples,
        derandomize=CI,
        deadline=None,
        database=None,
        print_blob=True,
        report_multiple_bugs=False,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
    )


EVENT = 424242
"""Stands for the number of the event that waits for its answer."""

texts = st.text(max_size=12) | st.sampled_from(
    [
        "",
        "p1",
        "p2",
        "TOKEN",
        "rot",
        "t",
        "#a",
        "a",
        "Patient/ANNEN",
        "Observation?code=8867-4",
        "image/png",
        "\x00",
        "🙂" * 9,
    ]
)
numbers = st.integers() | st.integers(-3, 70) | st.floats(allow_nan=False, allow_infinity=False) | st.just(1 << 70)
scalars = st.none() | st.booleans() | numbers | texts
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)


@st.composite
def nodes(draw: Any, depth: int = 0) -> Any:
    """A tree that is almost one."""
    kind = draw(st.sampled_from([*COMPONENTS, "hologram", *["column"] * 8]))
    struct = COMPONENTS.get(kind)
    props = draw(fields(struct)) if struct is not None else draw(st.dictionaries(texts, anything, max_size=3))
    name = st.sampled_from(["rot", "t", "a"]) if depth == 0 else st.integers(0, 400).map(str) | texts
    node = {"id": draw(name), "type": kind, "props": props}
    if depth < 3 and draw(st.booleans()):
        node["children"] = draw(st.lists(nodes(depth + 1), max_size=3))
    return node


LIKELY: dict[str, st.SearchStrategy[Any]] = {
    "query": st.sampled_from(
        ["Observation?code=8867-4", "Observation", "Condition?patient=Patient/ANNEN", "?", "Observation?"]
    ),
    "reference": st.sampled_from(["Observation/a", "Observation/x", "Patient/ANNEN", "../x"]),
    "name": st.sampled_from(["open Patient", "measure pulse", "steal Patient"]),
    "document": st.fixed_dictionaries({"title": texts, "text": texts}),
    "mime": st.sampled_from(["image/png", "text/html"]),
    "watch": st.integers(0, 4),
    "revision": st.integers(0, 9),
    "base": st.integers(0, 9),
    "index": st.integers(0, 3),
    "parent": st.sampled_from(["rot", "t", "a", "0"]),
    "id": st.sampled_from(["rot", "t", "a", "0", "1"]),
}
"""What stands in a field of this name in a message that is right."""


@st.composite
def fields(draw: Any, struct: type[msgspec.Struct]) -> dict[str, Any]:
    """A struct's fields: all right, or one of them wrong or gone."""
    made: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        if field.required or draw(st.integers(0, 2)) == 0:
            made[field.encode_name] = draw(
                LIKELY[field.encode_name] if field.encode_name in LIKELY else right(field.type)
            )
    if draw(st.integers(0, 3)) == 0:
        names = [field.encode_name for field in msgspec.structs.fields(struct)]
        broken = draw(st.sampled_from(names)) if names else ""
        made.pop(broken, None)
        if broken and draw(st.booleans()):
            made[broken] = draw(anything)
    return made


def right(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a type as a struct declares it."""
    origin, inside = typing.get_origin(kind), typing.get_args(kind)
    if origin is typing.Annotated:
        return right(inside[0])
    if origin is typing.Literal:
        return st.sampled_from(inside)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*(right(one) for one in inside))
    if origin is list:
        return st.lists(right(inside[0]), max_size=3)
    if origin is tuple:
        return st.tuples(*(right(one) for one in inside)).map(list)
    if origin is dict:
        return st.dictionaries(texts, anything, max_size=3)
    plain = {str: texts, int: st.integers(0, 50), float: numbers, bool: st.booleans(), bytes: st.just("iVBORw0KGgo=")}
    if kind in plain:
        return plain[kind]
    if isinstance(kind, type) and kind.__name__ == "Node":
        return nodes()
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        tag = kind.__struct_config__.tag
        return fields(kind).map(lambda made: {"op": tag, **made} if isinstance(tag, str) else made)
    return anything if kind is not type(None) else st.none()


def leaf(name: str, text: str) -> dict[str, Any]:
    return {"id": name, "type": "text", "props": {"text": text}}


def tree(children: list[Any]) -> dict[str, Any]:
    table = {"id": "a", "type": "table", "props": {"columns": [{"key": "k", "title": "K"}], "rows": []}}
    field = {"id": "#a", "type": "text-field", "props": {"bind": "a"}}
    return {"id": "rot", "type": "column", "children": [leaf("t", "Hei"), table, field, *children]}


leaves = st.builds(leaf, st.integers(0, 5).map(str), texts)
trees = st.lists(leaves, max_size=3, unique_by=lambda node: str(node["id"])).map(tree)
"""Whole trees that are good, so that patches have something to stand on."""


@st.composite
def renders(draw: Any) -> dict[str, Any]:
    made: dict[str, Any] = {"revision": draw(st.integers(0, 3))}
    if draw(st.booleans()):
        return {**made, "tree": draw(trees if draw(st.integers(0, 3)) else nodes())}
    operations = st.one_of(*(right(kind) for kind in typing.get_args(Operation)))
    return {**made, "base": draw(st.integers(0, 3)), "patch": draw(st.lists(operations, max_size=4))}


@st.composite
def messages(draw: Any) -> Any:
    """A request, a notification or an answer, almost right."""
    if draw(st.integers(0, 5)) == 0:
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": draw(st.sampled_from([EVENT, EVENT, EVENT, 3, None]) | scalars)}
        if draw(st.booleans()):
            body["result"] = draw(fields(Effects) | anything)
        else:
            error = {"code": draw(st.sampled_from([*ERRORS]) | numbers), "message": draw(texts), "data": draw(anything)}
            body["error"] = draw(st.just(error) | anything)
        return body
    kind: type[Message] = draw(
        st.sampled_from([*PANEL_TO_HOST, *PANEL_TO_HOST, Render, Render, Render, *HOST_TO_PANEL])
    )
    params = draw(renders() if kind is Render and draw(st.integers(0, 3)) else fields(kind))
    if draw(st.integers(0, 9)):
        params |= {"instance": "p1", "context": "TOKEN"}
    made = {"jsonrpc": "2.0", "method": kind.method, "params": params}
    if kind is not Render and draw(st.booleans()):
        made["id"] = draw(st.integers(0, 60) | texts)
    return made


def line(message: Any, token: str, event: int = EVENT) -> bytes:
    """As bytes, with the instance's own token in the place of ``TOKEN`` and the number of the event that waits."""
    return (
        json.dumps(message, ensure_ascii=False)
        .replace("TOKEN", token)
        .replace(str(EVENT), str(event))
        .encode("utf-8", "surrogatepass")
        + b"\n"
    )


@st.composite
def torn(draw: Any) -> bytes:
    """Bytes: anything, or a good line that was cut, doubled or scratched."""
    if draw(st.booleans()):
        return draw(st.binary(max_size=60)) + b"\n"
    whole = bytearray(line(draw(messages()), "TOKEN"))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(whole) - 1)) if whole else 0
        match draw(st.integers(0, 3)):
            case 0:
                del whole[at:]
            case 1:
                whole[at:at] = whole[at // 2 : at]
            case 2 if whole:
                whole[at] = draw(st.integers(0, 255))
            case _:
                whole[at:at] = b"\n"
    return bytes(whole) + b"\n"


@st.composite
def bit(draw: Any) -> Any:
    match draw(st.integers(0, 11)):
        case 0:
            return draw(anything)
        case 1:
            return draw(torn())
        case _:
            return draw(messages())


wild = st.lists(bit(), min_size=1, max_size=12)
"""What one burst of a panel may be."""


def encoded(burst: list[Any], token: str, event: int) -> bytes:
    return b"".join(
        one.replace(b"TOKEN", token.encode()).replace(str(EVENT).encode(), str(event).encode())
        if isinstance(one, bytes)
        else line(one, token, event)
        for one in burst
    )
