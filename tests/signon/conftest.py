"""A real provider on a real port, in a thread, and people to sign in as."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.serving import PromptServer
from workspace.clock import SystemClock
from workspace.sandbox.identity.app import identity_app
from workspace.sandbox.identity.people import Person
from workspace.sandbox.identity.provider import Provider

PEOPLE = [
    Person(
        username="tone",
        name="Tone Åsheim",
        role_title="Sykepleier",
        unit_text="Havblikk",
        shift_text="Kveldsvakt 14.30–22.00",
        practitioner="Practitioner/tone",
        role="sykepleier",
        hpr="9000001",
    ),
    Person(
        username="bo",
        name="Bo <Li>",
        role_title="Assistent",
        unit_text="Solsiden",
        shift_text="",
        practitioner="Practitioner/bo",
        role="assistent",
    ),
]


@dataclass
class Running:
    """A server that can be stopped and started again on the same port."""

    folder: Path
    port: int = 0
    provider: Provider | None = None

    def __post_init__(self) -> None:
        self._server: uvicorn.Server | None = None
        self._thread: threading.Thread | None = None

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"{self.origin}/identity"

    client_id = "workspace-shell"

    def start(self) -> None:
        config = uvicorn.Config(lambda: None, host="127.0.0.1", port=self.port, log_level="error", lifespan="off")
        listening = config.bind_socket()
        self.port = listening.getsockname()[1]
        app = identity_app(self.issuer, PEOPLE, self.folder, SystemClock())
        self.provider = app.state.provider
        whole = Starlette(routes=[Mount("/identity", app)])
        self._server = PromptServer(
            uvicorn.Config(whole, log_level="error", lifespan="off", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listening]})
        self._thread.start()
        deadline = time.monotonic() + 10
        while not self._server.started:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def stop(self) -> None:
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join(10)
            assert not self._thread.is_alive()
            self._server = None


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    server = Running(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def as_tone() -> Callable[[str], object]:
    from workspace.sandbox.visitor import choose

    async def opener(url: str) -> None:
        await asyncio.wait_for(choose(url, "tone"), 20)

    return opener


@dataclass(frozen=True)
class Elsewhere:
    """A platform as far as sign-on is concerned."""

    issuer: str
    client_id: str = "workspace-shell"


@pytest.fixture
def ill_behaved() -> Iterator[Callable[[str], Elsewhere]]:
    """Start the ill-behaved provider with one fault."""
    started: list[subprocess.Popen[str]] = []

    def start(fault: str) -> Elsewhere:
        program = Path(__file__).with_name("ill_behaved_provider.py")
        process = subprocess.Popen([sys.executable, str(program), fault], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        return Elsewhere(process.stdout.readline().strip())

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def chromium(tmp_path: Path) -> Visits:
    """Signs on in a real Chromium."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        pytest.skip("no Chromium on this machine")
    return Visits(program, tmp_path / "profile")


@dataclass
class Visits:
    """What a person does in the browser; each in a browser of its own."""

    program: str
    profile: Path

    def __call__(self, address: str, search: str = "") -> list[str]:
        """Press Enter on the card in focus, or search first; the texts seen on the way."""
        with contextlib.closing(Chromium(self.program, self.profile)) as browser:
            browser.open(address)
            if search:
                browser.text_once("document.title && document.getElementById('count').textContent")
                browser.ask("Runtime.evaluate", expression="document.getElementById('filter').focus()")
                browser.ask("Input.insertText", text=search)
                seen = browser.text_once("document.getElementById('count').textContent")
            else:
                seen = browser.text_once("document.activeElement.name === 'username' && document.title")
            browser.press_enter()
            return [seen, browser.text_once("location.pathname === '/callback' && document.title")]

    def measure(self, address: str, width: int) -> int:
        """How many pixels the login page is too wide on a screen of `width`."""
        with contextlib.closing(Chromium(self.program, self.profile)) as browser:
            browser.open("about:blank")
            browser.ask("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=True)
            browser.ask("Page.navigate", url=address)
            browser.text_once("document.getElementById('count')?.textContent")
            found = browser.ask("Runtime.evaluate", expression="document.documentElement.scrollWidth - innerWidth")
            return int(found["result"]["value"])


class Chromium:
    """Headless Chromium over its debugging pipe: NUL-terminated JSON on descriptors 3 and 4."""

    def __init__(self, program: str, profile: Path) -> None:
        theirs_in, ours_out = os.pipe()
        ours_in, theirs_out = os.pipe()
        self._out, self._in = os.fdopen(ours_out, "wb", buffering=0), os.fdopen(ours_in, "rb", buffering=0)
        launch = "import os, sys; r, w, *rest = sys.argv[1:]; os.dup2(int(r), 3); os.dup2(int(w), 4)"
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
        options += ["--remote-debugging-pipe", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", f"{launch}; os.execv(rest[0], rest)"),
                *(str(theirs_in), str(theirs_out), program, *options),
            ],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._rest = b""
        self._number = 0
        self._session = ""

    def open(self, address: str) -> None:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Page.navigate", url=address)

    def press_enter(self) -> None:
        key = {"key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13, "text": "\r"}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **key)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    def text_once(self, expression: str) -> str:
        """The expression's value once it is a text that is not empty."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            value = self.ask("Runtime.evaluate", expression=expression).get("result", {}).get("value")
            if value and isinstance(value, str):
                return value
            time.sleep(0.05)
        raise AssertionError(f"never in the browser: {expression}")

    def ask(self, method: str, **parameters: object) -> dict:
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._out.write(json.dumps(message).encode() + b"\0")
        while True:
            while b"\0" not in self._rest:
                chunk = self._in.read(65536)
                assert chunk, "Chromium ended"
                self._rest += chunk
            first, _, self._rest = self._rest.partition(b"\0")
            answer = json.loads(first)
            if answer.get("id") == self._number:
                return answer.get("result", {})

    def close(self) -> None:
        self._session = ""
        try:
            self.ask("Browser.close")
            self._process.wait(10)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self._process.kill()
            self._process.wait()
        self._out.close()
        self._in.close()
