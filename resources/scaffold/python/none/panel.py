"""A drip rate worked out while one types, and a list of those one keeps. A start for a panel of your own.

No patient and no record: all there is stands in the fields and in local state, which the shell keeps.
"""

from __future__ import annotations

from workspace.sdk import Panel, PanelProblem, record, ui

panel = Panel("@@ID@@", "0.1.0")


@panel.view("main")
def main(ctx):
    run = ui.action(ctx.t("keep"), keep)
    kept = ctx.state.get("kept", [])
    rows = [ui.line(str(number), {"text": text}) for number, text in enumerate(kept if isinstance(kept, list) else [])]
    found = rate(ctx)
    return ui.column(
        ui.form(
            ui.number(ctx.t("volume"), "volume", unit="ml", minimum=1, maximum=5000, error=wrong(ctx, "volume")),
            ui.number(
                ctx.t("hours"), "hours", unit="t", minimum=0.1, maximum=48, decimals=1, error=wrong(ctx, "hours")
            ),
            ui.text(ctx.t("rate", rate=record.decimal(found)), style="strong")
            if found is not None
            else ui.text(ctx.t("rate_hint"), style="caption"),
            ui.button(run, style="primary", shortcut="Ctrl+S"),
            submit=run,
            label=ctx.t("calculate"),
        ),
        ui.table(
            rows,
            [ui.col(ctx.t("kept_title"), key="text", width="grow")],
            label=ctx.t("list"),
            empty=ctx.t("empty"),
            empty_hint=ctx.t("empty_hint"),
        ),
        bool(rows) and ui.button(ui.action(ctx.t("clear"), clear)),
    )


def positive(value):
    """A number above nought, or None: a field may hold anything."""
    found = record.number(value)
    return found if found is not None and 0 < found < 1e6 else None


def wrong(ctx, bind):
    typed = ctx.state[bind]
    return "" if typed in (None, "") or positive(typed) is not None else ctx.t("not_a_number")


def rate(ctx):
    """Millilitres an hour, or None while something is missing."""
    volume, hours = positive(ctx.state.volume), positive(ctx.state.hours)
    return None if volume is None or hours is None else round(volume / hours, 1)


@panel.action
def keep(ctx):
    found = rate(ctx)
    if found is None:
        raise PanelProblem(ctx.t("missing"))
    volume, hours = record.decimal(positive(ctx.state.volume)), record.decimal(positive(ctx.state.hours))
    known = ctx.state.get("kept", [])
    text = ctx.t("kept", volume=volume, hours=hours, rate=record.decimal(found))
    ctx.set(kept=[*(known if isinstance(known, list) else []), text][-20:])
    ctx.clear("volume", "hours")


@panel.action
def clear(ctx):
    ctx.clear("kept")


if __name__ == "__main__":
    panel.run()
