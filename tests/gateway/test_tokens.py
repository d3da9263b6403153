"""Keys fetched from the issuer, as in production."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from workspace.clock import SystemClock
from workspace.gateway.refused import Refused
from workspace.gateway.tokens import TokenCheck

FIRST, SECOND = (RSAKey.generate_key(2048, auto_kid=True) for _ in range(2))


class Later(SystemClock):
    ahead = 0.0

    def monotonic(self):
        return super().monotonic() + self.ahead


@pytest.fixture
def issuer():
    class Serve(BaseHTTPRequestHandler):
        keys = (FIRST,)
        asked = 0

        def do_GET(self):
            url = f"http://127.0.0.1:{self.server.server_port}"
            if self.path.endswith("openid-configuration"):
                body = {"issuer": url, "jwks_uri": url + "/jwks"}
            else:
                type(self).asked += 1
                body = {"keys": [key.as_dict(private=False) for key in self.keys]}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *said):
            pass

    server = HTTPServer(("127.0.0.1", 0), Serve)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    Serve.url = f"http://127.0.0.1:{server.server_port}"
    yield Serve
    server.shutdown()
    thread.join()
    server.server_close()


def token(issuer, key):
    claims = {"iss": issuer.url, "aud": "http://p", "sub": "s", "sid": "x", "exp": int(time.time()) + 60}
    return "Bearer " + jwt.encode({"alg": "RS256", "typ": "at+jwt", "kid": key.kid}, claims, key)


def test_keys_are_fetched_once_and_again_when_the_issuer_has_changed_them(issuer):
    async def run():
        clock = Later()
        check = TokenCheck(issuer.url, "http://p", clock)
        assert (await check.check(token(issuer, FIRST))).subject.sub == "s"
        await check.check(token(issuer, FIRST))
        assert issuer.asked == 1
        issuer.keys = (SECOND,)
        with pytest.raises(Refused):  # no stampede: an unknown key is not asked for twice within a while
            await check.check(token(issuer, SECOND))
        clock.ahead = 60
        assert (await check.check(token(issuer, SECOND))).sid == "x"
        assert issuer.asked == 2

    asyncio.run(run())


def test_an_issuer_that_does_not_answer_is_no_fault_of_the_user():
    async def run():
        check = TokenCheck("http://127.0.0.1:9", "http://p", SystemClock())
        with pytest.raises(Refused) as refused:
            await check.check("Bearer a.b.c")
        assert refused.value.status == 503

    asyncio.run(run())


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_the_issuers_signature_is_refused(algorithm):
    from base64 import urlsafe_b64encode

    part = lambda value: urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()  # noqa: E731
    claims = {"iss": "i", "aud": "p", "sub": "s", "sid": "x", "exp": int(time.time()) + 60}
    forged = f"{part({'alg': algorithm, 'typ': 'at+jwt', 'kid': FIRST.kid})}.{part(claims)}.eA"
    check = TokenCheck("i", "p", SystemClock(), keys=lambda: {"keys": [FIRST.as_dict(private=False)]})
    with pytest.raises(Refused) as refused:
        asyncio.run(check.check(f"Bearer {forged}"))
    assert refused.value.status == 401
