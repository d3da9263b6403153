"""Writes: every resource meets its profile, names a patient that is open, and has the signed-in person as its author.

Transactions are done once under their key, an update only from the version it was made from. Nothing is deleted here: what
was wrong is marked ``entered-in-error``. Never changes what was written but for the tags that find a transaction again; the
origin of each version is written beside it (`origins`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from workspace.access.decision import NO_PATIENT, Action, Decision, restricted
from workspace.access.kinds import authors_of, patient_parameter, served
from workspace.access.restrictions import marks_of
from workspace.clock import instant
from workspace.fhir import json, parameters
from workspace.fhir.references import ID, local
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway import authorship, origins, profiles
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.drafts import taken_by
from workspace.gateway.idempotency import Keys, Outcome, answered, digest_of, reused, tagged
from workspace.gateway.intents import Intent, Intents, version_of
from workspace.gateway.linked import Linked, Pointing
from workspace.gateway.refused import Fault, Refused, Rejected, bad_request, denied, hidden
from workspace.gateway.sight import NOBODYS, Sight, about, last_stood

UNTOLD = frozenset({"Provenance", "AuditEvent"})
"""They tell of others; nobody tells of them."""
LARGEST = 500
"""Entries of one bundle."""
_VERSION = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?$")
MARKED_WRONG = "Feilført av en annen enn den som skrev det."


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
    reason: str = ""
    """What the log says besides."""
    creates: bool = True
    voids: bool = False
    """It says that what stands there was entered in error."""
    patients: tuple[str, ...] = ()


class Writes:
    def __init__(self, service: FhirService, auditing: Auditing, keys: Keys, intents: Intents, base: str) -> None:
        self._service = service
        self._auditing = auditing
        self._keys = keys
        self._intents = intents
        self._linked = Linked(service, base)
        self._base = base

    async def transaction(
        self, asking: Asking, bundle: Resource, raw: bytes, key: str, *, repeat: bool = False
    ) -> Outcome:
        """A transaction Bundle under its idempotency key (without one: done, and not found again); `repeat` when its client
        does not know what became of an earlier sending. Raises Refused."""
        digest = digest_of(raw)

        async def work() -> FhirResponse:
            try:
                return await self._transact(asking, bundle, key or str(uuid4()), digest if key else "")
            except Rejected as refusal:
                self._log_refusal(asking, refusal)
                return refusal.response()

        async def recover(known: bool) -> FhirResponse | None:
            return await self._recovered(asking, bundle, key, digest, known=known)

        if not key:
            answer = await work()
            return Outcome(answer.status, b"", answer.body)
        return await self._keys.once(key, asking.subject.sub, digest, work, recover, repeat=repeat)

    async def single(self, asking: Asking, request: FhirRequest) -> FhirResponse:
        """POST on a type or PUT on an instance. Raises Refused."""
        entry = self._entry(0, request.method, request.path, request.query, request.body, request.headers)
        try:
            decisions = await self._check(asking, [entry], {})
        except Rejected as refusal:
            self._log_refusal(asking, refusal, f"{entry.method} {entry.kind}")
            raise
        key = str(uuid4())
        intent = self._intent(asking, key, [entry], f"{entry.method} {entry.kind}", decisions)
        sent = self._with_origin(asking, key, [entry], [_sent(entry, {}, key)])
        return await self._done(intent, _transaction(sent), "", origins.single)

    # A transaction ------------------------------------------------------------------------------------------------

    async def _transact(self, asking: Asking, bundle: Resource, key: str, digest: str) -> FhirResponse:
        entries = self._entries(bundle)
        known: dict[str, Resource] = {}
        for entry, given in zip(entries, bundle["entry"], strict=True):
            full, name = str(given.get("fullUrl") or ""), f"{entry.kind}/{entry.own}" if entry.own else ""
            there = local(full, self._base)
            if there is not None and str(there) != name:  # the platform would write its name wherever `there` is named
                raise bad_request("bad-bundle", "En del av forsendelsen heter som noe annet.", f"fullUrl {there}")
            known |= {each: entry.resource for each in (full, name) if each}
        decisions = await self._check(asking, entries, known)
        sent = [_sent(entry, given, key) for entry, given in zip(entries, bundle["entry"], strict=True)]
        intent = self._intent(asking, key, entries, f"transaction[{len(entries)}]", decisions, asked=bool(digest))
        intent = replace(intent, drafter=asking.author, taken=taken_by(bundle))
        sent = self._with_origin(asking, key, entries, sent)
        return await self._done(intent, _transaction(sent), digest, lambda one: origins.without(one, len(entries)))

    def _with_origin(self, asking: Asking, key: str, entries: list[Entry], sent: list[Resource]) -> list[Resource]:
        """`sent` with where each version comes from; what may turn out to be there already has its own origin."""
        by = origins.By(asking.subject.practitioner, asking.packages, key, instant(asking.now))
        made = [
            origins.Written(
                str(each["fullUrl"] if entry.creates and not entry.own else f"{entry.kind}/{entry.own}"),
                entry.patients,
                "CREATE" if entry.creates else "NULLIFY" if entry.voids else "UPDATE",
                f"{entry.kind}/{entry.own}/_history/{version_in(entry.match)}" if not entry.creates else "",
            )
            for entry, each in zip(entries, sent, strict=True)
            if entry.kind not in UNTOLD and not entry.condition
        ]
        left = {one.name: one for one in made}
        for place, entry in enumerate(entries):
            if entry.kind == "Provenance" and entry.creates:
                told = [left.pop(name) for name in origins.covered(entry.resource, self._base) & left.keys()]
                sent[place] = {**sent[place], "resource": origins.extended(sent[place]["resource"], told, by)}
        return [*sent, *origins.beside([one for one in made if one.name in left], by)]

    async def _done(
        self, intent: Intent, asked: FhirRequest, digest: str, own: Callable[[FhirResponse], FhirResponse]
    ) -> FhirResponse:
        """The platform's answer to a checked write; what it will be called in the log is on the disk before it is asked.
        `own` is the answer without what was written beside."""
        await self._intents.begin(intent, digest)
        try:
            answer = await self._service.handle(asked)
        except BaseException:
            self._intents.doubtful(intent.key)
            raise
        answer = own(answer)
        written = _written(answer)
        if answer.status in (200, 201) and written:
            await self._intents.logged(intent, written, whole=_is_done(answer))
        elif answer.status in (200, 201) or answer.status >= 500:  # done, or perhaps; what, is looked for
            self._intents.doubtful(intent.key)
        else:
            await self._intents.dropped(intent.key)
        return answer

    async def _recovered(
        self, asking: Asking, bundle: Resource, key: str, digest: str, *, known: bool
    ) -> FhirResponse | None:
        """The answer to a transaction whose outcome is unknown; None when it wrote nothing. Not `known`: whose the key is.
        Then each part must be their own, or word for word what was written: nobody is answered with more than they say
        themselves. Raises Refused 422 where it is neither."""
        entries = self._entries(bundle)
        intent = await self._intents.of(key)
        kinds = tuple(dict.fromkeys(each.kind for each in entries))
        unknown = Intent(key, asking.subject.sub, "", kinds, len(entries), (), names=_names(entries))
        places = await self._intents.written_under(intent or unknown)
        if not places:
            return None
        theirs = [places.get(str(place)) for place in range(len(entries))]
        if not known and not all(
            self._is_mine(asking, there) or _is_word_for_word(entry, there)
            for entry, there in zip(entries, theirs, strict=True)
        ):
            raise reused("found on the platform under another's words")
        if intent is None:
            for entry in entries:
                entry.patients = await about(self._service, entry.resource, self._base)
                entry.creates = entry.method == "POST"
            intent = self._intent(asking, key, entries, f"transaction[{len(entries)}]", {}, asked=True)
            await self._intents.begin(intent, digest)
        await self._intents.logged(intent, map(version_of, places.values()), whole=len(places) >= intent.count)
        return answered(places, len(entries))

    async def asked_again(self, author: str, key: str) -> Outcome | None:
        """What became of `key`: its first outcome, one without a status while it is under way, None when nothing was done.

        A key of somebody else's is one never used. Raises Refused 503 when the platform cannot say.
        """
        held = await self._keys.kept(key)
        if held is None or held[0] not in ("", author):
            return None
        _, outcome, running = held
        if outcome is not None:
            return outcome
        if running:
            return Outcome(0, b"")
        intent = await self._intents.of(key)
        places = await self._intents.written_under(intent) if intent else {}
        if intent is None or not places:
            return None
        await self._intents.logged(intent, map(version_of, places.values()), whole=len(places) >= intent.count)
        answer = answered(places, intent.count)
        return Outcome(answer.status, json.dumps(answer.body), answer.body)

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
        pointing: list[Pointing] = []
        many = len(entries) > 1
        for entry in entries:
            profiles_found = profiles.faults(entry.resource)
            here = [_placed(each, entry.place) if many else each for each in profiles_found]
            entry.patients = await about(self._service, entry.resource, self._base, known)
            faults += here
            decision = self._decide(asking, entry, broken=bool(here))
            if decision is not None:
                decisions.update(dict.fromkeys(entry.patients, decision))
            _still_stands(asking, entry)
            before = await self._before(asking, entry)
            entry.creates = before is None
            entry.voids = authorship.marked_wrong(before, entry.resource)
            wrong = await self._authors(asking, entry, before, {each.expression for each in profiles_found})
            wrong += _same_patient(entry, before, self._base)
            if entry.voids and not self._is_mine(asking, before):
                entry.reason = MARKED_WRONG
            faults += [_placed(each, entry.place) if many else each for each in wrong]
            pointing.append(Pointing(entry.resource, entry.patients, before))
            self._narrow(entry)
        for entry, wrong in zip(entries, await self._linked.faults(asking, pointing, known), strict=True):
            faults += [_placed(each, entry.place) if many else each for each in wrong]
        if faults:
            raise Rejected(faults)
        return decisions

    def _decide(self, asking: Asking, entry: Entry, *, broken: bool) -> Decision | None:
        """The decision on a permitted write; None when the profile already says that the patient is missing."""
        action: Action = "create" if entry.method == "POST" else "update"
        if not entry.patients and broken and served(entry.kind):
            decision = asking.decide(action, entry.kind)
        else:
            # A Provenance of what is not there is about nobody, and refused as one of what is not open.
            about_nobody = entry.kind == "Provenance" and not entry.patients
            decision = asking.decide(action, entry.kind, NOBODYS if about_nobody else entry.patients)
        if decision.permitted and asking.hides(entry.patients, marks_of(entry.resource, self._base)):
            decision = restricted()
        if not decision.permitted:
            raise denied(decision)
        return decision if entry.patients else None

    async def _before(self, asking: Asking, entry: Entry) -> Resource | None:
        if entry.method != "PUT":
            return None
        there = await self._service.handle(FhirRequest("GET", f"{entry.kind}/{entry.own}"))
        if there.status in (404, 410):
            await self._free(asking, entry, there.status == 410)
            return None
        if there.status != 200 or there.body is None:
            raise Refused(503, "platform-failed", "Plattformen har en feil akkurat nå.", detail=f"read {there.status}")
        decision = await Sight(self._service, asking, self._base).decision(there.body)
        if not decision.permitted:
            raise hidden(decision if decision.code != NO_PATIENT else asking.decide("update", entry.kind, NOBODYS))
        if not entry.match:
            raise Refused(
                428,
                "version-required",
                "Endringen sier ikke hvilken versjon den bygger på.",
                "Hent opplysningen på nytt og gjør endringen i den.",
                f"{entry.kind}/{entry.own}: If-Match is required",
            )
        version = str((there.body.get("meta") or {}).get("versionId", ""))
        if version and version_in(entry.match) != version:
            # Said here too: what is wrong with a change of an old version is of no interest.
            raise Refused(
                412,
                "version-conflict",
                "Noen andre har endret opplysningen i mellomtiden.",
                "Se den nye versjonen og velg hva som skal gjelde.",
                f"asked for {entry.match}, there is {version}",
                issue="conflict",
            )
        return there.body

    async def _free(self, asking: Asking, entry: Entry, gone: bool) -> None:
        """An update of what is not there is answered as one of what is not open, and nobody takes over what another
        patient's was. Raises Refused 403."""
        stood = await last_stood(self._service, entry.kind, entry.own) if gone else None
        sight = Sight(self._service, asking, self._base)
        if stood is not None and (await sight.decision(stood)).permitted:
            return
        if entry.match or gone:
            raise hidden(asking.decide("update", entry.kind, NOBODYS))

    def _is_mine(self, asking: Asking, before: Resource | None) -> bool:
        me = {asking.subject.practitioner, *(each.reference for each in asking.decisions.positions)}
        return bool(before and me & set(authors_of(before, self._base)))

    async def _authors(self, asking: Asking, entry: Entry, before: Resource | None, broken: set[str]) -> list[Fault]:
        """What is wrong with the authors, unless it is said already (`broken`) or this takes back one's own change."""
        me = {asking.subject.practitioner, *(each.reference for each in asking.decisions.positions)}
        found = authorship.faults(entry.resource, before, me, self._base)
        found = [each for each in found if each.expression not in broken]
        if found and before is not None and await self._takes_back(entry, before, me):
            return []
        return found

    async def _takes_back(self, entry: Entry, before: Resource, me: set[str]) -> bool:
        """Whether the version that stands is one's own, and the one before it is put back."""
        version = str((before.get("meta") or {}).get("versionId", ""))
        if not me & set(authors_of(before, self._base)) or not version.isdigit() or int(version) < 2:
            return False
        path = f"{entry.kind}/{entry.own}/_history/{int(version) - 1}"
        former = await self._service.handle(FhirRequest("GET", path))
        return former.status == 200 and authorship.same_content(former.body or {}, entry.resource)

    def _narrow(self, entry: Entry) -> None:
        """A conditional create must not tell whether another patient has such a resource."""
        name = patient_parameter(entry.kind)
        if not entry.condition or not entry.patients:
            return
        if name != "patient" or parameters.definition(entry.kind, name) is None:
            raise bad_request("bad-condition", "Betingelsen kan ikke brukes her.", f"ifNoneExist on {entry.kind}")
        entry.condition += "&patient=" + ",".join(entry.patients)

    # The log ------------------------------------------------------------------------------------------------------

    def _intent(
        self,
        asking: Asking,
        key: str,
        entries: list[Entry],
        shape: str,
        decisions: Mapping[str, Decision],
        *,
        asked: bool = False,
    ) -> Intent:
        patients = tuple(sorted({*decisions, *(one for entry in entries for one in entry.patients)}))
        kinds = tuple(dict.fromkeys(entry.kind for entry in entries))
        action = "create" if all(entry.creates for entry in entries) else "update"
        decision = next(iter(decisions.values()), None) or asking.decide("update", "Observation", patients)
        reason = next((entry.reason for entry in entries if entry.reason), "")
        shape = f"{shape} {','.join(kinds)}" if shape.startswith("transaction") else shape
        accesses = tuple(
            replace(self._auditing.access(asking, action, package, patients, shape, decision), reason=reason)
            for package in asking.packages
        )
        return Intent(key, asking.subject.sub, asking.bearer.sid, kinds, len(entries), accesses, asked, _names(entries))

    def _log_refusal(self, asking: Asking, refusal: Rejected, shape: str = "transaction") -> None:
        decision = Decision("deny", refusal.code, "R-26", "pasientjournalforskriften § 6", refusal.sentence)
        self._auditing.refused(asking, shape, (), decision)


def _still_stands(asking: Asking, entry: Entry) -> None:
    """Nothing is written any more about a patient whose record was joined with another's. Raises Refused 409."""
    if entry.kind != "Patient" and any(one in asking.decisions.replaced for one in entry.patients):
        raise Refused(
            409,
            "patient-replaced",
            "Journalen er slått sammen med en annen, og det skrives ikke lenger i den.",
            "Åpne journalen som består, og lagre der.",
            f"{entry.kind}: the patient was replaced",
            issue="conflict",
        )


def _names(entries: list[Entry]) -> tuple[str, ...]:
    return tuple(f"{each.kind}/{each.own}" for each in entries if each.own)


def _written(answer: FhirResponse) -> list[str]:
    """What an answer to a write says was written, as versions (`version_of`): from the resources it holds, else from where
    it says they are; a platform need send neither."""
    body = answer.body or {}
    if body.get("resourceType") != "Bundle":
        body = {"entry": [{"resource": body, "response": {"location": answer.headers.get("location", "")}}]}
    found = []
    for each in body.get("entry") or ():
        there = _VERSION.search(str((each.get("response") or {}).get("location") or ""))
        found.append(version_of(each.get("resource") or {}) or (there[0] if there else ""))
    return [one for one in found if one]


def _is_done(answer: FhirResponse) -> bool:
    """Whether every entry of the answer says so."""
    entries = (answer.body or {}).get("entry")
    responses = [each.get("response") if isinstance(each, dict) else None for each in entries or ()]
    return bool(responses) and all(
        isinstance(each, dict) and str(each.get("status") or "").startswith("2") for each in responses
    )


def _transaction(entries: list[Resource]) -> FhirRequest:
    body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    return FhirRequest("POST", "", headers={"prefer": "return=representation"}, body=body)


def _is_word_for_word(entry: Entry, there: Resource | None) -> bool:
    """Whether `there` is what `entry` sent, but for what the platform and the gateway give it."""
    given = ("id", "meta", *(("agent", "activity") if entry.kind == "Provenance" else ()))

    def bare(value: Any, left: tuple[str, ...] = ()) -> Any:
        if isinstance(value, dict):
            # What was made in the same transaction goes by another name there.
            return {
                name: name if name == "reference" else bare(part) for name, part in value.items() if name not in left
            }
        return [bare(part) for part in value] if isinstance(value, list) else value

    return bool(bare(there or {}, given) == bare(entry.resource, given))


def version_in(match: str) -> str:
    return match.removeprefix("W/").strip('"')


def _sent(entry: Entry, given: Resource, key: str) -> Resource:
    request = {"method": entry.method, "url": f"{entry.kind}/{entry.own}" if entry.own else entry.kind}
    if entry.match:
        request["ifMatch"] = entry.match
    if entry.condition:
        request["ifNoneExist"] = entry.condition
    sent: Resource = {"resource": tagged(entry.resource, key, entry.place), "request": request}
    name = given.get("fullUrl") or ("" if entry.own else f"urn:uuid:{uuid4()}")
    return {**sent, "fullUrl": name} if name else sent


def _placed(fault: Fault, place: int) -> Fault:
    return replace(fault, expression=f"Bundle.entry[{place}].resource.ofType({fault.expression.replace('.', ').', 1)}")


def _same_patient(entry: Entry, before: Resource | None, base: str) -> list[Fault]:
    from workspace.fhir.compartment import patients_of

    if before is None or entry.kind == "Provenance" or set(patients_of(before, base)) == set(entry.patients):
        return []
    return [Fault(f"{entry.kind}.subject", "En opplysning kan ikke flyttes til en annen pasient.", "patient")]
