"""The OpenID provider over HTTP: a Starlette app to be mounted under `/identity`.

Holds routes, cache headers and the form of errors; decisions are the provider's. Never redirects to an address
that is not registered.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from workspace.clock import Clock
from workspace.sandbox.identity import pages
from workspace.sandbox.identity.authorize import SCOPES, AuthorizeRequest, Declined, Refused, read_request
from workspace.sandbox.identity.client import CLIENT_ID, SIGNED_OUT, is_registered
from workspace.sandbox.identity.keys import ALGORITHM
from workspace.sandbox.identity.people import HPR_NUMBER, SECURITY_LEVEL, Person
from workspace.sandbox.identity.provider import Provider, TokenRefused
from workspace.sandbox.identity.style import SCRIPT, STYLE

_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_LARGEST_FORM = 64 * 1024


def identity_app(
    issuer_url: str, people: Sequence[Person], folder: Path, clock: Clock, *, audience: str = ""
) -> Starlette:
    """The provider as an app to mount at the path of `issuer_url`.

    `app.state.provider` is the `Provider`: its `.sessions.ended(sid)` answers the gateway, its `.keys.jwks()` is
    the public key set. `audience` is the gateway's origin, by default the issuer's own. Raises Problem
    ``identity-file-damaged``.
    """
    provider = Provider(issuer_url, people, folder, clock, audience)
    web = _Web(provider)
    app = Starlette(
        routes=[
            Route("/.well-known/openid-configuration", web.discovery),
            Route("/jwks", web.jwks),
            Route("/authorize", web.authorize, methods=["GET", "POST"]),
            Route("/login", web.login, methods=["POST"]),
            Route("/token", web.token, methods=["POST"]),
            Route("/revoke", web.revoke, methods=["POST"]),
            Route("/userinfo", web.userinfo, methods=["GET", "POST"]),
            Route("/end-session", web.end_session, methods=["GET", "POST"]),
            Route("/page.css", web.style),
            Route("/page.js", web.script),
        ]
    )
    app.state.provider = provider
    return app


class _Web:
    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    async def discovery(self, request: Request) -> Response:
        issuer = self._provider.issuer
        return JSONResponse(
            {
                "issuer": issuer,
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/jwks",
                "userinfo_endpoint": f"{issuer}/userinfo",
                "end_session_endpoint": f"{issuer}/end-session",
                "revocation_endpoint": f"{issuer}/revoke",
                "response_types_supported": ["code"],
                "response_modes_supported": ["query"],
                "grant_types_supported": ["authorization_code", "refresh_token"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": [ALGORITHM],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["none"],
                "revocation_endpoint_auth_methods_supported": ["none"],
                "authorization_response_iss_parameter_supported": True,
                "request_parameter_supported": False,
                "request_uri_parameter_supported": False,
                "scopes_supported": list(SCOPES),
                "claims_supported": [
                    *("sub", "name", "preferred_username", "fhirUser", "role", "sid", "auth_time"),
                    *(SECURITY_LEVEL, HPR_NUMBER),
                ],
                "ui_locales_supported": ["nb"],
            },
            headers={"Cache-Control": "public, max-age=300"},
        )

    async def jwks(self, request: Request) -> Response:
        return JSONResponse(self._provider.keys.jwks(), headers={"Cache-Control": "public, max-age=300"})

    async def authorize(self, request: Request) -> Response:
        pairs = request.query_params.multi_items() if request.method == "GET" else await _form(request)
        try:
            asked = read_request(pairs)
        except Refused as refused:
            return _page(pages.stopped(self._provider.issuer, refused.sentence), 400)
        except Declined as declined:
            return _redirect(declined.location(self._provider.issuer))
        choice = self._provider.choices.open(asked)
        people = list(self._provider.people.values())
        body = pages.login(self._provider.issuer, choice, people, asked.login_hint)
        return _page(body, 200, form_target=_origin(asked))

    async def login(self, request: Request) -> Response:
        form = dict(await _form(request))
        asked = self._provider.choices.take(form.get("choice", ""))
        if asked is None:
            sentence = "Denne innloggingssiden er for gammel eller allerede brukt."
            return _page(pages.stopped(self._provider.issuer, sentence), 400)
        if "cancel" in form:
            declined = asked.declined("access_denied", "The person cancelled")
            return _redirect(declined.location(self._provider.issuer))
        person = self._provider.people.get(form.get("username", ""))
        if person is None:
            return _page(pages.stopped(self._provider.issuer, "Personen finnes ikke i sandkassen."), 400)
        code = self._provider.choose(asked, person)
        return _redirect(asked.location(self._provider.issuer, code))

    async def token(self, request: Request) -> Response:
        return await self._answer(request, self._tokens)

    async def revoke(self, request: Request) -> Response:
        return await self._answer(request, self._revoked)

    async def _answer(self, request: Request, work: Callable[[dict[str, str]], Awaitable[dict[str, Any]]]) -> Response:
        try:
            pairs = await _form(request)
            form = dict(pairs)
            if len(form) != len(pairs):
                raise TokenRefused("invalid_request", "A parameter is given twice")
            if "authorization" in request.headers or form.get("client_id") != CLIENT_ID:
                raise TokenRefused("invalid_client", "Only the public client workspace-shell is known", 401)
            return JSONResponse(await work(form), headers=_NO_STORE)
        except TokenRefused as refused:
            told = {"error": refused.error, "error_description": refused.description}
            headers = dict(_NO_STORE)
            if refused.status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="identity"'
            return JSONResponse(told, refused.status, headers)

    async def _tokens(self, form: dict[str, str]) -> dict[str, Any]:
        kind = form.get("grant_type", "")
        if kind == "authorization_code":
            _need(form, "code", "redirect_uri", "code_verifier")
            return self._provider.exchange(form["code"], form["redirect_uri"], form["code_verifier"])
        if kind == "refresh_token":
            _need(form, "refresh_token")
            return self._provider.refresh(form["refresh_token"], form.get("scope", ""))
        _need(form, "grant_type")
        raise TokenRefused("unsupported_grant_type", "Only authorization_code and refresh_token")

    async def _revoked(self, form: dict[str, str]) -> dict[str, Any]:
        _need(form, "token")
        self._provider.revoke(form["token"])
        return {}

    async def userinfo(self, request: Request) -> Response:
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not token:
            return Response(status_code=401, headers=_NO_STORE | {"WWW-Authenticate": "Bearer"})
        claims = self._provider.userinfo(token.strip())
        if claims is None:
            told = 'Bearer error="invalid_token"'
            return Response(status_code=401, headers=_NO_STORE | {"WWW-Authenticate": told})
        return JSONResponse(claims, headers=_NO_STORE)

    async def end_session(self, request: Request) -> Response:
        pairs = request.query_params.multi_items() if request.method == "GET" else await _form(request)
        given = dict(pairs)
        if not self._provider.end_by_hint(given.get("id_token_hint", "")):
            sentence = "Vi vet ikke hvem som skal logges ut, så ingen er logget ut."
            return _page(pages.stopped(self._provider.issuer, sentence, "Utloggingen stoppet"), 400)
        uri = given.get("post_logout_redirect_uri", "")
        if uri and is_registered(uri, SIGNED_OUT):
            state = given.get("state", "")
            return _redirect(f"{uri}?{urlencode({'state': state})}" if state else uri)
        return _page(pages.signed_out(self._provider.issuer), 200)

    async def style(self, request: Request) -> Response:
        return Response(STYLE, media_type="text/css", headers={"Cache-Control": "public, max-age=300"})

    async def script(self, request: Request) -> Response:
        return Response(SCRIPT, media_type="text/javascript", headers={"Cache-Control": "public, max-age=300"})


async def _form(request: Request) -> list[tuple[str, str]]:
    """The fields of an url-encoded body; none when it is something else or too large."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        return []
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LARGEST_FORM:
            return []
    return parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True)


def _need(form: dict[str, str], *names: str) -> None:
    for name in names:
        if not form.get(name):
            raise TokenRefused("invalid_request", f"{name} is missing")


def _origin(asked: AuthorizeRequest) -> str:
    return asked.redirect_uri.removesuffix("/callback")


def _redirect(location: str) -> Response:
    # 303: the browser must not send the form on to the client.
    return RedirectResponse(location, 303, headers=_NO_STORE | {"Referrer-Policy": "no-referrer"})


def _page(body: str, status: int, form_target: str = "") -> Response:
    # Chromium applies form-action to the redirect that follows a form, so the client's loopback must be named.
    policy = (
        "default-src 'none'; style-src 'self'; script-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action 'self' {form_target}".strip()
    )
    headers = _NO_STORE | {
        "Content-Security-Policy": policy,
        "X-Frame-Options": "DENY",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return Response(body, status, headers, media_type="text/html; charset=utf-8")
