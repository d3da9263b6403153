"""Folding of text for string search: case, accents and Norwegian and Sámi letters do not matter.

Used on both sides of a comparison, so that «Måret», «MARET» and «máret» meet. Never used for display.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "đ": "d", "ŧ": "t", "ŋ": "n", "ð": "d", "þ": "th", "ł": "l"})


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """`text` in the form compared by string search (R4 search, "string"): no case, no accents, single spaces."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign))
    return " ".join(letters.translate(_LETTERS).split())
