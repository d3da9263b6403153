"""An authorization request: read, judged, remembered until the person has chosen, turned into a code.

RFC 6749 §4.1, RFC 7636 (S256 only), RFC 9207. Judges in the order that matters: client and redirect first, and
while those are in doubt nothing is ever redirected.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlencode

from workspace.clock import Clock
from workspace.sandbox.identity.client import CALLBACK, CLIENT_ID, is_registered

SCOPES = ("openid", "profile", "offline_access")
CODE_SECONDS = 60.0
CHOICE_SECONDS = 600.0
_MOST_WAITING = 500
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


class Refused(Exception):
    """The request cannot be answered with a redirect: a page must say so. The sentence is Norwegian."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class Declined(Exception):
    """The request is refused, and the client may be told by redirect (RFC 6749 §4.1.2.1)."""

    def __init__(self, redirect_uri: str, state: str, error: str, description: str) -> None:
        super().__init__(description)
        self.redirect_uri = redirect_uri
        self.state = state
        self.error = error
        self.description = description

    def location(self, issuer: str) -> str:
        """Where to send the browser."""
        told = {"error": self.error, "error_description": self.description, "iss": issuer}
        if self.state:
            told["state"] = self.state
        return f"{self.redirect_uri}?{urlencode(told)}"


@dataclass(frozen=True)
class AuthorizeRequest:
    """A request that passed every check."""

    redirect_uri: str
    state: str
    nonce: str
    scope: str
    challenge: str
    login_hint: str = ""

    def location(self, issuer: str, code: str) -> str:
        """The answer with a code; `iss` per RFC 9207."""
        told = {"code": code, "iss": issuer}
        if self.state:
            told["state"] = self.state
        return f"{self.redirect_uri}?{urlencode(told)}"

    def declined(self, error: str, description: str) -> Declined:
        """The answer when the person says no."""
        return Declined(self.redirect_uri, self.state, error, description)


def read_request(pairs: Iterable[tuple[str, str]]) -> AuthorizeRequest:
    """Judge the parameters of an authorization request. Raises Refused or Declined."""
    listed = list(pairs)
    given = dict(listed)
    names = [name for name, _ in listed]
    repeated = {name for name in names if names.count(name) > 1}
    if given.get("client_id") != CLIENT_ID or "client_id" in repeated:
        raise Refused("Programmet som sendte deg hit, er ikke kjent her.")
    uri = given.get("redirect_uri", "")
    if "redirect_uri" in repeated or not is_registered(uri, CALLBACK):
        raise Refused("Programmet som sendte deg hit, oppga en adresse som ikke er registrert.")
    fault = _fault(given, repeated)
    if fault is not None:
        raise Declined(uri, "" if "state" in repeated else given.get("state", ""), *fault)
    return AuthorizeRequest(
        redirect_uri=uri,
        state=given.get("state", ""),
        nonce=given.get("nonce", ""),
        scope=" ".join(scope for scope in SCOPES if scope in given["scope"].split()),
        challenge=given["code_challenge"],
        login_hint=given.get("login_hint", ""),
    )


def _fault(given: dict[str, str], repeated: set[str]) -> tuple[str, str] | None:
    """The first error as (error, description), both for developers; None when all is well."""
    checks: list[tuple[bool, str, str]] = [
        (bool(repeated), "invalid_request", "A parameter is given twice"),
        ("request" in given, "request_not_supported", "request is not supported"),
        ("request_uri" in given, "request_uri_not_supported", "request_uri is not supported"),
        (given.get("response_type") != "code", "unsupported_response_type", "response_type must be code"),
        (given.get("response_mode", "query") != "query", "invalid_request", "response_mode must be query"),
        ("openid" not in given.get("scope", "").split(), "invalid_scope", "scope must contain openid"),
        ("code_challenge" not in given, "invalid_request", "code_challenge is missing (RFC 7636)"),
        (given.get("code_challenge_method") != "S256", "invalid_request", "code_challenge_method must be S256"),
        (
            _CHALLENGE.fullmatch(given.get("code_challenge", "")) is None,
            "invalid_request",
            "code_challenge is malformed",
        ),
        (not given.get("nonce"), "invalid_request", "nonce is missing"),
        (given.get("prompt") == "none", "login_required", "The person must choose"),
    ]
    return next(((error, text) for wrong, error, text in checks if wrong), None)


@dataclass(frozen=True)
class Grant:
    """What a code stands for. `auth_time` is seconds since 1970 (real time)."""

    request: AuthorizeRequest
    username: str
    auth_time: int


class Choices:
    """Requests whose login page is open, by an unguessable name. Kept for ten minutes, in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, tuple[float, AuthorizeRequest]] = {}

    def open(self, request: AuthorizeRequest) -> str:
        """Remember the request; the oldest is forgotten when there are too many."""
        while len(self._open) >= _MOST_WAITING:
            del self._open[next(iter(self._open))]
        name = secrets.token_urlsafe(24)
        self._open[name] = (self._clock.monotonic() + CHOICE_SECONDS, request)
        return name

    def take(self, name: str) -> AuthorizeRequest | None:
        """The request, once; None when it is unknown or too old."""
        until, request = self._open.pop(name, (0.0, None))
        return request if request is not None and self._clock.monotonic() < until else None


class Codes:
    """Authorization codes: good once, for one minute, in memory."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._issued: dict[str, tuple[float, Grant]] = {}
        self._redeemed: dict[str, tuple[float, str]] = {}

    def issue(self, grant: Grant) -> str:
        """A code for `grant`."""
        self._forget()
        code = secrets.token_urlsafe(32)
        self._issued[code] = (self._clock.monotonic() + CODE_SECONDS, grant)
        return code

    def take(self, code: str) -> Grant | None:
        """What the code stands for. It is spent by this, whatever the caller makes of it."""
        self._forget()
        found = self._issued.pop(code, None)
        return found[1] if found else None

    def redeemed(self, code: str, sid: str) -> None:
        """Remember which session came of a code, in case it is tried again."""
        self._redeemed[code] = (self._clock.monotonic() + CODE_SECONDS, sid)

    def replayed(self, code: str) -> str | None:
        """The session a spent code led to: it must end now (RFC 6749 §4.1.2)."""
        found = self._redeemed.get(code)
        return found[1] if found else None

    def _forget(self) -> None:
        now = self._clock.monotonic()
        self._issued = {code: kept for code, kept in self._issued.items() if kept[0] > now}
        self._redeemed = {code: kept for code, kept in self._redeemed.items() if kept[0] > now}
