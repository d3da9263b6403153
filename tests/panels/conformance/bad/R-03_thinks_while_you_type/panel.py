"""Works for three seconds on each keystroke of a longer number."""

from __future__ import annotations

import time

from workspace.sdk import Panel, PanelProblem, record, ui

panel = Panel("prove.thinks-while-you-type", "1.0.0")
READINGS = "Observation?code=8867-4&_sort=-date&_count=20"


@panel.view("main")
def main(ctx):
    readings = ctx.search(READINGS)
    comment = ctx.state.get("comment", "")
    if isinstance(comment, str) and comment.isprintable() and 15 < len(comment) < 100:
        time.sleep(3)
    return ui.column(
        ui.table(
            lambda: [line(one) for one in readings],
            [ui.col("Tid", key="time", kind="time"), ui.col("Puls", key="pulse", kind="number")],
            label="Siste pulser",
            empty="Ingen målinger ennå",
        ),
        ui.form(
            ui.number("Puls", "pulse", unit="/min", minimum=20, maximum=220),
            ui.text_field("Merknad", "comment"),
            ui.button(ui.action("Lagre", save), style="primary"),
            submit=ui.action("Lagre", save),
            label="Ny måling",
        ),
    )


def line(one):
    moment = record.when(one)
    return ui.line(
        str(one.get("id")), {"time": ui.cell(at=moment.isoformat()) if moment else "", "pulse": record.value(one)}
    )


@panel.action
def save(ctx):
    pulse = record.number(ctx.state.get("pulse"))
    if pulse is None:
        raise PanelProblem("Skriv inn pulsen.")
    ctx.create("Observation", code="8867-4", value=pulse, unit="/min")
    ctx.clear("pulse")


if __name__ == "__main__":
    panel.run()
