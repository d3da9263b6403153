"""The checks of conftest.py and of pyproject.toml fail a test that they are to fail, in workers too."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LEAKY = """
import asyncio, subprocess, sys, threading, time, warnings

import pytest
from PySide6.QtCore import QTimer, qWarning
from PySide6.QtWidgets import QWidget

kept, enough = [], threading.Event()


@pytest.fixture(scope="module")
def lasting(qapp):
    made = QTimer(interval=62_000)
    yield made
    enough.set()


def test_child():
    kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]))


def test_thread(lasting):
    threading.Thread(target=enough.wait, name="left-thread").start()


def test_task():
    async def scene():
        kept.append(asyncio.create_task(asyncio.sleep(60), name="left-task"))
        await asyncio.sleep(0)

    asyncio.run(scene())


def test_widget(qapp):
    kept.append(QWidget())
    kept[-1].setObjectName("left-widget")


def test_timer(qapp):
    kept.append(QTimer(interval=61_000))
    kept[-1].start()


def test_warning():
    warnings.warn("left-warning", stacklevel=1)


def test_unclosed():
    open(__file__)


def test_qt_warning(qapp):
    qWarning("left-qt-warning")


def test_too_long():
    time.sleep(1.3)


def test_lasting_timer(lasting):
    lasting.start()
"""

SKIPS = """
import pytest


def test_skips():
    pytest.skip("no bubblewrap here")
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    """What a run of the leaky file says."""
    folder = tmp_path_factory.mktemp("leaky")
    shutil.copy(ROOT / "tests" / "conftest.py", folder)
    (folder / "test_leaky.py").write_text(LEAKY)
    (folder / "attacks").mkdir()
    (folder / "attacks" / "test_attack.py").write_text(SKIPS)
    (folder / "test_elsewhere.py").write_text(SKIPS)
    options = ["-c", ROOT / "pyproject.toml", "--rootdir", folder, "--basetemp", folder / "base", "-q"]
    options += ["-n", "1", "-o", "faulthandler_timeout=1"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["CI"], environment["LEAKS_PATIENCE"] = "true", "0.1"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, folder], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 1, done.stdout
    return done.stdout + done.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("child", r"child processes left behind: \[.*time\.sleep\(60\)"),
        ("thread", r"threads left behind: \['left-thread'\]"),
        ("task", r"tasks left behind: .*left-task"),
        ("widget", r"top-level widgets left behind: .*left-widget"),
        ("timer", r"timers left running: \['61000 ms"),
        ("warning", r"UserWarning: left-warning"),
        ("unclosed", r"ResourceWarning: unclosed file"),
        ("qt_warning", r"left-qt-warning"),
        ("lasting_timer", r"timers left running: \['62000 ms"),
    ],
)
def test_what_is_left_behind_fails_its_test(said, name, words):
    assert re.search(rf"^(FAILED|ERROR) \S*test_leaky\.py::test_{name}\b", said, re.MULTILINE), said
    assert re.search(words, said), said


def test_a_test_that_hangs_is_shown(said):
    assert re.search(r"Timeout \(0:00:01\)!\n(.*\n)*.* in test_too_long", said), said


def test_in_ci_an_attack_that_is_skipped_fails(said):
    assert re.search(r"^FAILED \S*attacks/test_attack\.py::test_skips", said, re.MULTILINE), said
    assert "CI must run this, but: Skipped: no bubblewrap here" in said
    assert re.search(r"^SKIPPED \[1\] \S*test_elsewhere\.py", said, re.MULTILINE), said
