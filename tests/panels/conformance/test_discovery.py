"""Installed packages are found by the program as those in `plugins/` are."""

from __future__ import annotations

from pathlib import Path

from workspace import app, settings
from workspace.shell.options import Options


def found(profile: Path):
    stages = dict(app.stages(Options(profile=profile, locate=None)))  # type: ignore[arg-type]
    return stages["panels"]()


def test_an_installed_panel_stands_beside_the_others_and_a_changed_one_does_not(command, made, tmp_path):
    profile = tmp_path / "profile"
    folder = made()
    assert "eksempel.demo-panel" not in found(profile).packages
    assert command("panel", "pack", folder, "--out", "unsigned.panel")[0] == 0
    assert command("panel", "install", "unsigned.panel", "--approve")[0] == 0
    known = found(profile)
    assert {"eksempel.demo-panel", "nordlys.vitals", "solstrand.weight"} <= set(known.packages)
    assert known.broken == []
    (known.packages["eksempel.demo-panel"].folder / "panel.py").write_text("")
    known = found(profile)
    assert "eksempel.demo-panel" not in known.packages
    assert [problem.code for problem in known.broken] == ["package-tampered"]


def test_an_unsigned_one_is_left_out_once_the_profile_has_a_platform(command, made, tmp_path):
    profile = tmp_path / "profile"
    command("panel", "pack", made(), "--out", "unsigned.panel")
    command("panel", "install", "unsigned.panel", "--approve")
    settings.save(profile, settings.Settings(platform="https://journal.example.org"))
    known = found(profile)
    assert "eksempel.demo-panel" not in known.packages
    assert [problem.code for problem in known.broken] == ["package-unsigned"]
