"""The start without anybody at the screen: show every panel of every activity, report what it took, and end.

Opens nothing that a person at the desk could not, and counts a panel only when it has really been painted.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

from workspace.problem import Problem
from workspace.shell.desk import Desk
from workspace.shell.shift import Shift

STARTED = time.perf_counter()
HEADLESS_SECONDS = 60.0
PAINT_SECONDS = 20.0


class Headless:
    """`await run()` gives the exit code."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def run(self) -> int:
        """Raises Problem when nobody could be signed in, or a panel was never painted."""
        desk = self._desk
        assert desk.signing is not None
        started = process_started()
        done, _ = await asyncio.wait({desk.signing}, timeout=HEADLESS_SECONDS)
        if done and desk.fatal is None and desk.options.visit is None:
            return await self._sign_in_page()
        if not done or desk.fatal is not None or desk.shift is None or desk.shift.workplace is None:
            raise desk.fatal or Problem(
                "headless-unready", "Arbeidsflaten ble ikke klar i tide.", "Se i loggen i profilmappen."
            )
        seats = desk.shift.workplace.seats()
        last = await self._show_all(desk.shift)
        desk.shift.workplace.go(desk.options.activity or desk.shift.layout.activities[0].id)
        await asyncio.sleep(0.4)
        if desk.options.screenshot is not None:
            await asyncio.sleep(0.8)
            self._picture()
        if desk.options.report is not None:
            told = self._report(desk.shift, seats, started, last)
            desk.options.report.write_text(json.dumps(told, ensure_ascii=False, indent=1))
        if last is None:
            names = [s.instance.info.title for s in seats.values() if s.instance is not None and s.painted_at is None]
            raise Problem(
                "panels-unready", f"Ikke alle panelene ble vist: {', '.join(names)}.", "Kjør «workspace doctor»."
            )
        return 0

    async def _show_all(self, shift: Shift) -> float | None:
        """Every activity in turn, the one on screen first, until its panels are painted. When (perf_counter) the last of
        them was; None when one never was."""
        work, last, missing = shift.workplace, 0.0, False
        assert work is not None
        here = work.current()
        for activity in sorted(shift.layout.activities, key=lambda one: one.id != here):
            work.go(activity.id)
            group = work.unit if activity.context == "unit" else work.patient
            page = self._desk.window.page(activity.id)
            for name, seat in group.seats.items() if group is not None else ():
                page.bring(name)  # what is out of sight is not painted
                painted = await work.painted([seat], PAINT_SECONDS)
                missing |= painted is None
                last = max(last, painted or 0.0)
            page.to_top()
        return None if missing else last

    async def _sign_in_page(self) -> int:
        """Nobody is to be signed in: the sign-in page is what there is to show."""
        await asyncio.sleep(0.2)
        if self._desk.options.screenshot is not None:
            self._picture()
        if self._desk.options.report is not None:
            self._desk.options.report.write_text(json.dumps({"signed_in_as": None, "panels": []}))
        return 0

    def _picture(self) -> None:
        assert self._desk.options.screenshot is not None
        self._desk.options.screenshot.parent.mkdir(parents=True, exist_ok=True)
        if not self._desk.window.grab().save(str(self._desk.options.screenshot)):
            raise Problem("screenshot-failed", "Bildet kunne ikke skrives.", "Sjekk at mappen finnes og kan skrives i.")

    def _report(self, shift: Shift, seats: dict[str, Any], started: float, last: float | None) -> dict[str, Any]:
        return {
            "signed_in_as": shift.session.subject.username,
            "layout": shift.layout.id,
            "credential_prompts": self._desk.prompts,
            "window_shown_ms": round((self._desk.shown_at - started) * 1000, 1),
            "all_panels_painted_ms": _ms(last, started),
            "event_loop_longest_block_ms": round(self._desk.watchdog.longest_ms, 1),
            "panels": [
                {
                    "id": seat.instance.info.package,
                    "instance": name,
                    "vendor": seat.instance.info.vendor,
                    "pid": seat.instance.pid,
                    "first_render_ms": None
                    if seat.instance.first_render_ms is None
                    else round(seat.instance.first_render_ms, 1),
                    "painted_ms": _ms(seat.painted_at, started),
                    "confinement": seat.instance.info.confinement,
                }
                for name, seat in seats.items()
            ],
        }


def _ms(moment: float | None, start: float) -> float | None:
    """Milliseconds from `start`; None for what never happened."""
    return None if moment is None else round((moment - start) * 1000, 1)


def process_started() -> float:
    """perf_counter at the start of this process, from the system where it tells."""
    try:
        ticks = float(Path("/proc/self/stat").read_text().rsplit(")", 1)[1].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
        return float(time.perf_counter() - (uptime - ticks / os.sysconf("SC_CLK_TCK")))
    except (OSError, ValueError, IndexError):
        return STARTED
