"""Rapport siste døgn: what happened in the unit, a line each, newest first. Made from the record: nobody types
it, and nothing is written here. When the last shift was is not known, so the window is a setting (24 hours).
"""

from __future__ import annotations

from datetime import timedelta

from workspace.sdk import Panel, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from typing import Any

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part
    from workspace.sdk.results import Result

    Resource = dict[str, Any]
    Happened = tuple[datetime, Resource, str, str, str]

panel = Panel("polarvakt.report", "1.0.0")

STAYS = "Encounter?status=in-progress&_include=Encounter:patient&_include=Encounter:location&_count=200"
NOTES = "Composition?_sort=-date&_count=60"
ORDERS = "MedicationRequest?_sort=-authoredon&_count=60"
FALLS = "Observation?code=161898004&_sort=-date&_count=20"
SCORES = "Observation?code=1104051000000101&_sort=-date&_count=200"
LONGEST = 90  # characters of a line
MOST = 40  # lines


@panel.view("report")
def report(ctx: Ctx) -> Part:
    stays = ctx.search(STAYS)
    parts = {
        "notater": ctx.search(NOTES),
        "legemidler": ctx.search(ORDERS),
        "fall": ctx.search(FALLS),
        "NEWS2": ctx.search(SCORES),
    }
    hours = int(record.number(ctx.settings.get("hours", 24)) or 24)
    missing = [name for name, result in parts.items() if result.error]
    return ui.column(
        ui.notice(f"Rapporten mangler {', '.join(missing)}: kunne ikke hentes.", key="gaps") if missing else None,
        ui.table(
            lambda: lines(ctx, stays, parts, hours),
            [
                ui.col("Rom", key="room", kind="number", align="start"),
                ui.col("Hva", key="what", width="grow", lines=2),
                ui.col("Hvem", key="who", kind="muted"),
            ],
            headers=False,
            empty="Ingenting nytt",
            empty_hint=f"Ingen notater, endringer, fall eller høye skårer siste {hours} timer.",
            label=f"Hendelser siste {hours} timer",
            key="list",
        ),
    )


@panel.action
def open_resident(ctx: Ctx, patient: str) -> None:
    ctx.raise_intent("open Patient", patient=patient)


def lines(ctx: Ctx, stays: Result, parts: dict[str, Result], hours: int) -> list[dict[str, Any]]:
    now = ctx.now
    rooms = rooms_of(stays)
    since = now - timedelta(hours=hours)
    happened: list[Happened] = []
    for name, find in (("notater", notes), ("legemidler", orders), ("fall", falls), ("NEWS2", scores)):
        if parts[name].ready:
            happened += find(parts[name])
        elif not parts[name].error:
            parts[name].wait()
    recent = [one for one in happened if since <= one[0] <= now + timedelta(minutes=5)]
    recent.sort(key=lambda one: one[0], reverse=True)
    made, seen = [], set()
    for at, (moment, resource, what, who, tone) in enumerate(recent[:MOST]):
        patient = record.ref(resource)
        about = record.name(resource)
        key = about or f"{resource.get('resourceType')}/{at}"
        if not patient or key in seen:
            continue
        seen.add(key)
        room = rooms.get(patient, "")
        shape = {"bad": "up", "warn": "diamond"}.get(tone, "none")
        cells = {
            "room": ui.cell(room or "—"),
            "what": ui.cell(what, tone=tone, shape=shape),
            "who": ui.cell(who, sort=moment.isoformat()),
        }
        said = f"Rom {room or 'ukjent'}: {what}, {who}"
        made.append(ui.line(key, cells, ui.action("Åpne", open_resident, patient=patient), label=said, about=about))
    return made


def rooms_of(stays: Result) -> dict[str, str]:
    places = {f"Location/{one.get('id')}": str(one.get("name") or "") for one in stays.included("Location")}
    found: dict[str, str] = {}
    for stay in stays:
        for one in stay.get("location") or []:
            place = one.get("location") if isinstance(one, dict) else None
            if isinstance(place, dict):
                found[record.ref(stay)] = places.get(str(place.get("reference")), "") or record.display(place)
                break
    return found


def who_when(resource: Resource, moment: datetime) -> str:
    """The given name, else the shift it happened on."""
    words = record.who(resource).split()
    return f"{words[0] if words else shift(moment)} {record.clock(moment)}"


def shift(moment: datetime) -> str:
    minutes = moment.hour * 60 + moment.minute
    return "dag" if 7 * 60 <= minutes < 14 * 60 + 45 else "kveld" if 14 * 60 + 45 <= minutes < 22 * 60 + 15 else "natt"


def clip(text: str) -> str:
    """The first sentence, or as much as a line holds."""
    text = " ".join(text.split())
    end = text.find(". ")
    first = text[: end + 1] if 0 < end < LONGEST else text
    return first if len(first) <= LONGEST else first[: LONGEST - 1].rsplit(" ", 1)[0] + "…"


# --- what counts --------------------------------------------------------------------------------------------


def notes(found: Result) -> Iterator[Happened]:
    for one in found:
        moment = record.when(one)
        sections = [part for part in one.get("section") or [] if isinstance(part, dict)]
        text = record.plain((sections[0].get("text") or {}).get("div")) if sections else ""
        said = record.withheld(one) or clip(text or str(one.get("title") or ""))
        if moment and said and one.get("status") != "entered-in-error":
            yield moment, one, said, who_when(one, moment), "warn" if record.withheld(one) else "neutral"


def orders(found: Result) -> Iterator[Happened]:
    for one in found:
        name = record.text(one.get("medicationCodeableConcept")) or record.display(one.get("medicationReference"))
        if record.withheld(one):
            if begun := record.when(one):
                yield begun, one, "Legemiddelendring som ikke kan vises", who_when(one, begun), "warn"
            continue
        if not name or one.get("status") in ("draft", "entered-in-error", "cancelled"):
            continue
        ended = ended_at(one)
        if one.get("status") in ("stopped", "completed"):
            if ended:
                yield ended, one, f"{name} avsluttet", who_when(one, ended), "neutral"
            continue
        begun = record.when(one)
        if begun:
            what, tone = ("skal ikke gis", "warn") if record.forbids(one) else ("startet", "neutral")
            yield begun, one, f"{name} {what}", who_when(one, begun), tone


def ended_at(order: Resource) -> datetime | None:
    """When the order ended, as far as its dosage says."""
    for dosage in order.get("dosageInstruction") or []:
        timing = dosage.get("timing") if isinstance(dosage, dict) else None
        end = (((timing or {}).get("repeat") or {}).get("boundsPeriod") or {}).get("end")
        if end:
            try:
                return record.local(record.parse(str(end)))
            except ValueError:
                continue
    return None


def falls(found: Result) -> Iterator[Happened]:
    for one in found:
        moment = record.when(one)
        if moment is None or one.get("status") == "entered-in-error" or record.value(one) is False:
            continue
        if record.withheld(one):
            yield moment, one, "Opplysning om fall som ikke kan vises", who_when(one, moment), "warn"
            continue
        notes = [str(held.get("text")) for held in one.get("note") or [] if isinstance(held, dict) and held.get("text")]
        detail = notes[0] if notes else str(one.get("valueString") or "")
        yield moment, one, clip(f"Fall: {detail}") if detail else "Fall", who_when(one, moment), "warn"


def scores(found: Result) -> Iterator[Happened]:
    """NEWS2 of 5 or more; of one resident only the newest."""
    told: set[str] = set()
    for one in record.newest(found):
        value, moment = record.number(record.value(one)), record.when(one)
        if moment is None or one.get("status") == "entered-in-error" or record.ref(one) in told:
            continue
        if record.withheld(one) or (one.get("valueQuantity") or {}).get("comparator"):
            yield moment, one, "NEWS2 som ikke kan vises", who_when(one, moment), "warn"
        elif value is None:
            continue
        told.add(record.ref(one))
        if value is not None and value >= 5:
            yield moment, one, f"NEWS2 {record.decimal(value)}", who_when(one, moment), "bad" if value >= 7 else "warn"
