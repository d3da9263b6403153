"""Norwegian identifiers: national numbers and organisation numbers, checked and sorted into classes.

A failed check is an answer, not an exception: the user is warned and may go on (DESIGN §1.8). Sex and century are
read from a number for display only; a record keeps birth date and sex as fields of their own, since numbers issued
after 2032 no longer tell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["fnr", "dnr", "hnr", "tnr", "nhn", "dnr+hnr", "dnr+tnr", "dnr+nhn", "fhn", "length", "checksum", "date"]
INVALID: frozenset[Kind] = frozenset({"length", "checksum", "date"})

_FIRST = (3, 7, 6, 1, 8, 9, 4, 5, 2)
_SECOND = (5, 4, 3, 2, 7, 6, 5, 4, 3, 2)
_ORGANISATION = (3, 2, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True)
class NationalNumber:
    """What an eleven-digit number is.

    `kind`: ``fnr``, ``dnr`` (day + 40), ``hnr`` (month + 40), ``tnr`` (synthetic, month + 80), ``nhn`` (synthetic,
    month + 65), combinations, ``fhn`` (starts with 8 or 9), or why it is invalid: ``length``, ``checksum``, ``date``.
    `born` is None where the number does not tell; `series2032` that only the rule from 2032 accepts it.
    """

    text: str
    kind: Kind
    born: date | None = None
    series2032: bool = False

    @property
    def valid(self) -> bool:
        return self.kind not in INVALID

    @property
    def synthetic(self) -> bool:
        """Whether the number cannot belong to anybody: month + 80 or month + 65."""
        return self.kind in {"tnr", "nhn", "dnr+tnr", "dnr+nhn"}


def national_number(text: str) -> NationalNumber:
    """Class of a national number; spaces are ignored. Never raises."""
    digits = "".join(text.split())
    if len(digits) != 11 or not (digits.isascii() and digits.isdigit()):
        return NationalNumber(digits, "length")
    check = _check_digits(digits)
    if check == "bad":
        return NationalNumber(digits, "checksum")
    if digits[0] in "89":
        return NationalNumber(digits, "fhn", None, check == "2032")
    kind, day, month = _kind(int(digits[:2]), int(digits[2:4]))
    if kind == "date":
        return NationalNumber(digits, "date")
    born = _birth_date(day, month, int(digits[4:6]), int(digits[6:9]), new=check == "2032")
    if born is None and not (check == "2032" and _any_century(day, month, int(digits[4:6]))):
        return NationalNumber(digits, "date")
    return NationalNumber(digits, kind, born, check == "2032")


def _check_digits(digits: str) -> Literal["classic", "2032", "bad"]:
    """From 2032 the first control digit may leave the remainder 0, 1, 2 or 3; the second rule is unchanged."""
    if _control(digits, _SECOND) != int(digits[10]):
        return "bad"
    remainder = (sum(w * int(d) for w, d in zip(_FIRST, digits, strict=False)) + int(digits[9])) % 11
    if remainder == 0:
        return "classic"
    return "2032" if remainder in (1, 2, 3) else "bad"


def _control(digits: str, weights: tuple[int, ...]) -> int:
    """The modulus-11 control digit; 10 means that the number is not used."""
    return (11 - sum(w * int(d) for w, d in zip(weights, digits, strict=False)) % 11) % 11


def _kind(day: int, month: int) -> tuple[Kind, int, int]:
    d_number = day > 40
    day -= 40 if d_number else 0
    for offset, name in ((80, "tnr"), (65, "nhn"), (40, "hnr"), (0, "")):
        if 1 <= month - offset <= 12:
            kinds: dict[tuple[bool, str], Kind] = {
                (False, ""): "fnr",
                (True, ""): "dnr",
                (False, "hnr"): "hnr",
                (False, "tnr"): "tnr",
                (False, "nhn"): "nhn",
                (True, "hnr"): "dnr+hnr",
                (True, "tnr"): "dnr+tnr",
                (True, "nhn"): "dnr+nhn",
            }
            return kinds[d_number, name], day, month - offset
    return "date", day, month


def _birth_date(day: int, month: int, year: int, individual: int, *, new: bool) -> date | None:
    """Birth date by today's century series; None when there is none, or when the number is of the new series."""
    if new:
        return None
    if individual <= 499:
        century = 1900
    elif individual <= 749 and year >= 54:
        century = 1800
    elif year <= 39:
        century = 2000
    elif individual >= 900:
        century = 1900
    else:
        return None
    try:
        return date(century + year, month, day)
    except ValueError:
        return None


def _any_century(day: int, month: int, year: int) -> bool:
    for century in (1900, 2000):
        try:
            date(century + year, month, day)
        except ValueError:
            continue
        return True
    return False


def organisation_number(text: str) -> bool:
    """Whether `text` is nine digits with the right control digit; spaces are ignored."""
    digits = "".join(text.split())
    if len(digits) != 9 or not (digits.isascii() and digits.isdigit()):
        return False
    return _control(digits, _ORGANISATION) == int(digits[8])
