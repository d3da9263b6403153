"""The real process, over real pipes, started as bare as the host starts it."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

CODE = """
from workspace.sdk import Panel, ui
panel = Panel("test.panel", "1.0.0")
print("at import")

@panel.view("main")
def main(ctx):
    print("in a view")
    return ui.text(f"Puls {ctx.state.pulse}")

@panel.action
def read(ctx):
    ctx.say("lest: " + repr(input()))

@panel.action
def modules(ctx):
    import sys
    ctx.set(modules=" ".join(sorted(sys.modules)))

panel.run()
"""


@contextmanager
def started(code=CODE):
    boot = f"import sys; sys.path.insert(0, {str(ROOT)!r})\n" + textwrap.dedent(code)
    pipe = subprocess.PIPE
    command = [sys.executable, "-I", "-S", "-E", "-c", boot]
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, env={}) as child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


def say(child, *messages):
    child.stdin.write(b"".join(one if isinstance(one, bytes) else json.dumps(one).encode() + b"\n" for one in messages))
    child.stdin.flush()


def hear(child):
    return json.loads(child.stdout.readline())


def request(number, method, **params):
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": params}


CONTEXT = {"token": "t", "kind": "patient", "now": "2026-01-14T15:04:00+01:00", "patient": "Patient/a"}
ABOUT = {"instance": "i", "context": "t"}


def test_a_life_from_initialize_to_shutdown():
    with started() as child:
        say(child, request(1, "initialize", protocol=1))
        assert hear(child)["result"] == {"name": "test.panel", "version": "1.0.0", "views": ["main"], "protocol": 1}
        say(child, request(2, "open", instance="i", view="main", context=CONTEXT))
        assert hear(child) == {"jsonrpc": "2.0", "id": 2, "result": None}
        assert hear(child)["params"]["tree"]["props"]["text"] == "Puls None"
        say(
            child,
            b"{broken\n",
            {"jsonrpc": "2.0", "method": "state/changed", "params": {**ABOUT, "values": {"pulse": 7}}},
        )
        assert hear(child)["error"]["code"] == -32700
        assert hear(child)["params"]["patch"][0]["props"] == {"text": "Puls 7"}
        say(child, request(3, "shutdown"))
        assert hear(child)["id"] == 3
        assert child.wait(timeout=5) == 0
        assert child.stdout.read() == b""
        errors = child.stderr.read()
        assert b"at import" in errors
        assert b"in a view" in errors


def test_input_finds_nothing_to_steal():
    with started() as child:
        say(child, request(1, "open", instance="i", view="main", context=CONTEXT))
        hear(child), hear(child)
        say(child, request(2, "event", **ABOUT, action={"name": "read"}, state={}))
        assert hear(child)["error"]["code"] == -32603
        assert b"EOFError" in _rest(child)


def test_the_panel_ends_when_the_host_hangs_up():
    with started() as child:
        child.stdin.close()
        assert child.wait(timeout=5) == 0


def test_lines_in_pieces_and_many_at_once():
    with started() as child:
        line = json.dumps(request(1, "ping"), ensure_ascii=False).encode() + b"\n"
        say(child, line[:10])
        say(child, line[10:] + b"".join(json.dumps(request(n, "ping")).encode() + b"\n" for n in range(2, 500)))
        assert [hear(child)["id"] for _ in range(499)] == list(range(1, 500))


def test_nothing_slow_is_imported_on_the_way_to_the_first_render():
    with started() as child:
        say(child, request(1, "open", instance="i", view="main", context=CONTEXT))
        hear(child), hear(child)
        say(child, request(2, "event", **ABOUT, action={"name": "modules"}, state={}))
        loaded = set(hear(child)["result"]["state"]["modules"].split())
        assert loaded.isdisjoint({"asyncio", "typing", "dataclasses", "re", "json", "inspect", "logging", "zoneinfo"})


def _rest(child):
    child.stdin.close()
    child.wait(timeout=5)
    return child.stderr.read()
