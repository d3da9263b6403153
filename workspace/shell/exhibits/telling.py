"""Exhibits of what tells something."""

from __future__ import annotations

from typing import Any

from workspace.sdk import ui
from workspace.shell.exhibits.exhibit import example, save, state
from workspace.shell.exhibits.grouping import LONG

ASKED = (
    "With `about` or `abouts` it can have the focus and be asked where it comes from (Ctrl+I, the menu key, right click), "
    "as its description says; those beside each other are one stop of the Tab key, and the arrows go between them."
)
TONES = ("neutral", "accent", "group", "ok", "warn", "bad")


@example("heading", "telling", "The role *heading* with its `level`: screen readers jump from one to the next.")
def heading(ctx: Any) -> Any:
    return ui.heading("Legemidler i dag", level=3)


@state("heading", "Lang")
def heading_long(ctx: Any) -> Any:
    return ui.heading(LONG)


@example(
    "text", "telling", "Static text. The age that `at` becomes is read with it and kept fresh by the shell. " + ASKED
)
def text(ctx: Any) -> Any:
    return ui.text("Vekt 74,2 kg", at="2026-01-12T08:30:00+01:00", source="Vitale målinger, Mia")


@state("text", "Kan spørres om: ett, og flere i samme setning")
def text_about(ctx: Any) -> Any:
    drugs = {"Amlodipin": "MedicationRequest/1", "Metoprolol": "MedicationRequest/2"}
    return ui.column(
        ui.text("Vekt 74,2 kg", about="Observation/weight", at="2026-01-12T08:30:00+01:00"),
        ui.text(f"Faste legemidler (2): {', '.join(drugs)}", style="muted", abouts=drugs),
    )


@state("text", "Stiler")
def text_styles(ctx: Any) -> Any:
    return ui.column(
        *(
            ui.text(f"{style}: Pust 24, SpO₂ 92 %", style=style)
            for style in ("body", "strong", "muted", "caption", "number")
        ),
        gap="xs",
    )


@state("text", "Toner, lang tekst og tegn som ikke tolkes")
def text_tones(ctx: Any) -> Any:
    return ui.column(
        *(ui.text(f"Tone {tone}", tone=tone) for tone in TONES),
        ui.text(LONG),
        ui.text("<b>ikke fet</b> & <a href='x'>ingen lenke</a>"),
        gap="xs",
    )


@example(
    "pill",
    "telling",
    "Static text: its words, or its `label` where they are too short to be understood when heard. " + ASKED,
)
def pill(ctx: Any) -> Any:
    return ui.row(
        ui.pill("7", tone="bad", shape="up", label="NEWS2 7, høy"),
        ui.pill("5", tone="warn", shape="diamond", label="NEWS2 5, middels"),
        ui.pill("0", tone="ok", shape="dot", label="NEWS2 0, lav"),
    )


@state("pill", "Kan spørres om, og en som ikke kan det")
def pill_about(ctx: Any) -> Any:
    return ui.row(
        ui.pill("Allergi: penicillin", tone="bad", shape="up", about="AllergyIntolerance/1"),
        ui.pill("Allergi: nøtter", tone="bad", shape="up", about="AllergyIntolerance/2"),
        ui.pill("Ny"),
        ui.pill("HLR−", tone="bad", about="Flag/1"),
        wrap=True,
        label="Allergier",
    )


@state("pill", "Toner")
def pill_tones(ctx: Any) -> Any:
    return ui.row(*(ui.pill(f"Tone {tone}", tone=tone) for tone in TONES), wrap=True)


@example("icon", "telling", "With a `label` a graphic of that name; without one it is decoration.")
def icon(ctx: Any) -> Any:
    return ui.row(ui.icon("lock", label="Låst for andre"), ui.icon("pulse", tone="bad", size="l", label="Rask puls"))


ICONS = (
    "alert", "bag", "bed", "calendar", "cap", "check", "check-list", "clock", "cloud-off", "contrast", "drop", "edit", "eye",
    "filter", "group", "heart", "help", "home", "info", "keyboard", "layout", "lock", "mail", "moon", "note", "people",
    "person", "phone", "pill", "plug", "plus", "print", "pulse", "refresh", "search", "settings", "shield", "star", "sun",
    "swap", "table", "trash", "trend", "undo", "finnes-ikke",
)  # fmt: skip


@state("icon", "Kan spørres om")
def icon_about(ctx: Any) -> Any:
    return ui.icon("pulse", tone="bad", label="Rask puls", about="Observation/pulse")


@state("icon", "Alle tegninger")
def icon_all(ctx: Any) -> Any:
    return ui.row(*(ui.icon(name, label=name, key=name) for name in ICONS), wrap=True)


@example("notice", "telling", "Announced when it appears, in words; the icon and the tint only repeat its tone.")
def notice(ctx: Any) -> Any:
    return ui.notice(
        "Penicillin står som mistenkt allergi. Bekreft med Arne eller pårørende før første dose.", title="Mulig allergi"
    )


@state("notice", "Kan spørres om")
def notice_about(ctx: Any) -> Any:
    weights = {"Vekt 74,2 kg": "Observation/now", "Vekt 80,1 kg": "Observation/then"}
    return ui.notice("7,4 % på 90 dager. Vurder ernæringsplan.", title="Stort vekttap", abouts=weights)


@state("notice", "Toner")
def notice_tones(ctx: Any) -> Any:
    return ui.column(*(ui.notice(LONG if tone == "bad" else "En setning.", tone=tone, key=tone) for tone in TONES))


@example("empty", "telling", "Static text: the title and what to do about it.")
def empty(ctx: Any) -> Any:
    return ui.empty("Ingen målinger ennå", "De kommer hit når de er lagret i Vitale målinger.")


@state("empty", "Lang")
def empty_long(ctx: Any) -> Any:
    return ui.empty("Ingen treff i denne perioden på denne avdelingen", LONG)


@example(
    "pending",
    "telling",
    "Silent at first; after two seconds its words are its name. Usually the SDK makes it, not you.",
)
def pending(ctx: Any) -> Any:
    return ui.pending("Venter på prøvesvar", lines=3)


@example("failed", "telling", "The reason as text, and a button *Prøv igjen*. Usually the SDK makes it, not you.")
def failed(ctx: Any) -> Any:
    return ui.failed("Prøvesvarene kom ikke. Laboratoriet svarer ikke.", retry=ui.action("Prøv igjen", save))


@example("progress", "telling", "The role *progress bar*, its words for a name and the per cent for a value.")
def progress(ctx: Any) -> Any:
    return ui.progress("Henter historikk: 34 av 90 dager", value=34 / 90)


@state("progress", "Kan spørres om")
def progress_about(ctx: Any) -> Any:
    return ui.progress("Drukket 1 200 av 1 500 ml", value=0.8, about="Observation/intake")


@state("progress", "Uten kjent slutt, ferdig, og lang tekst")
def progress_states(ctx: Any) -> Any:
    return ui.column(
        ui.progress("Sender epikrisen …"), ui.progress("Sendt", value=1.0, tone="ok"), ui.progress(LONG, value=0.5)
    )


@example("sparkline", "telling", "A graphic named by its `label`; its description is every value in words.")
def sparkline(ctx: Any) -> Any:
    return ui.sparkline([3, 4, 4, 5, 7], high=12, text="7", tone="bad", label="NEWS2, siste fem")


@state("sparkline", "Kan spørres om")
def sparkline_about(ctx: Any) -> Any:
    return ui.sparkline(
        [3, 7], high=12, text="7", label="NEWS2, siste to", abouts={"7": "Observation/b", "3": "Observation/a"}
    )


@state("sparkline", "Hull, én verdi, ingen verdier")
def sparkline_states(ctx: Any) -> Any:
    return ui.column(
        ui.sparkline([74, 73.8, None, None, 74.6, 74.2], high=80, text="74,2 kg", label="Vekt"),
        ui.sparkline([4], high=12, text="4", label="Én måling"),
        ui.sparkline([], text="–", label="Ingen målinger"),
    )


@example("picture", "telling", "A graphic; `text` is its name, and stands in its place while it has not come.")
def picture(ctx: Any) -> Any:
    return ui.picture(
        "wound", "Trykksår på venstre hæl, 2 × 3 cm, rødt og tørt", caption="Tatt 14.01.2026 av Tone", height="s"
    )


@state("picture", "Kan spørres om")
def picture_about(ctx: Any) -> Any:
    return ui.picture("wound", "Trykksår på venstre hæl", height="s", about="Media/wound")


@state("picture", "Ikke kommet, og ikke et bilde")
def picture_missing(ctx: Any) -> Any:
    return ui.column(
        ui.picture("missing", "Røntgen thorax", height="s"),
        ui.picture("broken", "En fil som ikke er et bilde", caption=LONG, height="s"),
    )
