"""Exhibits of fields, buttons and menus."""

from __future__ import annotations

from typing import Any

from workspace.sdk import ui
from workspace.shell.exhibits.exhibit import example, save, state
from workspace.shell.exhibits.grouping import LONG

NAMED = "The label is its name («må fylles ut» when required); the error, or else the hint, is its description. "


@example("number-field", "asking", NAMED + "Up and Down step by the last decimal. Comma and point are one.")
def number(ctx: Any) -> Any:
    return ui.number("Puls", bind="pulse", unit="/min", minimum=20, maximum=250)


@state("number-field", "Feil, hint, forhåndsutfylt, lang ledetekst")
def number_states(ctx: Any) -> Any:
    return ui.grid(
        ui.number("Puls", bind="pulse_e", unit="/min", error="Skriv et tall, for eksempel 72"),
        ui.number("Vekt", bind="weight", unit="kg", decimals=1, source="Mia", at="2026-01-12T08:30:00+01:00"),
        ui.number("Temperatur", bind="temp", unit="°C", decimals=1, hint="Målt i øret", required=True),
        ui.number("Væskeinntak siste døgn, også det som er drukket utenom måltidene", bind="fluid", unit="ml"),
        columns=2,
    )


@example(
    "pair-field",
    "asking",
    NAMED + "Two fields with their own names; `/` or space moves to the second, Backspace in an empty second back.",
)
def pair(ctx: Any) -> Any:
    return ui.pair("Blodtrykk", ui.number("Systolisk", bind="sys"), ui.number("Diastolisk", bind="dia"), unit="mmHg")


@state("pair-field", "Feil")
def pair_error(ctx: Any) -> Any:
    return ui.pair(
        "Blodtrykk",
        ui.number("Systolisk", bind="sys_e"),
        ui.number("Diastolisk", bind="dia_e"),
        error="Overtrykket er lavere enn undertrykket",
    )


@example("text-field", "asking", NAMED + "Enter runs the form it stands in.")
def text_field(ctx: Any) -> Any:
    return ui.text_field("Begrunnelse", bind="why", placeholder="Hvorfor nå?")


@state("text-field", "Feil og hint")
def text_field_states(ctx: Any) -> Any:
    return ui.column(
        ui.text_field("Begrunnelse", bind="why_e", error="Skriv en begrunnelse", required=True),
        ui.text_field("Telefon", bind="phone", hint=LONG),
    )


@example("text-area", "asking", NAMED + "Tab leaves it. What the panel changes does not move the caret.")
def text_area(ctx: Any) -> Any:
    return ui.text_area("Notat", bind="note", rows=3, placeholder="Hva er nytt?")


@state("text-area", "Feil")
def text_area_error(ctx: Any) -> Any:
    return ui.text_area("Notat", bind="note_e", rows=3, error="Notatet er tomt")


@example(
    "date-field",
    "asking",
    NAMED
    + "Up and Down move by a day; Alt+Down or F4 opens the calendar, where the arrows, Page Up, Page Down and Home move, "
    "Enter chooses and Escape leaves. The weekday and how near it is are read with it.",
)
def date(ctx: Any) -> Any:
    return ui.date("Dato", bind="day", hint="f.eks. 14.1")


@state("date-field", "Feil, utenfor det ventede")
def date_states(ctx: Any) -> Any:
    return ui.grid(
        ui.date("Innflyttet", bind="day_e", error="Velg en dato"),
        ui.date("Født", bind="born", maximum="2026-01-14", required=True),
        columns=2,
    )


@example("time-field", "asking", NAMED + "Up and Down move by five minutes; «nå» is now.")
def time(ctx: Any) -> Any:
    return ui.time("Klokkeslett", bind="clock", hint="Skriv 1504 eller «nå»")


@state("time-field", "Feil")
def time_error(ctx: Any) -> Any:
    return ui.time("Klokkeslett", bind="clock_e", error="Skriv når det skjedde")


@example(
    "check-field",
    "asking",
    "The role *check box*, its label for a name, the error or hint for a description. Space turns it.",
)
def check(ctx: Any) -> Any:
    return ui.check("Pårørende er varslet", bind="told")


@state("check-field", "Feil og lang tekst")
def check_states(ctx: Any) -> Any:
    return ui.column(
        ui.check("Jeg har lest instruksen", bind="read_e", error="Kryss av før du signerer"),
        ui.check(LONG, bind="long_check", hint="Kan endres senere"),
    )


@example(
    "choice-field",
    "asking",
    NAMED
    + "As a menu: a letter chooses, Up and Down step, Enter opens the list. As chips each is a check box; as segments "
    "they are radio buttons with one place in the tab order, where Left and Right choose.",
)
def choice(ctx: Any) -> Any:
    return ui.choice(
        "Bevissthet",
        bind="avpu",
        options=[
            ui.option("A", "A våken", key="a"),
            ui.option("C", "C forvirret", key="c"),
            ui.option("V", "V stemme", key="v"),
        ],
        unit="ACVPU",
    )


@state("choice-field", "Brikker og lukket gruppe")
def choice_styles(ctx: Any) -> Any:
    return ui.column(
        ui.choice(
            "Visning", bind="view", options=["Tabell", "Trend", "Alle kurver"], style="segments", initial="Trend"
        ),
        ui.chips("Filter", bind="filter", options=["Faste 4", "Ved behov 1", "Seponert"], initial="Faste 4"),
        ui.chips("Merker", bind="flags", options=["Fall", "Smitte", "Allergi"], multiple=True),
    )


@state("choice-field", "Feil, lange valg")
def choice_error(ctx: Any) -> Any:
    return ui.column(
        ui.choice("Oksygen", bind="oxygen", options=["Luft", "Oksygen"], error="Velg luft eller oksygen"),
        ui.choice("Tiltak", bind="measure", options=[LONG, "Kort"], initial=LONG),
    )


ICPC = (
    ("R81", "Pneumoni"), ("R78", "Akutt bronkitt"), ("R95", "KOLS"),
    ("K78", "Atrieflimmer/-flutter"), ("K77", "Hjertesvikt"),
    ("U71", "Cystitt/urinveisinfeksjon"), ("U99", "Sykdom i urinveier, annen"), ("P70", "Demens"),
    ("T90", "Diabetes type 2"),
    ("A04", "Slapphet/tretthet"), ("A03", "Feber"), ("N90", "Klasehodepine"), ("L76", "Brudd, annet"),
    ("S97", "Kronisk sår"),
)  # fmt: skip


@example(
    "code-field",
    "asking",
    NAMED + "Typing filters by code and words; Down opens the list and moves in it, Page Up and Page Down by eight, "
    "Enter chooses, Escape leaves what was there. The option under the keyboard and its place are announced; an emptied "
    "field chooses nothing.",
)
def code(ctx: Any) -> Any:
    return ui.code(
        "Diagnose (ICPC-2)",
        bind="diagnosis",
        options=[ui.option("R81", "Pneumoni"), ui.option("R78", "Akutt bronkitt"), ui.option("K78", "Atrieflimmer")],
        hint="Skriv «pneu» eller «R8»",
    )


@state("code-field", "Flere koder enn listen viser")
def code_many(ctx: Any) -> Any:
    return ui.code(
        "Diagnose (ICPC-2)",
        bind="diagnosis_many",
        options=[ui.option(value, words) for value, words in ICPC],
        hint="Skriv «pneu» eller «R8»",
    )


@state("code-field", "Panelet søker selv")
def code_live(ctx: Any) -> Any:
    typed = str(ctx.state.get("drug_search") or "")
    found = (
        [
            ui.option(f"{atc} {typed} {strength}", f"{typed.capitalize()} {strength}", code=atc)
            for atc, strength in (("J01CA04", "500 mg"), ("J01CA04", "250 mg"))
        ]
        if len(typed) > 2
        else []
    )
    chosen = ctx.state.get("drug")
    kept = (
        [ui.option(str(chosen), str(chosen).split(" ", 1)[-1].capitalize(), code=str(chosen).split(" ")[0])]
        if chosen
        else []
    )
    options = found + [one for one in kept if one["value"] not in {other["value"] for other in found}]
    return ui.code("Legemiddel", bind="drug", options=options, search="drug_search", empty="Skriv minst tre bokstaver")


@state("code-field", "Feil")
def code_error(ctx: Any) -> Any:
    return ui.code("Diagnose", bind="diagnosis_e", options=["R81"], error="Velg en kode før du signerer", required=True)


@example(
    "button",
    "asking",
    "Space, Enter and its shortcut press it; the shortcut is part of its name. A disabled one stays in the tab order, and "
    "its reason is its description. While its action runs it says so and takes no second press.",
)
def button(ctx: Any) -> Any:
    return ui.row(
        ui.button(ui.action("Signer", save), style="primary", shortcut="Ctrl+Enter"),
        ui.button(ui.action("Behold kladd", save)),
        wrap=True,
    )


@state("button", "Stiler, med ikon")
def button_styles(ctx: Any) -> Any:
    return ui.row(
        ui.button(ui.action("Skriv ut", save), icon="print"),
        ui.button(ui.action("Slett", save), style="danger", icon="trash"),
        ui.button(ui.action("ISBAR", save), style="chip"),
        wrap=True,
    )


@state("button", "Av, og sier hvorfor")
def button_disabled(ctx: Any) -> Any:
    return ui.row(
        ui.button(ui.action("Signer", save), style="primary", disabled="Notatet er tomt. Skriv noe først."),
        ui.button(ui.action("Forny", save), disabled="Resepten er ikke din"),
        wrap=True,
    )


@example(
    "menu", "asking", "A menu button. Space, Enter and Down open it; Up and Down move, Enter chooses, Escape closes."
)
def menu(ctx: Any) -> Any:
    return ui.menu(
        "Mer",
        [
            ui.choose("Skriv ut", ui.action("Skriv ut", save), icon="print"),
            ui.choose("Send til fastlege", ui.action("Send", save), icon="mail"),
            ui.choose(
                "Trekk tilbake", ui.action("Trekk tilbake", save), group="Signert notat", danger=True, icon="trash"
            ),
            ui.choose("Rediger", ui.action("Rediger", save), group="Signert notat", disabled="bare forfatteren"),
        ],
    )


@state("menu", "Som brikke, og av")
def menu_states(ctx: Any) -> Any:
    return ui.row(
        ui.menu("Sorter", [ui.action("Etter rom", save), ui.action("Etter hast", save)], style="chip"),
        ui.menu("Maler", [ui.action("ISBAR", save)], icon="note"),
        ui.menu("Mer", [], disabled="Ingen valg her ennå"),
        wrap=True,
    )
