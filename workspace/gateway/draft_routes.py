"""``/drafts`` on the web (docs/seams.md, *Drafts*): reads and checks what is sent, and says who may.

Never shows a draft to anybody but its author; who tries is in the log.
"""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from workspace.access.decision import Decision
from workspace.fhir import json
from workspace.gateway.asking import Asking
from workspace.gateway.drafts import Conflict, Drafts, Key
from workspace.gateway.fhir_routes import body_of
from workspace.gateway.gateway import Gateway
from workspace.gateway.refused import Refused, bad_request, denied

LARGEST_BODY = 256 * 1024
LARGEST_VALUES = 64 * 1024
_ID = re.compile(r"[0-9a-f]{64}")
_ABOUT = re.compile(r"(?:(?:Patient|Organization)/[A-Za-z0-9\-.]{1,64})?")
_NAME = re.compile(r"[^\x00-\x1f]{0,120}")
_REVISION = re.compile(r'"(\d{1,15})"')
_DEVICE = re.compile(r"[\x20-\x7eÆØÅæøå]{0,64}")


class DraftRoutes:
    def __init__(self, gateway: Gateway) -> None:
        self._gateway = gateway

    @property
    def _drafts(self) -> Drafts:
        return self._gateway.drafts

    async def all(self, request: Request) -> Response:
        asking = await self._asking(request)
        found, revision = await self._drafts.all(asking.author)
        shown = [each.told() for each in found if _open(asking, each.key.patient)]
        return _json({"drafts": shown, "revision": revision})

    async def one(self, request: Request) -> Response:
        """GET, PUT or DELETE of one draft. Raises Refused."""
        asking = await self._asking(request)
        own = request.path_params["id"]
        if not _ID.fullmatch(own):
            raise _unknown()
        if request.method == "PUT":
            return await self._put(asking, own, request)
        if request.method == "DELETE":
            return await self._delete(asking, own, request)
        draft = await self._drafts.one(asking.author, own)
        if draft is None or not _open(asking, draft.key.patient):
            raise await self._stranger(asking, own)
        return _json(draft.told(), headers={"ETag": f'"{draft.revision}"'})

    async def _put(self, asking: Asking, own: str, request: Request) -> Response:
        body = _body(await body_of(request, LARGEST_BODY))
        key, author = _key(body.get("key")), asking.author
        if key.id(author) != own:
            # Somebody else's id cannot be reckoned from one's own name.
            await self._stranger(asking, own)
            raise Refused(
                422,
                "draft-key",
                "Kladdens id passer ikke til det den gjelder.",
                detail="id is not of this key and author",
            )
        values = body.get("values")
        if not isinstance(values, dict):
            raise _bad("values: an object")
        if len(json.dumps(values)) > LARGEST_VALUES:
            raise Refused(413, "draft-too-large", "Kladden er for stor.", detail="at most 64 KiB", issue="too-long")
        self._permit(asking, key.patient)
        standing = _standing(request, required=True)
        try:
            device, stretch = _device(body.get("device")), _device(body.get("stretch"), "stretch")
            draft, new = await self._drafts.put(author, key, values, device, standing=standing, stretch=stretch)
        except Conflict as conflict:
            return _conflict(conflict)
        return _json(draft.told(), 201 if new else 200, {"ETag": f'"{draft.revision}"'})

    async def _delete(self, asking: Asking, own: str, request: Request) -> Response:
        author = asking.author
        if await self._drafts.one(author, own) is None and await self._drafts.whose(own, author) is not None:
            raise await self._stranger(asking, own)
        device = _device(request.headers.get("x-workspace-device", ""))
        stretch = _device(request.headers.get("x-workspace-stretch", ""), "X-Workspace-Stretch")
        standing = _standing(request, required=False)
        try:
            await self._drafts.delete(author, own, device, standing=standing, stretch=stretch)
        except Conflict as conflict:
            return _conflict(conflict)
        return Response(status_code=204)

    async def _asking(self, request: Request) -> Asking:
        return await self._gateway.asking(await self._gateway.bearer(request.headers), request.headers)

    def _permit(self, asking: Asking, patient: str) -> None:
        if not _open(asking, patient):
            decision = asking.decide("read", "Patient", (patient,))
            self._gateway.auditing.refused(asking, "PUT drafts/*", (patient,), decision)
            raise denied(decision)

    async def _stranger(self, asking: Asking, own: str) -> Refused:
        """404; when the draft is somebody else's, the try is in the log."""
        about = await self._drafts.whose(own, asking.author)
        if about is not None:
            said = "Kladden tilhører en annen."
            decision = Decision("deny", "not-author", "R-36", "pasientjournalloven § 16", said)
            patients = (about,) if about.startswith("Patient/") else ()
            self._gateway.auditing.refused(asking, "drafts/*", patients, decision)
        return _unknown()


def _open(asking: Asking, patient: str) -> bool:
    return not patient.startswith("Patient/") or asking.decide("read", "Patient", (patient,)).permitted


def _standing(request: Request, *, required: bool) -> int | None:
    """The revision the client says stands, None for none. Raises Refused 428 or 400."""
    match = request.headers.get("if-match", "").strip()
    if match:
        found = _REVISION.fullmatch(match)
        if not found:
            raise _bad('If-Match: "<revision>"')
        return int(found.group(1))
    if required and request.headers.get("if-none-match", "").strip() != "*":
        raise Refused(
            428,
            "version-required",
            "Kladden sier ikke hvilken versjon den bygger på.",
            detail="If-Match or If-None-Match: * is required",
        )
    return None


def _key(given: Any) -> Key:
    if not isinstance(given, dict):
        raise _bad("key: an object")
    texts = [given.get(name, "") for name in ("patient", "package", "view", "draft")]
    version = given.get("state_version", 1)
    if not all(isinstance(each, str) and _NAME.fullmatch(each) for each in texts) or not _ABOUT.fullmatch(texts[0]):
        raise _bad("key: patient, package, view, draft")
    if isinstance(version, bool) or not isinstance(version, int) or not 0 <= version < 1_000_000:
        raise _bad("key: state_version")
    patient, package, view, draft = texts
    return Key(patient, package, view, draft, version)


def _device(given: Any, name: str = "device") -> str:
    if given is None:
        return ""
    if not isinstance(given, str) or not _DEVICE.fullmatch(given):
        raise _bad(f"{name}: at most 64 characters")
    return given


def _body(raw: bytes) -> dict[str, Any]:
    try:
        found = json.loads(raw)
    except json.NotJson as error:
        raise _bad("not JSON") from error
    if not isinstance(found, dict):
        raise _bad("not an object")
    return found


def _bad(detail: str) -> Refused:
    return bad_request("bad-draft", "Kladden kan ikke leses.", detail)


def _unknown() -> Refused:
    return Refused(404, "no-draft", "Kladden finnes ikke.", issue="not-found")


def _conflict(conflict: Conflict) -> Response:
    standing = conflict.standing
    said = "Kladden er endret på en annen arbeidsflate." if standing else "Kladden finnes ikke lenger."
    body: dict[str, Any] = {"code": "draft-conflict", "sentence": said, "draft": standing.told() if standing else None}
    if conflict.over is not None:
        body |= {"code": "draft-over", "sentence": "Det som sto i kladden, er lagret.", "over": conflict.over}
    return _json(
        body,
        412,
        {"ETag": f'"{standing.revision}"'} if standing else None,
    )


def _json(body: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None) -> Response:
    held = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", **(headers or {})}
    return Response(json.dumps(body), status, held, media_type="application/json")
