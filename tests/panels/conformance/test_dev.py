"""`workspace panel dev`: a window on a panel under development that follows its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).parents[3]
GENEROUS = 5.0
"""Seconds for a reload, of which the aim is one: other tests run on this machine."""


class Dev:
    """The command as its own process, without a screen."""

    def __init__(self, folder: Path, seconds: float, *more: str) -> None:
        command = [sys.executable, "-m", "workspace", "panel", "dev", str(folder), "--headless", "--json"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
        self._child = subprocess.Popen(
            [*command, "--seconds", str(seconds), *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True,
        )  # fmt: skip

    def ended(self, timeout: float = 60) -> tuple[int, dict]:
        try:
            out, err = self._child.communicate(timeout=timeout)
        finally:
            self._child.kill()
        assert out, err
        return self._child.returncode, json.loads(out)


def test_it_shows_the_panel_and_reloads_as_its_files_change(made, tmp_path):
    folder = made()
    dev = Dev(folder, 5, "--synthetic", "--screenshot", str(tmp_path / "dev.png"))
    time.sleep(2.2)  # a vendor reads what is on screen
    file = folder / "panel.py"
    file.write_text(file.read_text(encoding="utf-8").replace("minimum=20", "minimum=30"), encoding="utf-8")
    code, told = dev.ended()
    assert (code, told["state"], told["errors"]) == (0, "running", [])
    assert told["confinement"] == "confined"
    (reload,) = told["reloads"]
    assert reload["file"] == "panel.py"
    assert reload["ms"] < GENEROUS * 1000
    assert told["messages"]["from_panel"] >= 4
    assert (tmp_path / "dev.png").stat().st_size > 10_000


def test_a_fault_is_told_with_file_and_line_and_ends_when_it_is_mended(made):
    folder = made()
    file = folder / "panel.py"
    good = file.read_text(encoding="utf-8")
    file.write_text(good.replace("    cells = {\n", "    cells = unknown_name\n    cells = {\n"), encoding="utf-8")
    code, told = Dev(folder, 2.5, "--synthetic").ended()
    assert code == 1
    (fault, *_) = told["errors"]
    assert (fault["text"], fault["file"]) == ("NameError: name 'unknown_name' is not defined", "panel.py")
    assert file.read_text(encoding="utf-8").splitlines()[fault["line"] - 1].strip() == "cells = unknown_name"


def test_a_broken_manifest_is_told_and_nothing_is_started(made):
    folder = made()
    manifest = folder / "panel.toml"
    manifest.write_text(manifest.read_text(encoding="utf-8").replace("protocol = 1", "protocol = 99"), encoding="utf-8")
    code, told = Dev(folder, 1.5, "--synthetic").ended()
    assert code == 1
    assert "panel.protocol" in told["problem"]
    assert told["messages"]["to_panel"] == 0


def test_the_gallery_writes_its_pictures_at_the_command_line(tmp_path):
    command = [sys.executable, "-m", "workspace", "panel", "gallery", "--page", "table", "--screenshots", str(tmp_path)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen"}
    subprocess.run(command, env=environment, timeout=60, check=True, capture_output=True)
    assert [one.suffix for one in tmp_path.iterdir()] == [".png"]


@pytest.fixture
def sandbox(tmp_path):
    """Its folder; one that was started for the panel outlives the command, and is ended here."""
    yield tmp_path / "sandbox"
    running = tmp_path / "sandbox" / "running.json"
    if running.exists():
        process = psutil.Process(json.loads(running.read_text())["pid"])
        process.terminate()
        process.wait(20)


@pytest.mark.long
def test_against_the_sandbox_the_panel_gets_a_residents_own_data(made, sandbox):
    code, told = Dev(made(), 4, "--sandbox", str(sandbox)).ended(180)
    assert (code, told["errors"]) == (0, [])
    assert told["data"].startswith("sandkassen")
    assert told["messages"]["bytes_to_panel"] > 5_000
