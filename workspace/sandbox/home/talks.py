"""What was said with relatives and with others outside: calls, visits and messages of a day.

The scripted ones stand in `messages.csv`; ordinary days are made up. Never tells anybody anything by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Member, Relative, Resident
from workspace.sandbox.home.people import Roster, shift_of
from workspace.sandbox.home.shapes import TERMINOLOGY, by, coding, concept, patient, resource, stay, to

KINDS = {
    "parorende": "Pårørende",
    "fastlege": "Fastlege",
    "sykehus": "Sykehus",
    "hjemmetjeneste": "Hjemmetjeneste",
    "apotek": "Apotek",
    "tolk": "Tolketjeneste",
    "offentlig": "Offentlig etat",
    "melding": "Elektronisk melding",
}
MESSAGES = "urn:fjellheim:melding"
RELATIVES = 0.17
"""Share of days on which somebody's relatives are heard of."""
OTHERS = 0.08
QUIET = timedelta(hours=20)
"""Residents with a story are spoken about by their script alone in the last hours."""


class Talks:
    """Makes one day's communications about one resident."""

    def __init__(self, home: Home, roster: Roster) -> None:
        self._home, self._roster = home, roster
        self._relatives: dict[str, list[Relative]] = {}
        for relative in home.relatives:
            self._relatives.setdefault(relative.resident, []).append(relative)

    def day(self, one: Resident, day: date) -> Iterator[Resource]:
        scripted = [event for event in self._home.messages.get(one.id, ()) if event.at.date() == day]
        for event in scripted:
            told = {name: str(value) for name, value in event.values.items()}
            incoming = told["incoming"] == "yes"
            yield self._made(
                one, event.at, told["kind"], incoming, self._home.staff[event.by], told["text"], told["status"]
            )
        chance = Random(f"{one.id}/{day}/talks")
        relatives = self._relatives.get(one.id, [])
        kinds = (("contacts", "parorende", RELATIVES), ("messages", "melding", OTHERS))
        for table, kind, share in kinds:
            drawn, minutes, incoming = chance.random(), chance.randrange(12 * 60), chance.random() < 0.7
            text, index = chance.random(), chance.random()
            at = datetime.combine(day, time(9), OSLO) + timedelta(minutes=minutes)
            quiet = one.id in self._home.messages and at > self._home.now - QUIET
            if drawn >= share or at > self._home.now or quiet or (kind == "parorende" and not relatives):
                continue
            texts = self._home.templates[table][shift_of(at)]
            relation = relatives[int(index * len(relatives))].relation.capitalize() if relatives else ""
            said = texts[int(text * len(texts))].replace("{name}", one.given).replace("{relation}", relation)
            member = self._roster.someone(one, at, chance)
            number = int(index * len(relatives)) + 1
            yield self._made(one, at, kind, incoming, member, said, "completed", number)

    def _made(
        self,
        one: Resident,
        at: datetime,
        kind: str,
        incoming: bool,
        member: Member,
        text: str,
        status: str,
        number: int = 1,
    ) -> Resource:
        other: Resource = {"display": KINDS[kind]}
        if kind == "parorende" and self._relatives.get(one.id):
            who = self._relatives[one.id][number - 1]
            other = to("RelatedPerson", f"{one.id}-parorende-{number}", f"{who.given} {who.family}")
        elif kind == "fastlege":
            other = by(self._home.staff[one.gp])
        phone = kind == "parorende"
        return resource(
            "Communication",
            f"{one.id}-{at:%Y%m%d%H%M}-{kind}",
            at,
            status=status,
            category=[concept(KINDS[kind], coding(MESSAGES, kind, KINDS[kind]))],
            medium=[concept("Telefon" if phone else "Melding", _medium("PHONE" if phone else "ELECTRONIC"))],
            priority="routine",
            subject=patient(one),
            encounter=stay(one),
            sent=at.isoformat(),
            received=at.isoformat(),
            sender=other if incoming else by(member),
            recipient=[by(member) if incoming else other],
            payload=[{"contentString": text}],
        )


def _medium(code: str) -> Resource:
    return coding(TERMINOLOGY + "v3-ParticipationMode", code)
