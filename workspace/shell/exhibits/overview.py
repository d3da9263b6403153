"""The gallery's first page: a little of everything, as it would stand in real panels."""

from __future__ import annotations

from typing import Any

from workspace.sdk import ui
from workspace.shell.exhibits import asking, grouping, records, telling
from workspace.shell.exhibits.exhibit import save

VALUES: dict[str, Any] = {
    "pulse": 112, "temp": "38x", "sys": 104, "dia": 62, "avpu": "A", "day": "2026-01-14", "clock": "15:04",
    "diagnosis": "R81", "told": True,
}  # fmt: skip
"""What somebody has typed before the page is shown."""


def view(ctx: Any) -> Any:
    return ui.row(
        ui.column(ui.part(fields, ctx), ui.part(words, ctx), gap="l", key="left"),
        ui.column(ui.part(shown, ctx), gap="l", key="middle"),
        ui.column(ui.part(things, ctx), gap="l", key="right"),
        gap="l",
    )


def fields(ctx: Any) -> Any:
    return ui.section(
        "Felt",
        ui.grid(
            ui.number("Puls", bind="pulse", unit="/min", source="Mia", at="2026-01-12T08:30:00+01:00"),
            ui.number("Temperatur", bind="temp", unit="°C", decimals=1),
            ui.pair("Blodtrykk", ui.number("Systolisk", bind="sys"), ui.number("Diastolisk", bind="dia"), unit="mmHg"),
            ui.part(asking.choice, ctx),
            ui.part(asking.date, ctx),
            ui.part(asking.time, ctx),
            columns=2,
        ),
        ui.part(asking.code, ctx),
        ui.part(asking.check, ctx),
        ui.choice("Visning", bind="view", options=["Tabell", "Trend", "Alle"], style="segments", initial="Trend"),
        ui.row(
            ui.button(ui.action("Signer", save), style="primary", shortcut="Ctrl+S"),
            ui.button(ui.action("Forny", save), disabled="Resepten er ikke din"),
            ui.part(asking.menu, ctx),
            wrap=True,
        ),
    )


def words(ctx: Any) -> Any:
    return ui.column(ui.part(telling.notice, ctx), ui.part(telling.progress, ctx))


def shown(ctx: Any) -> Any:
    return ui.column(
        ui.section("Trend", ui.part(records.trend_units, ctx)),
        ui.section("Tabell", ui.part(records.table_ward, ctx)),
        ui.part(grouping.card, ctx),
        gap="l",
    )


def things(ctx: Any) -> Any:
    return ui.column(
        ui.part(grouping.tabs, ctx),
        ui.section("Liste", ui.part(records.items, ctx)),
        ui.section("Tidslinje", ui.part(records.timeline, ctx)),
        gap="l",
    )
