"""Values that were measured once and are quoted in a note: found, put into words, and counted. Pure.

A quotation is a piece of text with the observations it came from. It counts as reused while it still stands in the note as
it was put in; take it out or change it, and it no longer does.
"""

from __future__ import annotations

from workspace.sdk import record, units

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from typing import Any

    Resource = dict[str, Any]

# title, codes (LOINC, SNOMED CT), what stands after the number, its unit
QUOTED = (
    ("Pust", ("9279-1", "271625008", "86290005"), "", "/min"),
    ("SpO₂", ("2708-6", "59408-5", "431314004"), " %", "%"),
    ("Temp", ("8310-5", "276885007"), "", "Cel"),
    ("Puls", ("8867-4", "364075005", "78564009"), "", "/min"),
)
_BETWEEN = "\t"


class Quote:
    """`said` («Pust 25», «SpO₂ 91 %»), `source` («fra Vitale målinger, Tone 15:02»), `refs` the observations, and
    `numbers` as they are shown."""

    def __init__(self, said: list[str], source: str, refs: list[str], numbers: list[str], at: datetime) -> None:
        self.said, self.source, self.refs, self.numbers, self.at = said, source, refs, numbers, at

    @property
    def sentence(self) -> str:
        """What is put into the note."""
        return f"{' · '.join(self.said)} ({self.source})"

    def packed(self) -> str:
        """As it is kept in state, beside the text."""
        return " ".join(self.refs) + _BETWEEN + self.sentence


def quote(observations: Iterable[Resource], now: datetime) -> Quote | None:
    """The newest set of vital signs: values measured at the same time as the newest of them."""
    usable = [one for one in observations if one.get("status") != "entered-in-error"]
    newest = [one for one in record.newest(usable) if wanted(one)]
    if not newest:
        return None
    at = record.when(newest[0])
    if at is None:
        return None
    said, refs, numbers = [], [], []
    for title, codes, after, unit in QUOTED:
        for one in newest:
            value = shown(one, unit)
            if record.when(one) == at and record.has_code(one, *codes) and value:
                said.append(f"{title} {value}{after}")
                refs.append(f"Observation/{one.get('id')}")
                numbers.append(value.split()[-1])
                break
    words = record.who(newest[0]).split()
    day = "" if at.date() == now.date() else f"{record.date(at, now)} "
    by = f"{words[0]} " if words else ""
    return Quote(said, f"fra Vitale målinger, {by}{day}{record.clock(at)}", refs, numbers, at)


def wanted(one: Resource) -> bool:
    """Whether it is one of those quoted, in a unit that can be turned into the one it is quoted in."""
    return bool(one.get("id")) and any(
        record.has_code(one, *codes) and shown(one, unit) for _, codes, _, unit in QUOTED
    )


def shown(one: Resource, unit: str) -> str:
    held = one.get("valueQuantity")
    value = units.edge(held, unit, record.codes(one))
    if value is None or not isinstance(held, dict):
        return ""
    shown = record.decimal(value if value == held["value"] else units.rounded(value, held["value"]))
    return f"{held['comparator']} {shown}" if units.is_limit(held) else shown


def standing(packed: Any, text: str) -> tuple[list[str], str]:
    """The references quoted in `text` (without repeats), and the text without the quotations."""
    refs: dict[str, None] = {}
    rest = text
    for one in packed if isinstance(packed, list) else []:
        names, _, sentence = str(one).partition(_BETWEEN)
        if sentence and sentence in text:
            refs.update(dict.fromkeys(names.split()))
            rest = rest.replace(sentence, " ")
    return list(refs), rest


def retyped(rest: str, numbers: Iterable[str]) -> int:
    """How many of `numbers` the user has typed anew outside the quotations. Single digits are too common to count."""
    words = "".join(one if one.isdigit() or one == "," else " " for one in rest.replace(".", ",")).split()
    typed = {word.strip(",") for word in words}
    return sum(1 for number in set(numbers) if len(number) > 1 and number in typed)


def counted(reused: int, typed: int) -> str:
    values = "verdi gjenbrukt" if reused == 1 else "verdier gjenbrukt"
    return f"{reused} {values}, {typed} skrevet på nytt"
