"""When the panels on screen were last painted after a change of the record. Only looks, but for the change itself: a
measurement of the open resident with another value, handed to the record as the platform's answer to an own write is."""

from __future__ import annotations

import asyncio
import time
from copy import deepcopy

from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

QUIET = 0.25
"""Seconds without a paint after which all who will repaint have done so."""


class Repaints(QObject):
    def __init__(self, seats):
        super().__init__()
        self._bodies = {seat.body: name for name, seat in seats.items() if seat.drawn}
        self.last, self.panels = 0.0, set()

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            up = watched
            while up is not None and up not in self._bodies:
                up = up.parentWidget()
            if up is not None:
                self.last = time.perf_counter()
                self.panels.add(self._bodies[up])
        return False


async def after_a_change(work, record):
    """``{"ms", "panels"}``: from the change until the last of the panels that repaint for it is painted, and which did."""
    patient = work.patient.context.patient
    rows = [row for row in record.rows("Observation") if (row.get("subject") or {}).get("reference") == patient]
    before = max((row for row in rows if "valueQuantity" in row), key=lambda row: row.get("effectiveDateTime", ""))
    now = deepcopy(before)
    now["valueQuantity"]["value"] = 61 + (int(now["meta"]["versionId"]) % 20)
    now["meta"] |= {"versionId": str(int(now["meta"]["versionId"]) + 1)}
    application = QApplication.instance()
    seen = Repaints(work.seats())
    application.installEventFilter(seen)
    try:
        began = time.perf_counter()
        record.apply({"resourceType": "Bundle", "entry": [{"resource": now}]})
        while time.perf_counter() - max(began, seen.last) < QUIET:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    finally:
        application.removeEventFilter(seen)
    return {"ms": (seen.last - began) * 1000 if seen.panels else None, "panels": sorted(seen.panels)}
