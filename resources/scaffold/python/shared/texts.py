"""The panel's words in every language it declares: `texts/<language>.toml`, read once."""

from __future__ import annotations

import tomllib
from pathlib import Path

FOLDER = Path(__file__).parent / "texts"
WORDS = {file.stem: tomllib.loads(file.read_text(encoding="utf-8")) for file in sorted(FOLDER.glob("*.toml"))}
FIRST = "nb"


def word(locale: str, key: str, **values: object) -> str:
    """The text of `key` in `locale`, else in bokmål; ``{name}`` is filled in from `values`."""
    known = WORDS.get(locale) or WORDS.get(locale.partition("-")[0]) or WORDS[FIRST]
    return str(known.get(key) or WORDS[FIRST][key]).format(**values)
