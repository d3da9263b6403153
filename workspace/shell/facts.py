"""What the banner says of a patient, from the first moment of a switch on: known, on its way, or not to be had.

Never silent about allergies: a banner without a word of them would be read as "none". Draws nothing, and decides nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workspace.record.people import NEWS2, BannerFacts, Resident
from workspace.shell.banner import BannerText

Fact = tuple[str, str, str]
ALLERGIES = 2
"""So many have room in the banner; that there are more is said."""
ALLERGIES_COMING: Fact = ("Allergier: henter …", "warn", "none")
SAFETY = frozenset({"allergies", "flags", "news2"})
"""What should stand in the banner when it flips."""


class Facts:
    """One patient's, live from the moment it is made until `close`. `unit_name` gives a unit's name by reference.

    `text` is what is known now; `safe` is set when all that safety asks for is known, or known not to be had; `told` is
    called with every newer text."""

    def __init__(
        self,
        directory: Any,
        patient: str,
        name: str,
        known: BannerFacts | None,
        unit_name: Callable[[str], str],
        told: Callable[[BannerText], None],
    ) -> None:
        self._unit_name, self._told = unit_name, told
        self._name, self._known = name, known
        self.safe = asyncio.Event()
        self.text = BannerText(name, facts=[ALLERGIES_COMING]) if known is None else self._text(known)
        self._subscription = directory.watch_banner(patient, self._heard)

    def close(self) -> None:
        """No more is told. Idempotent."""
        self._subscription.close()

    def _heard(self, facts: BannerFacts) -> None:
        self.text = self._text(facts)
        if not SAFETY & facts.waiting:
            self.safe.set()
        self._told(self.text)

    def _text(self, facts: BannerFacts) -> BannerText:
        if not facts.identified:  # it cannot be asked who it is: she chose somebody by name, and that is who it is
            who, age = facts.resident, facts.age
            if self._known is not None:
                who, age = self._known.resident, self._known.age
            elif self._name:
                who = replace(who, name=self._name)
            facts = replace(facts, resident=who, age=age)
        return banner_text(facts, self._unit_name(facts.resident.unit))


def of_list(resident: Resident, age: int | None) -> BannerFacts:
    """Who it is, as the ward's list has it: the rest is on its way."""
    return BannerFacts(resident, age, (), resident.flags, None, "", "", "", waiting=SAFETY - {"flags"})


def banner_text(facts: BannerFacts, unit: str) -> BannerText:
    """The banner's words from the directory's facts."""
    who = facts.resident
    born = (
        f"{facts.age} år · f. {who.birth_date:%d.%m.%Y}" if facts.age is not None and who.birth_date else "alder ukjent"
    )
    number = f"{who.national_id[:6]} {who.national_id[6:]}" if len(who.national_id) == 11 else who.national_id
    room = f"rom {who.room} {unit}".strip() if who.room else unit
    parts = [number, room]
    parts += [f"primærkontakt {facts.primary_contact}"] if facts.primary_contact else []
    parts += [f"lege {facts.doctor}"] if facts.doctor else []
    chips: list[Fact] = []
    if "news2" in facts.waiting:
        chips.append(("NEWS2: henter …", "neutral", "none"))
    elif facts.news2 is not None:
        score, single, _ = facts.news2
        tone, shape = (
            ("bad", "up") if score >= 7 else (("warn", "diamond") if score >= 5 or single else ("neutral", "dot"))
        )
        said = f"NEWS2 {score}, venter" if facts.news2_waits else f"NEWS2 {score}"
        chips.append((said, "ok" if score == 0 else tone, shape))
    if "allergies" in facts.waiting:
        chips.append(ALLERGIES_COMING)
    chips += [(text, tone, "none") for text, tone in facts.allergies[:ALLERGIES]]
    if len(facts.allergies) > ALLERGIES:
        chips.append((f"+ {len(facts.allergies) - ALLERGIES} allergier", "bad", "none"))
    if "flags" in facts.waiting and not facts.flags:
        chips.append(("Varsler: henter …", "neutral", "none"))
    chips += [
        (flag, "bad" if "HLR" in flag and ("−" in flag or "-" in flag) else "neutral", "none")
        for flag in facts.flags[:4]
    ]
    if facts.problem:
        chips.append((facts.problem, "warn", "none"))
    why = f"Du har vakt på {unit}" if unit else ""
    line = " · ".join(part for part in parts if part)
    return BannerText(who.name, born, line, chips, why, who.patient, [_source(facts, words) for words, _, _ in chips])


def _source(facts: BannerFacts, words: str) -> str:
    """What a fact of the banner stands in."""
    return facts.sources.get(NEWS2 if words.startswith("NEWS2 ") else words, "")
