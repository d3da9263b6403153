"""Beboerliste: everybody in the unit on one line each, the most urgent first. Opens a resident; writes nothing.

What could not be fetched is said above the list: an empty cell must never be taken for «nothing to know».
"""

from __future__ import annotations

import rounds

from workspace.sdk import Panel, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Action, Part
    from workspace.sdk.results import Result

    Resource = dict[str, Any]

panel = Panel("fjelldata.residents", "1.0.0")

STAYS = "Encounter?status=in-progress&_include=Encounter:patient&_include=Encounter:location&_count=200"
SIDE = {
    "scores": ("Observation?code=1104051000000101&_sort=-date&_count=200", "NEWS2"),
    "flags": ("Flag?status=active&_count=400", "merker"),
    "allergies": ("AllergyIntolerance?_count=200", "allergier"),
    "orders": ("MedicationRequest?status=active&_count=500", "legemidler"),
    "given": ("MedicationAdministration?_sort=-effective-time&_count=200", "utdelinger"),
    "tasks": ("Task?status=requested,received,accepted,ready,in-progress&_count=400", "oppgaver"),
    "notes": ("Composition?_sort=-date&_count=60", "notater"),
}
NONE_KNOWN = {  # SNOMED CT: no known allergy; of drugs, food, the surroundings, animals, insects, latex
    "716186003", "409137002", "429625007", "428607008", "716220001", "428197003", "716184000",
}  # fmt: skip
HIDDEN_ORDER = ui.pill("?", tone="warn", shape="diamond", label="Et legemiddel kan ikke vises")
COLUMNS = [
    ui.col("Rom", key="room"),
    ui.col("Beboer", key="name", kind="strong", width="grow", lines=2),
    ui.col("NEWS2", key="news2", kind="pill"),
    ui.col("Siste 5 målinger", key="trend", kind="spark", priority=3),
    ui.col("Merk", key="flags", kind="pills", width="m"),
    ui.col("Neste legemiddel", key="drug", kind="pills", width="m", priority=2),
    ui.col("Oppgaver", key="tasks", kind="number", priority=2),
    ui.col("Sist sett", key="seen", kind="age", priority=2),
]


@panel.view("residents")
def residents(ctx: Ctx) -> Part:
    stays = ctx.search(STAYS)
    side = {name: ctx.search(query) for name, (query, _) in SIDE.items()}
    by_room = ctx.state.order == "room"
    return ui.column(
        ui.part(count, stays, key="count"),
        ui.button(
            ui.action(
                "Sortert etter rom" if by_room else "Sortert etter hast", sort_by, order="" if by_room else "room"
            ),
            style="chip",
            slot="toolbar",
            label="Sortert etter rom. Bytt til hast." if by_room else "Sortert etter hast. Bytt til rom.",
            key="sort",
        ),
        ui.part(gaps, side, key="gaps"),
        ui.table(
            lambda: lines(ctx, stays, side, by_room),
            COLUMNS,
            empty="Ingen beboere her nå",
            empty_hint="Velg en annen avdeling, eller sjekk at innkomster er registrert.",
            label="Beboere",
            key="list",
        ),
    )


def gaps(side: dict[str, Result]) -> Part | None:
    missing = [SIDE[name][1] for name, result in side.items() if result.error]
    if not missing:
        return None
    return ui.notice(f"Listen kan mangle {listed(missing)}: de kunne ikke hentes.", title="Ikke alt er med")


def count(stays: Result) -> Part:
    return ui.pill(f"Alle {len(by_patient(stays))}", tone="accent", slot="toolbar")


def listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} og {words[-1]}"


@panel.action
def sort_by(ctx: Ctx, order: str = "") -> None:
    ctx.set(order=order or None)


@panel.action
def open_resident(ctx: Ctx, patient: str) -> None:
    ctx.raise_intent("open Patient", patient=patient)


# --- lines --------------------------------------------------------------------------------------------------


def by_patient(resources: Iterable[Resource]) -> dict[str, list[Resource]]:
    """Resources by whom they are about, order kept; those about nobody are left out."""
    found: dict[str, list[Resource]] = {}
    for one in resources:
        about = record.ref(one)
        if about:
            found.setdefault(about, []).append(one)
    return found


def lines(ctx: Ctx, stays: Result, side: dict[str, Result], by_room: bool) -> list[dict[str, Any]]:
    now = ctx.now
    known = {name: by_patient(result) if result.ready else {} for name, result in side.items()}
    people = {f"Patient/{one.get('id')}": one for one in stays.included("Patient")}
    rooms = {f"Location/{one.get('id')}": str(one.get("name") or "") for one in stays.included("Location")}
    since = rounds.signed_from(side["given"]) if side["given"].ready else None
    made = []
    for patient, own in by_patient(stays).items():
        room = room_of(own[0], rooms)
        mine = {name: found.get(patient, []) for name, found in known.items()}
        made.append(line(patient, people.get(patient), room, mine, since, now))
    made.sort(key=lambda entry: entry[1] if by_room else entry[0])
    return [entry[2] for entry in made]


def room_of(stay: Resource, rooms: dict[str, str]) -> str:
    for one in stay.get("location") or []:
        place = one.get("location") if isinstance(one, dict) else None
        if isinstance(place, dict):
            return rooms.get(str(place.get("reference")), "") or record.display(place)
    return ""


def line(
    patient: str,
    person: Resource | None,
    room: str,
    mine: dict[str, list[Resource]],
    since: datetime | None,
    now: datetime,
) -> tuple[Any, Any, dict[str, Any]]:
    """Two sort keys, by urgency and by room, and the row."""
    name = name_of(person)
    age = record.years((person or {}).get("birthDate"), now)
    newest = record.newest(mine["scores"])
    scores = [one for one in newest if record.number(record.value(one)) is not None]
    hidden = newest[0] if newest and (record.withheld(newest[0]) or is_limit(newest[0])) else None
    late = rounds.forgotten(mine["orders"], mine["given"], since, now)
    ahead = rounds.coming(mine["orders"], now)
    last = record.number(record.value(scores[0])) if scores else None
    score = last if hidden is None else None
    rank = max(last or 0.0, 4.5) if hidden is not None else -1 if last is None else last
    single = bool(scores) and (hidden is not None or has_three(scores[0]))
    seen = record.newest(mine["scores"] + mine["notes"])
    cells: dict[str, Any] = {
        "room": ui.cell(room or "—", sort=room_key(room)[1]),
        "name": ui.cell(name, secondary=f"{age} år" if age is not None else "alder ukjent"),
        "news2": news2(score, single) if hidden is None else ui.cell("?", tone="warn", shape="diamond", sort=rank),
        "trend": spark(scores[:5]),
        "flags": ui.cell(pills=marks(mine["flags"], mine["allergies"])),
        "drug": dose(late, ahead, now, any(record.withheld(one) for one in mine["orders"])),
        "tasks": ui.cell(str(len(mine["tasks"])), sort=len(mine["tasks"])) if mine["tasks"] else ui.cell("—", sort=0),
        "seen": age_cell(seen[0] if seen else None),
    }
    said = f"Rom {room or 'ukjent'}, {name}" + (f", NEWS2 {record.decimal(score)}" if score is not None else "")
    said += ", NEWS2 kan ikke vises" if hidden is not None else ""
    whence = hidden or (scores[0] if scores else None)
    abouts = {"news2": record.name(whence), "seen": record.name(seen[0]) if seen else ""}
    abouts["drug"] = (late or ahead or (None, "", ""))[2]
    row = ui.line(patient, cells, opening(patient), label=said, about=patient, abouts=abouts)
    return (
        (-rank, not single, late is None, room_key(room), name),
        (room_key(room), name),
        row,
    )


def opening(patient: str) -> Action:
    return ui.action("Åpne", open_resident, patient=patient)


def name_of(person: Resource | None) -> str:
    names = [one for one in (person or {}).get("name") or [] if isinstance(one, dict)]
    if not names:
        return "Ukjent navn"
    best = next((one for one in names if one.get("use") in ("usual", "official")), names[0])
    parts = [str(part) for part in best.get("given") or []] + [str(best.get("family") or "")]
    return " ".join(part for part in parts if part) or str(best.get("text") or "Ukjent navn")


def room_key(room: str) -> tuple[bool, str]:
    """Rooms in order, «2» before «10», unknown ones last."""
    return not room, room.rjust(8, "0") if room.isdigit() else room


# --- cells --------------------------------------------------------------------------------------------------


def is_limit(score: Resource) -> bool:
    """Whether it says only what the score is above or below: that is none, and an older one is not the answer."""
    return bool((score.get("valueQuantity") or {}).get("comparator"))


def has_three(score: Resource) -> bool:
    return any(record.value(part) == 3 for part in score.get("component") or [] if isinstance(part, dict))


def news2(score: float | None, single: bool) -> dict[str, Any]:
    if score is None:
        return ui.cell("—", sort=-1)
    shown = record.decimal(score)
    if score >= 7:
        return ui.cell(shown, tone="bad", shape="up", sort=score)
    if score >= 5 or single:
        return ui.cell(shown, tone="warn", shape="diamond", sort=score)
    return ui.cell(shown, tone="neutral" if score else "ok", shape="dot", sort=score)


def spark(scores: list[Resource]) -> dict[str, Any]:
    values = [record.number(record.value(one)) for one in reversed(scores)]
    if not values:
        return ui.cell()
    last = values[-1] or 0
    told = ", ".join(record.decimal(value) for value in values)
    return ui.cell(
        told, values=values, high=max([7.0, *(v for v in values if v)]), tone="bad" if last >= 7 else "neutral"
    )


def marks(flags: list[Resource], allergies: list[Resource]) -> list[Part]:
    """At most two pills, what may kill first; then «+n»."""
    known = [one for one in allergies if is_allergy(one)]
    bad = [(f"Allergi: {short(said(one))}", record.name(one)) for one in known]
    other = []
    for flag in flags:
        about, text = record.name(flag), f"Merke {said(flag)}" if record.withheld(flag) else said(flag)
        if text.lower().startswith("allergi"):
            continue  # the allergy itself is shown, from its own resource
        if is_no_resuscitation(text):
            bad.insert(0, (text, about))
        elif text:
            other.append((text.replace("NEWS2 skala", "Skala"), about))
    every: dict[tuple[str, str], str] = {}  # what is said twice stands in the first
    for tone, held in (("bad", bad), ("neutral", other)):
        for text, about in held:
            every.setdefault((text, tone), about)
    shown = [ui.pill(text, tone=tone, about=about) for (text, tone), about in [*every.items()][:2]]
    if len(every) > 2:
        rest = {text: about for (text, _), about in [*every.items()][2:]}
        shown.append(ui.pill(f"+{len(rest)}", label=f"Og {', '.join(rest)}", abouts=rest))
    return shown


def said(one: Resource) -> str:
    return "kan ikke vises" if record.withheld(one) else record.text(one.get("code"))


def is_no_resuscitation(text: str) -> bool:
    rest = text.lower().removeprefix("hlr").strip()
    return text.lower().startswith("hlr") and rest[:1] in ("-", "−", "–", "m", "0")


def is_allergy(one: Resource) -> bool:
    status = record.code(one.get("clinicalStatus"))
    wrong = record.code(one.get("verificationStatus")) in ("entered-in-error", "refuted")
    return status in ("", "active") and not wrong and not record.has_code(one, *NONE_KNOWN) and bool(record.text(one))


def short(text: str) -> str:
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def dose(late: rounds.Dose | None, ahead: rounds.Dose | None, now: datetime, hidden: bool = False) -> dict[str, Any]:
    """`hidden`: an order cannot be shown, so nobody knows whether its dose comes first."""
    if late:
        moment, name, _ = late
        pill = ui.pill(f"{record.clock(moment)} {name}", tone="warn", shape="diamond", label="Ikke gitt")
        return ui.cell(pills=[pill], sort=record.clock(moment))
    if ahead:
        moment, name, _ = ahead
        tomorrow = "i morgen " if moment.date() != now.date() else ""
        odd = [HIDDEN_ORDER] if hidden else []
        said = f"{tomorrow}{record.clock(moment)} {name}"
        return ui.cell(said, pills=odd, sort=f"{bool(tomorrow)}{record.clock(moment)}")
    return ui.cell(pills=[HIDDEN_ORDER]) if hidden else ui.cell()


def age_cell(one: Resource | None) -> dict[str, Any]:
    moment = record.when(one)
    return ui.cell(at=moment.isoformat()) if moment else ui.cell("—")
