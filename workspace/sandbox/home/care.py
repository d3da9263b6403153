"""The rest of a resident's day: doses given, notes written, laboratory answers and falls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from html import escape
from random import Random

from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home import former
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Analyte, Member, Order, Resident
from workspace.sandbox.home.people import Roster, shift_of
from workspace.sandbox.home.shapes import (
    ATC,
    DOCUMENTS,
    LOINC,
    NLK,
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

LABORATORY = [{"coding": [coding(TERMINOLOGY + "observation-category", "laboratory", "Laboratory")]}]
NOTE = concept("Journalnotat", coding(DOCUMENTS, "B02-2", "Journalnotat"))
FALL = concept("Fall", coding(SNOMED, "161898004", "Fall"))
LAB = {"display": "UNN"}
REASONS = (
    ("Avslått av beboer",) * 8 + ("Sov",) * 5 + ("Ikke til stede",) * 3 + ("Kvalme",) * 2 + ("Mangler i skapet",) * 2
)
WRITTEN = {"day": (time(13, 25), 0.62), "evening": (time(20, 50), 0.72), "night": (time(5, 50), 0.4)}
QUIET = timedelta(hours=20)
"""Residents with a story are written about by their script alone in the last hours."""
PANEL: dict[str, tuple[float, float]] = {
    "NOR05172": (13.2, 0.7),
    "NPU02593": (7.1, 1.3),
    "NPU19748": (4, 3),
    "NPU04998": (78, 9),
    "NOR25909": (68, 8),
    "NPU03429": (140, 2),
    "NPU03230": (4.0, 0.2),
    "NPU19673": (39, 2.5),
    "NPU01700": (330, 80),
    "NPU03577": (2.1, 0.8),
}
ALTERED: dict[str, dict[str, tuple[float, float]]] = {
    "U99": {"NOR25909": (46, 4), "NPU04998": (122, 10)},
    "B80": {"NOR05172": (10.6, 0.4)},
    "B82": {"NOR05172": (9.4, 0.5)},
    "T05": {"NPU19673": (32, 2)},
    "T90": {"NPU27300": (54, 4)},
}


class Care:
    """Makes one day's doses, notes, answers and falls for one resident."""

    def __init__(self, home: Home, roster: Roster) -> None:
        self._home, self._roster = home, roster
        self._order = {own: at for at, own in enumerate([*home.residents, *home.former])}
        self._problems: dict[str, list[str]] = {}
        for who, key, *_ in home.conditions:
            self._problems.setdefault(who, []).append(home.diagnoses[key].icpc2)
        for who in home.former:
            self._problems[who] = [home.diagnoses[key].icpc2 for key in former.diagnoses(who)]
        self._falling = {who for who, text, _ in home.flags if text == "Fall"}

    def day(self, one: Resident, day: date) -> Iterator[Resource]:
        yield from self._doses(one, day)
        yield from self._notes(one, day)
        yield from self._answers(one, day)
        yield from self._falls(one, day)

    # --- doses --------------------------------------------------------------------------------------------

    def _doses(self, one: Resident, day: date) -> Iterator[Resource]:
        chance = Random(f"{one.id}/{day}/doses")
        for order in self._home.orders.get(one.id, ()):
            if order.authored.date() > day or (order.until and order.until < day):
                continue
            weekly = "mandag" in order.drug.dose and day.weekday() != 0
            for clock in () if weekly else order.drug.times:
                planned = datetime.combine(day, time.fromisoformat(clock), OSLO)
                late = chance.random() < (0.06 if day.month == 7 else 0.02)
                minutes = chance.randint(65, 110) if late else chance.randint(-12, 28)
                missed = chance.random() < 0.03
                at = planned + timedelta(minutes=minutes)
                member = self._roster.someone(one, at, chance)
                if order.authored <= planned and at <= self._home.now:
                    yield dose(one, order, f"{day:%Y%m%d}-{clock.replace(':', '')}", at, member, missed, chance)
            if not order.drug.times and chance.random() < 0.08:
                at = datetime.combine(day, time(1), OSLO) + timedelta(minutes=chance.randrange(22 * 60))
                member = self._roster.someone(one, at, chance)
                if order.authored <= at <= self._home.now:
                    yield dose(one, order, f"{day:%Y%m%d}-vb", at, member, False, chance)

    # --- notes --------------------------------------------------------------------------------------------

    def _notes(self, one: Resident, day: date) -> Iterator[Resource]:
        for event in self._home.notes.get(one.id, ()):
            if event.at.date() == day:
                yield note(one, event.at, str(event.values["text"]), self._home.staff[event.by])
        chance = Random(f"{one.id}/{day}/notes")
        story = one.id in self._home.vitals or one.id in self._home.notes
        for clock, likely in WRITTEN.values():
            at = datetime.combine(day, clock, OSLO) + timedelta(minutes=chance.randrange(70))
            text, member = self._text(one, at, chance), self._roster.someone(one, at, chance)
            written = chance.random() < likely
            limit = self._home.now - QUIET if story else self._home.now
            if written and at <= limit:
                yield note(one, at, text, member)

    def _text(self, one: Resident, at: datetime, chance: Random) -> str:
        shift = shift_of(at)
        problems = [code for code in self._problems.get(one.id, ()) if code in self._home.templates]
        table = chance.choice(problems) if problems and chance.random() < 0.45 else "all"
        return chance.choice(self._home.templates[table][shift]).replace("{name}", one.given)

    # --- laboratory ---------------------------------------------------------------------------------------

    def _answers(self, one: Resident, day: date) -> Iterator[Resource]:
        scripted = [event for event in self._home.labs.get(one.id, ()) if event.at.date() == day]
        for event in scripted:
            asked = self._home.analytes[str(event.values["code"])]
            yield answer(one, event.at, asked, float(event.values["value"]))
        if scripted:
            return
        chance = Random(f"{one.id}/{day}/labs")
        if (day.toordinal() + 9 * self._order[one.id]) % 84 == 0 and day < date(2026, 1, 8):
            at = datetime.combine(day, time(10, 15), OSLO) + timedelta(minutes=chance.randrange(90))
            wanted: dict[str, tuple[float, float]] = dict(PANEL)
            for problem in self._problems.get(one.id, ()):
                wanted |= ALTERED.get(problem, {})
            for code, (middle, spread) in wanted.items():
                analyte = self._home.analytes[code]
                value = round(max(middle / 5, chance.gauss(middle, spread)), analyte.decimals)
                yield answer(one, at, analyte, value if analyte.decimals else int(value))
        if "T90" in self._problems.get(one.id, ()):
            at = datetime.combine(day, time(7, 35), OSLO) + timedelta(minutes=chance.randrange(40))
            value = round(max(3.6, chance.gauss(7.6, 1.7)), 1)
            member = self._roster.someone(one, at, chance)
            if at <= self._home.now and day.weekday() in (0, 2, 4):
                yield answer(one, at, self._home.analytes["NPU02187"], value) | {"performer": [by(member)]}

    # --- falls --------------------------------------------------------------------------------------------

    def _falls(self, one: Resident, day: date) -> Iterator[Resource]:
        for event in self._home.falls.get(one.id, ()):
            if event.at.date() == day:
                yield fall(one, event.at, str(event.values["note"]), self._home.staff[event.by])
        chance = Random(f"{one.id}/{day}/falls")
        if day < date(2026, 1, 5) and chance.random() < (0.009 if one.id in self._falling else 0.0034):
            at = datetime.combine(day, time(0, 20), OSLO) + timedelta(minutes=chance.randrange(23 * 60))
            text = chance.choice(
                (
                    "Funnet sittende på gulvet ved sengen. Ingen ytre skade.",
                    "Falt på vei til toalettet. Blåmerke på hofte.",
                    "Gled ut av stolen. Ingen skade, ingen smerte.",
                    "Snublet i gangen, skrubbsår på albue.",
                )
            )
            yield fall(one, at, text, self._roster.someone(one, at, chance))


# --- as FHIR ------------------------------------------------------------------------------------------------


def dose(
    one: Resident, order: Order, slot: str, at: datetime, member: Member, missed: bool, chance: Random
) -> Resource:
    """A dose given, or not given with its reason."""
    drug = order.drug
    made = resource(
        "MedicationAdministration",
        f"{order.id}-{slot}",
        at,
        status="not-done" if missed else "completed",
        medicationCodeableConcept=concept(drug.name, coding(ATC, drug.atc)),
        subject=patient(one),
        context=stay(one),
        effectiveDateTime=at.isoformat(),
        performer=[{"actor": by(member)}],
        request={"reference": f"MedicationRequest/{order.id}"},
    )
    if missed:
        made["statusReason"] = [concept(chance.choice(REASONS))]
    else:
        made["dosage"] = {"text": drug.dose}
    return made


def note(one: Resident, at: datetime, text: str, member: Member) -> Resource:
    div = f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{escape(text, quote=False)}</p></div>'
    made = resource(
        "Composition",
        f"{one.id}-{at:%Y%m%d%H%M}-notat",
        at,
        "Composition",
        status="final",
        type=NOTE,
        subject=patient(one),
        encounter=stay(one),
        date=at.isoformat(),
        author=[by(member)],
        title="Journalnotat",
        section=[{"title": "Notat", "text": {"status": "generated", "div": div}}],
    )
    return written_in("polarvakt.note@1.0.0", made)


def answer(one: Resident, at: datetime, analyte: Analyte, value: float) -> Resource:
    """A laboratory answer with its reference interval, flagged when outside it."""
    made = resource(
        "Observation",
        f"{one.id}-{at:%Y%m%d%H%M}-{analyte.code.lower()}",
        at,
        status="final",
        category=LABORATORY,
        code=concept(analyte.name, coding(NLK, analyte.code, analyte.name), coding(LOINC, analyte.loinc)),
        subject=patient(one),
        encounter=stay(one),
        effectiveDateTime=at.isoformat(),
        issued=at.isoformat(),
        performer=[LAB],
        valueQuantity=amount(int(value) if value == int(value) else value, analyte.unit, analyte.ucum),
    )
    limits = {"low": analyte.low, "high": analyte.high}
    made["referenceRange"] = [
        {side: amount(limit, analyte.unit, analyte.ucum) for side, limit in limits.items() if limit is not None}
    ]
    flag = "L" if analyte.low is not None and value < analyte.low else ""
    flag = "H" if analyte.high is not None and value > analyte.high else flag
    if flag:
        word = "Over referanse" if flag == "H" else "Under referanse"
        made["interpretation"] = [concept(word, coding(TERMINOLOGY + "v3-ObservationInterpretation", flag))]
    return made


def fall(one: Resident, at: datetime, text: str, member: Member) -> Resource:
    return resource(
        "Observation",
        f"{one.id}-{at:%Y%m%d%H%M}-fall",
        at,
        status="final",
        category=[{"coding": [coding(TERMINOLOGY + "observation-category", "survey")]}],
        code=FALL,
        subject=patient(one),
        encounter=stay(one),
        effectiveDateTime=at.isoformat(),
        performer=[by(member)],
        valueBoolean=True,
        note=[{"text": text, "time": at.isoformat()}],
    )
