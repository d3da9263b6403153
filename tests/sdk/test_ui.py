"""The builders against the panel language itself: every component and property, and the same defaults."""

from __future__ import annotations

import inspect

import msgspec
import pytest

from workspace.panels import components
from workspace.sdk import Panel, ui
from workspace.sdk.testing import Bench

NAMES = {
    "column": ui.column, "row": ui.row, "grid": ui.grid, "section": ui.section, "form": ui.form, "divider": ui.divider,
    "spacer": ui.spacer, "heading": ui.heading, "text": ui.text, "pill": ui.pill, "notice": ui.notice,
    "empty": ui.empty, "pending": ui.pending, "failed": ui.failed, "table": ui.table, "trend": ui.trend,
    "number-field": ui.number, "pair-field": ui.pair, "text-field": ui.text_field, "text-area": ui.text_area,
    "choice-field": ui.choice, "button": ui.button, "card": ui.card, "tabs": ui.tabs, "tab": ui.tab,
    "expander": ui.expander, "icon": ui.icon, "progress": ui.progress, "sparkline": ui.sparkline,
    "picture": ui.picture, "list": ui.items, "timeline": ui.timeline, "date-field": ui.date, "time-field": ui.time,
    "check-field": ui.check, "code-field": ui.code, "menu": ui.menu,
}  # fmt: skip
FIELDS = {"hint", "error", "required", "source", "at"}
COMMON = {"label", "language", "slot", "span"}


def save(ctx):
    return None


DO = ui.action("Gjør", save)
LEAST = {
    "section": lambda: ui.section("T"), "heading": lambda: ui.heading("T"), "text": lambda: ui.text("T"),
    "pill": lambda: ui.pill("T"), "notice": lambda: ui.notice("T"), "empty": lambda: ui.empty("T"),
    "failed": lambda: ui.failed("T"), "table": lambda: ui.table([], []), "trend": lambda: ui.trend(),
    "number-field": lambda: ui.number("", "b"), "text-field": lambda: ui.text_field("", "b"),
    "pair-field": lambda: ui.pair("", ui.number("", "a"), ui.number("", "b")),
    "text-area": lambda: ui.text_area("", "b"), "choice-field": lambda: ui.choice("", "b", []),
    "button": lambda: ui.button(DO), "tab": lambda: ui.tab("T"), "expander": lambda: ui.expander("T"),
    "icon": lambda: ui.icon("bed"), "progress": lambda: ui.progress("T"), "sparkline": lambda: ui.sparkline([]),
    "picture": lambda: ui.picture("b", "T"), "list": lambda: ui.items([]), "timeline": lambda: ui.timeline([]),
    "date-field": lambda: ui.date("", "b"), "time-field": lambda: ui.time("", "b"),
    "check-field": lambda: ui.check("", "b"), "code-field": lambda: ui.code("", "b", []),
    "menu": lambda: ui.menu("T", []),
}  # fmt: skip


def test_every_component_has_its_builder():
    assert set(NAMES) == set(components.COMPONENTS)


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_every_property_can_be_given(kind):
    known = {field.name for field in msgspec.structs.fields(components.COMPONENTS[kind])}
    taken = set(inspect.signature(NAMES[kind]).parameters)
    extra = FIELDS if issubclass(components.COMPONENTS[kind], components.Field) else set()
    renamed = {"watch", "text", "action"} & known if kind in ("table", "trend", "button") else set()
    assert known - taken - extra - COMMON - renamed == set()


@pytest.mark.parametrize("kind", sorted(NAMES))
def test_the_least_of_each_has_the_languages_own_defaults(kind):
    part = LEAST.get(kind, NAMES[kind])()
    assert part.kind == kind
    struct = components.COMPONENTS[kind]
    made = msgspec.convert(part.props, struct)
    for field in msgspec.structs.fields(struct):
        if field.name not in part.props and field.default is not msgspec.NODEFAULT:
            assert getattr(made, field.name) == field.default
    # what is left out by the builder's default must be what the language takes for granted
    for name, parameter in inspect.signature(NAMES[kind]).parameters.items():
        field = next((one for one in msgspec.structs.fields(struct) if one.name == name), None)
        if field is None or field.default is msgspec.NODEFAULT or parameter.default is inspect.Parameter.empty:
            continue
        assert parameter.default == field.default or name == "rows", (kind, name)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ui.text("x", tone="red"), "tone is one of neutral"),
        (lambda: ui.text("x", colour="red"), "no property 'colour'"),
        (lambda: ui.text(None, style="loud"), "style is one of body"),
        (lambda: ui.text(5), "text is text; not int"),
        (lambda: ui.column("bare"), "use ui.text"),
        (lambda: ui.grid(columns=2, span="2"), "span is a whole number"),
        (lambda: ui.number("Puls", ""), "bind="),
        (lambda: ui.number("Puls", "pulse", required="yes"), "required is True or False"),
        (lambda: ui.col("A", kind="picture"), "kind is one of text"),
        (lambda: ui.cell("x", tone="red"), "tone is one of"),
        (lambda: ui.table([ui.line("a", {}), ui.line("a", {})], []), "keys must be unique"),
        (lambda: ui.button("Lagre"), "ui.action"),
        (lambda: ui.form(submit=save), "ui.action"),
        (lambda: ui.items([ui.item("a", "A"), ui.item("a", "B")]), "keys must be unique in a list"),
        (lambda: ui.picture("b1", ""), "says what the picture shows"),
        (lambda: ui.expander("T", open="yes"), "open is True or False"),
        (lambda: ui.entry("a", "2026-01-14", "T", shape="star"), "shape is one of none"),
        (lambda: ui.icon("bed", size="xl"), "size is one of s, m, l"),
        (lambda: ui.pill("x", about={"id": "1"}), "about is text; not dict"),
        (lambda: ui.text("x", abouts=["Observation/1"]), "abouts is text by name"),
        (lambda: ui.line("x", {}, abouts={"pulse": None}), "abouts is text by name"),
    ],
)
def test_a_mistake_is_told_at_the_vendors_desk(make, says):
    with pytest.raises(TypeError, match=says):
        make()


def test_what_stands_in_nothing_is_not_sent():
    assert ui.pill("x", about="", abouts={"A": "Flag/1", "B": ""}).props == {"text": "x", "abouts": {"A": "Flag/1"}}
    assert ui.text("x", abouts={"B": ""}).props == {"text": "x"}
    assert "abouts" not in ui.line("x", {}, abouts={"pulse": ""})


def test_nothing_and_false_are_no_children():
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.column(None, False, ui.text("her"), lambda: None)

    bench = Bench(panel)
    bench.open("main")
    assert [one["id"] for one in bench.tree["children"]] == ["0.2"]
