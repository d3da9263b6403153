"""What every component keeps to: the room of the focus ring, and the ink of a label."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QLabel

from workspace.shell.theme import Theme

RING = 3
"""What fields keep free around their box for the focus ring; the rest keeps it too, to stand in line."""


def ink(label: QLabel, theme: Theme, token: str, *, tone: str = "neutral") -> None:
    """Give a label the colour of a token, or of a tone that is not neutral."""
    dressed = label.palette()
    dressed.setColor(QPalette.ColorRole.WindowText, theme.color(token) if tone == "neutral" else theme.tone(tone))
    label.setPalette(dressed)
