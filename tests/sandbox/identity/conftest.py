"""A real provider on a real port, and a client that speaks to it as a browser and a shell would."""

from __future__ import annotations

import base64
import hashlib
import html
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.serving import PromptServer
from workspace.clock import SystemClock
from workspace.sandbox.identity.app import identity_app
from workspace.sandbox.identity.people import Person

VERIFIER = "v" * 50
CALLBACK = "http://127.0.0.1:45123/callback"


class ShiftingClock(SystemClock):
    """Real and monotonic time that a test can push forward."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def real(self) -> datetime:
        return super().real() + timedelta(seconds=self.ahead)

    def monotonic(self) -> float:
        return super().monotonic() + self.ahead


def people() -> list[Person]:
    titles = [("tone", "Tone Åsheim", "Sykepleier", "Havblikk"), ("bo", "Bo <Li> & Co", "Assistent", "Solsiden")]
    return [
        Person(
            username=name,
            name=full,
            role_title=title,
            unit_text=unit,
            shift_text="Kveldsvakt 14.30–22.00",
            practitioner=f"Practitioner/{name}",
            role=title.lower(),
            hpr="9000001" if name == "tone" else "",
        )
        for name, full, title, unit in titles
    ]


def challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Visit:
    """The steps of a sign-on, each of which a test may get wrong."""

    issuer: str
    http: httpx.Client
    asked: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.asked = {
            "response_type": "code",
            "client_id": "workspace-shell",
            "redirect_uri": CALLBACK,
            "scope": "openid profile offline_access",
            "state": "a-state",
            "nonce": "a-nonce",
            "code_challenge": challenge(VERIFIER),
            "code_challenge_method": "S256",
        }

    def authorize(self, without: tuple[str, ...] = (), **changed: str) -> httpx.Response:
        asked = {name: value for name, value in (self.asked | changed).items() if name not in without}
        return self.http.get(f"{self.issuer}/authorize", params=asked)

    def press(self, page: httpx.Response, **form: str) -> httpx.Response:
        found = re.search(r'name="choice" value="([^"]+)"', page.text)
        assert found, page.text
        return self.http.post(f"{self.issuer}/login", data={"choice": html.unescape(found[1]), **form})

    def told(self, answer: httpx.Response) -> dict[str, str]:
        assert answer.status_code == 303, answer.text
        assert answer.headers["location"].startswith(CALLBACK + "?")
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    def code(self, username: str = "tone", **changed: str) -> str:
        return self.told(self.press(self.authorize(**changed), username=username))["code"]

    def token(self, without: tuple[str, ...] = (), **form: str) -> httpx.Response:
        whole = {
            "grant_type": "authorization_code",
            "client_id": "workspace-shell",
            "redirect_uri": CALLBACK,
            "code_verifier": VERIFIER,
        } | form
        return self.http.post(
            f"{self.issuer}/token", data={name: value for name, value in whole.items() if name not in without}
        )

    def refresh(self, token: str) -> httpx.Response:
        form = {"grant_type": "refresh_token", "client_id": "workspace-shell", "refresh_token": token}
        return self.http.post(f"{self.issuer}/token", data=form)

    def sign_on(self, username: str = "tone") -> dict[str, str]:
        answer = self.token(code=self.code(username))
        assert answer.status_code == 200, answer.text
        return answer.json()


class Place:
    """One provider on one folder; `serve` it, perhaps again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ShiftingClock()
        self._server: uvicorn.Server | None = None

    def serve(self) -> Visit:
        listening = uvicorn.Config(lambda: None, host="127.0.0.1", port=0, log_level="error").bind_socket()
        self.issuer = f"http://127.0.0.1:{listening.getsockname()[1]}/identity"
        app = identity_app(self.issuer, people(), self.folder, self.clock)
        self.provider = app.state.provider
        config = uvicorn.Config(
            Starlette(routes=[Mount("/identity", app)]), log_level="error", lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = PromptServer(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self._http = httpx.Client(trust_env=False, timeout=10)
        return Visit(self.issuer, self._http)

    def stop(self) -> None:
        if self._server is not None:
            self._http.close()
            self._server.should_exit = True
            self._thread.join(10)
            self._server = None


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.stop()


@pytest.fixture
def visit(place: Place) -> Visit:
    return place.serve()
