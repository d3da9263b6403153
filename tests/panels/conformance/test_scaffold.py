"""`workspace panel new`: a good small panel in every kind, and nothing overwritten."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from workspace.panels.conformance import check, rules, run

ROOT = Path(__file__).parents[3]


def test_a_new_panel_conforms_as_scaffolded_with_nothing_skipped(command, failed, tmp_path):
    code, out, _ = command("panel", "new", "demo-panel")
    assert code == 0
    assert "demo-panel" in out
    bad, checks = failed(tmp_path / "demo-panel")
    assert bad == set()
    assert {row["status"] for row in checks.values()} == {"passed"}
    assert len(checks) >= 25


KINDS = [(language, context) for language in ("python", "node") for context in ("patient", "unit", "none")]


def own_tests(folder, language):
    """How a vendor runs them, per the package's README."""
    python = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    command = python if language == "python" else [shutil.which("node"), "--test", "tests/panel.test.js"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    return subprocess.run(command, capture_output=True, text=True, env=environment, cwd=folder, check=False)


@pytest.mark.parametrize(("language", "context"), KINDS)
def test_the_tests_it_comes_with_pass(made, language, context):
    if language == "node" and shutil.which("node") is None:
        pytest.skip("Node.js is not installed: python3 dev.py test installs it")
    done = own_tests(made(language=language, context=context), language)
    assert done.returncode == 0, done.stdout + done.stderr


def rehearsed(folders):
    async def each():
        gate = asyncio.Semaphore(3)

        async def one(folder):
            async with gate:
                return await run.rehearse(folder)

        return await asyncio.gather(*(one(folder) for folder in folders))

    return [check.judged(rules.ALL, seen) for seen in asyncio.run(each())]


def test_every_kind_conforms_as_scaffolded(made):
    kinds = [kind for kind in KINDS if kind[0] == "python" or shutil.which("node")]
    folders = [made(f"{language}-{context}", language=language, context=context) for language, context in kinds]
    for folder, verdicts in zip(folders, rehearsed(folders), strict=True):
        assert [(folder.name, one.code, one.reason) for one in verdicts if one.status != "passed"] == []


@pytest.mark.parametrize("name", ["Demo", "1panel", "a--b", "-a", "a-", "con", "å", "a b", "../x", "x" * 41, ""])
def test_names_that_would_not_do_are_refused_and_nothing_is_made(command, tmp_path, name):
    code, _, err = command("panel", "new", name) if not name.startswith("-") else command("panel", "new", "--", name)
    assert code == 1
    assert "kan ikke være navnet" in err
    assert not any(tmp_path.glob("**/panel.toml"))


def test_nothing_is_overwritten(command, tmp_path):
    (tmp_path / "demo-panel").mkdir()
    (tmp_path / "demo-panel" / "mine.txt").write_text("arbeid")
    code, _, err = command("panel", "new", "demo-panel")
    assert code == 1
    assert "finnes fra før" in err
    assert [one.name for one in (tmp_path / "demo-panel").iterdir()] == ["mine.txt"]


def test_a_vendors_name_becomes_the_first_half_of_the_id(command, tmp_path):
    command("panel", "new", "vekt", "--vendor", "Ærlig Helse AS")
    assert 'id = "aerlig.vekt"' in (tmp_path / "vekt" / "panel.toml").read_text(encoding="utf-8")
    code, _, err = command("panel", "new", "vekt2", "--vendor", 'A "B"')
    assert (code, "leverandørens navn" in err) == (1, True)
