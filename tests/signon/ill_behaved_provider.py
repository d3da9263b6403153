"""An OpenID provider that does one thing wrong, as a program: prints its issuer, then serves until it is killed.

    python ill_behaved_provider.py FAULT

`none` is well-behaved, so that a test can show that the fault alone makes the difference. Its authorize page asks
nobody: it redirects at once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import sys
import time
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

DATE_SHIFTS = {"clock-behind": 600, "clock-ahead": -600, "clock-nearly-right": 30}


def encode(part: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


class Provider:
    def __init__(self, fault: str) -> None:
        self.fault = fault
        self.issuer = ""
        self.nonce = ""
        self.key = RSAKey.generate_key(2048, auto_kid=True)
        self.other_key = RSAKey.generate_key(2048, {"kid": self.key.kid})
        self.requests: list[str] = []

    def discovery(self) -> dict[str, object]:
        elsewhere = "http://identity.example" if self.fault == "unsafe-endpoint" else self.issuer
        return {
            "issuer": "https://other.example" if self.fault == "other-issuer" else self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{elsewhere}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "code_challenge_methods_supported": [] if self.fault == "no-pkce" else ["S256"],
        }

    def callback(self, asked: dict[str, str]) -> str:
        self.nonce = asked["nonce"]
        told = {"code": "a-code", "state": asked["state"], "iss": self.issuer}
        if self.fault == "callback-iss":
            told["iss"] = "https://other.example"
        elif self.fault == "no-callback-iss":
            del told["iss"]
        elif self.fault == "wrong-state":
            told["state"] = "not-the-state"
        elif self.fault == "callback-error":
            told = {"error": "server_error", "state": asked["state"], "iss": self.issuer}
        elif self.fault == "callback-denied":
            told = {"error": "access_denied", "state": asked["state"], "iss": self.issuer}
        return f"{asked['redirect_uri']}?{urlencode(told)}"

    def tokens(self, grant: str) -> dict[str, object]:
        now = int(time.time())
        access = "an-access-token"
        half = hashlib.sha256(access.encode()).digest()[:16]
        claims: dict[str, object] = {
            "iss": self.issuer,
            "sub": "somebody",
            "aud": "workspace-shell",
            "azp": "workspace-shell",
            "iat": now,
            "exp": now + 300,
            "nonce": self.nonce,
            "sid": "a-sid",
            "preferred_username": "tone",
            "at_hash": base64.urlsafe_b64encode(half).rstrip(b"=").decode(),
        }
        claims |= {
            "wrong-iss": {"iss": "https://other.example"},
            "wrong-aud": {"aud": "another-client"},
            "second-aud": {"aud": ["workspace-shell", "another-client"]},
            "wrong-azp": {"azp": "another-client"},
            "wrong-nonce": {"nonce": "not-the-nonce"},
            "expired": {"exp": now - 120},
            "stale": {"iat": now - 3600},
            "from-the-future": {"iat": now + 3600, "exp": now + 7200},
            "wrong-at-hash": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
            "exp-is-text": {"exp": "later"},
        }.get(self.fault, {})
        if self.fault == "no-nonce":
            del claims["nonce"]
        if self.fault == "refresh-other-person" and grant == "refresh_token":
            claims["sub"] = "somebody-else"
        answer: dict[str, object] = {
            "access_token": access,
            "token_type": "mac" if self.fault == "token-type" else "Bearer",
            "expires_in": 600,
            "refresh_token": "a-refresh-token",
            "id_token": self.signed(claims),
        }
        if self.fault == "no-id-token":
            del answer["id_token"]
        return answer

    def signed(self, claims: dict[str, object]) -> str:
        header = {"alg": "RS256", "kid": self.key.kid}
        if self.fault == "alg-none":
            return f"{encode({'alg': 'none'})}.{encode(claims)}."
        if self.fault == "alg-none-in-capitals":
            return f"{encode({'alg': 'NONE'})}.{encode(claims)}."
        if self.fault == "alg-hs256":
            # The classic: the public key as a shared secret.
            signed = f"{encode(header | {'alg': 'HS256'})}.{encode(claims)}"
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        if self.fault == "foreign-key":
            return jwt.encode(header, claims, self.other_key)
        if self.fault == "unknown-kid":
            return jwt.encode(header | {"kid": "unknown"}, claims, self.other_key)
        if self.fault == "no-jwt":
            return "nonsense"
        token = jwt.encode(header, claims, self.key)
        if self.fault == "changed-claims":
            head, _, signature = token.split(".")
            return f"{head}.{encode(claims | {'sub': 'somebody-else'})}.{signature}"
        return token


class Handler(BaseHTTPRequestHandler):
    provider: Provider

    def date_time_string(self, timestamp: float | None = None) -> str:
        return formatdate(time.time() + DATE_SHIFTS.get(self.provider.fault, 0), usegmt=True)

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if parts.path == "/authorize":
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self.send_response(302)
            self.send_header("Location", self.provider.callback(asked))
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif parts.path == "/jwks":
            self.answer({"keys": [self.provider.key.as_dict(private=False)]})
        else:
            self.answer(self.provider.discovery())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        grant = parse_qs(body).get("grant_type", [""])[0]
        if self.provider.fault == "token-500":
            self.answer({}, 500)
        elif self.provider.fault == "token-400":
            self.answer({"error": "invalid_grant"}, 400)
        elif self.provider.fault == "token-html":
            self.answer("<html>hello</html>")
        else:
            self.answer(self.provider.tokens(grant))

    def answer(self, body: object, status: int = 200) -> None:
        data = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html" if isinstance(body, str) else "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def main() -> None:
    Handler.provider = Provider(sys.argv[1])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Handler.provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
    print(Handler.provider.issuer, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
