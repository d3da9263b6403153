"""One transaction on its way: what is sent, where it was typed, and how the vault keeps it. Plain data; sends nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

from workspace.fhir import json
from workspace.fhir.compartment import patients_of
from workspace.fhir.references import target, walk
from workspace.fhir.service import Resource
from workspace.problem import Problem
from workspace.record.client import Asker

State = Literal["venter", "lagret", "konflikt", "avvist"]
NOBODYS = (
    "Practitioner/",
    "PractitionerRole/",
    "Organization/",
    "Encounter/",
    "Device/",
    "Location/",
    "urn:",
    "#",
    "http",
)
"""What rows are not marked for: who did it and where, and what has no name yet."""
ANSWERED = "besvart"
"""In the vault alone: the platform has answered a courier. Its author asks again under the same key, gets that answer and
does with it what only an author can."""
_DONE = re.compile(r"2\d\d\b")
HELD = "held"
"""Code of the Problem that a waiting item carries when it rests on one that was not taken."""


@dataclass(frozen=True, slots=True)
class Form:
    """Where a write was made, with what was typed there when it was committed: a refused one opens there again. `changes` is
    what becomes of the fields once it is durable (by bind, None for an emptied one)."""

    package: str = ""
    version: str = ""
    view: str = ""
    instance: str = ""
    values: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 0
    state_version: int = 1
    changes: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)  # without slots: what is read out of the bundle is worked out once
class Item:
    """One transaction. `answer` is the platform's bundle once `state` is lagret.

    `bases` hold the version that each update was made from, by ``Type/id``. `stands_for` are names (``urn:uuid:``) of the
    refused item that this one replaces, with its own names for the same; `formerly` the versions that one was made from.
    `seq` is the order of delivery. `wire` is the bundle as it was sealed: these characters are kept and sent, no others."""

    id: str
    patient: str
    bundle: Mapping[str, Any]
    asker: Asker
    state: State = "venter"
    problem: Problem | None = None
    answer: Mapping[str, Any] | None = None
    form: Form = Form()
    bases: Mapping[str, Resource] = field(default_factory=dict)
    author: str = ""
    made: str = ""
    stands_for: Mapping[str, str] = field(default_factory=dict)
    formerly: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seal: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0
    key: str = ""
    wire: str = ""

    @property
    def sent_as(self) -> str:
        """Its idempotency key: its id, or another one once it was joined with somebody else's change."""
        return self.key or self.id

    @property
    def sent(self) -> bytes:
        """The body as it goes to the platform, the same however often and by whomever it is sent."""
        return (self.wire or encoded(self.bundle)).encode()

    @property
    def held(self) -> bool:
        """Whether it waits for a person to see to the item it rests on, not for the platform."""
        return self.state == "venter" and self.problem is not None and self.problem.code == HELD

    @cached_property
    def lanes(self) -> frozenset[str]:
        """Whom it is about: items that share a patient go in their order, whatever panel wrote them."""
        named = {who for entry in entries(self.bundle) for who in patients_of(entry.get("resource") or {})}
        return frozenset(named or {self.patient})

    @cached_property
    def creates(self) -> frozenset[str]:
        """The ``urn:uuid:`` names that later items may use for what this one makes."""
        own = (str(entry.get("fullUrl", "")) for entry in entries(self.bundle))
        return frozenset([*(name for name in own if name.startswith("urn:uuid:")), *self.stands_for])

    @cached_property
    def made_names(self) -> frozenset[str]:
        """``Type/<uuid>`` of what it makes, as that is shown while it waits."""
        made = (
            (str((entry.get("resource") or {}).get("resourceType", "")), str(entry.get("fullUrl", "")))
            for entry in entries(self.bundle)
        )
        return frozenset(f"{kind}/{name[9:]}" for kind, name in made if name.startswith("urn:uuid:"))

    @cached_property
    def updates(self) -> Mapping[str, str]:
        """``Type/id`` of each resource that it changes, with the version it must still have."""
        return updates(self.bundle)

    @cached_property
    def concerns(self) -> frozenset[str]:
        """``Type/id`` of whatever a row may be about that this belongs to: what it changes, and what its new resources
        refer to (the resident, the order, the task); never who wrote it or where it came from."""
        found = set(self.updates)
        for entry in entries(self.bundle):
            resource = entry.get("resource") or {}
            if resource.get("resourceType") != "Provenance":
                found.update(name for one in walk(resource) if (name := target(one)))
        return frozenset(name for name in found if not name.startswith(NOBODYS))

    @cached_property
    def uses(self) -> frozenset[str]:
        """``urn:uuid:`` names in it that it does not make itself."""
        found: set[str] = set()
        _urns(self.bundle, found)
        return frozenset(found - self.creates)

    def body(self) -> str:
        """As the vault keeps it."""
        kept: dict[str, Any] = {
            **({"wire": self.wire} if self.wire else {"bundle": self.bundle}),
            "packages": list(self.asker.packages), "purpose": self.asker.purpose,
            "form": {
                "package": self.form.package, "version": self.form.version, "view": self.form.view,
                "instance": self.form.instance, "values": self.form.values, "revision": self.form.revision,
                "state_version": self.form.state_version,
            },
            "bases": self.bases, "stands_for": self.stands_for, "formerly": self.formerly, "seal": self.seal,
            "key": self.key, "changes": self.form.changes,  # beside the form: an older program knows no such field of it
        }  # fmt: skip
        if self.problem is not None and not self.held:
            kept["problem"] = [self.problem.code, self.problem.sentence, self.problem.advice, self.problem.detail]
        return json.dumps(kept).decode()


def item_of(seq: int, own: str, author: str, patient: str, state: str, body: str, made: str) -> Item:
    """An item as it stands in the vault; fields that an older program did not write are empty. One that is `ANSWERED`
    waits, for its author."""
    kept = json.loads(body)
    wire = kept.get("wire") or ""
    bundle = json.loads(wire) if wire else kept["bundle"]
    item = Item(own, patient, bundle, Asker(tuple(kept["packages"]), "", kept["purpose"]))
    item = replace(
        item,
        form=Form(**{**(kept.get("form") or {}), "changes": kept.get("changes") or {}}),
        bases=kept.get("bases") or {},
        author=author,
        made=made,
        stands_for=kept.get("stands_for") or {},
        formerly={name: tuple(held) for name, held in (kept.get("formerly") or {}).items()},
        seal=kept.get("seal") or {},
        seq=seq,
        key=kept.get("key") or "",
        wire=wire,
    )
    if state not in ("konflikt", "avvist"):
        return item
    known: State = "konflikt" if state == "konflikt" else "avvist"
    return replace(
        item, state=known, problem=Problem(*kept.get("problem") or ("rejected", "Plattformen avviste dette."))
    )


def is_answer(answer: Mapping[str, Any], bundle: Mapping[str, Any]) -> bool:
    """Whether each entry of `answer` says that the one of `bundle` in its place was done, and names nothing else than was
    asked for (FHIR R4 Bundle: ``entry.response.status`` starts with the HTTP code). A 200 over all else says nothing."""
    found, asked = answer.get("entry"), entries(bundle)
    return isinstance(found, list) and len(found) == len(asked) and all(map(_is_done, found, asked))


def _is_done(got: Any, asked: Mapping[str, Any]) -> bool:
    response = got.get("response") if isinstance(got, dict) else None
    if not isinstance(response, dict) or not _DONE.match(str(response.get("status") or "")):
        return False
    kind, _, own = str((asked.get("request") or {}).get("url", "")).partition("/")
    resource = got.get("resource") or {}
    told = bool(resource) and resource.get("resourceType") != "OperationOutcome"
    if told and (resource.get("resourceType") != kind or (own and resource.get("id") != own)):
        return False
    location = str(response.get("location") or "")
    return not location or f"/{kind}/" in f"/{location}"


def encoded(bundle: Mapping[str, Any]) -> str:
    """A bundle as it is sealed and sent."""
    return json.dumps(bundle).decode()


def entries(bundle: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found = bundle.get("entry")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def updates(bundle: Mapping[str, Any]) -> dict[str, str]:
    found = {}
    for entry in entries(bundle):
        request = entry.get("request") or {}
        if request.get("method") == "PUT":
            found[str(request.get("url", ""))] = version_in(str(request.get("ifMatch", "")))
    return found


def version_in(etag: str) -> str:
    """``3`` of ``W/"3"``."""
    return etag.removeprefix("W/").strip('"')


def _urns(value: Any, found: set[str]) -> None:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "reference" and isinstance(part, str):
                if part.startswith("urn:uuid:"):
                    found.add(part)
            else:
                _urns(part, found)
    elif isinstance(value, list):
        for part in value:
            _urns(part, found)
