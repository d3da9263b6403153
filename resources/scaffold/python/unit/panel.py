"""The latest pulse of each resident of the unit on screen, and a form for a new one. A start for a panel of your own.

In a unit every read is about its residents, and every write names one of them.
"""

from __future__ import annotations

from workspace.sdk import Panel, PanelProblem, record, ui

panel = Panel("@@ID@@", "0.1.0")

PULSE = "8867-4"
PEOPLE = "Patient?_count=200"
READINGS = f"Observation?code={PULSE}&_sort=-date&_count=200"


@panel.view("main")
def main(ctx):
    people, readings = ctx.search(PEOPLE), ctx.search(READINGS)
    run = ui.action(ctx.t("save"), save)
    typed = ctx.state.pulse
    wrong = typed not in (None, "") and record.number(typed) is None
    return ui.column(
        ui.table(
            lambda: lines(ctx, people, readings),
            [
                ui.col(ctx.t("resident"), key="name", width="grow"),
                ui.col(ctx.t("pulse"), key="pulse", kind="number", unit="/min"),
                ui.col(ctx.t("time"), key="time", kind="time"),
            ],
            label=ctx.t("list"),
            empty=ctx.t("empty"),
            empty_hint=ctx.t("empty_hint"),
        ),
        ui.form(
            ui.part(whose, ctx, people, key="whose"),
            ui.number(
                ctx.t("pulse"),
                "pulse",
                unit="/min",
                minimum=20,
                maximum=220,
                error=ctx.t("not_a_number") if wrong else "",
            ),
            ui.button(run, style="primary", shortcut="Ctrl+S"),
            submit=run,
            label=ctx.t("new"),
        ),
    )


def whose(ctx, people):
    options = [ui.option(f"Patient/{one.get('id')}", name(ctx, one)) for one in people if one.get("id")]
    return ui.choice(ctx.t("resident"), "resident", options)


def lines(ctx, people, readings):
    newest = {}
    for one in readings:
        newest.setdefault(record.ref(one), one)
    return [line(ctx, person, newest.get(f"Patient/{person.get('id')}")) for person in people]


def line(ctx, person, reading):
    moment, pulse = record.when(reading), record.number(record.value(reading))
    cells = {
        "name": name(ctx, person),
        "pulse": pulse if pulse is not None else ctx.t("none_yet"),
        "time": ui.cell(at=moment.isoformat()) if moment else "",
    }
    return ui.line(str(person.get("id")), cells)


def name(ctx, person):
    """Real records have holes: a name may be missing."""
    known = next((one for one in person.get("name") or [] if isinstance(one, dict)), {})
    parts = [*(known.get("given") or []), known.get("family") or ""]
    return " ".join(str(part) for part in parts if part) or ctx.t("unknown")


@panel.action
def save(ctx):
    """One observation about the resident that was chosen, and nobody else."""
    pulse, who = record.number(ctx.state.pulse), ctx.state.resident
    if pulse is None or who not in ctx.patients:
        raise PanelProblem(ctx.t("missing"))
    ctx.create("Observation", code=PULSE, value=pulse, unit="/min", subject={"reference": who})
    ctx.clear("pulse", "resident")
    person = next((one for one in ctx.search(PEOPLE) if f"Patient/{one.get('id')}" == who), {})
    ctx.say(ctx.t("saved", pulse=record.decimal(pulse), name=name(ctx, person)))


if __name__ == "__main__":
    panel.run()
