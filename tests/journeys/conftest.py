"""What a journey is played with: a sandbox and workstations, each in processes of their own, and an honest look at the
platform over HTTP. Nothing here reaches into the application; it is told and asked through `driver.py`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.seeded import HISTORY

ROOT = Path(__file__).resolve().parents[2]
PLAIN = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Sandbox:
    """The platform as a process of its own, over a folder that outlives it."""

    def __init__(self, folder, history=HISTORY):
        self.folder, self.history, self.process = folder, history, None

    def start(self, port="0"):
        command = [sys.executable, "-m", "workspace", "sandbox", "serve", "--sandbox", str(self.folder)]
        command += ["--port", port, "--history", str(self.history)]
        with (self.folder.parent / "said.txt").open("ab") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT)
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, (self.folder.parent / "said.txt").read_text()
            assert time.monotonic() < deadline, "the sandbox does not become ready"
            if self._running() and json.loads(self.get("/health")[1])["state"] == "ready":
                return self
            time.sleep(0.03)

    def _running(self):
        try:
            told = json.loads((self.folder / "running.json").read_text())
        except (FileNotFoundError, ValueError):
            return False
        self.url = told["url"]
        return told["pid"] == self.process.pid

    def get(self, path, **headers):
        request = urllib.request.Request(self.url + path, headers=headers)
        try:
            with PLAIN.open(request, timeout=20) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except urllib.error.URLError:
            return 0, b'{"state": "gone"}'

    def holding(self, *resources):
        """The same platform with these beside, as another system might have left them: no profile was asked."""
        from workspace.clock import SystemClock
        from workspace.fhir.service import FhirRequest
        from workspace.sandbox.fhir.store import Store

        async def put():
            store = Store(self.folder / "fhir.sqlite", SystemClock())
            await store.start()
            for one in resources:
                where = f"{one['resourceType']}/{one['id']}"
                answer = await store.handle(FhirRequest("PUT", where, body=one))
                assert answer.status in (200, 201), answer
            await store.close()

        assert self.process.poll() is not None or self.stop() == 0
        asyncio.run(put())
        return self.start(self.url.rpartition(":")[2])  # where it was: those who work on it find it again

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """As an operator does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.kill()
            self.process.wait()

    def read(self, username, queries, package="nordlys.vitals@1.0.0"):
        """What the gateway answers `username` (signed on as everybody is), by query: one page of resources each."""
        return asyncio.run(self._read(username, queries, package))

    async def _read(self, username, queries, package):
        from workspace.clock import SystemClock
        from workspace.sandbox import visitor
        from workspace.signon.login import login
        from workspace.signon.platform import discover_platform

        platform = await discover_platform(self.url)
        session = await login(
            platform, open_browser=lambda address: visitor.choose(address, username), clock=SystemClock(), timeout=30
        )
        try:
            token = await session.access_token()
            return [await asyncio.to_thread(self._page, query, token, package) for query in queries]
        finally:
            await session.sign_out()

    def _page(self, query, token, package):
        headers = {
            "Authorization": f"Bearer {token}",
            "X-Workspace-Package": package,
            "X-Workspace-Purpose": "TREAT",
        }
        status, body = self.get(f"/fhir/{quote(query, safe='?&=/,_-:|.')}", **headers)
        assert status == 200, (query, status, body[:600])
        return [entry["resource"] for entry in json.loads(body).get("entry", [])]

    def held(self):
        """``Type/id`` of all that the platform stores, read past the gateway."""
        with closing(sqlite3.connect(f"file:{self.folder}/fhir.sqlite?mode=ro", uri=True)) as connection:
            return {f"{kind}/{one}" for kind, one in connection.execute("SELECT type, id FROM resource")}


class Workstation:
    """One person's shell, in its own process, told what to do line by line."""

    def __init__(self, username, sandbox, profile, plugins=None, ready=True, more=()):
        command = [sys.executable, str(ROOT / "tests" / "journeys" / "driver.py"), "--as", username]
        command += ["--sandbox", str(sandbox.folder), "--profile", str(profile)]
        command += ["--plugins", str(plugins)] if plugins else []
        command += more
        profile.mkdir(exist_ok=True)
        self.errors = profile.parent / f"{profile.name}.err"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=ROOT
            )
        if ready:
            self.did("wait_ready")

    def did(self, command, /, **how):
        """Do it and return the answer; the test fails when a person could not have done it."""
        answer = self.tried(command, **how)
        assert answer.pop("ok"), f"{command} {how}: {answer['problem']}\n{self.errors.read_text()[-3000:]}"
        return answer

    def tried(self, command, /, **how):
        self.process.stdin.write(json.dumps({"do": command, **how}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"the workstation ended: {self.errors.read_text()[-3000:]}"
        return json.loads(line)

    def until(self, holds, seconds, what):
        """Seconds it took until `holds()`; the test fails after `seconds`."""
        began = time.monotonic()
        while not holds():
            assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
            time.sleep(0.02)
        return time.monotonic() - began

    def quit(self):
        if self.process.poll() is None:
            self.tried("quit")
        code = self.process.wait(20)
        self._let_go()
        return code

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._let_go()

    def _let_go(self):
        for pipe in (self.process.stdin, self.process.stdout):
            if not pipe.closed:
                pipe.close()


@pytest.fixture
def own_sandbox(tmp_path, seeded):
    """A platform that the test may stop."""
    sandbox = Sandbox(seeded.copy_to(tmp_path / "sandbox")).start()
    yield sandbox
    sandbox.end()


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory, seeded):
    """One platform for those who do not disturb each other."""
    sandbox = Sandbox(seeded.copy_to(tmp_path_factory.mktemp("home") / "sandbox")).start()
    yield sandbox
    sandbox.end()


@pytest.fixture
def sign_on(tmp_path):
    """``sign_on("tone", sandbox)``: a workstation, ended with the test."""
    made = []

    def sit_down(username, sandbox, name="", plugins=None, ready=True, more=()):
        made.append(Workstation(username, sandbox, tmp_path / (name or username), plugins, ready, more))
        return made[-1]

    yield sit_down
    for one in made:
        one.end()


@pytest.fixture(autouse=True)
def _offscreen(monkeypatch):
    monkeypatch.setitem(os.environ, "QT_QPA_PLATFORM", "offscreen")
