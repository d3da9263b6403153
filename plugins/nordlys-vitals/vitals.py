"""Vitale målinger: trend, saved sets, and the form where a set is entered with its NEWS2 live.

All texts are Norwegian bokmål. A total is never shown or saved unless all seven are measured.
"""

from __future__ import annotations

from datetime import timedelta

import news2
import observations

from workspace.sdk import Panel, PanelProblem, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from news2 import Scores

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part

panel = Panel("nordlys.vitals", "1.0.0")

READINGS = "Observation?category=vital-signs&_sort=-date&_count=200"
FLAGS = "Flag?status=active"
SCALE_2 = "NEWS2 skala 2"
BINDS = ("respiration", "saturation", "oxygen", "systolic", "diastolic", "pulse", "temperature", "consciousness")
SHORT = {
    "respiration": "Pust",
    "saturation": "SpO₂",
    "oxygen": "O₂",
    "systolic": "BT",
    "pulse": "Puls",
    "consciousness": "Bevissthet",
    "temperature": "Temp",
}
FLOWS = ("0.5", "1", "1.5", "2", "3", "4", "5", "6", "8", "10", "12", "15")
RECORD = "record vital-signs"
NO_SCALE = "NEWS2 regnes ikke ut: om skala 2 gjelder, er ikke kjent nå. Målingene kan lagres."
TONES = {"high": ("bad", "up"), "medium": ("warn", "diamond"), "single": ("warn", "diamond"), "low": ("neutral", "dot")}


@panel.view("vitals")
def vitals(ctx: Ctx) -> Part:
    readings, flags = ctx.search(READINGS), ctx.search(FLAGS)
    mode = ctx.state.get("mode", "trend")
    return ui.column(
        ui.chips(
            "Visning",
            "mode",
            [ui.option("table", "Tabell"), ui.option("trend", "Trend"), ui.option("all", "Alle kurver")],
            initial="trend",
            slot="toolbar",
        ),
        ui.part(hidden, ctx, readings, key="hidden"),
        table(readings) if mode == "table" else trend(ctx, readings, mode == "all"),
        wanted(ctx),
        form(ctx, scale_of(flags)),
        ui.part(advice, ctx, flags, key="score"),
    )


def scale_of(flags: Any) -> int | None:
    """1 or 2; None while it is not known, and then no score is given."""
    return scale(flags) if flags.ready and not unknown(flags) else None


def unknown(flags: Any) -> bool:
    """The flags could not be fetched, or one cannot be shown, so which scale holds is not known."""
    return (bool(flags.error) and not flags.ready) or any(record.withheld(one) for one in flags)


def scale(flags: Any) -> int:
    return 2 if any(SCALE_2.lower() in record.text(flag).lower() for flag in flags) else 1


# --- what was measured --------------------------------------------------------------------------------------


def hidden(ctx: Ctx, readings: Any) -> Part | None:
    """What curves and table cannot say of these days."""
    since = ctx.now - timedelta(days=days(ctx))
    found = {}
    for one in record.newest(one for one in readings if record.withheld(one)):
        moment = record.when(one)
        if moment is not None and moment >= since:
            found[f"{record.text(one.get('code'))} {record.date(moment, ctx.now)} {record.clock(moment)}"] = one
    if not found:
        return None
    abouts = {said: record.name(one) for said, one in found.items()}
    why = record.withheld(next(iter(found.values()))).partition(": ")[2]
    return ui.notice(f"{', '.join(found)}: {why}" if why else ", ".join(found), title="Kan ikke vises", abouts=abouts)


def trend(ctx: Ctx, readings: Any, every: bool) -> Part:
    curves = [
        ui.series("Puls", "8867-4", unit="/min"),
        ui.series("Pust", "9279-1", unit="/min", tone="bad"),
    ]
    if every:
        curves += [
            ui.series("SpO₂", "2708-6", unit="%", tone="group"),
            ui.series("Syst. BT", "85354-9", component="8480-6", unit="mmHg", tone="neutral"),
            ui.series("Temp", "8310-5", unit="°C", tone="warn"),
        ]
    shown = days(ctx)
    return ui.trend(
        readings,
        series=curves,
        bands=[ui.band(12, 20, series="9279-1", label="Pust 12–20")],
        hours=shown * 24,
        label=f"Vitale målinger, siste {shown} dager",
        key="trend",
    )


def days(ctx: Ctx) -> int:
    return int(record.number(ctx.settings.get("days", 5)) or 5)


def table(readings: Any) -> Part:
    columns = [
        ui.col("Tid", key="time", kind="time"),
        ui.col("NEWS2", key="news2", kind="pill"),
        ui.col("Pust", key="respiration", kind="number"),
        ui.col("SpO₂", key="saturation", kind="number"),
        ui.col("O₂", key="oxygen", priority=3),
        ui.col("BT", key="pressure", align="end", priority=2),
        ui.col("Puls", key="pulse", kind="number", priority=2),
        ui.col("Temp", key="temperature", kind="number", decimals=1, priority=2),
        ui.col("Bev.", key="consciousness", priority=3),
        ui.col("Målt av", key="by", kind="muted", width="grow", priority=4),
    ]
    return ui.table(
        lambda: [measured(moment.isoformat(), values) for moment, values in observations.sets(readings)[:20]],
        columns,
        empty="Ingen målinger ennå",
        empty_hint="Skriv inn den første i feltene under.",
        label="Siste målinger",
        key="table",
    )


def measured(at: str, values: dict[str, Any]) -> dict[str, Any]:
    systolic, diastolic = said(values.get("systolic")), said(values.get("diastolic"))
    flow = values.get("oxygen")
    cells: dict[str, Any] = {
        "time": ui.cell(at=at),
        "pressure": f"{systolic} / {diastolic}" if systolic and diastolic else systolic or diastolic,
        "oxygen": "" if flow is None else flow if isinstance(flow, str) else f"{said(flow)} l/min" if flow else "Luft",
        "consciousness": values.get("consciousness", ""),
        "by": values.get("by", ""),
        "news2": score_cell(values),
    }
    for name in ("respiration", "saturation", "pulse", "temperature"):
        cells[name] = values.get(name)
    return ui.line(at, cells, about=values.get("about", ""), abouts=abouts(values.get("abouts", {})))


def abouts(found: dict[str, str]) -> dict[str, str]:
    """What each cell stands in."""
    pressure = found.get("systolic") or found.get("diastolic") or ""
    kept = {name: about for name, about in found.items() if name not in ("systolic", "diastolic", "scores")}
    return {**kept, **({"pressure": pressure} if pressure else {})}


def said(value: float | str | None) -> str:
    """A number; or, as it stands, what was recorded in a unit that is not the column's."""
    return value if isinstance(value, str) else record.decimal(value)


def score_cell(values: dict[str, Any]) -> dict[str, Any] | str:
    score = values.get("news2")
    if score is None:
        return ""
    level = news2.risk(int(score), dict(enumerate(values.get("scores", []))))  # type: ignore[arg-type]
    tone, shape = TONES[level]
    if not score:
        tone = "ok"
    return ui.cell(record.decimal(score), tone=tone, shape=shape, sort=score)


# --- the form -----------------------------------------------------------------------------------------------


def form(ctx: Ctx, known: int | None) -> Part:
    state = ctx.state
    systolic, diastolic = record.number(state.systolic), record.number(state.diastolic)
    crossed = systolic is not None and diastolic is not None and diastolic >= systolic
    run = ui.action("Lagre", save)
    return ui.form(
        ui.grid(
            number(ctx, "Pust", "respiration", "/min", 4, 60),
            number(ctx, f"SpO₂ (skala {known or '?'})", "saturation", "%", 50, 100),
            ui.choice("Oksygen", "oxygen", flows()),
            ui.pair(
                "Blodtrykk",
                ui.number("Systolisk", "systolic", minimum=50, maximum=280, error=not_a_number(ctx, "systolic")),
                ui.number("Diastolisk", "diastolic", minimum=20, maximum=160, error=not_a_number(ctx, "diastolic")),
                unit="mmHg",
                hint="Diastolisk er ikke lavere enn systolisk. Stemmer det?" if crossed else "",
            ),
            number(ctx, "Puls", "pulse", "/min", 20, 220),
            number(ctx, "Temperatur", "temperature", "°C", 30, 43, 1),
            ui.choice("Bevissthet", "consciousness", letters(), unit="ACVPU"),
            ui.button(run, style="primary", shortcut="Ctrl+S"),
            columns=4,
        ),
        submit=run,
        key="form",
        label="Ny måling",
    )


def number(ctx: Ctx, label: str, bind: str, unit: str, low: float, high: float, decimals: int = 0) -> Part:
    wrong = not_a_number(ctx, bind)
    return ui.number(label, bind, unit=unit, minimum=low, maximum=high, decimals=decimals, error=wrong)


def not_a_number(ctx: Ctx, bind: str) -> str:
    typed = ctx.state[bind]
    return "" if typed in (None, "") or record.number(typed) is not None else "Skriv et tall"


def flows() -> list[dict[str, Any]]:
    made = [ui.option("0", "Luft", key="l")]
    return made + [ui.option(flow, f"{flow.replace('.', ',')} l/min") for flow in FLOWS]


def letters() -> list[dict[str, Any]]:
    short = {"A": "våken", "C": "nytt forvirret", "V": "tiltale", "P": "smerte", "U": "reagerer ikke"}
    return [
        ui.option(one, f"{one} {said}", hint=observations.AWAKE[one], key=one.lower()) for one, said in short.items()
    ]


# --- asked for by another panel -----------------------------------------------------------------------------


@panel.intent(RECORD)
def asked(ctx: Ctx) -> Any:
    """Another panel wants a new set: the user measures and saves, and the panel gets the references."""
    return ctx.later()


def wanted(ctx: Ctx) -> Part | None:
    waiting = ctx.taken(RECORD)
    if not waiting:
        return None
    return ui.row(
        ui.text(f"{waiting[-1].source} venter på nye målinger.", style="strong"),
        ui.button(ui.action("Ikke nå", not_now), style="chip"),
        key="wanted",
        wrap=True,
    )


@panel.action
def not_now(ctx: Ctx) -> None:
    ctx.decline(RECORD, "Målingene ble ikke tatt nå.")


# --- the score ----------------------------------------------------------------------------------------------


def typed(ctx: Ctx) -> dict[str, Any]:
    """What is in the fields, by name: numbers, and a letter for consciousness. Missing and unreadable are None."""
    values: dict[str, Any] = {bind: record.number(ctx.state[bind]) for bind in BINDS}
    letter = ctx.state.consciousness
    values["consciousness"] = letter if isinstance(letter, str) and letter in observations.AWAKE else None
    return values


def advice(ctx: Ctx, flags: Any) -> Part:
    values = typed(ctx)
    if unknown(flags):
        return ui.notice(NO_SCALE)
    if not any(value is not None for value in values.values()):
        return ui.text("NEWS2 regnes ut mens du skriver.", style="caption")
    scores = news2.parts(values, scale(flags))
    score = news2.total(scores)
    if score is None:
        missing = ", ".join(SHORT[name] for name in news2.PARTS if scores[name] is None)
        return ui.row(
            ui.pill(f"NEWS2 ufullstendig ({news2.known(scores)}/7)", tone="neutral", shape="none"),
            ui.text(f"Mangler {missing}. Lagres uten NEWS2.", style="caption"),
            wrap=True,
        )
    tone, shape = TONES[news2.risk(score, scores)]
    said = " · ".join(points(scores))
    return ui.row(
        ui.pill(f"NEWS2 blir {score}", tone=tone if score else "ok", shape=shape),
        ui.text(said or "Ingen poeng", style="caption"),
        wrap=True,
    )


def points(scores: Scores) -> Iterator[str]:
    for name in news2.PARTS:
        if scores[name]:
            yield f"{SHORT[name]} {scores[name]}"


# --- saving -------------------------------------------------------------------------------------------------


@panel.action
def save(ctx: Ctx) -> None:
    """One transaction: what was measured, and the score when all seven are there."""
    wrong = [bind for bind in BINDS if not_a_number(ctx, bind) and bind != "consciousness"]
    if wrong:
        raise PanelProblem("Ett av feltene har noe som ikke er et tall. Rett det, og lagre igjen.")
    values = typed(ctx)
    if not any(value is not None for value in values.values()):
        raise PanelProblem("Skriv inn minst én måling før du lagrer.")
    at, user = ctx.now.isoformat(timespec="seconds"), ctx.user
    sources = [ctx.create(one) for one in observations.measured(values, at, user)]
    ctx.clear(*BINDS)
    ctx.finish(RECORD, {"observations": sources})
    flags = ctx.search(FLAGS)
    if unknown(flags):
        ctx.say("Lagret uten NEWS2: skala 1 eller 2 er ikke kjent nå.", "warn")
        return
    used = scale(flags)
    scores = news2.parts(values, used)
    score = news2.total(scores)
    if score is None:
        ctx.say(f"Lagret uten NEWS2: {news2.known(scores)} av 7 er målt.", "warn")
    else:
        ctx.create(observations.scored(scores, used, at, user, sources))
        ctx.say(f"Lagret. NEWS2 {score}.", "ok" if news2.risk(score, scores) == "low" else "warn")
