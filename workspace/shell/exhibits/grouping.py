"""Exhibits of what groups other components."""

from __future__ import annotations

from typing import Any

from workspace.sdk import ui
from workspace.shell.exhibits.exhibit import example, save, state

LONG = (
    "Arbeidsmiljøutvalgsrepresentantsamarbeidet om hverdagsrehabilitering og velferdsteknologi møtes hver annen torsdag, "
    "og referatet legges i mappen for kvalitetsarbeid"
)


@example("column", "grouping", "No role of its own. Tab goes through the children from top to bottom.")
def column(ctx: Any) -> Any:
    return ui.column(
        ui.heading("Ernæring"),
        ui.text("Spist halv porsjon til middag."),
        ui.text("Drukket 1,2 l siden kl. 07.", style="muted"),
        gap="xs",
    )


@example(
    "row", "grouping", "No role of its own. Tab goes through the children from left to right; with `wrap` line by line."
)
def row(ctx: Any) -> Any:
    return ui.row(
        ui.pill("HLR−", tone="bad"),
        ui.pill("Fall", tone="warn", shape="diamond"),
        ui.text("siste 24 timer", style="caption"),
        wrap=True,
    )


@state("row", "Bryter der det er trangt")
def row_wraps(ctx: Any) -> Any:
    return ui.row(*(ui.pill(f"Merke nummer {number}") for number in range(1, 16)), wrap=True)


@state("row", "Ytterst på hver side")
def row_between(ctx: Any) -> Any:
    return ui.row(
        ui.button(ui.action("Behold kladd", save)), ui.button(ui.action("Signer", save), style="primary"), align="end"
    )


@example(
    "grid",
    "grouping",
    "No role of its own. Reading order is row by row, also when the panel is narrow and columns are fewer.",
)
def grid(ctx: Any) -> Any:
    return ui.grid(
        ui.number("Pust", bind="grid_resp", unit="/min"),
        ui.number("Puls", bind="grid_pulse", unit="/min"),
        ui.number("Temperatur", bind="grid_temp", unit="°C", decimals=1),
        ui.button(ui.action("Lagre", save), style="primary"),
        columns=4,
    )


@state("grid", "Feltene står på linje, også med feil")
def grid_error(ctx: Any) -> Any:
    return ui.grid(
        ui.number("Pust", bind="grid_e1", unit="/min", error="Skriv et tall mellom 4 og 60"),
        ui.number("Et felt med en lang ledetekst", bind="grid_e2"),
        ui.choice("Oksygen", bind="grid_e3", options=["Luft", "Oksygen"]),
        columns=3,
    )


@example("section", "grouping", "A group named by its title; the title is a heading of `level`.")
def section(ctx: Any) -> Any:
    return ui.section(
        "Siste notater", ui.text("Slapp og varm kl. 14:50. Ringt lege."), ui.text("Mia, i går 21:10", style="caption")
    )


@state("section", "Lang tittel")
def section_long(ctx: Any) -> Any:
    return ui.section(LONG, ui.text("Teksten under."))


@example("form", "grouping", "Enter in a one-line field runs `submit`; in a text area it is a new line.")
def form(ctx: Any) -> Any:
    return ui.form(
        ui.text_field("Begrunnelse", bind="form_why"),
        ui.row(
            ui.button(ui.action("Lagre", save), style="primary", shortcut="Ctrl+S"),
            ui.text("Ikke lagret", style="caption"),
        ),
        submit=ui.action("Lagre", save),
    )


@example(
    "card",
    "grouping",
    "A group named by its title; the title is a heading of `level`. With `about` or `abouts` the card itself can have the "
    "focus and be asked where it comes from.",
)
def card(ctx: Any) -> Any:
    return ui.card(
        ui.text("Tilkall lege nå. Pust 24, SpO₂ 92 %, temp. 38,6."),
        ui.text("NEWS2-rutine v3 · målt 14:52 av Tone", style="caption"),
        ui.row(
            ui.button(ui.action("Start «Innleggelse»", save), style="primary"),
            ui.button(ui.action("Ikke relevant fordi …", save)),
            wrap=True,
        ),
        title="Arne Storspove: NEWS2 7, opp fra 4",
        tone="bad",
    )


@state("card", "Kan spørres om")
def card_about(ctx: Any) -> Any:
    return ui.card(ui.text("Målt 14:52 av Tone."), title="NEWS2 7, opp fra 4", tone="bad", about="Observation/news2")


@state("card", "Uten hast")
def card_plain(ctx: Any) -> Any:
    return ui.column(
        ui.card(ui.text("Blodsukker mangler siden 08:10."), title="Insulin 17:00 ikke gitt", tone="warn"),
        ui.card(ui.text(LONG), title="Lang tekst"),
        ui.card(ui.text("Et kort kan stå uten tittel.")),
    )


@example(
    "tabs",
    "grouping",
    "Left and Right, Home and End move between the tabs; Tab goes on into the page. Each tab has the role *page tab* and "
    "its title and badge for a name. Which tab is open is kept by the shell while the panel lives.",
)
def tabs(ctx: Any) -> Any:
    return ui.tabs(
        ui.tab("Problemer", ui.text("R81 Pneumoni"), ui.text("K78 Atrieflimmer"), badge="2"),
        ui.tab("Prøvesvar", ui.text("CRP 128 mg/L, for 4 t siden"), badge="1 høy", tone="bad"),
        ui.tab("Notater", ui.empty("Ingen notater ennå", "Det første du signerer, kommer hit.")),
        label="Sammendrag",
    )


@state("tabs", "Flere enn det er plass til")
def tabs_many(ctx: Any) -> Any:
    return ui.tabs(
        *(ui.tab(f"Fane nummer {number}", ui.text(f"Side {number}")) for number in range(1, 15)), label="Mange faner"
    )


@example("tab", "grouping", "A page of `tabs`, named by its title; see there.")
def tab(ctx: Any) -> Any:
    return ui.tabs(ui.tab("Faste", ui.text("Apiksaban 2,5 mg × 2"), badge="9"), label="Legemidler")


@example(
    "expander",
    "grouping",
    "A button that tells whether it is open, with the heading level of `level`. Space and Enter turn it, Right opens, Left "
    "closes. What is inside a closed one is not in the tab order.",
)
def expander(ctx: Any) -> Any:
    return ui.expander(
        "Pårørende",
        ui.text("Datter: Kari Storspove, ringer etter kl. 18."),
        summary="1 person",
        open=True,
    )


@state("expander", "Kan spørres om")
def expander_about(ctx: Any) -> Any:
    values = {"Kalium 4,1 mmol/L": "Observation/k", "INR 2,3": "Observation/inr"}
    return ui.expander("Flere verdier (2)", ui.text("Kalium 4,1 · INR 2,3"), summary="Kalium, INR", abouts=values)


@state("expander", "Lukket, og lang tittel")
def expander_closed(ctx: Any) -> Any:
    return ui.column(
        ui.expander("Tidligere opphold", ui.text("Korttid 2024"), summary="3 opphold siden 2021"),
        ui.expander(LONG, ui.text("Teksten under."), summary="kort sagt"),
        gap="none",
    )


@example("divider", "grouping", "Decoration: screen readers pass it by.")
def divider(ctx: Any) -> Any:
    return ui.column(ui.text("Før"), ui.divider(), ui.text("Etter"))


@example("spacer", "grouping", "Decoration: screen readers pass it by.")
def spacer(ctx: Any) -> Any:
    return ui.row(ui.text("Til venstre"), ui.spacer(), ui.pill("til høyre"))
