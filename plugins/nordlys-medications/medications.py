"""Legemidler: the active orders, fixed ones and those given when needed. Shows only; ordering and giving are elsewhere."""

from __future__ import annotations

from datetime import timedelta

from workspace.sdk import Panel, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part
    from workspace.sdk.results import Result

    Resource = dict[str, Any]

panel = Panel("nordlys.medications", "1.0.0")

ORDERS = "MedicationRequest?status=active&_count=100"
GIVEN = "MedicationAdministration?_sort=-effective-time&_count=100"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_UNITS = {"d": "dag", "wk": "uke", "h": "time", "mo": "måned"}


@panel.view("medications")
def medications(ctx: Ctx) -> Part:
    orders, given = ctx.search(ORDERS), ctx.search(GIVEN)
    which = ctx.state.get("which", "all")
    return ui.column(
        ui.part(filters, orders, key="filters"),
        ui.notice("Utdelinger kunne ikke hentes, så «sist gitt» kan mangle.", key="gap") if given.error else None,
        ui.table(
            lambda: lines(ctx, orders, given, which),
            [
                ui.col("Legemiddel", key="drug", kind="strong", width="grow"),
                ui.col("Dose", key="dose", width="m"),
                ui.col("Neste", key="next"),
                ui.col("Endret", key="changed", kind="muted", priority=2),
            ],
            empty="Ingen legemidler i bruk" if which == "all" else "Ingen av disse",
            empty_hint="" if which == "all" else "Trykk på den valgte knappen igjen for å se alle.",
            label="Legemidler i bruk",
            key="list",
        ),
    )


def filters(orders: Result) -> Part:
    active = [one for one in usable(orders) if not record.forbids(one) and not record.withheld(one)]
    fixed = sum(1 for one in active if not as_needed(one))
    return ui.chips(
        "Hvilke legemidler",
        "which",
        [
            ui.option("all", f"Alle {len(active)}"),
            ui.option("fixed", f"Faste {fixed}"),
            ui.option("prn", f"Ved behov {len(active) - fixed}"),
        ],
        initial="all",
        slot="toolbar",
    )


def usable(orders: Iterable[Resource]) -> list[Resource]:
    return [one for one in orders if one.get("status", "active") == "active" and one.get("intent") != "proposal"]


def lines(ctx: Ctx, orders: Result, given: Result, which: str) -> list[dict[str, Any]]:
    now = ctx.now
    last = last_given(given) if given.ready else {}
    chosen = [one for one in usable(orders) if which == "all" or as_needed(one) == (which == "prn") or is_warning(one)]
    chosen.sort(key=lambda one: (not is_warning(one), as_needed(one), not is_new(one, now), name_of(one).lower()))
    return [line(one, at, last, now) for at, one in enumerate(chosen)]


def line(order: Resource, at: int, last: dict[str, tuple[datetime, str]], now: datetime) -> dict[str, Any]:
    name = name_of(order)
    if is_warning(order):
        return warning(order, name, at, now)
    prn = as_needed(order)
    pills = [ui.pill("ny", tone="group")] if is_new(order, now) else []
    moment, signed = last.get(f"MedicationRequest/{order.get('id')}", (None, ""))
    following = prn_cell(moment, now) if prn else next_cell(order, now)
    cells = {
        "drug": ui.cell(name, secondary="v/b" if prn else "", pills=pills, sort=name.lower()),
        "dose": dose_text(order),
        "next": following,
        "changed": changed(order, now),
    }
    abouts = {"next": signed} if prn and signed else {}
    return ui.line(str(order.get("id") or f"uten-id-{at}"), cells, about=record.name(order), abouts=abouts)


def is_warning(order: Resource) -> bool:
    return record.forbids(order) or bool(record.withheld(order))


def warning(order: Resource, name: str, at: int, now: datetime) -> dict[str, Any]:
    """What is not to be given, and what may mean anything, stands first, whatever is chosen, and says so."""
    what, tone = ("kan ikke vises", "warn") if record.withheld(order) else ("skal ikke gis", "bad")
    pill = ui.pill(what, tone=tone, shape="diamond" if tone == "warn" else "up")
    cells = {
        "drug": ui.cell(name, pills=[pill], sort=name.lower()),
        "dose": "—",
        "next": ui.cell("—", sort="~"),
        "changed": changed(order, now),
    }
    said = f"{name}, {what}"
    return ui.line(str(order.get("id") or f"uten-id-{at}"), cells, label=said, tone=tone, about=record.name(order))


def name_of(order: Resource) -> str:
    if record.withheld(order):
        return "Legemiddel"
    found = record.text(order.get("medicationCodeableConcept")) or record.display(order.get("medicationReference"))
    return found or "Legemiddel uten navn"


def dosages(order: Resource) -> list[Resource]:
    return [one for one in order.get("dosageInstruction") or [] if isinstance(one, dict)]


def as_needed(order: Resource) -> bool:
    return any(one.get("asNeededBoolean") or one.get("asNeededCodeableConcept") for one in dosages(order))


def is_new(order: Resource, now: datetime) -> bool:
    moment = record.when(order)
    return moment is not None and moment.date() == now.date()


def dose_text(order: Resource) -> str:
    """What the prescriber wrote, else dose and number of times: «500 mg × 3»."""
    for dosage in dosages(order):
        if dosage.get("text"):
            return str(dosage["text"])
    for dosage in dosages(order):
        held = [one for one in dosage.get("doseAndRate") or [] if isinstance(one, dict)]
        amount = (held[0].get("doseQuantity") or {}) if held else {}
        if record.number(amount.get("value")) is None:
            continue
        shown = f"{record.decimal(amount['value'])} {amount.get('unit') or amount.get('code') or ''}".strip()
        return shown + frequency(dosage)
    return "Dose ikke oppgitt"


def frequency(dosage: Resource) -> str:
    repeat = (dosage.get("timing") or {}).get("repeat") or {}
    times = repeat.get("timeOfDay") or []
    often = len(times) or repeat.get("frequency")
    if not often:
        return ""
    unit = repeat.get("periodUnit", "d")
    period = record.number(repeat.get("period")) or 1
    if unit == "d" and period == 1:
        return f" × {often}"
    each = f"{record.decimal(period)}. " if period != 1 else ""
    return f" × {often} hver {each}{_UNITS.get(unit, unit)}"


def next_cell(order: Resource, now: datetime) -> dict[str, Any] | str:
    """The next time today; else tomorrow's first; else that it has no fixed time."""
    for day, word in ((now, ""), (now + timedelta(days=1), "i morgen ")):
        ahead = [moment for moment in times_on(order, day) if moment > now]
        if ahead:
            shown = f"{word}{record.clock(min(ahead))}"
            return ui.cell(shown, sort=min(ahead).isoformat())
    return ui.cell("—", sort="~")


def times_on(order: Resource, day: datetime) -> list[datetime]:
    found = []
    for dosage in dosages(order):
        repeat = (dosage.get("timing") or {}).get("repeat") or {}
        days = repeat.get("dayOfWeek")
        if days and _DAYS[day.weekday()] not in days:
            continue
        for text in repeat.get("timeOfDay") or []:
            hour, _, minute = str(text).partition(":")
            if hour.isdigit() and int(hour) < 24 and minute[:2].isdigit() and int(minute[:2]) < 60:
                found.append(day.replace(hour=int(hour), minute=int(minute[:2]), second=0, microsecond=0))
    return found


def last_given(given: Iterable[Resource]) -> dict[str, tuple[datetime, str]]:
    """By order: when it was last given, and what says so. What was not given does not count."""
    found: dict[str, tuple[datetime, str]] = {}
    for one in given:
        moment, order = record.when(one), record.ref(one, "request")
        if moment and order and one.get("status", "completed") in ("completed", "in-progress"):
            found[order] = max((moment, record.name(one)), found.get(order, (moment, "")))
    return found


def prn_cell(moment: datetime | None, now: datetime) -> dict[str, Any]:
    if moment is None:
        return ui.cell("ikke gitt", sort="~")
    day = "" if moment.date() == now.date() else f"{record.date(moment, now)} "
    return ui.cell(f"gitt {day}{record.clock(moment)}", sort=moment.isoformat())


def changed(order: Resource, now: datetime) -> dict[str, Any] | str:
    """When it was last changed, and by whom: «i dag, Dahl», «03.12», «2024»."""
    moment = record.when(order)
    if moment is None:
        return ""
    shown = record.date(moment, now) if (now - moment).days < 300 else str(moment.year)
    words = record.who(order).split()
    by = f", {words[-1]}" if words else ""
    return ui.cell(shown + by, sort=moment.isoformat())
