"""One set of vital signs as FHIR: what is saved, and how saved sets are read back. Codes: LOINC and SNOMED CT as Norway's
vital-signs profiles (no-domain) have them. Builds dicts; saves nothing."""

from __future__ import annotations

from news2 import PARTS, total

from workspace.sdk import record, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    from news2 import Scores

    Resource = dict[str, Any]

LOINC = "http://loinc.org"
SNOMED = "http://snomed.info/sct"
UCUM = "http://unitsofmeasure.org"
CATEGORY = {
    "coding": [
        {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"},
    ]
}
NEWS2 = "1104051000000101"
ACVPU = "1104441000000107"
SCALE_2 = "1104321000000108"

# name: (LOINC, SNOMED CT, text, UCUM)
SIMPLE = {
    "respiration": ("9279-1", "271625008", "Respirasjonsfrekvens", "/min"),
    "saturation": ("2708-6", "431314004", "SpO₂", "%"),
    "pulse": ("8867-4", "364075005", "Puls", "/min"),
    "temperature": ("8310-5", "276885007", "Temperatur", "Cel"),
}
_ALSO = {"respiration": ("86290005",), "saturation": ("59408-5",), "pulse": ("78564009",)}
_PAIR = {
    "systolic": ("8480-6", "271649006", "4471000202106"),
    "diastolic": ("8462-4", "271650006", "4481000202108"),
}
_PARTS = {
    "respiration": ("1104301000000104", "Respirasjonsfrekvens"),
    "saturation": (SCALE_2, "SpO₂ skala 2"),
    "oxygen": ("1104331000000105", "Luft eller oksygen"),
    "systolic": ("1104341000000101", "Systolisk blodtrykk"),
    "pulse": ("1104351000000103", "Puls"),
    "consciousness": ("1104361000000100", "Bevissthet (ACVPU)"),
    "temperature": ("1104371000000107", "Temperatur"),
}
AWAKE = {
    "A": "Våken",
    "C": "Nytt forvirret",
    "V": "Reagerer på tiltale",
    "P": "Reagerer på smerte",
    "U": "Reagerer ikke",
}


def measured(values: dict[str, Any], at: str, user: dict[str, str]) -> list[Resource]:
    """The observations of what was measured; nothing for what was not. Their patient is added by `ctx.create`."""
    made = [_simple(name, values) for name in SIMPLE if values.get(name) is not None]
    if values.get("oxygen") is not None and values.get("saturation") is None:
        made.append({"code": _code("3151-8", "", "Oksygen"), "valueQuantity": _amount(values["oxygen"], "L/min")})
    if values.get("systolic") is not None or values.get("diastolic") is not None:
        made.append(_pressure(values))
    if values.get("consciousness"):
        letter = values["consciousness"]
        coding = {"system": SNOMED, "code": ACVPU, "display": "ACVPU"}
        value = {"coding": [{"code": letter, "display": AWAKE.get(letter, letter)}], "text": AWAKE.get(letter, letter)}
        made.append({"code": {"coding": [coding], "text": "Bevissthet (ACVPU)"}, "valueCodeableConcept": value})
    return [_whole(one, at, user) for one in made]


def scored(scores: Scores, scale: int, at: str, user: dict[str, str], sources: list[str]) -> Resource:
    """The NEWS2 observation, derived from `sources` (urn:uuids of the measured ones), with a component for each part."""
    components = []
    for name in PARTS:
        code, text = _PARTS[name]
        coding = [{"system": SNOMED, "code": code}]
        if name == "saturation" and scale == 1:
            # No code for the part on scale 1 is published: the measurement's own says what was scored.
            coding, text = [{"system": LOINC, "code": "2708-6"}], "SpO₂ skala 1"
        components.append({"code": {"coding": coding, "text": text}, "valueQuantity": _amount(scores[name], "{score}")})
    one = {
        "code": {"coding": [{"system": SNOMED, "code": NEWS2, "display": "NEWS2"}], "text": "NEWS2"},
        "valueQuantity": _amount(total(scores), "{score}"),
        "derivedFrom": [{"reference": source} for source in sources],
        "component": components,
    }
    return _whole(one, at, user)


def _whole(one: Resource, at: str, user: dict[str, str]) -> Resource:
    about = {"resourceType": "Observation", "status": "final", "category": [CATEGORY], "effectiveDateTime": at}
    return {**about, "performer": [record.person(user)], **one}


def _simple(name: str, values: dict[str, Any]) -> Resource:
    loinc, snomed, text, unit = SIMPLE[name]
    one: Resource = {"code": _code(loinc, snomed, text), "valueQuantity": _amount(values[name], unit)}
    if name == "saturation" and values.get("oxygen") is not None:
        flow = {"code": _code("3151-8", "", "Oksygen"), "valueQuantity": _amount(values["oxygen"], "L/min")}
        one["component"] = [flow]
    return one


def _pressure(values: dict[str, Any]) -> Resource:
    known = (
        ("systolic", _code("8480-6", "4471000202106", "Systolisk")),
        ("diastolic", _code("8462-4", "4481000202108", "Diastolisk")),
    )
    components = [
        {"code": code, "valueQuantity": _amount(values[name], "mm[Hg]")}
        for name, code in known
        if values.get(name) is not None
    ]
    return {"code": _code("85354-9", "75367002", "Blodtrykk"), "component": components}


def _code(loinc: str, snomed: str, text: str) -> Resource:
    coding = [{"system": LOINC, "code": loinc}]
    if snomed:
        coding.append({"system": SNOMED, "code": snomed})
    return {"coding": coding, "text": text}


def _amount(value: Any, unit: str) -> Resource:
    return {"value": value, "unit": unit, "system": UCUM, "code": unit}


# --- reading back -------------------------------------------------------------------------------------------


def sets(observations: Iterable[Resource]) -> list[tuple[datetime, dict[str, Any]]]:
    """Saved sets, newest first: the instant, and values by name (``news2``, ``by`` and ``scores`` too; ``about`` is
    one of its observations, one that waits if any does, and ``abouts`` the one of each name). Observations
    without a time, a known code or a value, and those entered in error, are left out."""
    found: dict[datetime, dict[str, Any]] = {}
    for one in observations:
        moment = record.when(one)
        if moment is None or one.get("status") == "entered-in-error":
            continue
        values = _values(one)
        if values:
            known = found.setdefault(moment, {})
            known.update(values)
            known.setdefault("by", record.who(one))
            known.setdefault("abouts", {}).update(dict.fromkeys(values, record.name(one)))
            if record.waits(one) or "about" not in known:
                known["about"] = record.name(one)
    return sorted(found.items(), key=lambda pair: pair[0], reverse=True)


def _values(one: Resource) -> dict[str, Any]:
    codes = record.codes(one)
    if NEWS2 in codes:
        scores = [record.number(record.value(part)) for part in one.get("component") or []]
        total = record.number(record.value(one))
        return {} if total is None else {"news2": total, "scores": [s for s in scores if s is not None]}
    if ACVPU in codes or "67775-7" in codes:
        letter = str(record.value(one) or "")[:1]
        return {"consciousness": letter} if letter else {}
    if not codes.isdisjoint(("85354-9", "75367002")):
        read = {name: _in(_component(one, wanted), "mm[Hg]") for name, wanted in _PAIR.items()}
        return {name: value for name, value in read.items() if value is not None}
    for name, (loinc, snomed, _, unit) in SIMPLE.items():
        if not codes.isdisjoint((loinc, snomed, *_ALSO.get(name, ()))):
            value = _in(one, unit)
            flow = _in(record.component(one, "3151-8"), "L/min") if name == "saturation" else None
            made = {} if value is None else {name: value}
            return made if flow is None else {**made, "oxygen": flow}
    if "3151-8" in codes:
        flow = _in(one, "L/min")
        return {} if flow is None else {"oxygen": flow}
    return {}


def _component(one: Resource, wanted: tuple[str, ...]) -> Resource | None:
    return next((part for code in wanted if (part := record.component(one, code)) is not None), None)


def _in(one: Resource | None, unit: str) -> float | str | None:
    """The number in `unit`; as recorded, with its own unit, where it cannot be turned into that or is a limit («< 90 %»);
    None without a number."""
    held = record.value(one)
    value = record.number(held)
    if one is not None and units.is_limit(one.get("valueQuantity")):
        return f"{held} {record.unit(one)}".strip() if held else None
    if value is None or one is None:
        return None
    found = units.amount(one.get("valueQuantity"), unit, record.codes(one))
    if found is None:
        return f"{record.decimal(value)} {record.unit(one)}".strip()
    return found if found == value or unit == "Cel" else units.rounded(found, value)  # a column rounds degrees itself
