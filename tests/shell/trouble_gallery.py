"""Draws what frames say when something is wrong to PNG, to be looked at: `python -m tests.shell.trouble_gallery DIR`."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

from tests.shell.kit.fakes import FakeInstance, Spawner, node
from workspace.clock import OSLO
from workspace.panels.watching import PackageUsage

NOW = datetime(2026, 1, 14, 15, 4, tzinfo=OSLO)
DEAD = "«Vitale målinger» fra Nordlys Helse stanset: det brukte for mye minne. Det starter på nytt om 5 s."
OFF = "«Legemidler» fra Nordlys Helse er slått av for deg, fordi det stanset tre ganger på ti minutter."
SILENT = "«Notat» fra Polarvakt svarer ikke. Det du har skrevet, er tatt vare på."
LOG = "Traceback (most recent call last):\n  File ‹tekst›, line 31, in draw\nKeyError: ‹tekst›"


class Usage:
    def usage(self):
        common = {"version": "1.0.0", "tier": "confined"}
        vitals = PackageUsage(
            "nordlys.vitals", "Vitale målinger", "Nordlys Helse", pids=(7, 8, 9), memory=9_400_000, cpu=1.42,
            messages=1204, bytes=482_113, renders=96, messages_per_second=2.4, bytes_per_second=1310.0, **common,
        )  # fmt: skip
        note = PackageUsage("polarvakt.note", "Notat", "Polarvakt", crashes=3, disabled=True, **common)
        return [vitals, note]

    def enable(self, package_id):
        """Nothing to lift here."""


def draw(folder: Path) -> None:
    from PySide6.QtWidgets import QApplication, QGridLayout, QWidget

    from workspace.shell import theme as themes
    from workspace.shell.frame import PanelFrame
    from workspace.shell.kit.body import PanelBody
    from workspace.shell.panels_view import PanelsView

    app = QApplication.instance() or QApplication([])
    for name, scale in (("light", 1.0), ("dark", 1.0), ("high-contrast", 1.0), ("light", 2.0)):
        theme = themes.apply(app, themes.load(name), scale)
        spawner = Spawner()
        page = QWidget()
        grid = QGridLayout(page)
        frames = [
            PanelFrame(theme, title, vendor)
            for title, vendor in (
                ("Vitale målinger", "Nordlys Helse"), ("Legemidler", "Nordlys Helse"), ("Notat", "Polarvakt"),
                ("Sammendrag", "Fjelldata"),
            )
        ]  # fmt: skip
        for number, frame in enumerate(frames):
            grid.addWidget(frame, number // 2, number % 2)
        page.resize(int(1000 * scale), int(700 * scale))
        page.show()
        frames[0].fail(DEAD)
        frames[1].fail(OFF, again=False)
        instance, body = FakeInstance(), PanelBody(theme, lambda: NOW, spawner)
        instance.listener = body
        body.attach(instance)
        instance.whole(node("column", "r", node("text", "t", text="Sov urolig."), node("text-area", "#n", bind="n")))
        frames[2].set_body(body)
        frames[2].show_body()
        frames[2].set_confinement("Ikke avskjermet")
        frames[2].warn(SILENT)
        frames[3].fail("«Sammendrag» fra Fjelldata stanset: det krasjet (kode 1).")
        frames[3].ask_report(LOG)
        view = PanelsView(theme, Usage(), page)
        view.resize(int(1080 * scale), int(300 * scale))
        view.show()
        app.processEvents()
        page.grab().save(str(folder / f"trouble-{name}-{scale:.0f}.png"))
        view.table.selectRow(1)
        view.grab().save(str(folder / f"panels-{name}-{scale:.0f}.png"))
        view.close()
        page.close()
        page.deleteLater()
        spawner.close()


if __name__ == "__main__":
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    draw(Path(sys.argv[1]))
