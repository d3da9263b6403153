"""Checks of what was drawn: can everybody read it, hear it and find it, in every tree of every visit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from workspace.panels.components import COMPONENTS
from workspace.panels.conformance.check import Findings, Rules
from workspace.panels.conformance.evidence import Evidence, Look, Node, Visit
from workspace.panels.conformance.rules_files import package, texts
from workspace.panels.conformance.visitor import bound
from workspace.panels.protocol import MAX_RENDER

rules = Rules()

PANEL_LEVEL = 2
"""The heading level of the panel's own title, which the shell draws."""
NEEDS_LABEL = frozenset({"table", "trend", "list", "timeline", "form"})
"""Components that say nothing to a screen reader without a name of their own."""
NEEDS_WORDS = frozenset({"picture", "progress", "sparkline"})
"""Those that need words for what they show, in `text` or `label`."""
HEADINGS = {"heading": 3, "section": 3, "expander": 3, "card": 4}
"""Components with a heading, and its level when none is given."""
ICONS = Path(__file__).resolve().parents[3] / "resources" / "icons"
TAKEN = frozenset(
    {
        "ctrl+k",
        "f1",
        "f12",
        "alt+1",
        "alt+2",
        "alt+3",
        "alt+4",
        "alt+5",
        "ctrl+q",
        "ctrl+l",
        "ctrl+i",
        "f6",
        "shift+f10",
    }
    | {"escape", "tab"}
)
"""Keys that are the shell's."""

_READ = (
    "text",
    "title",
    "label",
    "secondary",
    "source",
    "hint",
    "error",
    "empty",
    "empty_hint",
    "placeholder",
    "disabled",
    "waits_for",
)
_MARKUP = re.compile(r"</?(b|i|u|p|br|div|span|a|strong|em|ul|li|h[1-6]|script|img|table)(\s[^<>]*)?/?>", re.IGNORECASE)
_ISO = re.compile(r"(?<![\w-])\d{4}-\d{2}-\d{2}(T\d{2}:\d{2})?(?!\w)")


def looks(seen: Evidence) -> Iterator[tuple[Visit, Look]]:
    for visit in seen.visits:
        for look in visit.looks:
            yield visit, look


def named(visit: Visit, node: Node) -> str:
    return f"{visit.view.id}: {node.type} {node.id!r}"


def readable(node: Node) -> list[str]:
    """All that can be read in a component, in order."""
    return [text for text in _gathered(node.props) if text.strip()]


def _gathered(held: Any) -> Iterator[str]:
    if isinstance(held, dict):
        for name, value in held.items():
            if name in _READ and isinstance(value, str):
                yield value
            elif name == "cells" and isinstance(value, dict):
                yield from (one for one in value.values() if isinstance(one, str))
                yield from _gathered(list(value.values()))
            elif isinstance(value, dict | list):
                yield from _gathered(value)
    elif isinstance(held, list):
        for inner in held:
            yield from _gathered(inner)


# --- accessibility ------------------------------------------------------------------------------------------


@rules(
    "A-01", "Every field has a label",
    why="A screen reader says the label, and everybody else reads it; a placeholder is gone when one types.",
    mend="Give the field a `label`, each half of a pair too.",
)  # fmt: skip
def fields_labelled(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        for node in look.nodes:
            for props in bound(node):
                if not str(props.get("label", "")).strip():
                    yield f"{named(visit, node)} (bind {props['bind']!r}) has no label"


@rules(
    "A-02", "Every button says what it does",
    why="A button without words is a riddle to the eye and nothing to the ear.",
    mend="Give the button a `text`, and each choice or tab its `label`.",
)  # fmt: skip
def buttons_named(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        for node in look.nodes:
            if node.type == "button" and not (
                node.props.get("text", "").strip() or node.props.get("label", "").strip()
            ):
                yield f"{named(visit, node)} has no text"
            for option in node.props.get("options", []) or []:
                if isinstance(option, dict) and not str(option.get("label", "")).strip():
                    yield f"{named(visit, node)}: the option {option.get('value')!r} has no label"


def _said(props: dict[str, Any]) -> bool:
    return bool(str(props.get("text", "")).strip() or str(props.get("label", "")).strip())


@rules(
    "A-03", "Tables, curves, forms and pictures have a name",
    why="A screen reader says what it enters; «table, 5 columns» does not tell a nurse which.",
    mend="Give the component a `label`: «Siste pulsmålinger».",
)  # fmt: skip
def groups_named(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        for node in look.nodes:
            if node.type in NEEDS_LABEL and not str(node.props.get("label") or "").strip():
                yield f"{named(visit, node)} has no label"
            elif node.type in NEEDS_WORDS and not str(node.props.get("text") or node.props.get("label") or "").strip():
                yield f"{named(visit, node)} has no words for what it shows"


@rules(
    "A-04", "Headings follow in order",
    why="Screen reader users move by headings; a level that is skipped is a part that seems to be missing.",
    mend=f"The panel's title is level {PANEL_LEVEL}: begin at {PANEL_LEVEL + 1}, and go down one level at a time.",
)  # fmt: skip
def headings_in_order(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        before = PANEL_LEVEL
        for node in look.all(*HEADINGS):
            level = int(node.props.get("level", HEADINGS[node.type]))
            if node.type == "card" and not node.props.get("title"):
                continue
            if level > before + 1 or level <= PANEL_LEVEL:
                yield f"{named(visit, node)} is level {level} after level {before}"
            before = max(level, PANEL_LEVEL)


@rules(
    "A-05", "Colour never says it alone",
    why="One man in twelve does not see red from green, and nobody hears a colour.",
    mend="Put words or a `shape` beside the tone: ▲ up, ◆ diamond, ● dot.",
)  # fmt: skip
def not_colour_alone(seen: Evidence) -> Findings:
    telling = ("ok", "warn", "bad")
    for visit, look in looks(seen):
        for node in look.nodes:
            if node.type == "pill" and node.props.get("tone") in telling and not node.props.get("text", "").strip():
                yield f"{named(visit, node)} has a tone and no text"
            for row in node.props.get("rows", []) or [] if isinstance(node.props.get("rows"), list) else []:
                for key, cell in (row.get("cells") or {}).items() if isinstance(row, dict) else ():
                    if not isinstance(cell, dict) or cell.get("tone") not in telling:
                        continue
                    said = cell.get("text") or cell.get("pills") or cell.get("secondary") or cell.get("at")
                    if not said and cell.get("shape", "none") == "none":
                        yield f"{named(visit, node)}: cell {key!r} has a tone and nothing else"


@rules(
    "A-06", "Shortcuts do one thing, and not the shell's",
    why="A key that means two things does neither; the shell's keys must work wherever the focus is.",
    mend=f"Give each shortcut to one button of a view, and leave {', '.join(sorted(TAKEN))} to the shell.",
)  # fmt: skip
def shortcuts(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        known: dict[str, str] = {}
        for node in look.nodes:
            key = str(node.props.get("shortcut") or "").replace(" ", "").lower()
            if not key:
                continue
            if key in TAKEN:
                yield f"{named(visit, node)}: {node.props['shortcut']} is the shell's"
            elif key in known:
                yield f"{named(visit, node)}: {node.props['shortcut']} is also that of {known[key]!r}"
            known[key] = node.id


# --- components ---------------------------------------------------------------------------------------------


@rules(
    "C-01", "Only known components and properties are used",
    why="An unknown component is shown as an empty box with its name; an unknown property is not shown at all.",
    mend="Compare with `docs/components.md`; a property is often only misspelt.",
)  # fmt: skip
def components_known(seen: Evidence) -> Findings:
    for passed in seen.from_panel:
        if passed.method != "render":
            continue
        for node in _written(passed.params):
            kind = COMPONENTS.get(str(node.get("type")))
            if kind is None:
                yield f"{node.get('id')!r} is of the unknown type {node.get('type')!r}"
                continue
            known = {field.encode_name for field in msgspec.structs.fields(kind)}
            for name in (node.get("props") or {}).keys() - known:
                yield f"{node.get('id')!r} ({node['type']}) has the unknown property {name!r}"


def _written(render: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every node of a render just as the panel wrote it."""
    waiting = [render["tree"]] if isinstance(render.get("tree"), dict) else []
    waiting += [
        op["node"] for op in render.get("patch") or [] if isinstance(op, dict) and isinstance(op.get("node"), dict)
    ]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in node.get("children") or [] if isinstance(child, dict)]


@rules(
    "C-02", "Every tree holds together",
    why="The shell finds components by id and rows by key: a repeated or unknown one moves focus and text to another place.",
    mend="Give each node an id, each row a key and each field a bind of its own; send patches on the revision that stands.",
)  # fmt: skip
def trees_sound(seen: Evidence) -> Findings:
    for visit in seen.visits:
        for problem in visit.problems:
            if "sendte noe som ikke kan vises" in problem and "the limit is" not in problem:
                yield f"{visit.where}: {problem.partition('vises: ')[2]}"
            elif problem.startswith("patch: "):
                yield f"{visit.where}: {problem.removeprefix('patch: ')}"
        if any(one.method == "render" and one.size > MAX_RENDER for one in seen.messages(visit)):
            continue  # asked for anew because it was too large: L-01
        asked = 1 if visit.mode == "full" and any(look.when == "drawn anew" for look in visit.looks) else 0
        if visit.resyncs > asked:
            yield f"{visit.where}: {visit.resyncs - asked} patches did not fit the tree that stood"


@rules(
    "C-03", "Texts are plain, and times are left to the shell",
    why="There is no mark-up in the panel language, and a Norwegian reads 14.01.2026, not 2026-01-14.",
    mend="Use components instead of tags. Give instants in `at`, or write dates as dd.mm.yyyy.",
)  # fmt: skip
def plain_texts(seen: Evidence) -> Findings:
    for visit, look in looks(seen):
        for node in look.nodes:
            for text in readable(node):
                if _MARKUP.search(text):
                    yield f"{named(visit, node)} has mark-up: {text[:60]!r}"
                elif _ISO.search(text):
                    yield f"{named(visit, node)} shows {_ISO.search(text)[0]!r}"  # type: ignore[index]


@rules(
    "C-04", "Icons are among the shell's",
    why="A name that the shell does not have is drawn as a question mark.",
    mend="Take a name from `docs/components.md`, or leave the icon out: words say more.",
)  # fmt: skip
def icons_known(seen: Evidence) -> Findings:
    known = {file.stem for file in ICONS.glob("*.svg")}
    for visit, look in looks(seen):
        for node in look.nodes:
            held = [node.props, *(one for one in node.props.get("items") or [] if isinstance(one, dict))]
            names = [one.get("icon") for one in held] + ([node.props.get("name")] if node.type == "icon" else [])
            yield from (f"{named(visit, node)}: no icon {name!r}" for name in names if name and name not in known)


# --- texts --------------------------------------------------------------------------------------------------


@rules(
    "T-03", "The language changes while the panel runs",
    why="The user switches language in the shell; a panel that waits for a restart mixes two.",
    mend="Draw anew at `settings/changed`, with the texts of its `locale`. With the SDK: read `ctx.locale` in the view.",
)  # fmt: skip
def language_changes(seen: Evidence) -> Findings:
    known = {language: set((texts(seen, language)[0] or {}).values()) for language in package(seen).languages}
    if len(known) < 2 or any(not found for found in known.values()):
        return
    for visit in seen.of("full"):
        for language, look in visit.locales.items():
            shown = {text for node in look.nodes for text in readable(node)}
            foreign = set().union(*(found for other, found in known.items() if other != language)) - known[language]
            if shown & foreign and not shown & (known[language] - foreign):
                yield f"{visit.view.id}: in {language} it still shows {sorted(shown & foreign)[0]!r}"
