"""A panel that uses much of the SDK. In a folder of its own, as a vendor's: all modules of a panel's folder are looked
through at every run, and those of tests hold much."""

from __future__ import annotations

from workspace.sdk import Panel, ui


def everything() -> Panel:
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        rows = ctx.search("Observation", code=ctx.state.code)
        return ui.column(
            ui.text(str(len(ctx.taken("record vital-signs")))),
            ui.part(lambda: ui.text(str(len(rows)))),
            ui.part(lambda: ui.text(str(ctx.read("Patient/BEB-18").get()))),
            ui.text(str(ctx.outcome("open Patient"))),
        )

    @panel.action
    def save(ctx, **args):
        ctx.create("Observation", code="8867-4", value=len(ctx.search("Flag")), unit="/min")
        ctx.raise_intent("calculate score").get()

    @panel.intent("record vital-signs")
    def asked(ctx, **args):
        return ctx.later()

    return panel
