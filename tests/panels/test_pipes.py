"""The same pipes under a plain loop and under Qt's."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from workspace.broker.context import for_patient
from workspace.panels.components import Action
from workspace.panels.pipes import Child
from workspace.panels.wire import Lines, LineTooLong


async def echo(code: str, *lines: bytes) -> tuple[bytes, bytes, int]:
    out, err = bytearray(), bytearray()
    ended: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    child = Child(
        [sys.executable, "-I", "-S", "-c", code],
        env={},
        cwd="/",
        on_output=out.extend,
        on_errors=err.extend,
        on_exit=ended.set_result,
    )
    for line in lines:
        child.write(line)
    code_ = await asyncio.wait_for(ended, 10)
    assert await child.wait() == code_
    assert not child.write(b"for sent")
    return bytes(out), bytes(err), code_


COPY = """
import sys
n = int(sys.stdin.readline())
sys.stdout.write(sys.stdin.read(n))
sys.stderr.write('sa det')
sys.exit(7)
"""


def test_megabytes_pass_both_ways_and_the_last_words_are_heard() -> None:
    big = b"x" * 3_000_000
    assert asyncio.run(echo(COPY, b"3000000\n", big)) == (big, b"sa det", 7)


@pytest.mark.skipif(not hasattr(os, "SCHED_BATCH"), reason="the system has no such policy")
def test_what_is_started_does_not_push_the_one_who_draws_off_the_processor() -> None:
    before = os.sched_getscheduler(0)
    grandchild = "import os; print(os.sched_getscheduler(0), flush=True)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-I', '-S', '-c', {grandchild!r}], check=True)"
    assert asyncio.run(echo(code))[::2] == (b"%d\n" % os.SCHED_BATCH, 0)
    assert os.sched_getscheduler(0) == before


def test_a_child_that_closes_its_output_is_ended() -> None:
    code = "import os,time\nos.close(1)\ntime.sleep(60)"
    assert asyncio.run(echo(code, b"x"))[2] == -9


def test_under_qts_loop(bench: Callable[..., Any]) -> None:
    qtloop = pytest.importorskip("workspace.shell.qtloop")
    widgets = pytest.importorskip("PySide6.QtWidgets")
    app = widgets.QApplication.instance() or widgets.QApplication([])

    async def journey() -> None:
        big = b"x" * 3_000_000
        assert await echo(COPY, b"3000000\n", big) == (big, b"sa det", 7)
        async with bench("good", warm=True) as b:
            context = for_patient("Patient/BEB-18")
            panel, _ = await b.shown("good", context)
            panel.typed("puls", 82)
            assert (await panel.act(Action("save"))).ok
            await b.host.end_context(context)

    loop = qtloop.Loop(app)
    with loop:
        loop.run_until_complete(journey())


def test_lines_are_cut_whatever_the_chunks() -> None:
    lines = Lines()
    assert [line for chunk in (b"a", b"b\n\nc\nd", b"\n") for line in lines.feed(chunk)] == [b"ab", b"c", b"d"]


def test_a_line_without_end_is_refused_after_the_good_ones() -> None:
    lines = Lines().feed(b"god\n" + b"x" * (1 << 20))
    assert next(lines) == b"god"
    with pytest.raises(LineTooLong):
        next(lines)
