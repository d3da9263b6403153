"""The components a view may return. Each function makes one; a wrong property is a `TypeError` at once.

Rules that hold for all:

- A child, and any property, may be a function without arguments. It is called in a guard of its own: when it uses a
  result that has not come, only that component shows as *pending*; when a result failed, only that one as *failed*.
- ``None`` (or False) as a child is nothing, so ``condition and ui.text("…")`` may stand in a list.
- `key` names a child among its siblings, so that it keeps its identity when others come and go.
- What may show a clinical value has `about`, the ``Type/id`` it stands in (`record.name`), and `abouts`, words → ``Type/id``
  where it gathers several: the user can then ask the shell where it comes from.
- Common to all: `label` (accessible name), `language`, `slot` ("body", "toolbar", "status" for children of the root),
  `span` (columns in a grid), `key`.

Never holds a value that the user types: fields name a `bind`, and what is typed is read from ``ctx.state``.
"""

from __future__ import annotations

from workspace.sdk.parts import Action, Part, action_props, checked, node
from workspace.sdk.results import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from workspace.sdk.parts import Child
    from workspace.sdk.results import Lazy

    Props = dict[str, Any]


def action(text: str, run: Callable[..., Any] | str, /, **args: Any) -> Action:
    """What a button, a row or a form does: a registered action (the function or its name) with JSON arguments, fixed as
    drawn. `text` is what a button made from it says."""
    name = run if isinstance(run, str) else getattr(run, "__name__", "")
    if not name:
        raise TypeError("ui.action(text, run): run is a function marked with @panel.action, or its name")
    return Action(name, args, text)


def part(make: Callable[..., Child], *args: Any, key: str = "") -> Callable[[], Child]:
    """A piece of the view with its own pending and failed state: ``ui.column(ui.part(problems, ctx), …)``."""

    def built() -> Child:
        return make(*args)

    built.part_key = key  # type: ignore[attr-defined]
    return built


# --- grouping -----------------------------------------------------------------------------------------------


def column(*children: Child, gap: str = "m", **common: Any) -> Part:
    return node("column", {"gap": gap}, children, common)


def row(*children: Child, gap: str = "s", align: str = "start", wrap: bool = False, **common: Any) -> Part:
    return node("row", {"gap": gap, "align": align, "wrap": wrap}, children, common)


def grid(*children: Child, columns: int = 2, gap: str = "s", **common: Any) -> Part:
    return node("grid", {"columns": columns, "gap": gap}, children, common)


def section(title: str, *children: Child, level: int = 3, gap: str = "s", **common: Any) -> Part:
    return node("section", {"title": title, "level": level, "gap": gap}, children, common)


def form(*children: Child, submit: Action | None = None, gap: str = "s", **common: Any) -> Part:
    """Fields that belong together. `submit` runs at Enter in a one-line field."""
    return node("form", {"submit": action_props(submit), "gap": gap}, children, common)


def card(
    *children: Child,
    title: str = "",
    level: int = 4,
    tone: str = "neutral",
    gap: str = "s",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """One thing among several of its kind. Cards do not stand in cards."""
    props = {"title": title, "level": level, "tone": tone, "gap": gap, "about": about, "abouts": abouts}
    return node("card", props, children, common)


def tabs(*children: Child, selected: str = "", **common: Any) -> Part:
    """`children` are made with `ui.tab`; `selected` is the title of the one that stands open at first."""
    return node("tabs", {"selected": selected}, children, common)


def tab(title: str, *children: Child, badge: str = "", tone: str = "neutral", gap: str = "m", **common: Any) -> Part:
    return node("tab", {"title": title, "badge": badge, "tone": tone, "gap": gap}, children, common)


def expander(
    title: str,
    *children: Child,
    summary: str = "",
    level: int = 3,
    open: bool = False,
    gap: str = "s",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """Opens and closes what is below its title. Nothing that must be seen may stand in it."""
    props: Props = {"title": title, "summary": summary, "level": level, "open": open, "gap": gap}
    props |= {"about": about, "abouts": abouts}
    return node("expander", props, children, common)


def divider(**common: Any) -> Part:
    return node("divider", {}, (), common)


def spacer(**common: Any) -> Part:
    return node("spacer", {}, (), common)


# --- telling ------------------------------------------------------------------------------------------------


def heading(text: str, level: int = 3, **common: Any) -> Part:
    return node("heading", {"text": text, "level": level}, (), common)


def text(
    text: str | Callable[[], str],
    style: str = "body",
    tone: str = "neutral",
    at: str = "",
    source: str = "",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """`at` is an ISO 8601 instant; the shell shows it as an age and keeps it fresh."""
    props: Props = {"text": text, "style": style, "tone": tone, "at": at, "source": source}
    return node("text", {**props, "about": about, "abouts": abouts}, (), common)


def pill(
    text: str,
    tone: str = "neutral",
    shape: str = "none",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    props = {"text": text, "tone": tone, "shape": shape, "about": about, "abouts": abouts}
    return node("pill", props, (), common)


def icon(
    name: str,
    tone: str = "neutral",
    size: str = "m",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """One of the shell's drawings. Give it a `label` when it says something that no word beside it says."""
    props = {"name": name, "tone": tone, "size": size, "about": about, "abouts": abouts}
    return node("icon", props, (), common)


def progress(
    text: str,
    value: float | None = None,
    tone: str = "accent",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """`value` from 0 to 1; None while the end is not known."""
    props = {"text": text, "value": value, "tone": tone, "about": about, "abouts": abouts}
    return node("progress", props, (), common)


def sparkline(
    values: Sequence[float | None],
    high: float | None = None,
    text: str = "",
    tone: str = "neutral",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """The last few values, oldest first; None breaks the line. `text` stands after it."""
    props: Props = {"values": [*values], "high": high, "text": text, "tone": tone}
    return node("sparkline", {**props, "about": about, "abouts": abouts}, (), common)


def picture(
    blob: str,
    text: str,
    caption: str = "",
    height: str = "m",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    """A blob's picture. `text` says what it shows, for those who do not see it; it must say something."""
    if not text:
        raise TypeError("ui.picture: text= says what the picture shows, and is needed")
    props: Props = {"blob": blob, "text": text, "caption": caption, "height": height}
    return node("picture", {**props, "about": about, "abouts": abouts}, (), common)


def notice(
    text: str,
    title: str = "",
    tone: str = "warn",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
    **common: Any,
) -> Part:
    props = {"text": text, "title": title, "tone": tone, "about": about, "abouts": abouts}
    return node("notice", props, (), common)


def empty(title: str, text: str = "", **common: Any) -> Part:
    return node("empty", {"title": title, "text": text}, (), common)


def pending(waits_for: str = "", lines: int = 3, **common: Any) -> Part:
    return node("pending", {"waits_for": waits_for, "lines": lines}, (), common)


def failed(text: str, retry: Action | None = None, **common: Any) -> Part:
    return node("failed", {"text": text, "retry": action_props(retry)}, (), common)


# --- records ------------------------------------------------------------------------------------------------


def col(
    title: str,
    path: str = "",
    key: str = "",
    kind: str = "text",
    align: str = "",
    width: str = "fit",
    unit: str = "",
    decimals: int | None = None,
    priority: int = 1,
    lines: int = 1,
) -> Props:
    """A column. `path` is an element path for tables bound to a search; `key` names the cell in computed rows and is
    the path or the title when left out. Numbers stand to the right. A long text may take `lines` lines."""
    props = {
        "key": key or path or title,
        "title": title,
        "kind": kind,
        "align": align or ("end" if kind == "number" else "start"),
        "width": width,
        "path": path,
        "unit": unit,
        "decimals": decimals,
        "priority": priority,
        "lines": lines,
    }
    return checked("col", props)


def cell(
    text: str = "",
    secondary: str = "",
    tone: str = "neutral",
    shape: str = "none",
    values: Sequence[float | None] = (),
    high: float | None = None,
    pills: Sequence[Part] = (),
    at: str = "",
    source: str = "",
    sort: float | str | None = None,
) -> Props:
    """What stands in a computed cell. `values` draw a spark, oldest first; `pills` are made with `ui.pill`."""
    props = {
        "text": text,
        "secondary": secondary,
        "tone": tone,
        "shape": shape,
        "values": list(values),
        "high": high,
        "pills": [one.props for one in pills],
        "at": at,
        "source": source,
        "sort": sort,
    }
    return checked("cell", props)


def line(
    key: str,
    cells: Mapping[str, Any],
    action: Action | None = None,
    label: str = "",
    tone: str = "neutral",
    about: str = "",
    abouts: Mapping[str, str] | None = None,
) -> Props:
    """A computed row: `key` stable and unique in its table, `cells` by column key (`ui.cell`, text or number). `about` is
    the ``Type/id`` it is about: the shell says on the row when a change of it waits or was refused, and where it comes from
    when the user asks. `abouts` says the same of single cells, by column key, where a row gathers several."""
    made = checked("line", {"key": key, "action": action_props(action), "label": label, "tone": tone, "about": about})
    made["cells"] = dict(cells)
    return {**made, **checked("line", {"abouts": abouts})}


def table(
    rows: Lazy | Iterable[Props] | Callable[[], Iterable[Props]] = (),
    columns: Sequence[Props] = (),
    limit: int = 0,
    selected: str = "",
    sort: str = "",
    sortable: bool = True,
    find: bool = True,
    headers: bool = True,
    empty: str = "Ingenting å vise",
    empty_hint: str = "",
    **common: Any,
) -> Part:
    """Rows made with `ui.line` (or a function that makes them), or a search itself: the shell then draws its rows by the
    columns' paths and the panel is not asked again when one changes."""
    props: Props = {
        "columns": list(columns),
        "limit": limit,
        "selected": selected,
        "sort": sort,
        "sortable": sortable,
        "find": find,
        "headers": headers,
        "empty": empty,
        "empty_hint": empty_hint,
    }
    if isinstance(rows, Result):
        props["watch"] = rows.handle
    else:
        props["rows"] = _keyed("table", rows)
    return node("table", props, (), common)


def _keyed(kind: str, given: Any) -> Callable[[], Sequence[Props]]:
    """Rows, items or entries, made when the component is, with keys that are unique in it."""

    def made() -> Sequence[Props]:
        found = [*(given() if callable(given) else given)]
        keys = [one["key"] for one in found]
        if len(set(keys)) != len(keys):
            twice = sorted({key for key in keys if keys.count(key) > 1})
            raise TypeError(f"ui.{kind}: row keys must be unique in a {kind}, these are not: {', '.join(twice)}")
        return found

    return made


def item(
    key: str,
    title: str,
    text: str = "",
    icon: str = "",
    tone: str = "neutral",
    pills: Sequence[Part] = (),
    at: str = "",
    source: str = "",
    action: Action | None = None,
    label: str = "",
    about: str = "",
) -> Props:
    """Something in a list: `key` stable and unique in it, `text` a few words below the title, `pills` from `ui.pill`,
    `about` the ``Type/id`` it stands in."""
    props = {
        "key": key,
        "title": title,
        "text": text,
        "icon": icon,
        "tone": tone,
        "pills": [one.props for one in pills],
        "at": at,
        "source": source,
        "action": action_props(action),
        "label": label,
        "about": about,
    }
    return checked("item", props)


def items(
    items: Iterable[Props] | Callable[[], Iterable[Props]],
    selected: str = "",
    empty: str = "Ingenting å vise",
    empty_hint: str = "",
    **common: Any,
) -> Part:
    """A list: things under each other, made with `ui.item`."""
    props = {"items": _keyed("list", items), "selected": selected, "empty": empty, "empty_hint": empty_hint}
    return node("list", props, (), common)


def entry(
    key: str,
    at: str,
    title: str,
    text: str = "",
    source: str = "",
    tone: str = "neutral",
    shape: str = "dot",
    pills: Sequence[Part] = (),
    action: Action | None = None,
    about: str = "",
) -> Props:
    """What happened `at` an ISO 8601 instant or day; `about` is the ``Type/id`` it stands in."""
    props = {
        "key": key,
        "at": at,
        "title": title,
        "text": text,
        "source": source,
        "tone": tone,
        "shape": shape,
        "pills": [one.props for one in pills],
        "action": action_props(action),
        "about": about,
    }
    return checked("entry", props)


def timeline(
    entries: Iterable[Props] | Callable[[], Iterable[Props]],
    oldest_first: bool = False,
    empty: str = "Ingen hendelser",
    empty_hint: str = "",
    **common: Any,
) -> Part:
    """What happened and when, made with `ui.entry`; the shell puts them in order and gathers them by day."""
    props = {
        "entries": _keyed("timeline", entries),
        "oldest_first": oldest_first,
        "empty": empty,
        "empty_hint": empty_hint,
    }
    return node("timeline", props, (), common)


def series(
    title: str,
    code: str = "",
    component: str = "",
    points: Sequence[tuple[str, float | None]] = (),
    unit: str = "",
    tone: str = "accent",
    key: str = "",
) -> Props:
    """One curve: of `points` (instant, value; None breaks the line), or by `code` (and `component`) out of the trend's
    search. Series with one `unit` share an axis."""
    props = {
        "key": key or component or code or title,
        "title": title,
        "unit": unit,
        "tone": tone,
        "points": [list(one) for one in points],
        "code": code,
        "component": component,
    }
    return checked("series", props)


def band(low: float, high: float, tone: str = "ok", series: str = "", label: str = "") -> Props:
    """A normal range behind the curves, in values of the series with the key `series` ("" the first)."""
    return checked("band", {"low": low, "high": high, "tone": tone, "series": series, "label": label})


def trend(
    source: Lazy | None = None,
    series: Sequence[Props] = (),
    codes: Sequence[str] = (),
    bands: Sequence[Props] = (),
    hours: int = 0,
    gap_hours: int = 0,
    height: str = "m",
    empty: str = "Ingen målinger ennå",
    **common: Any,
) -> Part:
    """Curves over time. With a search as `source` the shell follows it; `codes` is a short way to one curve each. A pause
    of more than `gap_hours` breaks a line."""
    short = [{"key": code, "title": code, "code": code} for code in codes]
    props: Props = {
        "series": list(series) + short,
        "bands": list(bands),
        "hours": hours,
        "gap_hours": gap_hours,
        "height": height,
        "empty": empty,
    }
    if isinstance(source, Result):
        props["watch"] = source.handle
    return node("trend", props, (), common)


# --- asking -------------------------------------------------------------------------------------------------


def _field(kind: str, label: str, bind: str, own: Props, common: Props) -> Part:
    known = {"hint": "", "error": "", "required": False, "source": "", "at": ""}
    shared = {name: common.pop(name) for name in list(common) if name in known}
    if not bind:
        raise TypeError(f"ui.{kind}: bind= names where the shell keeps what is typed, and is needed")
    return node(kind, {"bind": bind, **shared, **own}, (), {"label": label, **common})


def number(
    label: str,
    bind: str,
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    decimals: int = 0,
    placeholder: str = "",
    **common: Any,
) -> Part:
    """A number. Outside `minimum`–`maximum` (what is plausible) the shell warns and lets the user go on. Also takes
    `hint`, `error`, `required`, `source`, `at`, like every field."""
    own = {
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "decimals": decimals,
        "placeholder": placeholder,
    }
    return _field("number-field", label, bind, own, common)


def pair(label: str, first: Part, second: Part, unit: str = "", error: str = "", hint: str = "", **common: Any) -> Part:
    """Two `ui.number` read as one, such as blood pressure."""
    props = {
        "first": first.props,
        "second": second.props,
        "unit": unit,
        "error": error,
        "hint": hint,
    }
    return node("pair-field", props, (), {"label": label, **common})


def text_field(label: str, bind: str, placeholder: str = "", **common: Any) -> Part:
    return _field("text-field", label, bind, {"placeholder": placeholder}, common)


def text_area(label: str, bind: str, rows: int = 4, placeholder: str = "", **common: Any) -> Part:
    return _field("text-area", label, bind, {"rows": rows, "placeholder": placeholder}, common)


def date(label: str, bind: str, minimum: str = "", maximum: str = "", **common: Any) -> Part:
    """A day: ``ctx.state`` has it as ``2026-01-14``, or the raw text while it is none."""
    return _field("date-field", label, bind, {"minimum": minimum, "maximum": maximum}, common)


def time(label: str, bind: str, **common: Any) -> Part:
    """A time of day: ``ctx.state`` has it as ``15:04``, or the raw text while it is none."""
    return _field("time-field", label, bind, {}, common)


def check(label: str, bind: str, **common: Any) -> Part:
    """Yes or no; `label` is the statement."""
    return _field("check-field", label, bind, {}, common)


def option(value: str, label: str, hint: str = "", key: str = "", code: str = "") -> Props:
    """`key` is a letter that chooses it while the field has focus; `code` stands before the label in `ui.code`."""
    return checked("option", {"value": value, "label": label, "hint": hint, "key": key, "code": code})


def choice(
    label: str,
    bind: str,
    options: Sequence[Props | str],
    style: str = "menu",
    multiple: bool = False,
    initial: str = "",
    unit: str = "",
    **common: Any,
) -> Part:
    """One of `options` (`ui.option`, or plain words). `initial` counts until the user has chosen: read it with
    ``ctx.state.get(bind, initial)``."""
    own = {"options": _options(options), "style": style, "multiple": multiple, "initial": initial, "unit": unit}
    return _field("choice-field", label, bind, own, common)


def _options(options: Sequence[Props | str]) -> Sequence[Props]:
    return [option(one, one) if isinstance(one, str) else one for one in options]


def chips(label: str, bind: str, options: Sequence[Props | str], **common: Any) -> Part:
    """A choice drawn as toggles in a row."""
    return choice(label, bind, options, style="chips", **common)


def code(
    label: str,
    bind: str,
    options: Sequence[Props | str] | Callable[[], Sequence[Props | str]],
    search: str = "",
    searching: bool = False,
    placeholder: str = "",
    empty: str = "Ingen treff",
    **common: Any,
) -> Part:
    """A search in a code list. The shell filters `options` while the user types. For a long list, `search` names a second
    bind: read it with ``ctx.state.get(search)`` and give the options for it, the chosen one always among them."""
    own = {
        "options": (lambda: _options(options())) if callable(options) else _options(options),
        "search": search,
        "searching": searching,
        "placeholder": placeholder,
        "empty": empty,
    }
    return _field("code-field", label, bind, own, common)


def button(
    what: Action | str,
    action: Action | None = None,
    style: str = "plain",
    shortcut: str = "",
    disabled: str = "",
    icon: str = "",
    **common: Any,
) -> Part:
    """``ui.button(ui.action("Lagre", save), style="primary")``. `disabled` says why in words."""
    run = what if isinstance(what, Action) else action
    if run is None:
        raise TypeError("ui.button: give it ui.action(text, function)")
    text = what.text if isinstance(what, Action) else what
    props = {
        "text": text,
        "action": action_props(run),
        "style": style,
        "shortcut": shortcut,
        "disabled": disabled,
        "icon": icon,
    }
    return node("button", props, (), common)


def choose(
    text: str,
    action: Action,
    icon: str = "",
    group: str = "",
    danger: bool = False,
    disabled: str = "",
) -> Props:
    """An item of a `ui.menu`. `disabled` says why in words."""
    props = {
        "text": text,
        "action": action_props(action),
        "icon": icon,
        "group": group,
        "danger": danger,
        "disabled": disabled,
    }
    return checked("choose", props)


def menu(
    text: str,
    items: Sequence[Props | Action],
    style: str = "plain",
    icon: str = "",
    disabled: str = "",
    **common: Any,
) -> Part:
    """A button that opens a list of actions: `ui.choose`, or plain ``ui.action("Skriv ut", print_it)``."""
    made = [choose(one.text, one) if isinstance(one, Action) else one for one in items]
    props = {"text": text, "items": made, "style": style, "icon": icon, "disabled": disabled}
    return node("menu", props, (), common)
