"""Exhibits of what shows records: tables, lists, timelines and trends."""

from __future__ import annotations

from typing import Any

from workspace.sdk import ui
from workspace.shell.exhibits.exhibit import choose_row, example, open_row, state
from workspace.shell.exhibits.grouping import LONG

MANY = "Observation?code=8867-4&_sort=-date&_count=10000"
WARD = (
    ("210", "Arne Storspove", 86, 7, "bad", "up", [1, 2, 2, 4, 7], "2026-01-14T14:52:00+01:00"),
    ("202", "Kåre Svaberg", 85, 5, "warn", "diamond", [3, 5, 3, 5, 5], "2026-01-14T14:02:00+01:00"),
    ("206", "Signe Blåbærlyng", 94, 3, "neutral", "dot", [1, 2, 3, 3, 3], "2026-01-14T13:00:00+01:00"),
    ("205", "Harald Steinkobbe", 81, 0, "ok", "dot", [0, 1, 0, 0, 0], "2026-01-13T20:40:00+01:00"),
)


@example(
    "table",
    "records",
    "The role *table* with its `label`; every cell is read with its column. Up, Down, Page Up, Page Down, Home and End "
    "move, Enter runs the row's action, Left and Right choose what it is sorted by, Ctrl+F finds rows by their words and "
    "Escape shows them all again. Colour is repeated in words («haster»).",
)
def table(ctx: Any) -> Any:
    return ui.table(
        [
            ui.line(
                "210",
                {
                    "room": "210",
                    "name": ui.cell("Arne Storspove", secondary="86 år"),
                    "news": ui.cell("7", tone="bad", shape="up", sort=7),
                    "seen": ui.cell(at="2026-01-14T14:52:00+01:00"),
                },
                action=ui.action("Velg", choose_row, key="210"),
            ),
            ui.line("205", {"room": "205", "name": "Harald Steinkobbe", "news": ui.cell("0", tone="ok", shape="dot")}),
        ],
        columns=[
            ui.col("Rom", key="room"),
            ui.col("Beboer", key="name", kind="strong", width="grow"),
            ui.col("NEWS2", key="news", kind="pill"),
            ui.col("Sist sett", key="seen", kind="age", priority=2),
        ],
        selected=ctx.state.get("chosen", "210"),
        label="Beboere",
    )


@state("table", "Med utvikling, og rader som kan velges")
def table_ward(ctx: Any) -> Any:
    return ui.table(
        [
            ui.line(
                room,
                {
                    "room": room,
                    "name": ui.cell(name, secondary=f"{age} år"),
                    "news": ui.cell(str(score), tone=tone, shape=shape, sort=score),
                    "trend": ui.cell(values=values, high=12, tone=tone if tone == "bad" else "neutral"),
                    "seen": ui.cell(at=seen),
                },
                action=ui.action("Velg", choose_row, key=room),
            )
            for room, name, age, score, tone, shape, values, seen in WARD
        ],
        columns=[
            ui.col("Rom", key="room"),
            ui.col("Beboer", key="name", kind="strong", width="grow"),
            ui.col("NEWS2", key="news", kind="pill"),
            ui.col("Siste 5 målinger", key="trend", kind="spark", priority=2),
            ui.col("Sist sett", key="seen", kind="age"),
        ],
        selected=ctx.state.get("chosen", "210"),
        label="Beboere",
    )


@state("table", "10 000 rader, bundet til et søk")
def table_many(ctx: Any) -> Any:
    return ui.table(
        ctx.search(MANY),
        columns=[
            ui.col("Tid", "effectiveDateTime", kind="date"),
            ui.col("Kl.", "effectiveDateTime", key="clock", kind="time"),
            ui.col("Puls", "valueQuantity.value", kind="number", unit="/min"),
            ui.col("Målt av", "performer.display", width="grow"),
        ],
        label="Mange målinger",
    )


@state("table", "Tekst over to linjer")
def table_lines(ctx: Any) -> Any:
    rows = [
        ui.line("1", {"room": "202", "text": LONG, "who": "Liv 13:55"}),
        ui.line("2", {"room": "210", "text": "Kort", "who": "Eli 14:20"}),
    ]
    columns = [
        ui.col("Rom", key="room"),
        ui.col("Hendelse", key="text", width="grow", lines=2),
        ui.col("Hvem", key="who", kind="muted"),
    ]
    return ui.table(rows, columns, label="Rapport")


@state("table", "Tom")
def table_empty(ctx: Any) -> Any:
    return ui.table(
        [],
        [ui.col("Oppgave"), ui.col("Frist")],
        empty="Ingen oppgaver",
        empty_hint="Det du får tildelt, kommer hit.",
        label="Oppgaver",
    )


@example(
    "list",
    "records",
    "The role *list* with its `label`; an item is read with its words, pills, age and source. Up, Down, Home and End move, "
    "Enter runs the item's action.",
)
def items(ctx: Any) -> Any:
    return ui.items(
        [
            ui.item(
                "crp",
                "Ta ny CRP av Arne Storspove",
                text="Bestilt av Ingrid Dahl etter visitt.",
                icon="drop",
                pills=[ui.pill("i dag 16:00", tone="warn", shape="diamond")],
                at="2026-01-14T11:35:00+01:00",
                source="Ingrid Dahl",
                action=ui.action("Åpne", open_row, key="crp"),
            ),
            ui.item(
                "skift",
                "Skift på sår, venstre hæl",
                pills=[ui.pill("kveld")],
                action=ui.action("Åpne", open_row, key="skift"),
            ),
            ui.item("samtale", "Ring datter", text="Etter kl. 18. Hun vil vite om hosten.", source="Polarvakt"),
        ],
        selected="crp",
        label="Oppgaver",
    )


@state("list", "Lang tekst og mange merker")
def items_long(ctx: Any) -> Any:
    pills = [ui.pill(f"Merke {number}") for number in range(1, 6)]
    return ui.items([ui.item("a", LONG, text=LONG, pills=pills, tone="bad", source=LONG)], label="Lang")


@state("list", "Tom")
def items_empty(ctx: Any) -> Any:
    return ui.items([], empty="Ingen oppgaver", empty_hint="Det du får tildelt, kommer hit.", label="Tom liste")


@example(
    "timeline",
    "records",
    "The role *list* with its `label`; an entry is read with day, time, title, text and source. Up, Down, Home and End move "
    "between entries, Enter runs an entry's action.",
)
def timeline(ctx: Any) -> Any:
    return ui.timeline(
        [
            ui.entry(
                "news",
                "2026-01-14T14:52:00+01:00",
                "NEWS2 7",
                text="Pust 24, SpO₂ 92 %, temp. 38,6.",
                source="Vitale målinger, Tone",
                tone="bad",
                shape="up",
            ),
            ui.entry(
                "visit",
                "2026-01-14T11:30:00+01:00",
                "Amoksicillin startet",
                source="Ingrid Dahl",
                pills=[ui.pill("ny", tone="group")],
            ),
            ui.entry(
                "fall",
                "2026-01-13T22:10:00+01:00",
                "Fall ved sengen",
                text="Ingen skade funnet.",
                source="Sara",
                tone="warn",
                shape="diamond",
            ),
            ui.entry("stay", "2025-12-03", "Flyttet til rom 210"),
        ],
        label="Hendelser",
    )


@state("timeline", "Eldste først, lang tekst")
def timeline_long(ctx: Any) -> Any:
    return ui.timeline(
        [
            ui.entry("a", "2026-01-14T09:00:00+01:00", LONG, text=LONG, source=LONG),
            ui.entry("b", "2026-01-10T09:00:00+01:00", "Kort"),
        ],
        oldest_first=True,
        label="Lang tidslinje",
    )


@state("timeline", "Tom")
def timeline_empty(ctx: Any) -> Any:
    return ui.timeline(
        [], empty="Ingen hendelser siste døgn", empty_hint="Målinger og notater kommer hit.", label="Tom tidslinje"
    )


OXYGEN = (97, 97, 96, 96, 95, 96, 95, 95, 94, 94, 93, 93, 92, 92)
PULSE = (78, 80, 76, 82, 84, 79, 88, 90, 86, 92, 96, 101, 108, 112)
BREATH = (16, 16, 17, 16, 18, 18, 18, 19, 20, 20, 21, 22, 24, 25)
TEMPERATURE = (36.6, 36.8, 36.7, None, None, 37.0, 37.1, 37.2, 37.4, 37.6, 37.9, 38.2, 38.4, 38.6)


def over(values: tuple[float | None, ...]) -> list[tuple[str, float | None]]:
    """Three a day from 9 January on."""
    return [
        (f"2026-01-{9 + index // 3:02d}T{6 + 8 * (index % 3):02d}:00:00+01:00", value)
        for index, value in enumerate(values)
    ]


@example(
    "trend",
    "records",
    "A chart named by its `label`; its description is the newest value of each series. Left and Right move between the "
    "points and read them, Home and End go to the first and the last. T, or the button, shows the same as a table, and "
    "T shows the curves again. Series of one unit share an axis; another unit has its own.",
)
def trend(ctx: Any) -> Any:
    times = ["2026-01-14T06:00:00+01:00", "2026-01-14T10:00:00+01:00", "2026-01-14T14:52:00+01:00"]
    return ui.trend(
        series=[
            ui.series("Puls", points=list(zip(times, [92, 101, 112], strict=True)), unit="/min"),
            ui.series("Temp", points=list(zip(times, [37.4, 38.2, 38.6], strict=True)), unit="°C", tone="warn"),
        ],
        bands=[ui.band(36.1, 38.0, series="Temp")],
        label="Puls og temperatur",
    )


@state("trend", "En enhet, et normalområde")
def trend_one(ctx: Any) -> Any:
    return ui.trend(
        series=[
            ui.series("Puls", points=over(PULSE), unit="/min"),
            ui.series("Pust", points=over(BREATH), unit="/min", tone="bad", key="resp"),
        ],
        bands=[ui.band(12, 20, series="resp", label="Pust 12–20")],
        label="Puls og pust",
    )


@state("trend", "Hver enhet har sin akse; hull bryter linjen")
def trend_units(ctx: Any) -> Any:
    return ui.trend(
        series=[
            ui.series("Puls", points=over(PULSE), unit="/min"),
            ui.series("Temp", points=over(TEMPERATURE), unit="°C", tone="warn"),
            ui.series(
                "SpO₂",
                points=[point for point in over(OXYGEN) if "-11T" not in point[0]],
                unit="%",
                tone="group",
            ),
        ],
        bands=[ui.band(36.1, 38.0, series="Temp")],
        gap_hours=24,
        height="l",
        label="Alle kurver",
    )


@state("trend", "Tom")
def trend_empty(ctx: Any) -> Any:
    return ui.trend(series=[ui.series("Puls")], height="s", label="Ingen")
