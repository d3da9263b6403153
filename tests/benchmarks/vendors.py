"""Vendors made up for measuring: packages written against the SDK, in a folder, and a door with as many rows as it takes.

The door keeps the broker's own rules (`conformance.StandIn`); its rows are made here. Measures nothing itself.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from workspace.broker.door import Change
from workspace.panels.conformance.stand_in import StandIn

MANIFEST = """
[panel]
id = "{id}"
name = "{name}"
vendor = "{vendor}"
version = "1.0.0"
protocol = 1
kind = "native"
languages = ["nb"]
start = ["python", "panel.py"]
{views}
[access]
scopes = {scopes}
"""

VIEW = """
[[views]]
id = "{id}"
title = "{title}"
context = "patient"
"""

PREFETCH = """
[[views.prefetch]]
query = "{query}"
bound = {bound}
"""

PULSES = "Observation?code=8867-4&_sort=-date&_count=20"
MANY = "Observation?code=9279-1&_sort=-date"

ORDINARY = '''
"""A view as most are: some words, a field, and a table of the latest values."""
from workspace.sdk import Panel, ui

panel = Panel()


def shown(ctx):
    rows = ctx.search({query!r})
    return ui.column(
        ui.heading("Puls"),
        ui.text_field("Merknad", "note"),
        ui.text(f"Merknad: {{ctx.state.note or ''}}", key="echo"),
        ui.table(
            rows,
            columns=[
                ui.col("Tid", "effectiveDateTime", kind="time"),
                ui.col("Puls", "valueQuantity.value", kind="number", unit="/min"),
            ],
            key="list",
        ),
    )


for name in {views!r}:
    panel.view(name)(shown)

if __name__ == "__main__":
    panel.run()
'''

BOUND = '''
"""A table of everything, bound to its search: the shell draws it."""
from workspace.sdk import Panel, ui

panel = Panel()


@panel.view("main")
def main(ctx):
    return ui.table(
        ctx.search({query!r}),
        columns=[{columns}
        ],
        key="list",
    )


if __name__ == "__main__":
    panel.run()
'''
RATES = """
            ui.col("Tid", "effectiveDateTime", kind="time"),
            ui.col("Frekvens", "valueQuantity.value", kind="number", unit="/min"),"""

KEYED = '''
"""A table that the panel computes itself; one cell changes with the field."""
from workspace.sdk import Panel, ui

panel = Panel()


@panel.view("main")
def main(ctx):
    first = ctx.state.first or "0"
    return ui.column(
        ui.text_field("Første", "first"),
        ui.table(
            [ui.line(str(number), {{"v": first if number == 0 else str(number % 90)}}) for number in range({count})],
            columns=[ui.col("V", key="v")],
            key="list",
        ),
    )


if __name__ == "__main__":
    panel.run()
'''


def install(
    folder: Path,
    id: str,
    program: str,
    views: tuple[str, ...] = ("main",),
    query: str = "",
    scopes: Sequence[str] = ("patient/Observation.rs",),
    *,
    bound: bool = False,
) -> None:
    """A package in `folder`; its vendor is what stands before the dot. `query` is prefetched; `bound`: only drawn from."""
    vendor, _, name = id.partition(".")
    package = folder / id
    package.mkdir(parents=True)
    prefetch = PREFETCH.format(query=query, bound=json.dumps(bound)) if query else ""
    told = "".join(VIEW.format(id=view, title=f"{name} {view}") + prefetch for view in views)
    manifest = MANIFEST.format(id=id, name=name, vendor=vendor.title(), views=told, scopes=json.dumps(scopes))
    (package / "panel.toml").write_text(manifest, encoding="utf-8")
    (package / "panel.py").write_text(program, encoding="utf-8")


def observation(code: str, number: int, value: int, patient: str, version: int = 1) -> dict[str, Any]:
    day, minute = 1 + number // 1440 % 28, number % 1440
    return {
        "resourceType": "Observation",
        "id": f"{code}-{number}",
        "meta": {"versionId": str(version)},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": patient},
        "effectiveDateTime": f"2026-01-{day:02}T{minute // 60:02}:{minute % 60:02}:00+01:00",
        "valueQuantity": {"value": value, "unit": "/min"},
    }


class Door(StandIn):
    """Twenty rows of every code, but ten thousand of respiration; `change` moves one."""

    def __init__(self) -> None:
        super().__init__()
        self._made: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def _entry(self, grant: Any, text: str, listener: Any) -> Any:
        entry = super()._entry(grant, text, listener)
        patient = grant.context.patient
        code = "9279-1" if "9279-1" in text else "8867-4"
        count = 10_000 if code == "9279-1" else 20
        entry.rows = self._rows(code, count, patient)
        entry.included = 0
        return entry

    def _rows(self, code: str, count: int, patient: str) -> list[dict[str, Any]]:
        made = self._made.get((code, patient))
        if made is None:
            made = [observation(code, count - number, 60 + number % 40, patient) for number in range(count)]
            self._made[code, patient] = made
        return list(made)

    def change(self, index: int, value: int, version: int) -> None:
        """The row at `index` of every long watch has another value: told as the broker tells it."""
        for entry in list(self._entries):
            if entry.open and len(entry.rows) > 20:
                old = entry.rows[index]
                row = {**old, "valueQuantity": {"value": value, "unit": "/min"}, "meta": {"versionId": str(version)}}
                entry.rows[index] = row
                entry.listener(Change(put=((index, row),)))
