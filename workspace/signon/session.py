"""A person signed on: who they are, an access token that is always fresh, and the way out.

The session renews itself ahead of time. When the provider is away the session lives as long as its access token
does and tries again; when the provider says no it is *expired*, the person signs on again, and nothing typed is
touched. Tokens never leave this object except the access token, by `access_token()`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.signon.idtoken import check_id_token, refused
from workspace.signon.keeper import Keeper
from workspace.signon.provider import Provider
from workspace.signon.tokens import Tokens, end_session, refresh_tokens, revoke_token, sign_on_expired

if TYPE_CHECKING:
    import httpx

State = Literal["signed-in", "expired", "signed-out", "offline"]
"""*offline* is of `OfflineSession` alone."""

_FIRST_WAIT = 1.0
_LONGEST_WAIT = 60.0


@dataclass(frozen=True, kw_only=True)
class Subject:
    """Who signed on, by the id_token (docs/seams.md, *Claims*). `hpr` is empty for those without a number."""

    sub: str
    name: str
    username: str
    fhir_user: str
    role: str
    hpr: str
    sid: str
    security_level: str
    auth_time: int

    @classmethod
    def of(cls, claims: dict[str, Any]) -> Subject:
        """Read the claims; what is missing is empty."""

        def text(name: str) -> str:
            return str(claims.get(name) or "")

        auth_time = claims.get("auth_time")
        return cls(
            sub=text("sub"),
            name=text("name"),
            username=text("preferred_username"),
            fhir_user=text("fhirUser"),
            role=text("role"),
            hpr=text("helseid://claims/hpr/hpr_number"),
            sid=text("sid"),
            security_level=text("helseid://claims/identity/security_level"),
            auth_time=auth_time if isinstance(auth_time, int) else 0,
        )


@dataclass(frozen=True)
class SignedOut:
    """How a sign-out went. This machine has forgotten everything either way.

    Attributes:
        revoked: the provider forgot the refresh token.
        ended: the provider ended its session.
        problem: why not, when the provider could not be told.
    """

    revoked: bool
    ended: bool
    problem: Problem | None = None


class Session:
    """One sign-on. Made by `login` or `resume`; close it with `aclose` or `sign_out`.

    Args:
        owned: a client to close with the session; None when the caller keeps it.
        keeper_name: the name the refresh token is kept under.
    """

    joined = True
    """Whether somebody has signed on; `OfflineSession` begins without."""

    def __init__(
        self,
        provider: Provider,
        client_id: str,
        subject: Subject,
        tokens: Tokens,
        *,
        owned: httpx.AsyncClient | None = None,
        keeper: Keeper | None = None,
        keeper_name: str = "",
    ) -> None:
        self.subject = subject
        self.state: State = "signed-in"
        self.problem: Problem | None = None
        self._provider = provider
        self._client_id = client_id
        self._owned = owned
        self._keeper = keeper
        self._keeper_name = keeper_name
        self._listeners: list[Callable[[State], None]] = []
        self._refreshing: asyncio.Task[None] | None = None
        self._renewing: asyncio.Task[None] | None = None
        self._clock: Clock = provider.clock
        self._tokens: Tokens = tokens
        self._take(tokens)

    def start(self) -> None:
        """Begin renewing ahead of time. `login` and `resume` have done it."""
        if self._renewing is None:
            self._renewing = asyncio.create_task(self._renew())

    def on_state(self, listener: Callable[[State], None]) -> Callable[[], None]:
        """Call `listener(state)` at every change; the result undoes it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def access_token(self, *, force: bool = False) -> str:
        """A token that is good now; `force` fetches a new one even so, because the platform said 401.

        Raises Problem ``signed-out`` (sign on again) or ``identity-unreachable`` (the token ran out, or was refused,
        while the provider is away; try again).
        """
        self._require_signed_in()
        if force or not self._alive():
            await self.refresh(force=True)
        return self._tokens.access_token

    async def refresh(self, force: bool = False) -> None:
        """Renew the tokens: when they are near their end, or at once with `force` (the platform said 401).

        Calls at the same time share one request. Raises Problem as `access_token` does.
        """
        self._require_signed_in()
        if not force and self._clock.monotonic() < self._renew_at:
            return
        if self._refreshing is None:
            self._refreshing = asyncio.create_task(self._refresh())
            self._refreshing.add_done_callback(_heard)
        # Shielded: one impatient caller must not spend the token for the others.
        await asyncio.shield(self._refreshing)

    async def rejoin(self, other: Session) -> None:
        """Go on with a new sign-on of the same person, after this one expired: whoever holds this session notices only
        that it works again. `other` is used up. Raises Problem ``another-person``; `other` is then signed out."""
        await require_same(self.subject, other)
        await self._stop()
        await other._stop()
        self.subject, self.problem = other.subject, None
        self._take(other._tokens)
        await self._keep()
        await other._close_client()
        self._enter("signed-in")
        self.start()

    async def sign_out(self, open_browser: Callable[[str], None] | None = None) -> SignedOut:
        """Forget everything here, then tell the provider. Never raises for a provider that is away.

        `open_browser` is given the provider's sign-out page, for providers that keep a session in the browser.
        """
        tokens, was = self._tokens, self.state
        self._tokens = Tokens(0.0, "")
        self._enter("signed-out")
        await self._stop()
        if self._keeper is not None:
            await self._keeper.forget(self._keeper_name)
        result = SignedOut(False, False) if was == "signed-out" else await self._tell(tokens)
        with contextlib.suppress(Problem):
            page = (await self._provider.metadata()).end_session_endpoint if open_browser else ""
            if open_browser and page:
                open_browser(f"{page}?{urlencode({'id_token_hint': tokens.id_token, 'client_id': self._client_id})}")
        await self._close_client()
        return result

    async def aclose(self) -> None:
        """Stop renewing and close what is ours, without signing out: the kept refresh token can be resumed."""
        await self._stop()
        await self._close_client()

    async def _tell(self, tokens: Tokens) -> SignedOut:
        revoked = ended = False
        problem: Problem | None = None
        try:
            if tokens.refresh_token:
                revoked = await revoke_token(self._provider, self._client_id, tokens.refresh_token)
            if tokens.id_token:
                ended = await end_session(self._provider, self._client_id, tokens.id_token)
        except Problem as away:
            problem = Problem(
                "sign-out-not-told",
                "Du er logget ut av denne maskinen, men innloggingstjenesten fikk ikke beskjed.",
                "Økten der går ut av seg selv.",
                away.detail,
            )
        return SignedOut(revoked, ended, problem)

    async def _renew(self) -> None:
        wait = _FIRST_WAIT
        while self.state == "signed-in":
            await asyncio.sleep(max(0.0, self._renew_at - self._clock.monotonic()))
            try:
                await self.refresh()
                wait = _FIRST_WAIT
            except Problem as problem:
                self.problem = problem
                await asyncio.sleep(wait)
                wait = min(wait * 2, _LONGEST_WAIT)

    async def _refresh(self) -> None:
        try:
            if not self._tokens.refresh_token:
                raise sign_on_expired("no refresh token")
            tokens = await refresh_tokens(self._provider, self._client_id, self._tokens.refresh_token)
            if tokens.id_token:
                await self._check_same_person(tokens)
        except Problem as problem:
            self.problem = problem
            if problem.code in ("signed-out", "id-token-refused") and self.state == "signed-in":
                self._tokens = Tokens(0.0, "", id_token=self._tokens.id_token)
                if self._keeper is not None:
                    await self._keeper.forget(self._keeper_name)
                self._enter("expired")
            raise
        else:
            former = self._tokens
            self._take(
                Tokens(
                    tokens.lifetime,
                    tokens.access_token,
                    tokens.refresh_token or former.refresh_token,
                    tokens.id_token or former.id_token,
                )
            )
            self.problem = None
            await self._keep()
        finally:
            self._refreshing = None

    async def _check_same_person(self, tokens: Tokens) -> None:
        claims = await check_id_token(
            self._provider,
            tokens.id_token,
            client_id=self._client_id,
            nonce=None,
            access_token=tokens.access_token,
        )
        if claims["sub"] != self.subject.sub:
            raise refused("refresh answered with another person's id_token")

    async def _keep(self) -> None:
        if self._keeper is not None and self._tokens.refresh_token:
            await self._keeper.save(self._keeper_name, self._tokens.refresh_token)

    def _take(self, tokens: Tokens) -> None:
        now = self._clock.monotonic()
        self._tokens = tokens
        self._good_until = now + tokens.lifetime
        # Ahead by a fifth, at most two minutes: time enough for a few tries before anybody notices.
        self._renew_at = self._good_until - min(120.0, tokens.lifetime / 5)

    def _alive(self) -> bool:
        # Some seconds to spare for the way to the platform.
        return self._clock.monotonic() < self._good_until - min(5.0, self._tokens.lifetime / 10)

    def _require_signed_in(self) -> None:
        if self.state != "signed-in":
            raise sign_on_expired(f"session is {self.state}")

    def _enter(self, state: State) -> None:
        if self.state != state:
            self.state = state
            for listener in list(self._listeners):
                listener(state)

    async def _stop(self) -> None:
        tasks = [task for task in (self._renewing, self._refreshing) if task is not None]
        self._renewing = self._refreshing = None
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _close_client(self) -> None:
        owned, self._owned = self._owned, None
        if owned is not None:
            await owned.aclose()


async def require_same(subject: Subject, other: Session) -> None:
    """That `other` is a sign-on of `subject`. Raises Problem ``another-person``; `other` is then signed out."""
    if other.subject.sub != subject.sub:
        await other.sign_out()
        raise Problem(
            "another-person",
            f"Du logget inn som {other.subject.name}, men arbeidet her er {subject.name} sitt.",
            f"Logg inn som {subject.name}, eller trykk «Logg ut» for å bytte bruker.",
        )


def _heard(task: asyncio.Task[None]) -> None:
    """Mark a failure as seen: when every caller has given up waiting, nobody else would."""
    if not task.cancelled():
        task.exception()
