"""What `ui` makes: parts with checked properties, before they get ids and become a tree. Knows the words of the panel
language and nothing of the record or the wire."""

from __future__ import annotations

from workspace.sdk.errors import ResultFailed, Suspended

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, Literal, TypeAlias, Union

    Props = dict[str, Any]
    Child: TypeAlias = Union["Part", Callable[[], Any], Literal[False], None]  # noqa: UP007 - a name of a later class

RETRY = "sdk.retry"
"""The one action the SDK has itself: ask again for what failed."""

SORRY = "Panelet klarte ikke å vise dette. Prøv igjen, eller meld fra til leverandøren."

_TONES = ("neutral", "accent", "group", "ok", "warn", "bad")
_WORDS: dict[str, tuple[str, ...]] = {
    "tone": _TONES,
    "shape": ("none", "up", "diamond", "dot"),
    "gap": ("none", "xs", "s", "m", "l"),
    "slot": ("body", "toolbar", "status"),
    "height": ("s", "m", "l"),
    "width": ("fit", "grow", "s", "m", "l"),
    "row.align": ("start", "center", "end", "between"),
    "col.align": ("start", "end"),
    "col.kind": ("text", "strong", "muted", "number", "date", "time", "age", "pill", "pills", "spark"),
    "text.style": ("body", "muted", "caption", "strong", "number"),
    "choice-field.style": ("menu", "chips", "segments"),
    "button.style": ("plain", "primary", "danger", "chip"),
    "menu.style": ("plain", "chip"),
    "icon.size": ("s", "m", "l"),
}
_DEFAULTS: dict[str, Any] = {
    "slot": "body",
    "span": 1,
    "tone": "neutral",
    "shape": "none",
    "align": "start",
    "width": "fit",
    "priority": 1,
    "height": "m",
    "level": 3,
    "lines": 3,
    "col.lines": 1,
    "gap": "s",
    "column.gap": "m",
    "notice.tone": "warn",
    "series.tone": "accent",
    "band.tone": "ok",
    "grid.columns": 2,
    "col.kind": "text",
    "text.style": "body",
    "choice-field.style": "menu",
    "button.style": "plain",
    "menu.style": "plain",
    "icon.size": "m",
    "card.level": 4,
    "tab.gap": "m",
    "progress.tone": "accent",
    "entry.shape": "dot",
    "list.empty": "Ingenting å vise",
    "timeline.empty": "Ingen hendelser",
    "code-field.empty": "Ingen treff",
    "table.sortable": True,
    "table.find": True,
    "table.headers": True,
    "table.empty": "Ingenting å vise",
    "trend.empty": "Ingen målinger ennå",
    "text-area.rows": 4,
}
"""The protocol's defaults that are not empty: properties equal to them are not sent."""
_NEEDED = {
    "text", "title", "bind", "low", "high", "columns", "series", "options", "value", "label", "action", "items", "entries",
    "values", "name", "blob",
}  # fmt: skip
_TEXTS = {
    "text", "title", "label", "language", "hint", "error", "unit", "placeholder", "at", "source", "empty",
    "empty_hint", "secondary", "bind", "disabled", "shortcut", "waits_for", "key", "value", "path", "summary", "badge",
    "name", "blob", "caption", "icon", "group", "code", "search", "about",
}  # fmt: skip
_WHOLE = {"span", "level", "lines", "limit", "hours", "gap_hours", "decimals", "priority"}
_TRUTH = {
    "wrap", "required", "multiple", "sortable", "headers", "find", "open", "oldest_first", "searching", "danger",
}  # fmt: skip
_COMMON = ("label", "language", "slot", "span")
_MISSING = object()


class Action:
    """A registered action's name and its JSON arguments as drawn. Made with `ui.action`."""

    __slots__ = ("args", "name", "text")

    def __init__(self, name: str, args: Props, text: str) -> None:
        self.name, self.args, self.text = name, args, text


class Part:
    """One component. `suspended` marks a stand-in for something whose result has not come."""

    __slots__ = ("children", "key", "kind", "props", "suspended")

    def __init__(self, kind: str, props: Props, children: list[Part | None], key: str = "") -> None:
        self.kind, self.props, self.children, self.key = kind, props, children, key
        self.suspended = False


def action_props(action: Action | None) -> Props | None:
    if action is None:
        return None
    if not isinstance(action, Action):
        raise TypeError("an action is made with ui.action(text, function, **arguments)")
    return {"name": action.name, "args": action.args} if action.args else {"name": action.name}


def checked(kind: str, props: Props) -> Props:
    """Only what differs from the protocol's defaults; a wrong word or kind of value is a TypeError that says which."""
    kept: Props = {}
    for name, value in props.items():
        default = _DEFAULTS.get(f"{kind}.{name}", _DEFAULTS.get(name, _MISSING))
        if value is None:
            continue
        words = _WORDS.get(f"{kind}.{name}") or _WORDS.get(name)
        if words is not None and name != "kind" and value not in words:
            raise TypeError(f"ui.{kind}: {name} is one of {', '.join(words)}; not {value!r}")
        if name == "kind" and kind == "col" and value not in _WORDS["col.kind"]:
            raise TypeError(f"ui.col: kind is one of {', '.join(_WORDS['col.kind'])}; not {value!r}")
        if name in _TEXTS and not isinstance(value, str) and f"{kind}.{name}" != "progress.value":
            raise TypeError(f"ui.{kind}: {name} is text; not {type(value).__name__} ({value!r})")
        if name in _WHOLE and (not isinstance(value, int) or isinstance(value, bool)):
            raise TypeError(f"ui.{kind}: {name} is a whole number; not {value!r}")
        if name in _TRUTH and not isinstance(value, bool):
            raise TypeError(f"ui.{kind}: {name} is True or False; not {value!r}")
        if name == "abouts":
            value = _abouts(kind, value)
        if default is _MISSING:
            if (
                value
                or (name in _NEEDED and kind not in ("cell", "band"))
                or (isinstance(value, int | float) and not isinstance(value, bool))
            ):
                kept[name] = value
        elif value != default:
            kept[name] = value
    return kept


def _abouts(kind: str, given: Any) -> dict[str, str]:
    """Words → ``Type/id``, without those that name nothing."""
    found = dict(given) if hasattr(given, "items") else None
    if found is None or not all(isinstance(one, str) for pair in found.items() for one in pair):
        raise TypeError(f'ui.{kind}: abouts is text by name, {{"Amlodipin": record.name(one)}}; not {given!r}')
    return {words: about for words, about in found.items() if about}


def node(kind: str, props: Props, children: Iterable[Child], common: Props) -> Part:
    """A part; or its stand-in, when one of its properties uses a result that has not come or has failed."""
    key = common.pop("key", "")
    for name in common:
        if name not in _COMMON:
            known = sorted({*props, *_COMMON, "key"})
            raise TypeError(f"ui.{kind} has no property {name!r}; it has {', '.join(known)}")
    label = common.get("label", "")
    if not label and "label" in common:
        del common["label"]

    def build() -> Part:
        called = {name: value() if callable(value) else value for name, value in props.items()}
        return Part(kind, checked(kind, {**called, **common}), [], key)

    made = guarded(build, key, common)
    if made is not None and made.kind == kind and children:
        made.children = [guarded_child(child, kind) for child in children]
    return made or Part(kind, {}, [], key)


def guarded_child(child: Child, kind: str) -> Part | None:
    if child is None or child is False:
        return None
    if isinstance(child, Part):
        return child
    if not callable(child):
        raise TypeError(
            f"ui.{kind}: a child is a component or a function that makes one; not {type(child).__name__}"
            + (" (use ui.text)" if isinstance(child, str) else "")
        )
    key = getattr(child, "part_key", "")
    made = guarded(child, key, {})
    if made is not None and key and not made.key:
        made.key = key
    return made


def guarded(make: Callable[[], Any], key: str, common: Props) -> Part | None:
    """What `make` makes, or pending or failed in its place."""
    try:
        made = make()
    except Suspended as waiting:
        stand_in = Part("pending", checked("pending", {"waits_for": waits_for(waiting.waits_for), **common}), [], key)
        stand_in.suspended = True
        return stand_in
    except ResultFailed as failure:
        props = {"text": failure.text or SORRY, "retry": {"name": RETRY}, **common}
        return Part("failed", checked("failed", props), [], key)
    if made is None or made is False:
        return None
    if not isinstance(made, Part):
        raise TypeError(f"a view and its parts return components made with ui; not {type(made).__name__}")
    return made


_NAMES = {
    "Observation": "målinger",
    "MedicationRequest": "legemidler",
    "MedicationAdministration": "utdelinger",
    "Composition": "notater",
    "Condition": "problemer",
    "AllergyIntolerance": "allergier",
    "Encounter": "opphold",
    "Patient": "personopplysninger",
    "Flag": "merker",
    "Task": "oppgaver",
}


def waits_for(kind: str) -> str:
    return _NAMES.get(kind.partition("/")[0], kind)
