"""Starting where something is wrong: each gives a plain sentence that says what to do, and an exit code."""

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest


def workspace(*arguments, profile, **environment):
    return subprocess.run(
        [sys.executable, "-m", "workspace", *arguments, "--profile", str(profile)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **environment},
    )


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_a_wrong_platform_address_is_named(tmp_path):
    address = f"http://127.0.0.1:{closed_port()}"
    told = workspace("run", "--platform", address, "--headless", profile=tmp_path)
    assert told.returncode == 1
    assert address in told.stderr
    assert "Traceback" not in told.stderr


class Shop(BaseHTTPRequestHandler):
    """Some other web server."""

    def do_GET(self):
        body = b"<html><h1>Velkommen til butikken</h1></html>"
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def shop():
    server = HTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_address_that_is_no_platform_says_so(tmp_path, shop):
    told = workspace("run", "--platform", shop, "--headless", profile=tmp_path)
    assert told.returncode == 1
    assert shop in told.stderr
    assert "Traceback" not in told.stderr


def test_without_an_address_it_says_how_to_give_one(tmp_path):
    told = workspace("run", "--headless", profile=tmp_path)
    assert told.returncode == 1
    assert "--platform" in told.stderr


def test_broken_settings_are_named_and_kept(tmp_path):
    (tmp_path / "settings.json").write_text("{")
    told = workspace("run", "--headless", profile=tmp_path)
    assert told.returncode == 1
    assert "settings.json" in told.stderr
    assert (tmp_path / "settings.json").read_text() == "{"


def test_doctor_tells_what_works(tmp_path):
    told = workspace("doctor", "--json", profile=tmp_path)
    assert told.returncode == 0
    assert '"confinement"' in told.stdout
