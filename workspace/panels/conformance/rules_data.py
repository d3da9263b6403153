"""Checks of data as they are, drafts and writes: holes, failures and none at all; what was typed; what was written."""

from __future__ import annotations

from workspace.access.kinds import AUTHOR, authors_of
from workspace.panels.conformance import synthetic
from workspace.panels.conformance.check import Findings, Rules
from workspace.panels.conformance.evidence import Evidence, Visit
from workspace.panels.conformance.faults import last as last_fault
from workspace.panels.conformance.rules_drawn import readable
from workspace.panels.conformance.rules_run import written

rules = Rules()

_TIMES = (
    "effectiveDateTime", "effectivePeriod", "effectiveInstant", "authoredOn", "date", "recordedDate", "recorded", "sent",
    "performedDateTime", "performedPeriod", "onsetDateTime", "period", "occurrenceDateTime", "authored", "issued",
)  # fmt: skip


# --- data as they are ---------------------------------------------------------------------------------------


def _words(visit: Visit) -> list[str]:
    return [text for node in visit.looks[-1].nodes for text in readable(node)] if visit.looks else []


def _fault(visit: Visit) -> str:
    """The last fault in its log; a write in a view is another check's finding."""
    found = last_fault(visit.log)
    return "" if "WriteInView" in found else found


def _tied(visit: Visit) -> bool:
    """Something is drawn by the shell from a watch: it shows data, none and trouble by itself."""
    return bool(visit.looks) and any("watch" in node.props for node in visit.looks[-1].nodes)


@rules(
    "E-01", "It shows what there is",
    why="A panel that does not finish drawing with ordinary data is of no use.",
    mend="Read the panel's log; look for a query that is asked anew at every render.",
)  # fmt: skip
def shows_data(seen: Evidence) -> Findings:
    for visit in seen.of("full", "many", "late"):
        if not visit.looks:
            continue
        first = (
            visit.looks[-1]
            if visit.mode != "full"
            else next((x for x in reversed(visit.looks) if x.when == "opened"), visit.looks[0])
        )
        if any(node.type in ("pending", "failed") for node in first.nodes):
            yield f"{visit.where}: still {'failed' if first.all('failed') else 'waiting'} when all data had come"
        elif _fault(visit) and visit.mode == "full" and not any(one.error for one in visit.pressed):
            yield f"{visit.where}: {_fault(visit)}"


@rules(
    "E-02", "Without data it says so, and what to do",
    why="An empty panel looks broken; «ingen målinger ennå» is an answer.",
    mend="Give lists and tables their `empty` text, or show an `empty` component.",
)  # fmt: skip
def says_empty(seen: Evidence) -> Findings:
    for visit in seen.of("none"):
        if not visit.drew or not _words(visit):
            yield f"{visit.where}: nothing can be read"
        elif any(node.type == "failed" for node in visit.looks[0].nodes):
            yield f"{visit.where}: shown as failed" + (f"; {_fault(visit)}" if _fault(visit) else "")


@rules(
    "E-03", "A failed query never looks like no data",
    why="«Ingen allergier» when the platform did not answer is a lie that harms.",
    mend="Show `failed` with the error's text where a result has one; with the SDK it happens by itself.",
)  # fmt: skip
def says_failed(seen: Evidence) -> Findings:
    empty = {visit.view.id: visit for visit in seen.of("none")}
    for visit in seen.of("failing"):
        if not seen.door.asked.get(visit.context.token):
            continue
        other = empty.get(visit.view.id)
        if not visit.drew:
            yield f"{visit.where}: nothing was drawn"
        elif not _tied(visit) and other is not None and other.looks and _words(visit) == _shown_first(other):
            yield f"{visit.where}: looks just as without data"


def _shown_first(visit: Visit) -> list[str]:
    first = next((look for look in reversed(visit.looks) if look.when == "opened"), visit.looks[0])
    return [text for node in first.nodes for text in readable(node)]


@rules(
    "E-04", "Records with holes do not break it",
    why="Real records lack times, values, names and codes.",
    mend="Read every element as if it might be missing; `workspace.sdk.record` does.",
)  # fmt: skip
def survives_holes(seen: Evidence) -> Findings:
    for visit in seen.of("holes"):
        fault = _fault(visit)
        if not visit.drew:
            yield f"{visit.where}: nothing was drawn" + (f"; {fault}" if fault else "")
        elif fault:
            yield f"{visit.where}: {fault}"
        elif any(node.type == "failed" for look in visit.looks for node in look.nodes):
            yield f"{visit.where}: shown as failed"


@rules(
    "E-05", "It draws before its data have come",
    why="A slow platform must not leave a blank where a form could already be filled in.",
    mend="Render at once, with `pending` where a result is missing.",
)  # fmt: skip
def draws_before_data(seen: Evidence) -> Findings:
    for visit in seen.of("late"):
        if not seen.door.asked.get(visit.context.token):
            continue
        drawn = next((one.at for one in seen.messages(visit) if one.method == "render"), None)
        came = next((one.at for one in seen.messages(visit, to_panel=True) if one.method == "data"), None)
        if came is not None and (drawn is None or drawn > came) and visit.first_render is not None:
            yield f"{visit.where}: the first render came after the data"


# --- drafts and writes --------------------------------------------------------------------------------------


@rules(
    "D-01", "What was typed stands after the panel has been killed",
    why="Nothing typed is lost: the shell hands all fields back, and the panel must draw them again.",
    mend="Make the fields from the view alone, with the same binds each time; never clear a field but in an "
    "action's effects.",
)  # fmt: skip
def drafts_stand(seen: Evidence) -> Findings:
    for visit in seen.of("late"):
        if not visit.typed:
            continue
        if visit.binds_after is None:
            yield f"{visit.where}: it did not come back"
            continue
        lost = sorted(visit.binds_before - visit.binds_after)
        changed = sorted(bind for bind, value in visit.typed.items() if visit.values_after.get(bind) != value)
        if lost:
            yield f"{visit.where}: the field {lost[0]!r} was not drawn again"
        elif changed:
            yield f"{visit.where}: the field {changed[0]!r} lost what was typed"


@rules(
    "D-02", "A field may hold anything",
    why="People paste, and drafts come from older versions of the panel.",
    mend="Treat what stands in a field as text from anybody: check before you reckon, and say what is wrong in "
    "`error`.",
)  # fmt: skip
def odd_values(seen: Evidence) -> Findings:
    for visit in seen.of("none"):
        if not visit.looks:
            continue
        fault = _fault(visit)
        after = [look for look in visit.looks if look.when == "odd values typed"]
        if fault and not any(node.type == "failed" for node in visit.looks[0].nodes):
            yield f"{visit.where}: {fault}"
        elif any(node.type == "failed" for look in after for node in look.nodes) and not visit.looks[0].all("failed"):
            yield f"{visit.where}: shown as failed"
        yield from (f"{visit.where}: {what}" for what in visit.unanswered if "odd values" in what)


@rules(
    "W-01", "A view only describes",
    why="A view runs whenever something changes; one that writes would write again and again.",
    mend="Write in an action: its effects are committed when it returns.",
)  # fmt: skip
def no_writes_in_views(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if "WriteInView" in visit.log:
            yield f"{visit.where}: {last_fault(visit.log)}"


@rules(
    "W-02", "Every write says who and when",
    why="A fact without author and time cannot be trusted or corrected.",
    mend="Set the author to the context's user and the time to the context's `now`. With the SDK, `ctx.create` "
    "does for "
    "Observations; else use `record.person(ctx.user)` and `ctx.now`.",
)  # fmt: skip
def provenance(seen: Evidence) -> Findings:
    for visit in seen.visits:
        for kind, resource in written(visit):
            if kind in AUTHOR and synthetic.USER["reference"] not in authors_of(resource):
                yield f"{visit.where}: a {kind} without its author ({' or '.join(AUTHOR[kind])})"
            if kind not in ("Provenance", "AuditEvent") and not any(resource.get(name) for name in _TIMES):
                yield f"{visit.where}: a {kind} without a time"


@rules(
    "W-03", "An update names the version it was read at",
    why="Without it, what a colleague has just written is lost without a word.",
    mend="Send the whole resource with `if_match` set to its `meta.versionId`. With the SDK, `ctx.update` does.",
)  # fmt: skip
def updates_versioned(seen: Evidence) -> Findings:
    for visit in seen.visits:
        for one in visit.pressed:
            for entry in (one.effects or {}).get("writes") or []:
                if isinstance(entry, dict) and entry.get("action") == "update" and not entry.get("if_match"):
                    kind = (entry.get("resource") or {}).get("resourceType")
                    yield f"{visit.where}: «{one.text}» updates a {kind} without if_match"
