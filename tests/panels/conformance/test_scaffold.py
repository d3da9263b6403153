"""`workspace panel new`: a good small panel in every kind, and nothing overwritten."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def test_a_new_panel_conforms_as_scaffolded_with_nothing_skipped(command, failed, tmp_path):
    code, out, _ = command("panel", "new", "demo-panel")
    assert code == 0
    assert "demo-panel" in out
    bad, checks = failed(tmp_path / "demo-panel")
    assert bad == set()
    assert {row["status"] for row in checks.values()} == {"passed"}
    assert len(checks) >= 25


def test_its_own_tests_pass(made):
    folder = made()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(folder / "tests")],
        capture_output=True, text=True, env={"PYTHONPATH": str(ROOT), "PATH": ""}, cwd=folder, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


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
