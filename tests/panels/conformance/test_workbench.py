"""What is behind `panel dev`: reloads that keep the draft, the tape of messages, faults with file and line."""

from __future__ import annotations

import asyncio
import json

from workspace import development
from workspace.panels.conformance.faults import Fault, faults
from workspace.panels.conformance.inspector import Tape, matches, pretty
from workspace.panels.conformance.workbench import Workbench
from workspace.panels.face import QuietListener


async def until(good, seconds=10.0):
    async with asyncio.timeout(seconds):
        while not good():  # noqa: ASYNC110 - what is waited for is on the other side of a process
            await asyncio.sleep(0.01)


def test_a_reload_is_a_new_process_with_what_was_typed(made):
    folder = made()

    async def work():
        bench = Workbench(folder, await development.generated()(lambda _: None))
        try:
            first = await bench.open(lambda *_: QuietListener())
            await until(lambda: first.root is not None)
            pid = first.pid
            first.typed("comment", "halvferdig")
            file = folder / "panel.py"
            file.write_text(file.read_text(encoding="utf-8").replace("minimum=20", "minimum=30"), encoding="utf-8")
            name, _ = await asyncio.wait_for(bench.changed(), 10)
            second = await bench.open(lambda *_: QuietListener())
            await until(lambda: second.root is not None)
            assert name == "panel.py"
            assert second.pid != pid
            assert second.values["comment"] == "halvferdig"
            assert second.nodes["#pulse"].component.minimum == 30
            assert first.state == "closed"
            return bench.tape
        finally:
            await bench.close()

    tape = asyncio.run(work())
    opened = [line for line in tape.lines if line.method == "open" and line.kind == "request"]
    assert len(opened) == 2
    assert json.loads(opened[1].raw)["params"]["state"]["values"] == {"comment": "halvferdig"}


def tape():
    now = iter(range(100))
    made = Tape(now=lambda: next(now) / 1000)
    ask = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
    made.tap("out", "p", 7, "", "", json.dumps(ask).encode())
    made.tap("in", "p", 7, "i", "c", b'{"jsonrpc":"2.0","id":1,"method":"watch","params":{"query":"Flag"}}')
    made.tap("in", "p", 7, "", "", b'{"jsonrpc":"2.0","id":1,"result":null}')
    made.tap("out", "p", 7, "i", "c", b'{"jsonrpc":"2.0","id":1,"error":{"code":-32011}}')
    made.tap("in", "p", 7, "", "", b"hello")
    return made


def test_an_answer_is_paired_with_its_request_in_its_own_direction():
    lines = list(tape().lines)
    assert [(line.kind, line.method) for line in lines] == [
        ("request", "ping"), ("request", "watch"), ("answer", "ping"), ("error", "watch"), ("unreadable", ""),
    ]  # fmt: skip
    assert [round(line.took or 0) for line in lines] == [0, 0, 2, 2, 0]
    assert tape().totals()["from_panel"] == 3


def test_the_filter_takes_words_directions_and_leaves_out():
    held = tape()
    assert [line.kind for line in held.matching("> watch")] == ["error"]
    assert [line.kind for line in held.matching("flag")] == ["request"]
    assert len(list(held.matching("-ping"))) == 3
    assert len(list(held.matching(""))) == 5
    assert not any(matches(line, "no such thing") for line in held.lines)


def test_messages_are_laid_out_and_what_is_none_stands_as_it_is():
    lines = list(tape().lines)
    assert '"query": "Flag"' in pretty(lines[1])
    assert pretty(lines[4]) == "hello"


PYTHON = """view main:
Traceback (most recent call last):
  File "/sdk/workspace/sdk/parts.py", line 173, in guarded
    made = make()
  File "/panel/panel.py", line 50, in line
    pulse = one["valueQuantity"]["value"]
KeyError: 'valueQuantity'
something else
"""
SCRIPT = """TypeError: Cannot read properties of undefined (reading 'value')
    at line (/panel/panel.js:48:44)
    at Instance.draw (/panel/wire.js:200:24)
"""


def test_faults_are_found_in_either_languages_log_with_the_vendors_own_line():
    assert faults("all is well\n") == []
    assert faults(PYTHON + SCRIPT) == [
        Fault("KeyError: 'valueQuantity'", "panel.py", 50),
        Fault("TypeError: Cannot read properties of undefined (reading 'value')", "panel.js", 48),
    ]
    assert str(faults(SCRIPT)[0]).endswith("(panel.js:48)")
