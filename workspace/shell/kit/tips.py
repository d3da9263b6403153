"""Tool tips from texts that vendors wrote: Qt reads mark-up in them, and a panel must not get to draw or fetch with it."""

from __future__ import annotations

from html import escape


def plain_tip(text: str) -> str:
    """The text as Qt will show it letter by letter, broken into lines; "" stays "" (no tip)."""
    return f"<qt>{escape(text)}</qt>" if text else ""
