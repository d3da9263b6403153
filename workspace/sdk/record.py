"""Reading resources without knowing every way FHIR has of saying a thing. Never fails on what is missing: it gives
None or an empty text, for real records have holes.

Times are shown in Norway's clock. The rule for summer time is reckoned here: a confined panel may have no time zone
files, and `zoneinfo` costs more than the rule (Directive 2000/84/EC: last Sundays of March and October, 01:00 UTC).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from workspace.sdk.compose import concept, person, quantity

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    Resource = dict[str, Any]

__all__ = [
    "ago", "clock", "code", "codes", "coding", "component", "concept", "date", "decimal",
    "display", "forbids", "has_code", "local", "narrative", "newest", "number", "parse", "person", "plain",
    "quantity", "ref", "text", "unit", "value", "when", "who", "years",
]  # fmt: skip

_TIMES = (
    "effectiveDateTime", "effectiveInstant", "authoredOn", "date", "occurrenceDateTime", "recorded", "onsetDateTime",
    "recordedDate", "issued", "sent",
)  # fmt: skip
_PERIODS = ("effectivePeriod", "period", "performedPeriod", "onsetPeriod")
_WINTER = timezone(timedelta(hours=1), "CET")
_SUMMER = timezone(timedelta(hours=2), "CEST")


# --- values -------------------------------------------------------------------------------------------------


def value(resource: Resource | None) -> Any:
    """An Observation's (or component's) value: a number, a code, a text, a truth, or None. A limit is the text «< 5», which
    no number is to be reckoned from."""
    if not isinstance(resource, dict):
        return None
    held = resource.get("valueQuantity")
    if isinstance(held, dict):
        found, sign = number(held.get("value")), held.get("comparator")
        return f"{sign} {decimal(found)}" if sign and found is not None else found
    if "valueInteger" in resource:
        return number(resource["valueInteger"])
    coded = resource.get("valueCodeableConcept")
    if isinstance(coded, dict):
        return code(coded) or coded.get("text")
    for name in ("valueString", "valueBoolean", "valueDateTime"):
        if name in resource:
            return resource[name]
    return None


def number(raw: Any) -> float | int | None:
    """A number, or None for what is none (truths are none; texts with a decimal comma are read)."""
    if isinstance(raw, bool) or raw is None:
        return None
    if isinstance(raw, int | float):
        return raw
    try:
        return float(str(raw).strip().replace(",", "."))
    except ValueError:
        return None


def unit(resource: Resource | None) -> str:
    held = (resource or {}).get("valueQuantity")
    return str(held.get("unit") or held.get("code") or "") if isinstance(held, dict) else ""


def component(resource: Resource | None, wanted: str) -> Resource | None:
    """The component with code `wanted`."""
    for one in _list(resource, "component"):
        if wanted in codes(one.get("code")):
            return one
    return None


def coding(concept_or_resource: Resource | None, system: str = "") -> Resource | None:
    """The first coding of a CodeableConcept, or of a resource's `code`, in `system` if given."""
    held = concept_or_resource or {}
    if "coding" not in held and isinstance(held.get("code"), dict):
        held = held["code"]
    for one in _list(held, "coding"):
        if not system or one.get("system") == system:
            return one
    return None


def code(concept_or_resource: Resource | None, system: str = "") -> str:
    one = coding(concept_or_resource, system)
    return str(one.get("code") or "") if one else ""


def codes(concept_or_resource: Resource | None) -> set[str]:
    """Every code of it, whatever the system."""
    held = concept_or_resource or {}
    if "coding" not in held and isinstance(held.get("code"), dict):
        held = held["code"]
    return {str(one.get("code")) for one in _list(held, "coding") if one.get("code")}


def has_code(resource: Resource, *wanted: str) -> bool:
    """Whether one of `wanted` is among its `codes`: asked of each of some hundred rows, for each line that is drawn."""
    held = resource or {}
    if "coding" not in held and isinstance(held.get("code"), dict):
        held = held["code"]
    inner = held.get("coding")
    if isinstance(inner, list):
        for one in inner:
            if isinstance(one, dict) and one.get("code") and str(one["code"]) in wanted:
                return True
    return False


def text(concept_or_resource: Resource | None) -> str:
    """What it is called: the text, else the first display, else the first code."""
    held = concept_or_resource if isinstance(concept_or_resource, dict) else {}
    inner = held.get("code")
    named = "coding" in held or isinstance(held.get("text"), str)  # a narrative is no name
    if not named and isinstance(inner, dict):
        held = inner
    said = held.get("text")
    if isinstance(said, str) and said.strip():
        return said.strip()
    shown = [one.get("display") for one in _list(held, "coding") if one.get("display")]
    return str(shown[0]) if shown else code(held)


def name(resource: Resource | None) -> str:
    """``Type/id``, for `ui.line(about=...)` and for references to it; "" without an id."""
    held = resource or {}
    return f"{held.get('resourceType', '')}/{held['id']}" if held.get("id") else ""


def waits(resource: Resource | None) -> bool:
    """Whether the platform has not acknowledged it yet: somebody at this workstation has just written it, and it is sent
    when the platform answers. Say so beside what you compute from it; `ui.line(about=...)` and bound tables say it by
    themselves."""
    tags = ((resource or {}).get("meta") or {}).get("tag") or ()
    return any(one.get("system") == "urn:workspace:state" and one.get("code") == "venter" for one in tags)


def withheld(resource: Resource | None) -> str:
    """The sentence that the platform has put in its place, where something unknown changes what it means (R4 §2.4,
    *modifierExtension*); "" for what is shown. An Observation keeps its code and has no value; of anything else code, drug
    and title are that sentence. Say that there is something, and never count it as what it may not be."""
    tags = ((resource or {}).get("meta") or {}).get("tag") or ()
    if not any(one.get("system") == "urn:workspace:shown" and one.get("code") == "withheld" for one in tags):
        return ""
    return plain(((resource or {}).get("text") or {}).get("div")) or "Kan ikke vises."


def ref(resource: Resource | None, *names: str) -> str:
    """The reference (``Patient/x``) in the first of `names` that has one; without names, whom it is about."""
    for name in names or ("subject", "patient", "for"):
        held = (resource or {}).get(name)
        if isinstance(held, list):
            held = held[0] if held else None
        if isinstance(held, dict) and held.get("reference"):
            return str(held["reference"])
    return ""


def display(held: Any) -> str:
    """A reference's (or the first reference's) display."""
    if isinstance(held, list):
        held = held[0] if held else None
    if isinstance(held, dict):
        held = held.get("actor") if isinstance(held.get("actor"), dict) else held
    return str(held.get("display") or "") if isinstance(held, dict) else ""


def who(resource: Resource | None) -> str:
    """Who recorded it: the given name, as colleagues say it, or the organisation."""
    for name in ("performer", "author", "requester", "recorder", "asserter"):
        shown = display((resource or {}).get(name))
        if shown:
            return shown
    return ""


def forbids(order: Resource | None) -> bool:
    """Whether an order says that something is *not* to be done or given (``doNotPerform``, a modifier element of
    MedicationRequest and ServiceRequest): never show it as one that is to be."""
    return (order or {}).get("doNotPerform") is True


def _list(held: Any, name: str) -> list[Resource]:
    inner = held.get(name) if isinstance(held, dict) else None
    return [one for one in inner if isinstance(one, dict)] if isinstance(inner, list) else []


# --- times --------------------------------------------------------------------------------------------------


def parse(moment: str) -> datetime:
    """An aware moment from FHIR's dateTime or instant; a bare date is its midnight in Norway. ValueError otherwise."""
    if len(moment) == 4:
        moment += "-01-01"
    elif len(moment) == 7:
        moment += "-01"
    made = datetime.fromisoformat(moment)
    if made.tzinfo is not None:
        return made
    return made.replace(tzinfo=_offset(made.replace(tzinfo=_WINTER)))


def when(resource: Resource | None) -> datetime | None:
    """When it was so: effective, authored, onset or recorded time, in Norway's clock; None when nothing tells."""
    held = resource or {}
    found = [held.get(name) for name in _TIMES]
    for name in _PERIODS:
        period = held.get(name)
        if isinstance(period, dict):
            found.append(period.get("start"))
    for one in found:
        if isinstance(one, str) and one:
            known = _read.get(one)
            if known is None:
                try:
                    known = local(parse(one))
                except ValueError:
                    continue
                if len(_read) >= _MOST_READ:
                    _read.clear()
                _read[one] = known
            return known
    return None


_read: dict[str, datetime] = {}
"""Instants as they were written, and what they are: a view that runs again reads the same ones."""
_MOST_READ = 4096


def newest(resources: Iterable[Resource]) -> list[Resource]:
    """Those that have a time, newest first."""
    timed = [(moment, one) for one in resources if (moment := when(one)) is not None]
    timed.sort(key=lambda pair: pair[0], reverse=True)
    return [one for _, one in timed]


def local(moment: datetime) -> datetime:
    """The moment in Norway's clock."""
    return moment.astimezone(_offset(moment))


def _offset(moment: datetime) -> timezone:
    at = moment.astimezone(UTC)
    return _SUMMER if _last_sunday(at.year, 3) <= at < _last_sunday(at.year, 10) else _WINTER


def _last_sunday(year: int, month: int) -> datetime:
    last = datetime(year, month, 31, 1, tzinfo=UTC)
    return last - timedelta(days=(last.weekday() + 1) % 7)


# --- words --------------------------------------------------------------------------------------------------


def decimal(raw: Any, digits: int | None = None) -> str:
    """A number with decimal comma, without needless zeros unless `digits` says how many. Empty for None."""
    held = number(raw)
    if held is None:
        return ""
    if digits is not None:
        shown = f"{held:.{digits}f}"
    elif held == int(held):
        shown = str(int(held))
    else:
        shown = f"{held:.10f}".rstrip("0")
    return shown.replace(".", ",").replace("-", "−", 1)


def clock(moment: datetime | None) -> str:
    """``15:02``."""
    return f"{moment.hour:02d}:{moment.minute:02d}" if moment else ""


def date(moment: datetime | None, now: datetime | None = None) -> str:
    """``i dag``, ``i går``, ``03.12`` this year, else ``03.12.2024``. Without `now` always the whole date."""
    if moment is None:
        return ""
    if now is not None:
        days = (now.date() - moment.date()).days
        if days in (0, 1):
            return ("i dag", "i går")[days]
        if now.year == moment.year:
            return f"{moment.day:02d}.{moment.month:02d}"
    return f"{moment.day:02d}.{moment.month:02d}.{moment.year:04d}"


def ago(moment: datetime | None, now: datetime) -> str:
    """«nå», «for 12 min siden», «for 4 t siden», «i går 21:10», «for 3 d siden», then the date."""
    if moment is None:
        return ""
    minutes = int((now - moment).total_seconds() // 60)
    if minutes < -1:
        return f"{date(moment, now)} {clock(moment)}".strip()
    if minutes < 1:
        return "nå"
    if minutes < 60:
        return f"for {minutes} min siden"
    days = (now.date() - moment.date()).days
    if days == 0 or minutes < 6 * 60:
        return f"for {minutes // 60} t siden"
    if days == 1:
        return f"i går {clock(moment)}"
    if days < 14:
        return f"for {days} d siden"
    return date(moment, now)


def years(born: str | None, now: datetime) -> int | None:
    """Age in whole years from a birth date; None when it is not known to the day, or wrong."""
    try:
        day = datetime.fromisoformat(born or "")
    except ValueError:
        return None
    age = now.year - day.year - ((now.month, now.day) < (day.month, day.day))
    return age if 0 <= age < 130 else None


_ENTITIES = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'", "nbsp": " "}
_BREAKS = ("br", "/p", "/li", "/div", "/h", "/tr")


def plain(div: str | None) -> str:
    """A narrative's text without its mark-up: lines kept, entities turned into what they stand for."""
    out: list[str] = []
    rest = div if isinstance(div, str) else ""
    while rest:
        before, opened, after = rest.partition("<")
        out.append(_entities(before))
        if not opened:
            break
        tag, _, rest = after.partition(">")
        if tag.lower().startswith(_BREAKS):
            out.append("\n")
    lines = (" ".join(line.split()) for line in "".join(out).split("\n"))
    return "\n".join(lines).strip("\n")


def narrative(text: str) -> str:
    """Plain text as a FHIR narrative's ``div``: a paragraph a line, everything escaped."""
    safe = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    kept = "".join(one for one in safe if one in "\n\t" or one >= " ")  # control characters are not XML
    paragraphs = "".join(f"<p>{line}</p>" for line in kept.split("\n") if line.strip())
    return f'<div xmlns="http://www.w3.org/1999/xhtml">{paragraphs or "<p></p>"}</div>'


def _entities(text: str) -> str:
    if "&" not in text:
        return text
    first, *parts = text.split("&")
    out = [first]
    for part in parts:
        name, found, after = part.partition(";")
        value = _ENTITIES.get(name)
        if value is None and name.startswith("#") and found:
            digits, base = (name[2:], 16) if name[1:2] in ("x", "X") else (name[1:], 10)
            try:
                value = chr(int(digits, base))
            except (ValueError, OverflowError):
                value = None
        out.append(f"&{part}" if value is None or not found else value + after)
    return "".join(out)
