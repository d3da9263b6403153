"""What is heavy comes behind the window, in order; a failure reaches whoever needs it."""

import asyncio
import subprocess
import sys
import threading

import pytest

from workspace.shell.stages import Stages


def test_stages_are_done_in_order_in_one_thread_and_give_what_they_made():
    done = []

    def stage(name):
        return name, lambda: (done.append((name, threading.current_thread().name)), name.upper())[1]

    stages = Stages([stage("a"), stage("b")])
    try:
        assert asyncio.run(stages.ready("b")) == "B"
        assert asyncio.run(stages.ready("a")) == "A"
        assert done == [("a", "stages"), ("b", "stages")]
    finally:
        stages.close()


def test_a_stage_that_fails_tells_whoever_awaits_it_and_the_next_are_done():
    stages = Stages([("a", lambda: 1 / 0), ("b", lambda: 2)])
    try:
        assert asyncio.run(stages.ready("b")) == 2
        with pytest.raises(ZeroDivisionError):
            asyncio.run(stages.ready("a"))
    finally:
        stages.close()


def test_closing_begins_nothing_more():
    held, begun = threading.Event(), []
    stages = Stages([("a", held.wait), ("b", lambda: begun.append(1))])
    closing = threading.Thread(target=stages.close)
    closing.start()
    held.set()
    closing.join()
    assert not stages._thread.is_alive()
    assert len(begun) <= 1


def test_nothing_heavy_stands_between_the_command_and_the_window():
    heavy = (
        "httpx", "apsw", "joserfc", "workspace.panel_commands", "workspace.panels.host", "workspace.record.record",
        "workspace.broker.door", "workspace.shell.kit.body",
    )  # fmt: skip
    program = f"""
import sys
import workspace.cli
workspace.cli.parser("demo")
import workspace.app
print([name for name in {("asyncio", *heavy)!r} if name in sys.modules])
import workspace.shell.desk  # and between the window and the loop
print([name for name in {heavy!r} if name in sys.modules])
"""
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["[]", "[]"]
