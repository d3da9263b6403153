"""Checks of how the panel behaved: started, answered, kept to its scopes and its patient, and went."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl

from workspace.panels.conformance import synthetic
from workspace.panels.conformance.check import Findings, Rules
from workspace.panels.conformance.evidence import Evidence, Visit
from workspace.panels.conformance.faults import last as last_fault
from workspace.panels.conformance.rules_drawn import readable
from workspace.panels.conformance.rules_files import package
from workspace.panels.conformance.stand_in import residents
from workspace.panels.effects import patients_of
from workspace.panels.protocol import MAX_LINE, MAX_NODES, MAX_RENDER

rules = Rules()

FIRST_RENDER = 2.0
EVENT = 5.0
MEMORY = 128 << 20
LEAVE = 2.0
NATIONAL = re.compile(r"(?<!\d)\d{6} ?\d{5}(?!\d)")


# --- start and limits ---------------------------------------------------------------------------------------


@rules(
    "R-01", "It starts, shut in, and introduces itself as the manifest says",
    why="A panel runs without network, home folder and environment; what it needs must be in the package.",
    mend="Run `workspace panel dev` and read its log. Answer `initialize` with the manifest's id, version and views.",
    needs="manifest",
)  # fmt: skip
def starts(seen: Evidence) -> Findings:
    if seen.start:
        yield seen.start
    elif seen.unrun:
        yield f"It was not started: {seen.unrun}."
    else:
        known = package(seen)
        said = seen.greeting
        for name, value in (("name", known.id), ("version", known.version)):
            if said.get(name) != value:
                yield f"it says {name} {said.get(name)!r}, the manifest {value!r}"
        if set(said.get("views") or []) != {view.id for view in known.views}:
            yield f"it says views {said.get('views')!r}, the manifest {[view.id for view in known.views]!r}"


@rules(
    "R-02", "The first picture comes at once",
    why="A nurse who changes patient waits for every panel; the aim is 50 ms, the limit here is generous.",
    mend="Prefetch what the first picture needs, import little, and draw before everything is there.",
)  # fmt: skip
def draws_at_once(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if visit.mode in ("failing", "none", "holes", "late") or seen.crashes:
            continue
        if not visit.drew:
            yield f"{visit.where}: nothing was drawn"
        elif visit.first_render is not None and visit.first_render > FIRST_RENDER:
            yield f"{visit.where}: {visit.first_render:.1f} s"


@rules(
    "R-03", "It answers `ping`, `ask` and `resync` within two seconds, also while it works",
    why="A panel that does not answer is shown as not answering, and the change of patient goes on without it.",
    mend="Never sleep or wait in a handler; read lines and answer between pieces of work.",
)  # fmt: skip
def answers(seen: Evidence) -> Findings:
    for visit in seen.visits:
        for what in visit.unanswered:
            if not any(word in what for word in ("cancelled", "odd values", "`intent`")):
                yield f"{visit.where}: {what}"


@rules(
    "R-04", "Every action on screen is answered",
    why="Busy stands on the button until the answer comes; an action that nobody knows is a dead button.",
    mend="Register each action that is drawn, and answer within five seconds, with effects or an error for the user.",
)  # fmt: skip
def actions_answered(seen: Evidence) -> Findings:
    for visit in seen.visits:
        for one in visit.pressed:
            if one.effects is None and one.error is None and not seen.crashes:
                yield f"{visit.where}: «{one.text}» ({one.name}) was not answered"
            elif one.error is not None and one.error.get("code") in (-32601, -32602, -32603):
                yield f"{visit.where}: «{one.text}» ({one.name}): {one.error.get('message')}"
            elif one.seconds > EVENT:
                yield f"{visit.where}: «{one.text}» took {one.seconds:.1f} s"


@rules(
    "R-05", "A cancelled request is answered and leaves it alive",
    why="The shell cancels when the user goes on; a panel that falls over then takes its draft off the screen.",
    mend="Answer the request with the error `cancelled` (-32800), or with its result if it was ready.",
)  # fmt: skip
def cancels(seen: Evidence) -> Findings:
    return [f"{v.where}: {what}" for v in seen.visits for what in v.unanswered if "cancelled" in what]


@rules(
    "R-06", "It is quiet when nothing happens",
    why="Fifty panels share a ward PC; one that draws for nothing takes time from the others.",
    mend="Draw when what is shown has changed, never on a timer. The shell keeps ages («for 12 min siden») fresh.",
)  # fmt: skip
def quiet(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if visit.idle_renders is not None and visit.idle_renders > 1:
            yield f"{visit.where}: {visit.idle_renders} renders in a second of nothing"


@rules(
    "R-07", "It goes when asked",
    why="A process serves one patient and ends; one that stays keeps the memory and the patient.",
    mend="Answer `shutdown`, then exit; exit also when stdin is closed.",
)  # fmt: skip
def goes(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if visit.left is None and visit.drew and not seen.crashes:
            yield f"{visit.where}: still there three seconds after `shutdown`"
        elif visit.left is not None and visit.left > LEAVE:
            yield f"{visit.where}: {visit.left:.1f} s"


@rules(
    "R-08", "stdout speaks the protocol and nothing else",
    why="A line that is no message ends the process the third time.",
    mend="Log to stderr or with `log`. With the SDK `print` goes to stderr by itself.",
)  # fmt: skip
def protocol_only(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if "[host] not a message" in visit.log:
            yield f"{visit.where}: {visit.log.partition('[host] not a message: ')[2][:60]!r}"
    for one in seen.passed:
        error = one.body.get("error") if one.to_panel else None
        if isinstance(error, dict) and error.get("code") in (-32600, -32601, -32602, -32700):
            yield f"the host refused a message: {error.get('message')}"


@rules(
    "R-09", "It does not crash",
    why="Three crashes in ten minutes disable the panel for that user.",
    mend="Read the panel's log (`workspace panel dev` shows file and line), and mend the fault.",
)  # fmt: skip
def no_crash(seen: Evidence) -> Findings:
    for reason in seen.crashes:
        faults = [fault for visit in seen.visits if (fault := last_fault(visit.log))]
        yield f"it stopped: {reason}" + (f"; {faults[0]}" if faults else "")


@rules(
    "L-01", "Messages and trees are within the limits",
    why=f"A line over {MAX_LINE >> 10} KiB ends the process; a render over {MAX_RENDER >> 10} KiB or "
    f"{MAX_NODES} nodes is not shown.",
    mend="Show the first rows and offer more, or bind the table to a watch: then no rows cross the wire.",
)  # fmt: skip
def within_limits(seen: Evidence) -> Findings:
    for one in seen.from_panel:
        if one.method == "render" and one.size > MAX_RENDER:
            yield f"a render of {one.size >> 10} KiB"
        elif one.size > MAX_LINE:
            yield f"a line of {one.size >> 10} KiB"
    for visit in seen.visits:
        for look in visit.looks:
            if len(look.nodes) > MAX_NODES:
                yield f"{visit.where}: {len(look.nodes)} nodes"
        if "sendte for mye" in visit.log or "for mange meldinger" in visit.log:
            yield f"{visit.where}: too many messages"


@rules(
    "L-02", "It is content with little memory, and one process",
    why="Fifty panels share a ward PC's 8 GB; the aim is 12 MB, the limit here is generous.",
    mend=f"Keep no copies of results; load what is large when it is needed; start no other programs. At most "
    f"{MEMORY >> 20} MiB.",
)  # fmt: skip
def memory(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if visit.memory is not None and visit.memory > MEMORY:
            yield f"{visit.where}: {visit.memory >> 20} MiB"
        if visit.processes is not None and visit.processes > 1:
            yield f"{visit.where}: {visit.processes} processes"


# --- scopes and patients ------------------------------------------------------------------------------------


@rules(
    "I-01", "It answers every intent it handles",
    why="Another vendor's panel has asked on the user's behalf, and the user waits for both.",
    mend="Answer `intent` for each name in `handles`, also when its arguments are not to your liking: with "
    "`handled: false` and a reason. With the SDK: `@panel.intent(name)`.",
)  # fmt: skip
def intents_answered(seen: Evidence) -> Findings:
    return [f"{v.where}: {what}" for v in seen.visits for what in v.unanswered if "`intent`" in what]


@rules(
    "I-02", "It raises only the intents it declares",
    why="Who installs the panel approves whom it may call on; what is not declared is dropped.",
    mend="Add the name to `raises` under `[intents]`.",
)  # fmt: skip
def intents_declared(seen: Evidence) -> Findings:
    known = set(package(seen).raises)
    for visit in seen.visits:
        raised = [one.params.get("name") for one in seen.messages(visit) if one.method == "raise"]
        for pressed in visit.pressed:
            raised += [one.get("name") for one in (pressed.effects or {}).get("raise") or [] if isinstance(one, dict)]
        yield from (f"{visit.where}: raises {name!r}" for name in raised if name not in known)


@rules(
    "S-03", "It asks and writes within its scopes",
    why="What is outside the scopes is refused and logged, and the user sees a gap.",
    mend="Declare the scope it needs, or do without.",
)  # fmt: skip
def within_scopes(seen: Evidence) -> Findings:
    for one in seen.door.denials:
        if one.code in ("scope-denied", "bad-query"):
            yield f"{one.what}: {one.detail or one.code}"


@rules(
    "S-04", "It uses every type it asks for",
    why="A scope that is not used is access that nobody needs: the municipality cannot approve it.",
    mend="Take the type out of `scopes`, or prefetch and show it.",
)  # fmt: skip
def scopes_used(seen: Evidence) -> Findings:
    used = {kind for kind, _ in seen.door.types}
    for text in package(seen).scopes:
        kind = text.partition("/")[2].partition(".")[0]
        if kind not in used and kind != "*":
            yield f"{text} was never used"


@rules(
    "S-05", "What the first picture needs is prefetched",
    why="Prefetched queries travel while the panel starts, merged with those of other panels; a later one makes "
    "everybody wait.",
    mend="Write the queries of the first picture into the view's `prefetch`, just as the panel asks them.",
)  # fmt: skip
def prefetch_fits(seen: Evidence) -> Findings:
    for visit in seen.of("full"):
        known = {_same(item.query) for item in visit.view.prefetch}  # one of these may be asked again, if it came late
        for one in seen.messages(visit):
            if one.method == "render" and one.params.get("tree") and not _waits(one.params["tree"]):
                break
            query = str(one.params.get("query"))
            if one.method in ("watch", "search") and one.at < _first_press(seen, visit) and _same(query) not in known:
                yield f"{visit.view.id}: {query!r} is not in `prefetch`"


def _same(query: str) -> tuple[str, ...]:
    kind, _, tail = query.partition("?")
    return kind, *sorted(f"{name}={value}" for name, value in parse_qsl(tail))


def _waits(tree: Any) -> bool:
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if node.get("type") == "pending":
            return True
        waiting += node.get("children") or []
    return False


def _first_press(seen: Evidence, visit: Visit) -> float:
    told = (one.at for one in seen.messages(visit, to_panel=True) if one.method in ("event", "state/changed"))
    return next(told, float("inf"))


@rules(
    "P-01", "It asks about the patient on screen and nobody else",
    why="The shell adds whom a query is about; a panel that names somebody is asking for somebody else.",
    mend="Leave `patient` and `subject` out of every query, and read only references that came with the data.",
)  # fmt: skip
def reads_own(seen: Evidence) -> Findings:
    wrote = {kind for visit in seen.visits for kind, _ in written(visit)}
    for one in seen.door.denials:
        if one.code == "wrong-patient" and one.what not in wrote:
            yield f"{one.what}: refused, {one.detail or 'it is about somebody else'}"


@rules(
    "P-02", "Every write names its patient, and the right one",
    why="A fact in another's record may kill; the shell refuses it, and the user has worked for nothing.",
    mend="Set `subject` (or `patient`, `for`) to the context's patient. With the SDK, `ctx.create` does so itself.",
)  # fmt: skip
def writes_own(seen: Evidence) -> Findings:
    for visit in seen.visits:
        own = {who.reference for who in residents(visit.context)}
        for kind, resource in written(visit):
            named = patients_of(resource)
            if not named and kind != "Provenance":
                yield f"{visit.where}: a {kind} names no patient"
            elif any(who not in own for who in named):
                yield f"{visit.where}: a {kind} is about {', '.join(sorted(set(named) - own))}"


def written(visit: Visit) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in visit.pressed:
        for entry in (one.effects or {}).get("writes") or []:
            if isinstance(entry, dict) and isinstance(entry.get("resource"), dict):
                yield str(entry["resource"].get("resourceType")), entry["resource"]


@rules(
    "P-03", "Nothing of one patient is shown with the next",
    why="The wrong patient's words on screen are the worst a panel can do.",
    mend="Keep nothing about a patient in files, settings or texts; every render is made from what came with "
    "its context.",
)  # fmt: skip
def nothing_left(seen: Evidence) -> Findings:
    for visit in seen.visits:
        mine = {who.mark for who in residents(visit.context)}
        others = [who for who in synthetic.RESIDENTS if who.mark not in mine]
        for look in visit.looks:
            shown = " ".join(text for node in look.nodes for text in readable(node)).lower()
            yield from (f"{visit.where}: shows {who.given} {who.family}" for who in others if _tells(who, shown))


def _tells(who: synthetic.Resident, text: str) -> bool:
    return who.mark in text or who.number in text or who.family.lower() in text


@rules(
    "P-04", "Every message carries its own instance and context",
    why="A message with another's address is dropped; a stream of them ends the process.",
    mend="Copy `instance` and the context's `token` from `open` into everything sent for that instance.",
)  # fmt: skip
def addressed(seen: Evidence) -> Findings:
    for visit in seen.visits:
        if visit.dropped:
            yield f"{visit.where}: {visit.dropped} messages were for nobody"


@rules(
    "P-05", "The log says nothing about persons",
    why="Logs go to the vendor and to the support desk.",
    mend="Log what happened, not to whom: no names, national numbers or values.",
)  # fmt: skip
def silent_log(seen: Evidence) -> Findings:
    said = [(visit.where, visit.log) for visit in seen.visits]
    said += [("log", str(one.params.get("text", ""))) for one in seen.from_panel if one.method == "log"]
    for where, text in said:
        if any(_tells(who, text.lower()) or who.reference in text for who in synthetic.RESIDENTS):
            yield f"{where}: the log names a person"
        elif NATIONAL.search(text):
            yield f"{where}: the log holds what looks like a national number"
