"""Finding the platform: the right one, the wrong ones, and none."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from workspace.problem import Problem
from workspace.signon.platform import discover_platform

GOOD = {
    "name": "Fjellheim sykehjem",
    "organization_number": "311000101",
    "sandbox": True,
    "version": "0.1.0",
    "issuer": "http://127.0.0.1:1/identity",
    "client_id": "workspace-shell",
    "fhir": "http://127.0.0.1:1/fhir",
    "changes": "http://127.0.0.1:1/changes",
    "audit": "http://127.0.0.1:1/audit",
    "time": "http://127.0.0.1:1/time",
    "health": "http://127.0.0.1:1/health",
}

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    servers = []

    def start(body: object, status: int = 200, kind: str = "application/json") -> str:
        data = (body if isinstance(body, str) else json.dumps(body)).encode()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = self.path == "/.well-known/clinician-workspace"
                self.send_response(status if found else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


def problem_of(address: str) -> Problem:
    with pytest.raises(Problem) as caught:
        asyncio.run(discover_platform(address))
    assert caught.value.sentence.endswith(".")
    assert caught.value.advice.endswith(".")
    return caught.value


def test_a_platform_is_read_whole(serve):
    base = serve(GOOD | {"unknown": 1})
    platform = asyncio.run(discover_platform(f" {base}/ "))
    assert platform.base_url == base
    assert platform.name == "Fjellheim sykehjem"
    assert platform.issuer == "http://127.0.0.1:1/identity"
    assert platform.client_id == "workspace-shell"
    assert platform.sandbox is True


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("<html>Velkommen</html>", 200, "text/html"),
        ("{}", 200, "application/json"),
        ("[1]", 200, "application/json"),
        ("{", 200, "application/json"),
        (GOOD, 404, "application/json"),
        (GOOD, 302, "application/json"),
        (GOOD | {"issuer": ""}, 200, "application/json"),
        (GOOD | {"fhir": 7}, 200, "application/json"),
        (GOOD | {"fhir": "http://far.example/fhir"}, 200, "application/json"),
        (GOOD | {"issuer": "/identity"}, 200, "application/json"),
    ],
)
def test_something_else_that_answers_is_not_a_platform(serve, body, status, kind):
    base = serve(body, status, kind)
    problem = problem_of(base)
    assert problem.code == "platform-not-one"
    assert base in problem.sentence


def test_a_closed_door_names_the_address():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{free.getsockname()[1]}"
    problem = problem_of(base)
    assert problem.code == "platform-unreachable"
    assert problem.sentence == f"Ingen svarer på {base}."


def test_https_against_a_server_without_it_is_called_unsafe(serve):
    problem = problem_of(serve(GOOD).replace("http://", "https://"))
    assert problem.code == "platform-unreachable"
    assert "ikke trygg" in problem.sentence


def test_a_server_in_trouble_is_worth_another_try(serve):
    problem = problem_of(serve(GOOD, 503))
    assert problem.code == "platform-unreachable"
    assert "Prøv igjen" in problem.advice


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("", "ikke en gyldig adresse"),
        ("journal.example", "ikke en gyldig adresse"),
        ("ftp://journal.example", "ikke en gyldig adresse"),
        ("http://127.0.0.1:99999", "ikke en gyldig adresse"),
        ("http://", "ikke en gyldig adresse"),
        ("http://journal.example", "ikke kryptert"),
        ("https://no-such-host.invalid", "https://no-such-host.invalid"),
    ],
)
def test_an_impossible_address_is_said_so(address, word):
    problem = problem_of(address)
    assert problem.code == "platform-unreachable"
    assert word in problem.sentence
