"""How long a switch of patient takes, from Enter until every panel on screen is painted whole, and what was asked on the
wire for it. Only looks."""

from __future__ import annotations

import asyncio
import time

import httpx
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QApplication, QWidget

from workspace.panels.components import Pending
from workspace.shell.kit.body import PanelBody

QUIET = 0.1
"""Seconds without a paint after which all who will paint have done so."""


class Paints(QObject):
    """When anything in a panel on screen was painted last."""

    def __init__(self):
        super().__init__()
        self.last = 0.0

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            up = watched
            while up is not None and not isinstance(up, PanelBody):
                up = up.parentWidget()
            if up is not None:
                self.last = time.perf_counter()
        return False


class Asked:
    """The addresses of all clinical data that are fetched meanwhile."""

    def __enter__(self):
        self.urls, self._send = [], httpx.AsyncHTTPTransport.handle_async_request
        found, send = self.urls, self._send

        async def noted(transport, request):
            if request.method == "GET" and request.url.path.startswith("/fhir/"):
                found.append(str(request.url))
            return await send(transport, request)

        httpx.AsyncHTTPTransport.handle_async_request = noted
        return self

    def __exit__(self, *_):
        httpx.AsyncHTTPTransport.handle_async_request = self._send


def whole(seat):
    """Whether it shows all it has asked for: every answer has come and is drawn, and the frame shows it."""
    instance, frame = seat.instance, seat.frame
    there = seat.drawn and frame.body is seat.body and frame._stack.currentWidget() is seat.body
    answered = all(feed.ready for feed in instance.feeds._feeds.values())
    return there and answered and not any(isinstance(node.component, Pending) for node in instance.nodes.values())


async def switch(work, press, patient, seconds):
    """``{"ms", "asked"}``: `press` begins it, and the last paint of a panel ends it, once all on screen are `whole`."""
    application, paints = QApplication.instance(), Paints()
    application.installEventFilter(paints)
    began = time.perf_counter()
    try:
        with Asked() as asked:
            press()
            while time.perf_counter() - began < seconds:
                group = work.patient
                seen = [seat for seat in group.seats.values() if seat.frame.isVisible()] if group is not None else []
                there = seen and group.name == patient and all(map(whole, seen))
                if there and 0 < paints.last < time.perf_counter() - QUIET:
                    return {"ms": (paints.last - began) * 1000, "asked": asked.urls}
                await asyncio.sleep(0.005)
    finally:
        application.removeEventFilter(paints)
    return {"ms": None, "asked": []}
