"""When drugs are due: the next dose of an order, and the one that seems forgotten. Pure; reckons in Norway's clock.

An order without times of day has no due time, and says nothing. A dose counts as forgotten an hour after its time when no
administration, given or not given, is recorded for it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from workspace.sdk import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    Resource = dict[str, Any]
    Dose = tuple[datetime, str, str]

GRACE = timedelta(hours=1)
EARLY = timedelta(hours=2)
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FORMS = {
    "tbl",
    "tablett",
    "tabletter",
    "kapsel",
    "kapsler",
    "mikst",
    "mikstur",
    "inj",
    "inh",
    "plaster",
    "depottablett",
}


def drug(order: Resource) -> str:
    """The drug's short name: without form and strength."""
    name = record.text(order.get("medicationCodeableConcept"))
    if not name:
        name = record.display(order.get("medicationReference")) or "Legemiddel"
    short = []
    for word in name.split():
        if word[0].isdigit() or word.lower().strip(",.") in _FORMS:
            break
        short.append(word.rstrip(","))
    return " ".join(short) or name


def due(order: Resource, day: datetime) -> list[datetime]:
    """The order's times on the date of `day`, in order; none for PRN, ended and not yet begun orders, and
    none of what is not to be given."""
    found: set[datetime] = set()
    if record.forbids(order):
        return []
    authored = record.when(order)
    for dosage in order.get("dosageInstruction") or []:
        if not isinstance(dosage, dict) or dosage.get("asNeededBoolean") or dosage.get("asNeededCodeableConcept"):
            continue
        repeat = (dosage.get("timing") or {}).get("repeat") or {}
        days = repeat.get("dayOfWeek")
        if days and _DAYS[day.weekday()] not in days:
            continue
        found.update(moment for moment in _moments(repeat.get("timeOfDay"), day) if _within(repeat, moment))
    return sorted(moment for moment in found if authored is None or authored <= moment)


def _moments(times: Any, day: datetime) -> Iterator[datetime]:
    for text in times if isinstance(times, list) else []:
        parts = str(text).split(":")
        if len(parts) >= 2 and parts[0].isdigit() and parts[1].isdigit() and int(parts[0]) < 24 and int(parts[1]) < 60:
            yield day.replace(hour=int(parts[0]), minute=int(parts[1]), second=0, microsecond=0)


def _within(repeat: Resource, moment: datetime) -> bool:
    period = repeat.get("boundsPeriod") or {}
    try:
        start, end = period.get("start"), period.get("end")
        return not (start and record.parse(start) > moment + timedelta(days=1)) and not (
            end and record.parse(end) + timedelta(days=1) < moment
        )
    except (ValueError, TypeError):
        return True


def signed_from(given: Iterable[Resource]) -> datetime | None:
    """How far back the signatures at hand reach; None when there is none to go by."""
    moments = [moment for one in given if (moment := record.when(one)) is not None]
    return min(moments) if moments else None


def forgotten(
    orders: Iterable[Resource], given: Iterable[Resource], since: datetime | None, now: datetime
) -> Dose | None:
    """The oldest dose of today, and not before `since`, that nobody has signed for: when, of what, and its order. None
    where nothing can be told."""
    if since is None:
        return None
    signed: dict[str, list[datetime]] = {}
    for one in given:
        moment = record.when(one)
        if moment is not None and one.get("status") != "entered-in-error":
            signed.setdefault(record.ref(one, "request"), []).append(moment)
    late = []
    for order in orders:
        marks = signed.get(f"MedicationRequest/{order.get('id')}", [])
        for moment in due(order, now):
            seen = any(mark >= moment - EARLY for mark in marks)
            if since - EARLY <= moment and moment + GRACE < now and not seen:
                late.append((moment, drug(order), record.name(order)))
    return min(late) if late else None


def coming(orders: Iterable[Resource], now: datetime) -> Dose | None:
    """The next dose today, else the first tomorrow."""
    for day in (now, now + timedelta(days=1)):
        ahead = [
            (moment, drug(order), record.name(order)) for order in orders for moment in due(order, day) if moment > now
        ]
        if ahead:
            return min(ahead)
    return None
