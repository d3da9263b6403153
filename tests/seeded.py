"""A sandbox's folder that is filled once a run, whatever the number of workers, and copied to whoever asks.

The filling is the real program's. Tests of the filling itself start from nothing and do without this.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HISTORY = 14
"""Days. A sandbox that is started over a copy must be told the same number, or it fills itself anew."""


class Seeded:
    """The folder that is copied. It is made when the first copy is asked for."""

    def __init__(self, shared: Path) -> None:
        self._whole = shared / "seeded-sandbox"
        self._lock = shared / "seeded-sandbox.lock"

    def copy_to(self, folder: Path) -> Path:
        """`folder`, which must not exist, as a stopped sandbox left it: day one at 14:45, nobody has signed on."""
        with self._lock.open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # other workers wait here for the first
            if not self._whole.exists():
                fresh = self._whole.with_name("seeded-sandbox.part")
                shutil.rmtree(fresh, ignore_errors=True)
                _fill(fresh)
                fresh.rename(self._whole)
        shutil.copytree(self._whole, folder)
        return folder


def _fill(folder: Path) -> None:
    command = [sys.executable, "-m", "workspace", "sandbox", "serve", "--sandbox", str(folder)]
    said = folder.with_suffix(".txt")
    with said.open("wb") as out:
        process = subprocess.Popen(
            [*command, "--port", "0", "--history", str(HISTORY)], stdout=out, stderr=out, cwd=ROOT
        )
    try:
        deadline = time.monotonic() + 120
        while not _is_whole(folder):
            assert process.poll() is None, said.read_text()
            assert time.monotonic() < deadline, f"the sandbox is not filled: {said.read_text()}"
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, said.read_text()
    finally:
        process.kill()
        process.wait()
    for name in ("clock.json", "sandbox.log", "sandbox.lock"):
        (folder / name).unlink(missing_ok=True)


def _is_whole(folder: Path) -> bool:
    try:
        told = json.loads((folder / "seed.json").read_bytes())
    except (FileNotFoundError, ValueError):
        return False
    return bool(told["done"] == told["chunks"])


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Seeded:
    """``seeded.copy_to(folder)``; then start ``workspace sandbox serve --sandbox folder --history 14``."""
    base = tmp_path_factory.getbasetemp()
    return Seeded(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)
