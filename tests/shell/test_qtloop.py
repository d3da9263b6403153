"""A timer that is cancelled is no timer of Qt's any more."""

from __future__ import annotations

import asyncio

import pytest

from workspace.shell import qtloop


@pytest.fixture
def loop(qapp):
    made = qtloop.Loop(qapp, set_running_loop=False)
    yield made
    made.close()
    assert len(made.due) == 0


def test_what_is_due_is_called_once_and_in_its_order(loop):
    async def run():
        heard = []
        for seconds in (0.3, 0.2, 0.0, 0.1, 0.2):
            loop.call_later(seconds, heard.append, seconds)
        assert len(loop.due) == 4
        await asyncio.sleep(0.5)
        assert heard == [0.0, 0.1, 0.2, 0.2, 0.3]
        assert len(loop.due) == 0

    loop.run_until_complete(run())


def test_what_is_cancelled_leaves_no_timer_and_nothing_equal_to_it_goes(loop):
    async def run():
        heard = []
        when = loop.time() + 0.2
        first, second = (loop.call_at(when, heard.append, "her") for _ in range(2))
        first.cancel()
        first.cancel()
        assert (first.cancelled(), second.cancelled()) == (True, False)
        assert len(loop.due) == 1
        await asyncio.sleep(0.3)
        assert heard == ["her"]
        second.cancel()  # after it was due

    loop.run_until_complete(run())


def test_a_time_limit_that_is_not_reached_leaves_nothing_and_one_that_is_reached_is_heard(loop):
    async def run():
        for _ in range(200):
            async with asyncio.timeout(30):
                await asyncio.sleep(0)
        assert len(loop.due) == 0
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.15):
                await asyncio.Event().wait()

    loop.run_until_complete(run())


def test_what_fails_in_a_timer_is_heard_and_the_others_go_on(loop):
    async def run():
        told, heard = [], []
        loop.set_exception_handler(lambda _loop, context: told.append(context["exception"]))
        loop.call_later(0.1, lambda: 1 // 0)
        loop.call_later(0.15, heard.append, 1)
        await asyncio.sleep(0.3)
        assert [type(one) for one in told] == [ZeroDivisionError]
        assert heard == [1]

    loop.run_until_complete(run())
