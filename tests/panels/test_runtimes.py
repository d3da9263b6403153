"""Panels for an interpreter of the machine's: found, lent read-only wherever it lies, and missed in words."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path

import pytest

from workspace.clock import SystemClock
from workspace.panels import manifest, runtimes
from workspace.panels.confinement import Policy
from workspace.panels.conformance import scaffold
from workspace.panels.ground import Ground

NODE = shutil.which("node")


@pytest.fixture
def package(tmp_path):
    return manifest.load(scaffold.make(scaffold.Order("demo", "node"), tmp_path / "made"))


def started(package):
    async def work():
        ground = Ground({package.id: package}, clock=SystemClock(), policy=Policy())
        try:
            return await ground.warm([package.id])
        finally:
            await ground.close()

    return asyncio.run(work())


@pytest.mark.skipif(NODE is None, reason="Node.js is not installed: python3 dev.py test installs it")
def test_an_interpreter_outside_the_systems_folders_is_seen_from_inside(package, tmp_path, monkeypatch):
    own = tmp_path / "tools" / "node"
    own.parent.mkdir()
    own.write_text(f'#!/bin/sh\nexec {Path(NODE).resolve()} "$@"\n')
    own.chmod(0o755)
    monkeypatch.setenv("PATH", f"{own.parent}{os.pathsep}{os.environ['PATH']}")
    assert runtimes.find("node") == own
    assert started(package) == []


def test_a_machine_without_it_says_what_is_missing(package, tmp_path, monkeypatch):
    kept = tmp_path / "kept"
    kept.mkdir()
    for name in ("bwrap", "prlimit"):
        if found := shutil.which(name):
            (kept / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(kept))
    (problem,) = started(package)
    assert problem.code == "no-runtime"
    assert "nodejs" in problem.advice


def test_the_script_is_the_word_after_the_interpreter():
    assert runtimes.script(("node", "panel.js")) == "panel.js"
    assert runtimes.script(("python", "panel.py", "-x")) == "panel.py"
    assert runtimes.script(("bin/panel", "x")) == "bin/panel"
    assert runtimes.script(("node",)) == ""
