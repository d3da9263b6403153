"""The latest pulses of the resident on screen, and a form for a new one. A start for a panel of your own.

A view describes; an action writes. The shell draws, keeps what is typed, and saves.
"""

from __future__ import annotations

from workspace.sdk import Panel, PanelProblem, record, ui

panel = Panel("@@ID@@", "0.1.0")

PULSE = "8867-4"
READINGS = f"Observation?code={PULSE}&_sort=-date&_count=50"
"""Just as `panel.toml` prefetches it, so that the first picture waits for nothing."""


@panel.view("main")
def main(ctx):
    readings = ctx.search(READINGS)
    run = ui.action(ctx.t("save"), save)
    wrong = not_a_number(ctx)
    return ui.column(
        ui.table(
            lambda: [line(ctx, one) for one in readings],
            [
                ui.col(ctx.t("time"), key="time", kind="time"),
                ui.col(ctx.t("pulse"), key="pulse", kind="number", unit="/min"),
                ui.col(ctx.t("comment"), key="comment", width="grow"),
                ui.col(ctx.t("by"), key="by", kind="muted"),
            ],
            label=ctx.t("list"),
            empty=ctx.t("empty"),
            empty_hint=ctx.t("empty_hint"),
            limit=8,
        ),
        ui.form(
            ui.number(ctx.t("pulse"), "pulse", unit="/min", minimum=20, maximum=220, error=wrong),
            ui.text_field(ctx.t("comment"), "comment"),
            ui.button(run, style="primary", shortcut="Ctrl+S"),
            submit=run,
            label=ctx.t("new"),
        ),
    )


def line(ctx, one):
    """A row of the table. Real records have holes: every cell may be empty."""
    pulse, moment = record.number(record.value(one)), record.when(one)
    limit = record.number(ctx.settings.get("limit", 100)) or 100
    high = pulse is not None and pulse > limit
    notes = [part.get("text", "") for part in one.get("note") or [] if isinstance(part, dict)]
    cells = {
        "time": ui.cell(at=moment.isoformat()) if moment else "",
        "pulse": ui.cell(f"▲ {record.decimal(pulse)}", tone="warn", sort=pulse) if high else pulse,
        "comment": " ".join(notes),
        "by": record.who(one),
    }
    return ui.line(str(one.get("id") or f"{moment}"), cells)


def not_a_number(ctx):
    typed = ctx.state.pulse
    return "" if typed in (None, "") or record.number(typed) is not None else ctx.t("not_a_number")


@panel.action
def save(ctx):
    """One observation, written when this returns. The SDK adds patient, author and time."""
    pulse, comment = record.number(ctx.state.pulse), str(ctx.state.get("comment", "")).strip()
    if pulse is None:
        raise PanelProblem(ctx.t("missing"))
    note = {"note": [{"text": comment}]} if comment else {}
    ctx.create("Observation", code=PULSE, value=pulse, unit="/min", **note)
    ctx.clear("pulse", "comment")
    ctx.say(ctx.t("saved", pulse=record.decimal(pulse)))


if __name__ == "__main__":
    panel.run()
