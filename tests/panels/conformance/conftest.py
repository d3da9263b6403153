"""The kit as its users meet it: the command line, and packages as folders."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from workspace import cli
from workspace.panels.conformance import scaffold
from workspace.panels.conformance.scaffold import Order


@pytest.fixture
def command(capsys, monkeypatch, tmp_path):
    """``code, out, err = command("panel", "list")``: run in an empty folder, with a profile of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WORKSPACE_PROFILE", str(tmp_path / "profile"))

    def run(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = cli.main([str(word) for word in words])
        out, err = capsys.readouterr()
        return code, out, err

    return run


@pytest.fixture
def made(tmp_path):
    """A scaffolded panel's folder."""

    def make(name: str = "demo-panel", **more: str) -> Path:
        return scaffold.make(Order(name, **more), tmp_path / "made")

    return make


@pytest.fixture
def failed(command):
    """The codes that `verify` fails a package for, and the whole answer."""

    def verify(folder: Path) -> tuple[set[str], dict[str, dict[str, str]]]:
        code, out, _ = command("panel", "verify", folder, "--json")
        checks = {row["code"]: row for row in json.loads(out)["checks"]}
        bad = {name for name, row in checks.items() if row["status"] == "failed"}
        assert code == (1 if bad else 0)
        return bad, checks

    return verify
