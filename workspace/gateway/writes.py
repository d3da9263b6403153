"""Writes: every resource meets its profile, names a patient that is open, and has the signed-in person as its author.

Transactions are done once under their key. Nothing is deleted here: what was wrong is marked ``entered-in-error``. Never
changes what was written but for the tags that find a transaction again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from workspace.access.decision import Action, Decision
from workspace.access.kinds import AUTHOR, authors_of, patient_parameter, served
from workspace.fhir import parameters
from workspace.fhir.references import ID
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway import profiles
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.idempotency import Keys, Outcome, digest_of, found_again, tagged
from workspace.gateway.refused import Fault, Refused, Rejected, bad_request, denied
from workspace.gateway.sight import about

LARGEST = 500
"""Entries of one bundle."""
SHARED_AUTHORS = frozenset({"MedicationAdministration", "Procedure", "Provenance"})
"""Types with several who take part (double control): the person must be among them."""


@dataclass(slots=True)
class Entry:
    """One write of a bundle, or a single one: where it stood and what it asks."""

    place: int
    method: str
    kind: str
    own: str
    resource: Resource
    condition: str = ""
    match: str = ""
    patients: tuple[str, ...] = ()


class Writes:
    def __init__(self, service: FhirService, auditing: Auditing, keys: Keys, base: str) -> None:
        self._service = service
        self._auditing = auditing
        self._keys = keys
        self._base = base

    async def transaction(self, asking: Asking, bundle: Resource, raw: bytes, key: str) -> Outcome:
        """A transaction Bundle under its idempotency key (without one: done, and not found again). Raises Refused."""

        async def work() -> FhirResponse:
            try:
                return await self._transact(asking, bundle, key or str(uuid4()))
            except Rejected as refusal:
                self._log_refusal(asking, refusal)
                return refusal.response()

        async def recover() -> FhirResponse | None:
            found = await found_again(self._service, key, bundle)
            if found is not None:
                written = [each["resource"] for each in (found.body or {})["entry"] if "resource" in each]
                await self._log(asking, written, f"transaction[{len(written)}]", {})
            return found

        if not key:
            answer = await work()
            return Outcome(answer.status, b"", answer.body)
        return await self._keys.once(key, asking.subject.sub, digest_of(raw), work, recover)

    async def single(self, asking: Asking, request: FhirRequest) -> FhirResponse:
        """POST on a type or PUT on an instance. Raises Refused."""
        entry = self._entry(0, request.method, request.path, request.query, request.body, request.headers)
        decisions = await self._check(asking, [entry], {})
        body = tagged(entry.resource, str(uuid4()), 0)
        headers = {"prefer": "return=representation"}
        if entry.condition:
            headers["if-none-exist"] = entry.condition
        if entry.match:
            headers["if-match"] = entry.match
        path = f"{entry.kind}/{entry.own}" if entry.own else entry.kind
        answer = await self._service.handle(FhirRequest(entry.method, path, "", headers, body))
        if answer.status in (200, 201) and answer.body is not None:
            await self._log(asking, [answer.body], f"{entry.method} {entry.kind}", decisions)
        return answer

    # A transaction ------------------------------------------------------------------------------------------------

    async def _transact(self, asking: Asking, bundle: Resource, key: str) -> FhirResponse:
        entries = self._entries(bundle)
        known: dict[str, Resource] = {}
        for entry, given in zip(entries, bundle["entry"], strict=True):
            for name in (given.get("fullUrl"), f"{entry.kind}/{entry.own}" if entry.own else ""):
                if name:
                    known[str(name)] = entry.resource
        decisions = await self._check(asking, entries, known)
        sent = [_sent(entry, given, key) for entry, given in zip(entries, bundle["entry"], strict=True)]
        answer = await self._service.handle(
            FhirRequest(
                "POST",
                "",
                headers={"prefer": "return=representation"},
                body={"resourceType": "Bundle", "type": "transaction", "entry": sent},
            )
        )
        if answer.status == 200 and answer.body is not None:
            written = [each["resource"] for each in answer.body.get("entry", ()) if "resource" in each]
            await self._log(asking, written, f"transaction[{len(entries)}]", decisions)
        return answer

    def _entries(self, bundle: Resource) -> list[Entry]:
        given = bundle.get("entry")
        if not isinstance(given, list) or not given or len(given) > LARGEST:
            raise bad_request("bad-bundle", "Forsendelsen er tom eller for stor.", f"1 to {LARGEST} entries")
        found = []
        for place, each in enumerate(given):
            asked = each.get("request") if isinstance(each, dict) else None
            if not isinstance(asked, dict):
                raise bad_request("bad-bundle", "En del av forsendelsen kan ikke leses.", f"entry[{place}].request")
            url = str(asked.get("url", "")).removeprefix(self._base).strip("/")
            path, _, query = url.partition("?")
            headers = {"if-match": str(asked.get("ifMatch", "")), "if-none-exist": str(asked.get("ifNoneExist", ""))}
            found.append(self._entry(place, str(asked.get("method", "")), path, query, each.get("resource"), headers))
        return found

    def _entry(self, place: int, method: str, path: str, query: str, body: Any, headers: Mapping[str, str]) -> Entry:
        kind, _, own = path.partition("/")
        if method == "DELETE":
            raise Refused(
                405,
                "no-delete",
                "Opplysninger slettes ikke her.",
                "Merk den som feilført i stedet.",
                issue="not-supported",
            )
        if method not in ("POST", "PUT") or query or (method == "POST") == bool(own) or (own and not ID.fullmatch(own)):
            raise bad_request(
                "bad-bundle", "En del av forsendelsen kan ikke utføres.", f"entry[{place}] {method} {path}"
            )
        if not isinstance(body, dict) or body.get("resourceType") != kind or not isinstance(body.get("meta", {}), dict):
            raise bad_request("bad-body", "Innholdet er av en annen type enn adressen sier.", f"entry[{place}] {kind}")
        return Entry(
            place, method, kind, own, body, headers.get("if-none-exist", "").lstrip("?"), headers.get("if-match", "")
        )

    # Checks -------------------------------------------------------------------------------------------------------

    async def _check(self, asking: Asking, entries: list[Entry], known: Mapping[str, Resource]) -> dict[str, Decision]:
        """Access first, then the fields. Returns the decision about each patient. Raises Refused."""
        decisions: dict[str, Decision] = {}
        faults: list[Fault] = []
        for entry in entries:
            many = len(entries) > 1
            here = [_placed(each, entry.place) if many else each for each in profiles.faults(entry.resource)]
            entry.patients = await about(self._service, entry.resource, self._base, known)
            faults += here
            decision = self._decide(asking, entry, broken=bool(here))
            if decision is not None:
                decisions.update(dict.fromkeys(entry.patients, decision))
            before = await self._before(asking, entry)
            wrong = self._authors(asking, entry, before) + _same_patient(entry, before, self._base)
            faults += [_placed(each, entry.place) if many else each for each in wrong]
            self._narrow(entry)
        if faults:
            raise Rejected(faults)
        return decisions

    def _decide(self, asking: Asking, entry: Entry, *, broken: bool) -> Decision | None:
        """The decision on a permitted write; None when the profile already says that the patient is missing."""
        action: Action = "create" if entry.method == "POST" else "update"
        if not entry.patients and broken and served(entry.kind):
            decision = asking.decide(action, entry.kind)
        else:
            decision = asking.decide(action, entry.kind, entry.patients)
        if not decision.permitted:
            raise denied(decision)
        return decision if entry.patients else None

    async def _before(self, asking: Asking, entry: Entry) -> Resource | None:
        if entry.method != "PUT":
            return None
        there = await self._service.handle(FhirRequest("GET", f"{entry.kind}/{entry.own}"))
        if there.status in (404, 410):
            return None
        if there.status != 200 or there.body is None:
            raise Refused(503, "platform-failed", "Plattformen har en feil akkurat nå.", detail=f"read {there.status}")
        decision = asking.decide("update", entry.kind, await about(self._service, there.body, self._base))
        if not decision.permitted:
            raise denied(decision)
        return there.body

    def _authors(self, asking: Asking, entry: Entry, before: Resource | None) -> list[Fault]:
        if entry.kind not in AUTHOR:
            return []
        me = {asking.subject.practitioner, *(each.reference for each in asking.decisions.positions)}
        given = set(authors_of(entry.resource, self._base))
        staff = {each for each in given if each.startswith(("Practitioner/", "PractitionerRole/"))}
        kept = set(authors_of(before, self._base)) if before else set()
        element = f"{entry.kind}.{AUTHOR[entry.kind][0]}"
        if before is not None and given <= kept | me and (given or not kept):
            return []
        if not staff & me:
            if not given and any(f.expression == element for f in profiles.faults(entry.resource)):
                return []
            return [
                Fault(element, "Den som er logget inn, må stå som den som har utført eller skrevet dette.", "author")
            ]
        if entry.kind not in SHARED_AUTHORS and not staff <= me | kept:
            return [Fault(element, "Du kan ikke skrive på vegne av en annen.", "author")]
        return []

    def _narrow(self, entry: Entry) -> None:
        """A conditional create must not tell whether another patient has such a resource."""
        name = patient_parameter(entry.kind)
        if not entry.condition or not entry.patients:
            return
        if name != "patient" or parameters.definition(entry.kind, name) is None:
            raise bad_request("bad-condition", "Betingelsen kan ikke brukes her.", f"ifNoneExist on {entry.kind}")
        entry.condition += "&patient=" + ",".join(entry.patients)

    # The log ------------------------------------------------------------------------------------------------------

    async def _log(
        self, asking: Asking, written: list[Resource], shape: str, decisions: Mapping[str, Decision]
    ) -> None:
        patients: dict[str, None] = dict.fromkeys(decisions)
        for resource in written:
            patients.update(dict.fromkeys(await about(self._service, resource, self._base)))
        versions = [f"{r['resourceType']}/{r['id']}/_history/{r['meta']['versionId']}" for r in written]
        new = all(r["meta"]["versionId"] == "1" for r in written)
        kinds = ",".join(dict.fromkeys(str(r["resourceType"]) for r in written))
        named = tuple(patients)
        decision = next(iter(decisions.values()), None) or asking.decide("update", "Observation", named)
        await self._auditing.written(
            asking, "create" if new else "update", f"{shape} {kinds}", named, versions, decision
        )

    def _log_refusal(self, asking: Asking, refusal: Rejected) -> None:
        decision = Decision("deny", refusal.code, "R-26", "pasientjournalforskriften § 6", refusal.sentence)
        self._auditing.refused(asking, "transaction", (), decision)


def _sent(entry: Entry, given: Resource, key: str) -> Resource:
    request = {"method": entry.method, "url": f"{entry.kind}/{entry.own}" if entry.own else entry.kind}
    if entry.match:
        request["ifMatch"] = entry.match
    if entry.condition:
        request["ifNoneExist"] = entry.condition
    sent: Resource = {"resource": tagged(entry.resource, key, entry.place), "request": request}
    if given.get("fullUrl"):
        sent["fullUrl"] = given["fullUrl"]
    return sent


def _placed(fault: Fault, place: int) -> Fault:
    return replace(fault, expression=f"Bundle.entry[{place}].resource.ofType({fault.expression.replace('.', ').', 1)}")


def _same_patient(entry: Entry, before: Resource | None, base: str) -> list[Fault]:
    from workspace.fhir.compartment import patients_of

    if before is None or entry.kind == "Provenance" or set(patients_of(before, base)) == set(entry.patients):
        return []
    return [Fault(f"{entry.kind}.subject", "En opplysning kan ikke flyttes til en annen pasient.", "patient")]
