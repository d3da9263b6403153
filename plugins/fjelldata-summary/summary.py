"""Sammendrag: problems, allergies, fixed drugs and last values of one resident. Shows only, and says what is missing."""

from __future__ import annotations

from latest import latest, source

from workspace.sdk import Panel, record, ui

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part
    from workspace.sdk.results import Result

    Resource = dict[str, Any]

panel = Panel("fjelldata.summary", "1.0.0")

ALLERGIES = "AllergyIntolerance?_count=50"
PROBLEMS = "Condition?_count=100"
ORDERS = "MedicationRequest?status=active&_count=100"
VITALS = "Observation?category=vital-signs&_sort=-date&_count=200"
LABS = "Observation?category=laboratory&_sort=-date&_count=200"
ICPC = ("http://hl7.org/fhir/sid/icpc-2", "urn:oid:2.16.578.1.12.4.1.1.7170")
NONE_KNOWN = "716186003"  # SNOMED CT: no known allergy, of whatever kind
NONE_OF_A_KIND = {  # SNOMED CT: no known allergy of one kind, which says nothing of the others
    "409137002": "legemiddel", "429625007": "mat", "428607008": "miljø", "716220001": "dyre", "428197003": "insekt",
    "716184000": "lateks",
}  # fmt: skip


FIRST = 4  # values that stand open
VALUES = [
    ui.col("Siste verdi", key="what"),
    ui.col("Verdi", key="value", kind="number", width="grow"),
    ui.col("Alder og kilde", key="age", kind="age", width="l"),
]


@panel.view("summary")
def summary(ctx: Ctx) -> Part:
    allergic, problem, order = ctx.search(ALLERGIES), ctx.search(PROBLEMS), ctx.search(ORDERS)
    vital, lab = ctx.search(VITALS), ctx.search(LABS)
    made: list[list[dict[str, Any]]] = []

    def values() -> list[dict[str, Any]]:
        """Worked out once, for the lines that stand open and for the others."""
        if not made:
            made.append(value_lines(ctx.now, vital, lab))
        return made[0]

    return ui.column(
        ui.row(
            ui.part(allergies, allergic, key="allergies"),
            ui.part(drugs, order, key="drugs"),
            key="first",
            wrap=True,
        ),
        ui.table(
            lambda: problem_lines(problem),
            [ui.col("Problem", key="problem", width="grow"), ui.col("Siden", key="since", kind="muted")],
            empty="Ingen problemer registrert",
            label="Problemer",
            key="problems",
        ),
        ui.column(
            ui.table(
                lambda: values()[:FIRST],
                VALUES,
                sortable=False,
                empty="Ingen målinger ennå",
                empty_hint="De kommer hit når de er lagret i Vitale målinger eller svart ut av laboratoriet.",
                label="Siste verdier",
                key="values",
            ),
            ui.part(others, values, key="others"),
            gap="none",
            key="last",
        ),
        gap="s",
    )


def others(values: Callable[[], list[dict[str, Any]]]) -> Part | None:
    """What is measured less often, or shown elsewhere too: a key press away."""
    rest = values()[FIRST:]
    if not rest:
        return None
    abouts = {str(one["key"]): str(one.get("about", "")) for one in rest}
    table = ui.table(rest, VALUES, sortable=False, headers=False, label="Flere verdier")
    return ui.expander(f"Flere verdier ({len(rest)})", table, summary=", ".join(abouts), abouts=abouts)


# --- allergies ----------------------------------------------------------------------------------------------


def allergies(found: Result) -> Part:
    """Never silent: what is known, that nothing is known, or that nobody has asked."""
    valid = [one for one in found if is_valid(one)]
    pills = [allergy(one) for one in valid if not record.has_code(one, NONE_KNOWN, *NONE_OF_A_KIND)]
    return ui.row(*(pills or [none_known(valid)]), wrap=True, label="Allergier")


def none_known(found: list[Resource]) -> Part:
    """What those who say that there is no allergy say together: of one kind alone, the rest is to be asked about."""
    asked = [one for one in found if record.code(one.get("verificationStatus")) == "confirmed"]
    of_all = next((one for one in asked if not record.has_code(one, *NONE_OF_A_KIND)), None)
    if of_all:
        return ui.pill("Ingen kjente allergier", tone="ok", shape="dot", about=record.name(of_all))
    kinds = {
        kind: record.name(one) for code, kind in NONE_OF_A_KIND.items() for one in asked if record.has_code(one, code)
    }
    if not kinds:
        said = record.name(found[0]) if found else ""
        return ui.pill("Ingen kjente allergier: bekreft", tone="warn", shape="diamond", about=said)
    *others, last = kinds
    words = " og ".join(one for one in (", ".join(f"{kind}-" for kind in others), last) if one)
    said = f"Ingen kjente {words}allergier: bekreft andre"
    return ui.pill(said, tone="warn", shape="diamond", about=next(iter(kinds.values())))


def is_valid(one: Resource) -> bool:
    gone = record.code(one.get("verificationStatus")) in ("entered-in-error", "refuted")
    return not gone and record.code(one.get("clinicalStatus")) in ("", "active")


def allergy(one: Resource) -> Part:
    if record.withheld(one):
        return ui.pill("Allergi: kan ikke vises", tone="bad", shape="up", about=record.name(one))
    what = record.text(one.get("code")) or "ukjent stoff"
    reactions = [record.text(held) for part in one.get("reaction") or [] for held in part.get("manifestation") or []]
    said = f"Allergi: {what}" + (f" ({reactions[0]})" if reactions and reactions[0] else "")
    unsure = record.code(one.get("verificationStatus")) == "unconfirmed"
    return ui.pill(said + (", ikke bekreftet" if unsure else ""), tone="bad", shape="up", about=record.name(one))


# --- problems and drugs -------------------------------------------------------------------------------------


def problem_lines(found: Result) -> list[dict[str, Any]]:
    active = [one for one in found if is_active(one)]
    moments = {id(one): record.when(one) for one in active}
    active.sort(key=lambda one: moment.timestamp() if (moment := moments[id(one)]) else 0.0, reverse=True)
    return [
        ui.line(
            str(one.get("id") or f"uten-id-{at}"),
            {"problem": named(one), "since": ui.cell(since(one), sort=since_key(moments[id(one)]))},
            about=record.name(one),
            tone="warn" if record.withheld(one) else "neutral",
        )
        for at, one in enumerate(active)
    ]


def is_active(one: Resource) -> bool:
    gone = record.code(one.get("verificationStatus")) in ("entered-in-error", "refuted")
    return not gone and record.code(one.get("clinicalStatus")) in ("", "active", "recurrence", "relapse")


def named(one: Resource) -> str:
    code = next((found for system in ICPC if (found := record.code(one, system))), "")
    text = record.text(one.get("code"))
    return text if text.startswith(code) else f"{code} {text}"


def since(one: Resource) -> str:
    """As exact as it is known: «2019», «03.2019» or «14.01.2026»."""
    onset = str(one.get("onsetDateTime") or "")
    if len(onset) == 4:
        return onset
    if len(onset) == 7:
        return f"{onset[5:]}.{onset[:4]}"
    return record.date(record.when(one)) or str(one.get("onsetString") or "")


def since_key(moment: datetime | None) -> str:
    return moment.isoformat() if moment else ""


def drugs(found: Result) -> Part:
    odd = [one for one in found if record.withheld(one)]
    named = sorted((one for one in found if drug(one) and one not in odd), key=lambda one: drug(one).lower())
    forbidden = [one for one in named if record.forbids(one)]
    fixed = [one for one in named if not as_needed(one) and one not in forbidden]
    names = list(dict.fromkeys(drug(one) for one in fixed))
    said = f"Faste legemidler ({len(names)}): {', '.join(names)}" if names else "Ingen faste legemidler"
    if forbidden:
        said += f". Skal ikke gis: {', '.join(dict.fromkeys(drug(one) for one in forbidden))}"
    if odd:
        said += f". {len(odd)} kan ikke vises"
    tone = "bad" if forbidden else "warn" if odd else "neutral"
    return ui.text(said, style="muted", tone=tone, abouts=in_full([*fixed, *forbidden, *odd]))


def in_full(orders: list[Resource]) -> dict[str, str]:
    """What each order is called, with its strength and never twice, → what it stands in."""
    found: dict[str, str] = {}
    for one in orders:
        name = full_name(one)
        same = sum(1 for known in found if known == name or known.startswith(f"{name} (nr. "))
        found[f"{name} (nr. {same + 1})" if same else name] = record.name(one)
    return found


def full_name(order: Resource) -> str:
    if record.withheld(order):
        return "Legemiddel som ikke kan vises"
    return record.text(order.get("medicationCodeableConcept")) or record.display(order.get("medicationReference"))


def as_needed(order: Resource) -> bool:
    held = [one for one in order.get("dosageInstruction") or [] if isinstance(one, dict)]
    return any(one.get("asNeededBoolean") or one.get("asNeededCodeableConcept") for one in held)


def drug(order: Resource) -> str:
    """Its name without strength."""
    words = []
    for word in full_name(order).split():
        if word[0].isdigit():
            break
        words.append(word.rstrip(","))
    return " ".join(words)


# --- values -------------------------------------------------------------------------------------------------


def value_lines(now: datetime, vital: Result, lab: Result) -> list[dict[str, Any]]:
    made = []
    for title, one, shown, odd in latest([*vital.all(), *lab.all()]):
        moment = record.when(one)
        bad = "bad" if odd else "neutral"
        shape = "up" if odd else "none"
        cells = {
            "what": title,
            "value": ui.cell(shown, tone=bad, shape=shape, secondary=odd),
            "age": ui.cell(at=moment.isoformat() if moment else "", source=source(one)),
        }
        said = f"{title} {shown}{', ' + odd if odd else ''}, {record.ago(moment, now)}"
        made.append(ui.line(title, cells, label=said, about=record.name(one)))
    return made
