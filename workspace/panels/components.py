"""The panel language: every component a panel may name, with its properties. Data only.

A node on the wire is ``{"id", "type", "props", "children"}``. `type` names a struct of this module in kebab case
(`NumberField` → ``number-field``). Ids are ``#bind`` for fields, key paths for the rest, chosen by the SDK and stable
between renders. There are no pixel sizes in the language: spacing and text tokens only. An unknown type becomes a
labelled placeholder, an unknown property is ignored (old shells and new panels live together).

Where a property shows a clinical value it may carry where the value comes from: `source` (who or what recorded it)
and `at` (ISO 8601 instant); the shell turns `at` into an age («for 12 min siden») and keeps it fresh. What it stands in
(`about`, `abouts`) the user can ask the shell about: who, in which panel, when, and from what.
"""

from __future__ import annotations

from typing import Any, ClassVar, Literal

import msgspec

Tone = Literal["neutral", "accent", "group", "ok", "warn", "bad"]
Shape = Literal["none", "up", "diamond", "dot"]
"""Colour never carries meaning alone: ▲ up, ◆ diamond, ● dot stand beside it."""
Gap = Literal["none", "xs", "s", "m", "l"]
Align = Literal["start", "center", "end", "between"]
Slot = Literal["body", "toolbar", "status"]
"""Where a child of the root stands: in the body, in the panel's title bar, or as its state beside the title."""


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """A registered name and its JSON arguments as drawn: a click does what was seen."""

    name: str
    args: dict[str, Any] = {}


class Component(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What every component has. `label` is its accessible name; `language` a BCP 47 tag when it differs from the
    panel's; `slot` counts for children of the root; `span` is its columns in a grid."""

    kind: ClassVar[str] = ""
    label: str = ""
    language: str = ""
    slot: Slot = "body"
    span: int = 1


class Value(Component, frozen=True, omit_defaults=True, kw_only=True):
    """What may show a clinical value. `about` (``Type/id``) is the resource it stands in; `abouts` (words → ``Type/id``) are
    those that it gathers, each with the words it has in it. With either the user can ask where it comes from, by mouse and
    by keyboard: it is then a stop of the Tab key, one for all that stand beside each other."""

    about: str = ""
    abouts: dict[str, str] = {}


# --- grouping -----------------------------------------------------------------------------------------------


class Column(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Children under each other. The usual root of a view."""

    kind = "column"
    gap: Gap = "m"


class Row(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Children beside each other; `wrap` lets them flow to a new line."""

    kind = "row"
    gap: Gap = "s"
    align: Align = "start"
    wrap: bool = False


class Grid(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Equal columns; the shell uses fewer where the panel is narrow."""

    kind = "grid"
    columns: int = 2
    gap: Gap = "s"


class Section(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A titled group; `level` is the heading's level for screen readers (the panel's own title is 2)."""

    kind = "section"
    title: str
    level: int = 3
    gap: Gap = "s"


class Form(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Fields that belong together; Enter in a one-line field and the shortcut of its primary button run `submit`."""

    kind = "form"
    submit: Action | None = None
    gap: Gap = "s"


class Card(Value, frozen=True, omit_defaults=True, kw_only=True):
    """One thing among several of its kind, such as a piece of advice: a hairline frame, a tone along its edge, a heading
    of `level`. Cards do not stand in cards, and a panel is no card."""

    kind = "card"
    title: str = ""
    level: int = 4
    tone: Tone = "neutral"
    gap: Gap = "s"


class Tabs(Component, frozen=True, omit_defaults=True, kw_only=True):
    """One of its `tab` children at a time. Which one is the shell's to remember; `selected` is the title of the one that
    stands open at first, "" the first."""

    kind = "tabs"
    selected: str = ""


class Tab(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A page of `tabs`. `badge` is a short word or number beside the title."""

    kind = "tab"
    title: str
    badge: str = ""
    tone: Tone = "neutral"
    gap: Gap = "m"


class Expander(Value, frozen=True, omit_defaults=True, kw_only=True):
    """A heading that opens and closes what is below it. `summary` says in few words what is inside while it is closed;
    `open` is how it stands at first, after that it is the user's. Nothing that must be seen may stand in it."""

    kind = "expander"
    title: str
    summary: str = ""
    level: int = 3
    open: bool = False
    gap: Gap = "s"


class Divider(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A hairline between two groups. White space is better where it is enough."""

    kind = "divider"


class Spacer(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Takes what room is left in a row or column."""

    kind = "spacer"


# --- telling ------------------------------------------------------------------------------------------------


class Heading(Component, frozen=True, omit_defaults=True, kw_only=True):
    """What the following is about; `level` is told to screen readers, which jump from heading to heading."""

    kind = "heading"
    text: str
    level: int = 3


class Text(Value, frozen=True, omit_defaults=True, kw_only=True):
    """`style` body 14, caption 12, strong semi-bold, number tabular. Lines break at newlines; no mark-up."""

    kind = "text"
    text: str
    style: Literal["body", "muted", "caption", "strong", "number"] = "body"
    tone: Tone = "neutral"
    at: str = ""
    source: str = ""


class Pill(Value, frozen=True, omit_defaults=True, kw_only=True):
    """A badge: one or two words that stand out. Clinical urgency carries a `shape` or a word beside its colour."""

    kind = "pill"
    text: str
    tone: Tone = "neutral"
    shape: Shape = "none"


class Icon(Value, frozen=True, omit_defaults=True, kw_only=True):
    """One of the shell's drawings by `name`. With a `label` it says something; without it is decoration, and a screen
    reader passes it by. A name that the shell does not have is a question mark."""

    kind = "icon"
    name: str
    tone: Tone = "neutral"
    size: Literal["s", "m", "l"] = "m"


class Notice(Value, frozen=True, omit_defaults=True, kw_only=True):
    """A callout: a sentence the user must not miss, with what to do. Announced to screen readers when it appears."""

    kind = "notice"
    text: str
    title: str = ""
    tone: Tone = "warn"


class Empty(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Nothing to show, and what to do about it."""

    kind = "empty"
    title: str
    text: str = ""


class Pending(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A result that has not come yet: a skeleton of `lines`, from 300 ms on; after 2 s it says `waits_for`."""

    kind = "pending"
    waits_for: str = ""
    lines: int = 3


class Failed(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A result that could not be had: why, in the user's language, and *Prøv igjen*."""

    kind = "failed"
    text: str
    retry: Action | None = None


class Progress(Value, frozen=True, omit_defaults=True, kw_only=True):
    """How far something has come, in words (`text`) and as a bar. `value` is from 0 to 1; without one the end is not
    known and the bar says only that something goes on."""

    kind = "progress"
    text: str
    value: float | None = None
    tone: Tone = "accent"


class Sparkline(Value, frozen=True, omit_defaults=True, kw_only=True):
    """The last few values as a small line without axes, oldest first; None breaks it. `high` is the value at its top,
    `text` what stands after it (the newest value with its unit)."""

    kind = "sparkline"
    values: list[float | None]
    high: float | None = None
    text: str = ""
    tone: Tone = "neutral"


class Picture(Value, frozen=True, omit_defaults=True, kw_only=True):
    """A picture the panel has handed over as a `blob`: JPEG of up to 24 million pixels, or PNG, GIF, BMP or WebP of up to
    4 million. `text` says what it shows, for those who do not see it, and is required; `caption` stands below. It is never
    made larger than it is."""

    kind = "picture"
    blob: str
    text: str
    caption: str = ""
    height: Literal["s", "m", "l"] = "m"


# --- records ------------------------------------------------------------------------------------------------


class TableColumn(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`kind` decides how a cell is painted. `path` is an element path for tables bound to a watch:
    ``valueQuantity.value``, ``component[8480-6].valueQuantity.value`` (component or coding chosen by code),
    ``code.text``, ``performer[0].display``; a path that ends in ``[x]``-typed time gives an instant. `unit` is shown
    after numbers; a Quantity's ``value`` is turned into it, or shown as recorded with its own. `decimals` fixes their
    digits. `priority` 1 stays longest when the panel is narrow. `lines` is how many lines a long text may take: its row
    grows with it."""

    key: str
    title: str
    kind: Literal["text", "strong", "muted", "number", "date", "time", "age", "pill", "pills", "spark"] = "text"
    align: Literal["start", "end"] = "start"
    width: Literal["fit", "grow", "s", "m", "l"] = "fit"
    path: str = ""
    unit: str = ""
    decimals: int | None = None
    priority: int = 1
    lines: int = 1


class Cell(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What stands in a cell. `secondary` is muted text after it. `values` are the points of a spark, oldest first, with
    `high` the value at its top. `pills` several pills. `at` an instant for date, time and age cells; `source` its
    caption. `sort` overrides what the column sorts by."""

    text: str = ""
    secondary: str = ""
    tone: Tone = "neutral"
    shape: Shape = "none"
    values: list[float | None] = []
    high: float | None = None
    pills: list[Pill] = []
    at: str = ""
    source: str = ""
    sort: float | str | None = None


class TableRow(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`key` is stable and unique in the table; `action` runs when the row is activated (Enter, double click, click). `about`
    (``Type/id``) is what the row is about: the shell says on the row that a change of it waits, was refused or is in
    conflict, and the user can ask where it comes from. `abouts` (column key → ``Type/id``) is what single cells are about,
    where a row gathers several."""

    key: str
    cells: dict[str, Cell | str | int | float | None]
    action: Action | None = None
    label: str = ""
    tone: Tone = "neutral"
    about: str = ""
    abouts: dict[str, str] = {}


class Table(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Rows that the panel computed (`rows`, keyed), or a watch's rows shown by the shell itself (`watch` and column
    paths; the panel then sends nothing when a row changes). `selected` is a row's key. `sort` names a column, with ``-``
    in front for falling; the user may sort by any header unless `sortable` is false, and find rows by their words (Ctrl+F)
    unless `find` is."""

    kind = "table"
    columns: list[TableColumn]
    rows: list[TableRow] = []
    watch: int | None = None
    limit: int = 0
    selected: str = ""
    sort: str = ""
    sortable: bool = True
    find: bool = True
    headers: bool = True
    empty: str = "Ingenting å vise"
    empty_hint: str = ""


class ListItem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`key` is stable and unique in the list. `text` may take two lines below the title; `at` is an instant shown as an age,
    `source` who or what says it. `action` runs when the item is activated (Enter, click). `about` (``Type/id``) is what it
    stands in: the user can ask the shell where it comes from."""

    key: str
    title: str
    text: str = ""
    icon: str = ""
    tone: Tone = "neutral"
    pills: list[Pill] = []
    at: str = ""
    source: str = ""
    action: Action | None = None
    label: str = ""
    about: str = ""


class List(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Things under each other, each with a title and a few words: tasks, notes, contacts. Where there are columns to
    compare, use a table. `selected` is an item's key."""

    kind = "list"
    items: list[ListItem]
    selected: str = ""
    empty: str = "Ingenting å vise"
    empty_hint: str = ""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """What happened `at` an instant (or a day). `tone` colours its mark on the line, `shape` gives the mark its form.
    `about` as in a list."""

    key: str
    at: str
    title: str
    text: str = ""
    source: str = ""
    tone: Tone = "neutral"
    shape: Shape = "dot"
    pills: list[Pill] = []
    action: Action | None = None
    about: str = ""


class Timeline(Component, frozen=True, omit_defaults=True, kw_only=True):
    """What happened and when, gathered by day. The shell puts the entries in order: the newest first, or `oldest_first`."""

    kind = "timeline"
    entries: list[Entry]
    oldest_first: bool = False
    empty: str = "Ingen hendelser"
    empty_hint: str = ""


class Band(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A horizontal band behind the curves: the normal range, in values of the series with the key `series` ("" the
    first). `label` says what it is."""

    low: float
    high: float
    tone: Tone = "ok"
    series: str = ""
    label: str = ""


class Series(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One curve. `points` are [ISO 8601 instant, value]; a value that is null breaks the line. With a watch, `code`
    chooses the observations and, for panels like blood pressure, `component` the part. Series with one `unit` share an
    axis; another unit has its own. With a watch, values are turned into `unit`; those that cannot be are left out and
    counted in words."""

    key: str
    title: str
    unit: str = ""
    tone: Tone = "accent"
    points: list[tuple[str, float | None]] = []
    code: str = ""
    component: str = ""


class Trend(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Curves over time, with the last value written beside each. `hours` is the window that ends now or at the newest
    point; 0 shows all. A pause of more than `gap_hours` breaks a line (0: several times the usual distance does). Its
    table alternative is always there for screen readers, and on demand (the key T)."""

    kind = "trend"
    series: list[Series]
    bands: list[Band] = []
    watch: int | None = None
    hours: int = 0
    gap_hours: int = 0
    height: Literal["s", "m", "l"] = "m"
    empty: str = "Ingen målinger ennå"


# --- asking -------------------------------------------------------------------------------------------------


class Field(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A place to type. The tree names a `bind`, never a value: the shell owns what is typed. One bind, one field.
    `error` is shown below and tied to the field for screen readers; `hint` likewise when there is no error;
    `source`/`at` tell where a pre-filled value comes from."""

    bind: str
    hint: str = ""
    error: str = ""
    required: bool = False
    source: str = ""
    at: str = ""


class NumberField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """Decimal comma or point. The value sent is a number, or the raw text while it is not one. `minimum`/`maximum` are
    what is plausible: outside them the shell warns and lets the user go on (law 8)."""

    kind = "number-field"
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    decimals: int = 0
    placeholder: str = ""


class PairField(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Two numbers read as one, such as blood pressure 104 / 62. Typing ``/`` or space moves to the second."""

    kind = "pair-field"
    first: NumberField
    second: NumberField
    unit: str = ""
    error: str = ""
    hint: str = ""


class TextField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """One line of text. The value sent is the text, or null when it is empty."""

    kind = "text-field"
    placeholder: str = ""


class TextArea(Field, frozen=True, omit_defaults=True, kw_only=True):
    """Several lines; `rows` is the least it shows, and it grows with the panel when it is the last in a column."""

    kind = "text-area"
    rows: int = 4
    placeholder: str = ""


class DateField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """A day, typed as 14.01.2026, 14.1 or «i dag», or chosen in a calendar. The value sent is ``2026-01-14``, or the raw
    text while it is no day. `minimum`/`maximum` are days (ISO 8601): outside them the shell warns (law 8)."""

    kind = "date-field"
    minimum: str = ""
    maximum: str = ""


class TimeField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """A time of day on the 24-hour clock, typed as 15:04, 1504 or «nå». The value sent is ``15:04``, or the raw text while
    it is no time."""

    kind = "time-field"


class CheckField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """Yes or no; `label` is the statement. The value sent is true or false. For a choice between two different things,
    use a choice field."""

    kind = "check-field"


class Option(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`key` is a letter that chooses it while the field has focus; `code` is shown before the label in a code field (the
    value when there is none)."""

    value: str
    label: str
    hint: str = ""
    key: str = ""
    code: str = ""


class ChoiceField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """One of `options`: `style` menu is a field that opens a list, chips are toggles in a row, segments a closed group.
    Chips may be `multiple`; their value is then a list. `initial` counts until the user has chosen. In the toolbar it says
    how things are shown: that is kept while the panel is open, and is nobody's unsaved work."""

    kind = "choice-field"
    options: list[Option]
    style: Literal["menu", "chips", "segments"] = "menu"
    multiple: bool = False
    initial: str = ""
    unit: str = ""


class CodeField(Field, frozen=True, omit_defaults=True, kw_only=True):
    """A search in a code list. The value sent is an option's value, or null. `options` are filtered while the user
    types, by code and words; a long list is searched by the panel: `search` then names a second bind, where the shell
    keeps what is typed, and the panel answers with the options for it. The panel keeps the chosen option among
    them, so that its words can be shown. `searching` says that an answer is on its way."""

    kind = "code-field"
    options: list[Option]
    search: str = ""
    searching: bool = False
    placeholder: str = ""
    empty: str = "Ingen treff"


class Button(Component, frozen=True, omit_defaults=True, kw_only=True):
    """Runs `action`. `shortcut` is shown on it («Ctrl+S») and works while the focus is in the panel. `disabled` says why
    in words: the button stays in the tab order, and tells them when it is pressed. What it saved can be undone: for a
    while the shell offers *Angre* (Ctrl+Z) in the panel's title bar; a panel does nothing for that."""

    kind = "button"
    text: str
    action: Action
    style: Literal["plain", "primary", "danger", "chip"] = "plain"
    shortcut: str = ""
    disabled: str = ""
    icon: str = ""


class MenuItem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`disabled` says why in words. Items of another `group` than the one before stand under its name."""

    text: str
    action: Action
    icon: str = ""
    group: str = ""
    danger: bool = False
    disabled: str = ""


class Menu(Component, frozen=True, omit_defaults=True, kw_only=True):
    """A button that opens a list of actions. What is done often is a button of its own."""

    kind = "menu"
    text: str
    items: list[MenuItem]
    style: Literal["plain", "chip"] = "plain"
    icon: str = ""
    disabled: str = ""


COMPONENTS: dict[str, type[Component]] = {
    cls.kind: cls
    for cls in (
        Column, Row, Grid, Section, Form, Card, Tabs, Tab, Expander, Divider, Spacer, Heading, Text, Pill, Icon, Notice,
        Empty, Pending, Failed, Progress, Sparkline, Picture, Table, List, Timeline, Trend, NumberField, PairField,
        TextField, TextArea, DateField, TimeField, CheckField, ChoiceField, CodeField, Button, Menu,
    )
}  # fmt: skip
CONTAINERS = frozenset({"column", "row", "grid", "section", "form", "card", "tabs", "tab", "expander"})
