"""Sets of vital signs: when they are taken, what they show, and how they look as FHIR.

The scripted sets of a story replace the made-up ones from its first day on. Weights are here too: they are vital
signs to the record. Nothing is made for a moment after the home's own now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta
from math import sin
from random import Random

from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home import news2
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Member, Resident
from workspace.sandbox.home.people import Roster
from workspace.sandbox.home.shapes import (
    LOINC,
    SNOMED,
    TERMINOLOGY,
    amount,
    by,
    coding,
    concept,
    patient,
    resource,
    stay,
    written_in,
)

Values = dict[str, float | str]

PANEL = "nordlys.vitals@1.0.0"
PROFILE = "http://hl7.org/fhir/StructureDefinition/vitalsigns"
CATEGORY = [{"coding": [coding(TERMINOLOGY + "observation-category", "vital-signs", "Vital Signs")]}]
SCORE = [coding(SNOMED, "1104051000000101", "NEWS2")]
CONSCIOUSNESS = concept("Bevissthet (ACVPU)", coding(SNOMED, "1104441000000107", "ACVPU"))
AWAKE = {
    "A": "Våken",
    "C": "Nytt forvirret",
    "V": "Reagerer på tiltale",
    "P": "Reagerer på smerte",
    "U": "Reagerer ikke",
}
PARTS = {
    "respiration": concept("Respirasjonsfrekvens", coding(SNOMED, "1104301000000104")),
    "oxygen": concept("Luft eller oksygen", coding(SNOMED, "1104331000000105")),
    "systolic": concept("Systolisk blodtrykk", coding(SNOMED, "1104341000000101")),
    "pulse": concept("Puls", coding(SNOMED, "1104351000000103")),
    "consciousness": concept("Bevissthet (ACVPU)", coding(SNOMED, "1104361000000100")),
    "temperature": concept("Temperatur", coding(SNOMED, "1104371000000107")),
}
SATURATION = {
    1: concept("SpO₂ skala 1", coding(LOINC, "2708-6")),
    2: concept("SpO₂ skala 2", coding(SNOMED, "1104321000000108")),
}
SIMPLE = {
    "respiration": (
        "resp",
        concept("Respirasjonsfrekvens", coding(LOINC, "9279-1"), coding(SNOMED, "271625008")),
        "/min",
    ),
    "saturation": ("spo2", concept("SpO₂", coding(LOINC, "2708-6"), coding(SNOMED, "431314004")), "%"),
    "pulse": ("puls", concept("Puls", coding(LOINC, "8867-4"), coding(SNOMED, "364075005")), "/min"),
    "temperature": ("temp", concept("Temperatur", coding(LOINC, "8310-5"), coding(SNOMED, "276885007")), "Cel"),
}
FLOW = concept("Oksygen", coding(LOINC, "3151-8"))
PRESSURE = concept("Blodtrykk", coding(LOINC, "85354-9"), coding(SNOMED, "75367002"))
SIDES = {
    "systolic": concept("Systolisk", coding(LOINC, "8480-6"), coding(SNOMED, "4471000202106")),
    "diastolic": concept("Diastolisk", coding(LOINC, "8462-4"), coding(SNOMED, "4481000202108")),
}
WEIGHT = concept("Vekt", coding(LOINC, "29463-7"), coding(SNOMED, "27113001"))

WINTER = date(2025, 12, 1)
"""From here on the sets come every third day; before it every seventh."""
STORIES = date(2026, 1, 5)
"""From here on illness is scripted, never drawn."""


class Vitals:
    """Makes one day's sets and weight for one resident."""

    def __init__(self, home: Home, roster: Roster) -> None:
        self._home, self._roster = home, roster
        self._order = {own: at for at, own in enumerate([*home.residents, *home.former])}
        self._scale_2 = {who for who, text, _ in home.flags if text == "NEWS2 skala 2"}
        self._on_oxygen = {who for who, held in home.orders.items() if any(one.drug.key == "oksygen" for one in held)}
        self._losing = {who for who, key, *_ in home.conditions if key.startswith("T05")}

    def scale(self, one: Resident) -> int:
        return 2 if one.id in self._scale_2 else 1

    def day(self, one: Resident, day: date) -> Iterator[Resource]:
        scripted = self._home.vitals.get(one.id, ())
        if scripted and scripted[0].at.date() <= day:
            for event in scripted:
                if event.at.date() == day:
                    yield from vital_set(one, event.at, event.values, self._home.staff[event.by], self.scale(one))
        else:
            yield from self._made(one, day)
        yield from self._weight(one, day)

    # --- made up ------------------------------------------------------------------------------------------

    def _made(self, one: Resident, day: date) -> Iterator[Resource]:
        ill = self.illness(one, day)
        chance = Random(f"{one.id}/{day}/vitals")
        clocks = [time(8, 30), time(20, 5)] if ill else [time(9, 5)] if self._due(one, day) else []
        for clock in clocks:
            at = datetime.combine(day, clock, OSLO) + timedelta(minutes=chance.randrange(75))
            values = self._values(one, ill, chance)
            member = self._roster.someone(one, at, chance)
            if at <= self._home.now and chance.random() > 0.03:  # some planned sets are never taken
                yield from vital_set(one, at, values, member, self.scale(one))

    def _due(self, one: Resident, day: date) -> bool:
        if self._home.units[one.unit].short_stay:
            return True
        return (day.toordinal() + self._order[one.id]) % (3 if day >= WINTER else 7) == 0

    def illness(self, one: Resident, day: date) -> float:
        """How ill, 0 to 1: an infection of some days that rises quickly and fades. The same whatever window is asked."""
        if day >= STORIES:
            return 0.0
        for back in range(6):
            began = day - timedelta(days=back)
            season = 1.6 if began.month in (1, 2, 3, 12) else 0.8
            chance = Random(f"{one.id}/{began}/illness")
            if chance.random() < 0.0072 * season:
                length, worst = chance.randint(4, 6), chance.uniform(0.45, 1.0)
                return worst * (1 - back / length) if back < length else 0.0
        return 0.0

    def _values(self, one: Resident, ill: float, chance: Random) -> Values:
        usual = one.usual
        oxygen = 1 if one.id in self._on_oxygen else 1 if ill > 0.85 else 0
        saturation = usual["saturation"] + chance.choice((-2, -1, -1, 0, 0, 1)) - round(5 * ill)
        if one.id not in self._on_oxygen and not ill:
            saturation = max(95, saturation)
        return {
            "respiration": usual["respiration"] + chance.choice((-1, 0, 0, 1)) + round(8 * ill),
            "saturation": min(99, saturation),
            "oxygen": oxygen,
            "systolic": max(112 if not ill else 88, usual["systolic"] + chance.randint(-9, 9) - round(22 * ill)),
            "diastolic": usual["diastolic"] + chance.randint(-5, 5) - round(8 * ill),
            "pulse": usual["pulse"] + chance.randint(-6, 7) + round(34 * ill),
            "consciousness": "C" if ill > 0.8 and chance.random() < 0.4 else "A",
            "temperature": round(usual["temperature"] + chance.choice((-0.2, -0.1, 0.0, 0.1, 0.2)) + 2.1 * ill, 1),
        }

    def _weight(self, one: Resident, day: date) -> Iterator[Resource]:
        scripted = self._home.weights.get(one.id, ())
        if scripted and scripted[0].at.date() <= day:
            for event in scripted:
                if event.at.date() == day:
                    yield weight(one, event.at, float(event.values["kg"]), self._home.staff[event.by])
            return
        if day.weekday() != self._order[one.id] % 5:
            return
        chance = Random(f"{one.id}/{day}/weight")
        at = datetime.combine(day, time(8, 0), OSLO) + timedelta(minutes=chance.randrange(60))
        back = (self._home.now.date() - day).days
        drift = min(5.0, back * 0.012) if one.id in self._losing else min(2.0, back * 0.002)
        kilos = one.weight + drift + 0.5 * sin(back / 29 + self._order[one.id]) + chance.gauss(0, 0.15)
        member = self._roster.someone(one, at, chance)
        if at <= self._home.now:
            yield weight(one, at, round(kilos, 1), member)


# --- as FHIR ------------------------------------------------------------------------------------------------


def vital_set(
    one: Resident, at: datetime, values: Mapping[str, float | str], member: Member, scale: int
) -> list[Resource]:
    """One set: the six measured and the score last, derived from them."""
    stem = f"{one.id}-{at:%Y%m%d%H%M}"
    made = []
    for name, (short, code, unit) in SIMPLE.items():
        measured = observation(
            one, f"{stem}-{short}", at, code, member, valueQuantity=amount(float(values[name]), unit)
        )
        if name != "temperature":
            measured["valueQuantity"]["value"] = int(values[name])
        if name == "saturation":
            measured["component"] = [{"code": FLOW, "valueQuantity": amount(values["oxygen"], "L/min")}]  # type: ignore[arg-type]
        made.append(measured)
    sides = [{"code": code, "valueQuantity": amount(int(values[name]), "mm[Hg]")} for name, code in SIDES.items()]
    made.append(observation(one, f"{stem}-bt", at, PRESSURE, member, component=sides))
    letter = str(values["consciousness"])
    awake = concept(AWAKE[letter], {"code": letter, "display": AWAKE[letter]})
    made.append(observation(one, f"{stem}-acvpu", at, CONSCIOUSNESS, member, valueCodeableConcept=awake))
    made.append(score(one, stem, at, values, member, scale, [f"Observation/{each['id']}" for each in made]))
    return made


def score(
    one: Resident,
    stem: str,
    at: datetime,
    values: Mapping[str, float | str],
    member: Member,
    scale: int,
    sources: list[str],
) -> Resource:
    scores = news2.parts(values, scale)
    codes = PARTS | {"saturation": SATURATION[scale]}
    return observation(
        one,
        f"{stem}-news2",
        at,
        {"coding": SCORE, "text": "NEWS2"},
        member,
        valueQuantity=amount(sum(scores.values()), "{score}"),
        derivedFrom=[{"reference": source} for source in sources],
        component=[{"code": codes[name], "valueQuantity": amount(scores[name], "{score}")} for name in news2.PARTS],
    )


def weight(one: Resident, at: datetime, kilos: float, member: Member) -> Resource:
    own = f"{one.id}-{at:%Y%m%d%H%M}-vekt"
    return observation(one, own, at, WEIGHT, member, valueQuantity=amount(kilos, "kg"))


def observation(one: Resident, own: str, at: datetime, code: Resource, member: Member, **value: object) -> Resource:
    made = resource(
        "Observation",
        own,
        at,
        PROFILE,
        status="final",
        category=CATEGORY,
        code=code,
        subject=patient(one),
        encounter=stay(one),
        effectiveDateTime=at.isoformat(),
        performer=[by(member)],
        **value,
    )
    return written_in(PANEL, made)
