"""``/session/key`` and ``/sealed`` on the web (docs/seams.md, *Sealed transactions*): a session's key, and what a device
brings of an author who is not signed in.

A sealed transaction goes the road of ``POST /fhir`` with the author's rights of now. Never answers a read.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import NAMESPACE_URL, uuid5

import orjson
from starlette.requests import Request
from starlette.responses import Response

from workspace.access import seal
from workspace.access.audit import Kind
from workspace.access.decision import Decision, Decisions
from workspace.gateway import asking as askings
from workspace.gateway.fhir_routes import LARGEST_BODY, FhirRoutes, body_of, resource_of
from workspace.gateway.gateway import Gateway
from workspace.gateway.idempotency import KEY
from workspace.gateway.refused import Refused, bad_request
from workspace.gateway.session_keys import SessionKey
from workspace.gateway.tokens import Bearer

PACKAGE = "workspace.session-key"
LARGEST_REGISTRATION = 4096
LARGEST_SEAL = 8192
ADMINISTRATORS = frozenset({"systemansvarlig"})
"""Codes of positions that may withdraw anybody's key."""
_DEVICE = re.compile(r"[\x20-\x7eÆØÅæøå]{0,64}")


class SealedRoutes:
    def __init__(self, gateway: Gateway, fhir: FhirRoutes) -> None:
        self._gateway = gateway
        self._fhir = fhir

    async def register(self, request: Request) -> Response:
        bearer = await self._gateway.bearer(request.headers)
        try:
            told = orjson.loads(await body_of(request, LARGEST_REGISTRATION))
            public, device = told["key"], told.get("device", "")
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise bad_request("bad-key", "Øktens nøkkel kan ikke leses.", '{"key", "device"}') from error
        if not isinstance(public, str) or not isinstance(device, str) or not _DEVICE.fullmatch(device):
            raise bad_request("bad-key", "Øktens nøkkel kan ikke leses.", "key and device: text")
        try:
            key = await self._gateway.session_keys.register(bearer, public, device)
        except Refused as refusal:
            own = seal.thumbprint(public) if seal.is_public(public) else ""
            self._log_refusal(bearer, request, own, device, refusal)
            raise
        await self._log(bearer, request, "register", key, "Øktens nøkkel er registrert.")
        return Response(orjson.dumps(key.told()), 201, {"Cache-Control": "no-store"}, media_type="application/json")

    async def revoke(self, request: Request) -> Response:
        """By its owner or an administrator; for others there is no such key. Raises Refused 404."""
        gateway = self._gateway
        bearer = await gateway.bearer(request.headers)
        now = gateway.clock.now()
        positions = (await gateway.book.for_person(bearer.subject.practitioner)).positions
        administrator = any(each.code in ADMINISTRATORS and each.holds(now) for each in positions)
        own = request.path_params["id"]
        key = await gateway.session_keys.revoke(own, bearer.subject.sub, administrator=administrator)
        if key is None:
            refusal = Refused(404, "no-key", "Det finnes ingen slik nøkkel.", issue="not-found")
            self._log_refusal(bearer, request, own, "", refusal)
            raise refusal
        whose = "" if key.subject.sub == bearer.subject.sub else f" Den var {key.subject.name} sin."
        await self._log(bearer, request, "withdraw", key, f"Øktens nøkkel er trukket tilbake.{whose}")
        return Response(status_code=204)

    async def _log(self, bearer: Bearer, request: Request, kind: Kind, key: SessionKey, said: str) -> None:
        """Who may deliver after sign-out, from where, stands in the log; a key that is only lengthened is one event."""
        auditing, asking = self._gateway.auditing, self._keeper(bearer, request, key.device)
        decision = Decision("permit", "permit", "R-34", "Normen kap. 5.2", said)
        access = replace(auditing.access(asking, kind, PACKAGE, (), f"SessionKey/{key.id}", decision), reason=said)
        event = str(uuid5(NAMESPACE_URL, f"{kind} {key.id}"))
        for each in auditing.reported([(event, access)], bearer.sid):
            await asyncio.shield(each)

    def _log_refusal(self, bearer: Bearer, request: Request, own: str, device: str, refusal: Refused) -> None:
        decision = Decision("deny", refusal.code, "R-34", "Normen kap. 5.2", refusal.sentence)
        shape = f"SessionKey/{askings.clean(own)}"
        self._gateway.auditing.refused(self._keeper(bearer, request, device), shape, (), decision)

    def _keeper(self, bearer: Bearer, request: Request, device: str) -> askings.Asking:
        """Who asks, without what is recorded about them: a key is taken also while the platform cannot be asked."""
        nobody = Decisions((), {}, {}, (), frozenset())
        asking = askings.read(bearer, nobody, self._gateway.clock.now(), request.headers)
        return replace(asking, packages=(PACKAGE,), device=device)

    async def deliver(self, request: Request) -> Response:
        """One transaction, sealed by its author. The seal is checked before the body is read."""
        gateway, transaction = self._gateway, request.headers.get("idempotency-key", "").strip()
        if not KEY.fullmatch(transaction):
            raise bad_request("bad-key", "Forsendelsens nøkkel kan ikke brukes.", "Idempotency-Key is a UUID")
        envelope = _envelope(request.headers.get("x-workspace-seal", ""))
        key = await gateway.session_keys.sealed_by(envelope, transaction)
        raw = await body_of(request, LARGEST_BODY)
        gateway.session_keys.check(envelope, key, transaction, raw)
        asking = await self._asking(key, envelope, request)
        body = resource_of(raw) or {}
        if body.get("resourceType") != "Bundle" or body.get("type") != "transaction":
            raise bad_request("bad-bundle", "Bare en transaksjon kan leveres med segl.", "Bundle of type transaction")
        answer = await self._fhir.transaction(asking, body, raw, transaction)
        answer.headers["x-request-id"] = asking.request
        return answer

    async def _asking(self, key: SessionKey, envelope: Mapping[str, Any], request: Request) -> askings.Asking:
        """The author as of now: the position held when it was written may be gone."""
        packages, purpose = envelope.get("packages"), envelope.get("purpose")
        named = [each for each in packages if isinstance(each, str)] if isinstance(packages, list) else []
        headers = {
            "x-workspace-package": ", ".join(named),
            "x-workspace-purpose": purpose if isinstance(purpose, str) else "",
            "x-request-id": request.headers.get("x-request-id", ""),
        }
        bearer = Bearer(key.subject, key.subject.session, float(key.expires), {})
        asking = await self._gateway.asking(bearer, headers)
        return replace(asking, device=key.device or "ukjent arbeidsstasjon")


def _envelope(text: str) -> dict[str, Any]:
    if not text or len(text) > LARGEST_SEAL:
        raise bad_request("bad-seal", "Forsendelsen har ikke noe segl.", "X-Workspace-Seal")
    try:
        return seal.from_header(text)
    except (ValueError, RecursionError) as error:
        raise bad_request("bad-seal", "Forsendelsens segl kan ikke leses.", "X-Workspace-Seal") from error
