from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.seeded import HISTORY

ROOT = Path(__file__).resolve().parents[2]
READY_WITHIN = 180.0
"""Seconds. The aim is 10 on two idle cores; here other tests may run beside."""


class Served:
    """A sandbox in a process of its own, over a folder that outlives it."""

    def __init__(self, folder, *, history=28):
        self.folder = folder
        self.history = history
        self.process = None

    def start(self, *more, port=0):
        command = [sys.executable, "-m", "workspace", "sandbox", "serve", "--sandbox", str(self.folder)]
        command += ["--port", str(port), "--history", str(self.history), *more]
        # A file, not a pipe: nobody empties a pipe while the sandbox runs.
        with (self.folder.parent / "said.txt").open("wb") as said:
            self.process = subprocess.Popen(command, stdout=said, stderr=said, cwd=ROOT)
        return self

    def said(self):
        return (self.folder.parent / "said.txt").read_text()

    def listening(self):
        return self.wait(lambda: self.running().get("pid") == self.process.pid, "listening")

    def ready(self):
        self.listening()
        return self.wait(lambda: self.get("/health")["state"] == "ready", "ready")

    def whole(self):
        return self.ready().wait(lambda: self.get("/health")["history"]["complete"], "whole")

    def wait(self, holds, what):
        deadline = time.monotonic() + READY_WITHIN
        while not holds():
            assert self.process.poll() is None, f"ended with {self.process.returncode}: {self.said()}"
            assert time.monotonic() < deadline, f"not {what}: {self.said()}"
            time.sleep(0.02)
        return self

    def running(self):
        try:
            return json.loads((self.folder / "running.json").read_text())
        except FileNotFoundError:
            return {}

    @property
    def url(self):
        return self.running()["url"]

    def ask(self, path, body=None, **headers):
        """Status and JSON of one request."""
        data = None if body is None else json.dumps(body).encode()
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if data is not None:
            named.setdefault("Content-Type", "application/json")
        request = urllib.request.Request(self.url + path, data, named)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def get(self, path):
        status, body = self.ask(path)
        assert status == 200, (status, body)
        return body

    def stop(self, number=signal.SIGTERM):
        """Seconds it took, and the exit code."""
        began = time.monotonic()
        self.process.send_signal(number)
        code = self.process.wait(20)
        return time.monotonic() - began, code

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


@pytest.fixture
def sandbox(tmp_path):
    """One that begins with nothing."""
    served = Served(tmp_path / "sandbox")
    yield served
    served.end()


@pytest.fixture
def filled(tmp_path, seeded):
    """One that was filled and stopped before; not started yet."""
    served = Served(seeded.copy_to(tmp_path / "sandbox"), history=HISTORY)
    yield served
    served.end()


@pytest.fixture(scope="module")
def standing(tmp_path_factory, seeded):
    """One sandbox for those who only look."""
    folder = seeded.copy_to(tmp_path_factory.mktemp("standing") / "sandbox")
    served = Served(folder, history=HISTORY).start().ready()
    yield served
    served.end()


@pytest.fixture(scope="session", autouse=True)
def _no_proxy():
    """urllib must not send 127.0.0.1 through anybody's proxy."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "127.0.0.1"
    yield
    if before is None:
        del os.environ["no_proxy"]
    else:
        os.environ["no_proxy"] = before
