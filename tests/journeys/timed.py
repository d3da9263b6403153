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
"""Seconds without a paint after which a panel that shows all it has asked for is taken to have been painted so."""


class Paints(QObject):
    """When each panel's body, or anything in it, was painted: first since it was `whole`, and last."""

    def __init__(self):
        super().__init__()
        self.last, self.first, self.whole = {}, {}, {}

    def eventFilter(self, watched, event):
        if event.type() == QEvent.Type.Paint and isinstance(watched, QWidget):
            up = watched
            while up is not None and not isinstance(up, PanelBody):
                up = up.parentWidget()
            if up is not None:
                self.last[up] = time.perf_counter()
                if up in self.whole:
                    self.first.setdefault(up, self.last[up])
        return False

    def painted(self, body):
        """When it stood painted whole; None until then."""
        if body in self.first:
            return self.first[body]
        waited = time.perf_counter() - max(self.whole[body], self.last.get(body, 0.0)) > QUIET
        return self.last.get(body) if waited else None


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
    """``{"ms", "asked"}``: `press` begins it, and it is over when the last panel on screen is painted `whole`."""
    application, paints = QApplication.instance(), Paints()
    application.installEventFilter(paints)
    began = time.perf_counter()
    try:
        with Asked() as asked:
            press()
            while time.perf_counter() - began < seconds:
                group = work.patient
                if group is not None and group.name == patient:
                    seen = [seat for seat in group.seats.values() if seat.frame.isVisible()]
                    for seat in seen:
                        if whole(seat):
                            paints.whole.setdefault(seat.body, time.perf_counter())
                    done = [paints.painted(seat.body) if seat.body in paints.whole else None for seat in seen]
                    if done and all(done):
                        return {"ms": (max(done) - began) * 1000, "asked": asked.urls}
                await asyncio.sleep(0.002)
    finally:
        application.removeEventFilter(paints)
    return {"ms": None, "asked": []}
