"""Those who lived in the home before: what the definitions leave open about them is drawn from their id.

Their stays are written down (they fit the beds); their habits, problems and drugs are made up here. Knows no dates
but those of the stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from random import Random

from workspace.clock import OSLO
from workspace.sandbox.home.model import Drug, Order, Resident

Row = Mapping[str, str]

PROBLEMS: Mapping[str, tuple[str, ...]] = {
    "P70-F00.9": ("memantin",),
    "K86-I10": ("amlodipin", "losartan"),
    "K78-I48.2": ("apiksaban", "metoprolol"),
    "K77-I50.9": ("furosemid", "bisoprolol"),
    "T90-E11.9": ("metformin",),
    "R95-J44.9": ("tiotropium", "budesonid", "salbutamol"),
    "L95-M81.9": ("kalsium",),
    "P76-F32.9": ("mirtazapin",),
    "D12-K59.0": ("laktulose",),
    "K90-I69.4": ("asa", "atorvastatin"),
    "T86-E03.9": ("levotyroksin",),
    "L90-M17.1": ("paracetamol-fast",),
}
ALWAYS = ("vitamin-d", "pantoprazol", "makrogol", "klyks")


def diagnoses(own: str) -> list[str]:
    """The keys of the problems of a former resident."""
    return sorted(Random(f"{own}/problems").sample(sorted(PROBLEMS), 4))


def stays(people: Iterable[Row], past: Iterable[Row]) -> dict[str, tuple[Resident, ...]]:
    """Each former resident's stays, oldest first."""
    found: dict[str, list[Resident]] = {}
    known = {}
    for row in people:
        known[row["id"]] = one = somebody(row)
        if row["room"]:
            found[one.id] = [stay(one, row["room"], row["from"], row["to"])]
    for row in past:
        if row["person"] in known:
            found.setdefault(row["person"], []).append(stay(known[row["person"]], row["room"], row["from"], row["to"]))
    return {own: tuple(sorted(held, key=lambda each: each.admitted)) for own, held in sorted(found.items())}


def stay(one: Resident, room: str, begins: str, ends: str) -> Resident:
    admitted, left = date.fromisoformat(begins), date.fromisoformat(ends)
    return replace(one, room=room, admitted=admitted, left=left, stay=f"opphold-{begins}")


def somebody(row: Row) -> Resident:
    chance = Random(f"{row['id']}/usual")
    contacts = {"fjellbris": "liv-myrull", "havblikk": "eli-havn", "solsiden": "oda-fjaereplytt"}
    return Resident(
        id=row["id"],
        unit=row["unit"],
        room=row["room"],
        given=row["given"],
        family=row["family"],
        sex=row["sex"],
        born=date.fromisoformat(row["born"]),
        number_kind="fnr",
        number=row["number"],
        language=row["language"],
        admitted=date.min,
        gp=row["gp"],
        contact=contacts.get(row["unit"], "siv-lavskrike"),
        protected="",
        weight=round(chance.uniform(48, 68) + (14 if row["sex"] == "M" else 0), 1),
        height=chance.randint(152, 168) + (12 if row["sex"] == "M" else 0),
        usual={
            "respiration": chance.randint(14, 18),
            "saturation": chance.randint(96, 98),
            "systolic": chance.randint(122, 148),
            "diastolic": chance.randint(68, 82),
            "pulse": chance.randint(62, 82),
            "temperature": round(chance.uniform(36.3, 36.8), 1),
        },
        died=row["died"] == "yes",
    )


def orders(left: Mapping[str, tuple[Resident, ...]], drugs: Mapping[str, Drug]) -> dict[str, list[Order]]:
    """What former residents used, from their first stay to the end of their last."""
    found = {}
    for own, held in left.items():
        first, last = held[0], held[-1]
        keys = [key for problem in diagnoses(own) for key in PROBLEMS[problem]] + list(ALWAYS)
        if "paracetamol-fast" not in keys:
            keys.append("paracetamol")
        began = datetime.combine(first.admitted, time(10, 30), OSLO)
        reason = "Død" if last.died else "Utskrevet"
        found[own] = [Order(own, drugs[key], began, last.left, reason) for key in keys]
    return found
