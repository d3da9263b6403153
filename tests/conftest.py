"""What holds for every test: nothing is left behind. Widgets, tasks, timers, threads and child processes that outlive
their test fail it. README.md beside this says how to write one."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from tests.seeded import seeded as seeded

TESTS = Path(__file__).parent
LONGEST_FIRST = ("journeys", "attacks", "faults", "sandbox", "signon", "record", "shell")
"""Folders that start first, so that no worker is left with a long file at the end."""
NEVER_SKIPPED_IN_CI = ("attacks", "journeys")
"""Folders whose tests prove a promise to patients: where CI cannot run them, CI fails."""

PATIENCE = float(os.environ.get("LEAKS_PATIENCE") or 1)
"""How long what ends late is waited for before it is called left behind: times the seconds below."""

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    ranks = {name: rank for rank, name in enumerate(LONGEST_FIRST)}
    items.sort(key=lambda item: ranks.get(_room(item), len(ranks)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item):
    report = yield
    unasked = report.skipped and not hasattr(report, "wasxfail")
    if unasked and os.environ.get("CI") == "true" and _room(item) in NEVER_SKIPPED_IN_CI:
        report.outcome = "failed"
        report.longrepr = f"CI must run this, but: {report.longrepr[2]}"
    return report


def _room(item: pytest.Item) -> str:
    """The folder of tests it stands in, "" elsewhere."""
    return item.path.relative_to(TESTS).parts[0] if item.path.is_relative_to(TESTS) else ""


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def _no_child_left_behind():
    before = {child.pid for child in _children()}
    yield
    left = _wait_until_empty(lambda: [child for child in _children() if child.pid not in before], 3.0)
    names = [_command(child) for child in left]
    for child in left:
        child.kill()
    assert not names, f"child processes left behind: {names}"


@pytest.fixture(autouse=True)
def _no_thread_left_behind():
    before = set(threading.enumerate())
    yield

    def left() -> list[threading.Thread]:
        return [t for t in threading.enumerate() if t not in before and t.is_alive() and not _of_a_pool(t)]

    names = [thread.name for thread in _wait_until_empty(left, 2.0)]
    assert not names, f"threads left behind: {names}"


@pytest.fixture(autouse=True)
def _no_task_left_behind(monkeypatch: pytest.MonkeyPatch):
    """`asyncio.run` quietly cancels what is left; here that is a fault."""
    left: list[str] = []
    cancel_all = asyncio.runners._cancel_all_tasks

    def noted(loop: asyncio.AbstractEventLoop) -> None:
        found = (repr(task) for task in asyncio.all_tasks(loop))
        left.extend(task for task in found if "anyio/_backends" not in task)
        cancel_all(loop)

    monkeypatch.setattr(asyncio.runners, "_cancel_all_tasks", noted)
    yield
    assert not left, f"tasks left behind: {left}"


@pytest.fixture(autouse=True, scope="module")
def _no_timer_left_behind_by_what_lasted():
    """What is older than a test is not looked through after each (see below), but once, at the end of its module."""
    yield
    gc.unfreeze()
    _stop_and_refuse_active_timers()


@pytest.fixture(autouse=True)
def _no_widget_or_timer_left_behind(_no_timer_left_behind_by_what_lasted: None):
    before = {id(widget) for widget in _top_levels()}
    # Else every test pays for walking through all that the session holds.
    gc.freeze()
    yield
    if "PySide6.QtWidgets" not in sys.modules:
        return
    widgets = _wait_until_empty(lambda: [w for w in _top_levels() if id(w) not in before], 1.0)
    names = [f"{type(w).__name__} {w.objectName() or w.windowTitle()!r}" for w in widgets]
    for widget in widgets:
        widget.deleteLater()
    _drain()
    assert not names, f"top-level widgets left behind: {names}"
    _stop_and_refuse_active_timers()


def _children() -> list[psutil.Process]:
    if hasattr(os, "waitid"):  # a look at every process of the machine costs 4 ms, this nothing
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return []
    return [c for c in psutil.Process().children(recursive=True) if _alive(c)]


def _alive(child: psutil.Process) -> bool:
    try:
        return child.status() != psutil.STATUS_ZOMBIE or child.wait(timeout=0) is None
    except (psutil.NoSuchProcess, psutil.TimeoutExpired):
        return False


def _command(child: psutil.Process) -> str:
    try:
        return " ".join(child.cmdline())[:200]
    except psutil.NoSuchProcess:
        return "gone"


def _of_a_pool(thread: threading.Thread) -> bool:
    # Default executors of event loops end with their loop; idle ones of a session-wide loop may stay.
    return thread.name.startswith(("asyncio_", "ThreadPoolExecutor-", "AnyIO worker")) and thread.daemon


def _wait_until_empty(what, seconds):
    deadline = time.monotonic() + seconds * PATIENCE
    left = what()
    while left and time.monotonic() < deadline:
        _drain()
        time.sleep(0.02)
        left = what()
    return left


def _top_levels():
    if "PySide6.QtWidgets" not in sys.modules:
        return []
    from PySide6.QtWidgets import QApplication

    return QApplication.topLevelWidgets() if QApplication.instance() else []


def _drain() -> None:
    if "PySide6.QtWidgets" not in sys.modules:
        return
    from PySide6.QtCore import QCoreApplication, QEvent

    if QCoreApplication.instance() is not None:
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        QCoreApplication.processEvents()


def _stop_and_refuse_active_timers() -> None:
    if "PySide6.QtWidgets" not in sys.modules:
        return
    from PySide6.QtCore import QTimer
    from shiboken6 import isValid

    gc.collect()
    found = [o for o in gc.get_objects() if isinstance(o, QTimer) and isValid(o) and o.isActive()]
    for timer in found:
        timer.stop()
    told = [f"{timer.interval()} ms, parent {timer.parent()!r}" for timer in found]
    assert not told, f"timers left running: {told}"
