"""One exhibit for each component: a short example, the states it can be in, and what its keyboard and its name are.

The examples are printed in `docs/components.md` as they stand, drawn by the gallery through the real SDK and the real
tree, and walked through by the tests. Nothing here is Qt.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from workspace.sdk import Panel, ui

View = Callable[[Any], Any]

GROUPS = {"grouping": "Gruppere", "telling": "Fortelle", "records": "Vise data", "asking": "Spørre og handle"}

panel = Panel("workspace.gallery", "1.0.0")


@dataclass(slots=True)
class Exhibit:
    """`example` is what the reference prints; `states` are more views by their Norwegian name; `notes` say what keyboard
    and screen reader have of it (English, for vendors)."""

    kind: str
    group: str
    notes: str
    example: View
    states: dict[str, View] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The example as it is written, as a view."""
        lines = inspect.getsource(self.example).splitlines()
        start = next(index for index, line in enumerate(lines) if line.startswith("def ")) + 1
        return "\n".join(["def view(ctx):", *lines[start:]]).rstrip()


EXHIBITS: dict[str, Exhibit] = {}


def example(kind: str, group: str, notes: str) -> Callable[[View], View]:
    """Registers the example of a component."""

    def register(view: View) -> View:
        EXHIBITS[kind] = Exhibit(kind, group, notes, view)
        return view

    return register


def state(kind: str, title: str) -> Callable[[View], View]:
    """Registers another state of a component that has its example."""

    def register(view: View) -> View:
        EXHIBITS[kind].states[title] = view
        return view

    return register


@panel.action
def save(ctx: Any) -> None:
    """What the examples' buttons do."""
    ctx.say("Lagret i galleriet")


@panel.action
def open_row(ctx: Any, key: str = "") -> None:
    ctx.say(f"Åpnet {key}")


@panel.action
def choose_row(ctx: Any, key: str) -> None:
    ctx.set(chosen=key)


def load() -> dict[str, Exhibit]:
    """Every exhibit, in the order of the groups."""
    from workspace.shell.exhibits import asking, grouping, records, telling  # noqa: F401 - they register themselves

    order = list(GROUPS)
    return dict(sorted(EXHIBITS.items(), key=lambda one: order.index(one[1].group)))


def page(kind: str) -> Callable[[Any], Any]:
    """A view with the example and every state under its own heading."""
    shown = load()[kind]

    def view(ctx: Any) -> Any:
        parts = [ui.section("Slik ser den ut", ui.part(shown.example, ctx), key="example", gap="m")]
        for number, (title, made) in enumerate(shown.states.items()):
            parts.append(ui.section(title, ui.part(made, ctx), key=f"state{number}", gap="m"))
        return ui.column(*parts, gap="l")

    return view
