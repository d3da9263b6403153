"""A vendor's words made fit for one line of the shell's own: no line breaks, no invisible or direction-changing signs, no
endless length. What a panel says must never look like something the shell says."""

from __future__ import annotations

import unicodedata

MOST = 300


def one_line(text: str, most: int = MOST) -> str:
    """`text` on one line, at most `most` signs, «…» at the end when cut."""
    # Control, format (direction, zero width) and private signs draw nothing, or draw something else than they say.
    kept = "".join(" " if sign.isspace() else sign for sign in text[: 8 * most] if sign.isspace() or _drawn(sign))
    line = " ".join(kept.split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _drawn(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp")
