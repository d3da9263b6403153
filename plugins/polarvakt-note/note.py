"""Journalnotat: write, quote what is measured, sign. The text belongs to the shell until it is signed; then it is a
Composition, with a Provenance that names every observation it quotes. The patient's name is never written here."""

from __future__ import annotations

import reuse

from workspace.sdk import Panel, PanelProblem, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part
    from workspace.sdk.results import Result

    Resource = dict[str, Any]

panel = Panel("polarvakt.note", "1.0.0")

VITALS = "Observation?category=vital-signs&_sort=-date&_count=200"
NOTES = "Composition?_sort=-date&_count=20"
PROBLEMS = "Condition?_count=100"
ALLERGIES = "AllergyIntolerance?_count=50"
DOCUMENTS = "urn:oid:2.16.578.1.12.4.1.1.9602"
RECORD = "record vital-signs"
SHOWN = 600  # characters of a former note


@panel.view("note")
def note(ctx: Ctx) -> Part:
    vitals, notes = ctx.search(VITALS), ctx.search(NOTES)
    for query in (PROBLEMS, ALLERGIES):
        ctx.search(query)  # kept live for the templates
    return ui.column(
        ui.row(
            *(ui.button(ui.action(name, use_template, name=name), style="chip", key=name) for name in TEMPLATES),
            ui.button(ui.action("Nye målinger", measure), style="chip", key="measure"),
            key="templates",
            label="Maler",
            wrap=True,
        ),
        ui.text_area("Notat", "text", rows=3, placeholder="Hva er nytt?"),
        ui.part(offer, ctx, vitals, key="offer"),
        ui.row(
            ui.button(ui.action("Signer", sign), style="primary", shortcut="Ctrl+Enter"),
            ui.part(tally, ctx, vitals),
            key="sign",
            wrap=True,
        ),
        ui.expander("Siste notater", ui.part(former, notes), key="former"),
        gap="s",
    )


def offer(ctx: Ctx, vitals: Result) -> Part | None:
    """The newest set. After «Nye målinger»: the very set that was saved for this note, until a newer one stands; or why
    there is none."""
    outcome = ctx.outcome(RECORD)
    refs = saved_for(outcome)
    newest = reuse.quote(vitals, ctx.now)
    quote = reuse.quote([one for one in vitals if reference(one) in refs], ctx.now) if refs else None
    if quote is None or (newest is not None and newest.at > quote.at):
        quote, refs = newest, []
    parts = []
    if outcome is not None and not outcome.handled:
        parts.append(ui.text(outcome.reason or "Det ble ikke tatt nye målinger.", style="caption", key="why"))
    if quote is not None and quote.sentence not in str(ctx.state.text or ""):
        run = ui.action(" · ".join(quote.said), insert, **({"refs": refs} if refs else {}))
        said = f"Sett inn {', '.join(quote.said)}, {quote.source}"
        parts.append(ui.button(run, style="chip", label=said, key="insert"))
        abouts = dict(zip(quote.said, quote.refs, strict=True))
        parts.append(ui.text(quote.source, style="caption", at=quote.at.isoformat(), abouts=abouts, key="source"))
    return ui.row(*parts, wrap=True) if parts else None


def saved_for(outcome: Any) -> list[str]:
    """The references that the other panel gave, if any."""
    held = outcome.result.get("observations") if outcome is not None and isinstance(outcome.result, dict) else None
    return [str(one) for one in held] if isinstance(held, list) else []


def reference(one: Resource) -> str:
    return f"Observation/{one.get('id')}"


def tally(ctx: Ctx, vitals: Result) -> Part:
    refs, rest = reuse.standing(ctx.state.used, str(ctx.state.text or ""))
    quote = reuse.quote(vitals, ctx.now)
    return ui.text(reuse.counted(len(refs), reuse.retyped(rest, quote.numbers if quote else ())), style="caption")


def former(notes: Result) -> Part:
    shown = [(one, text) for one in record.newest(notes) if (text := text_of(one))][:3]
    if not shown:
        return ui.empty("Ingen notater ennå", "Det første du signerer, kommer hit.")
    made = []
    for one, text in shown:
        moment = record.when(one)
        head = f"{record.date(moment)} {record.clock(moment)} · {record.who(one) or 'ukjent forfatter'}"
        if record.waits(one):
            head += " · venter på plattformen"
        body = text if len(text) <= SHOWN else text[: SHOWN - 1].rsplit(" ", 1)[0] + "…"
        about, key = record.name(one), str(one.get("id") or "").replace(".", "-")
        words = (ui.text(head, style="caption", about=about), ui.text(body, about=about))
        made.append(ui.column(*words, gap="xs", key=key))
    return ui.column(*made, gap="m")


def text_of(composition: Resource) -> str:
    if composition.get("status") == "entered-in-error":
        return ""
    if record.withheld(composition):
        return record.withheld(composition)
    sections = [one for one in composition.get("section") or [] if isinstance(one, dict)]
    texts = [record.plain((one.get("text") or {}).get("div")) for one in sections]
    return "\n".join(text for text in texts if text)


# --- writing ------------------------------------------------------------------------------------------------


@panel.action
def measure(ctx: Ctx) -> None:
    """Ask whichever panel records vital signs for a new set; the values are offered here when it is saved."""
    ctx.raise_intent(RECORD)


@panel.action
def insert(ctx: Ctx, refs: Any = ()) -> None:
    """Puts the newest values (or those of `refs`) and their source at the end of the note."""
    quote = reuse.quote([one for one in ctx.search(VITALS) if not refs or reference(one) in refs], ctx.now)
    if quote is None:
        raise PanelProblem("Det er ingen målinger å sette inn.")
    text = str(ctx.state.text or "").rstrip()
    ctx.set(text=f"{text} {quote.sentence} ".lstrip(), used=[*used(ctx), quote.packed()])


@panel.action
def use_template(ctx: Ctx, name: str) -> None:
    """Adds the template below what is written: nothing typed is lost."""
    quote = reuse.quote(ctx.search(VITALS), ctx.now)
    body = TEMPLATES[name](ctx, quote.sentence if quote else "")
    text = str(ctx.state.text or "").rstrip()
    packed = [quote.packed()] if quote and quote.sentence in body else []
    ctx.set(text=f"{text}\n\n{body}" if text else body, used=[*used(ctx), *packed])


def used(ctx: Ctx) -> list[str]:
    held = ctx.state.used
    return [str(one) for one in held] if isinstance(held, list) else []


@panel.action
def sign(ctx: Ctx) -> None:
    """One transaction: the note, and where what it quotes comes from."""
    text = str(ctx.state.text or "").strip()
    if not text:
        raise PanelProblem("Skriv noe i notatet før du signerer.")
    refs, rest = reuse.standing(ctx.state.used, text)
    at, author = ctx.now.isoformat(timespec="seconds"), record.person(ctx.user)
    coding = {"system": DOCUMENTS, "code": "B02-2", "display": "Journalnotat"}
    target = ctx.create(
        {
            "resourceType": "Composition",
            "status": "final",
            "type": {"coding": [coding], "text": "Journalnotat"},
            "date": at,
            "author": [author],
            "title": "Journalnotat",
            "section": [{"title": "Notat", "text": {"status": "generated", "div": record.narrative(text)}}],
        }
    )
    agent = {"type": {"coding": [{"system": AGENT, "code": "author"}]}, "who": author}
    origin: Resource = {
        "resourceType": "Provenance",
        "target": [{"reference": target}],
        "recorded": at,
        "agent": [agent],
    }
    if refs:
        origin["entity"] = [{"role": "source", "what": {"reference": one}} for one in refs]
    ctx.create(origin)
    quote = reuse.quote(ctx.search(VITALS), ctx.now)
    ctx.clear("text")
    ctx.set(used=None)
    ctx.say(f"Signert. {reuse.counted(len(refs), reuse.retyped(rest, quote.numbers if quote else ()))}.")


AGENT = "http://terminology.hl7.org/CodeSystem/provenance-participant-type"


# --- templates ----------------------------------------------------------------------------------------------


def forverring(ctx: Ctx, measured: str) -> str:
    return f"Endring: \nSiden: \nMålinger: {measured or '(ingen nye)'}\nTiltak: \nVarslet: \nNy vurdering kl.: "


def isbar(ctx: Ctx, measured: str) -> str:
    user = ctx.user
    caller = ", ".join(one for one in (user.get("display", ""), user.get("role", "")) if one)
    return "\n".join(
        (
            f"I – Hvem ringer: {caller}",
            "S – Situasjon: ",
            f"B – Bakgrunn: {background(ctx)}",
            f"A – Aktuelt: {measured or '(ingen nye målinger)'}",
            "R – Råd: ",
        )
    )


def background(ctx: Ctx) -> str:
    problems = [called(one) for one in ctx.search(PROBLEMS) if active(one)]
    allergies = [called(one) for one in ctx.search(ALLERGIES) if active(one)]
    known = ", ".join(one for one in problems if one) or "ingen problemer registrert"
    return f"{known}. Allergier: {', '.join(one for one in allergies if one) or 'ingen registrert'}."


def called(one: Resource) -> str:
    return "(én kan ikke vises)" if record.withheld(one) else record.text(one.get("code"))


def active(one: Resource) -> bool:
    gone = record.code(one.get("verificationStatus")) in ("entered-in-error", "refuted")
    return not gone and record.code(one.get("clinicalStatus")) in ("", "active", "recurrence", "relapse")


def relatives(ctx: Ctx, measured: str) -> str:
    return "Snakket med: \nTok kontakt: \nSpørsmål: \nInformert om: \nAvtalt: "


TEMPLATES: dict[str, Callable[[Ctx, str], str]] = {"Forverring": forverring, "ISBAR": isbar, "Pårørende": relatives}
