"""What the self-test finds is what is there: the same program reaches everything where nothing shuts it in."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from workspace.app import doctor
from workspace.panels import confinement, seccomp, selftest
from workspace.panels.confinement import CONFINED, FILTER, UNCONFINED, WEAK, Launch, Limits, Tier, launch, probe
from workspace.panels.staging import Stage


def bare(program, package, stage):
    return Launch(tuple(program), dict(os.environ), str(package))


def test_every_denial_is_proven_against_something_that_can_be_reached(tier):
    assert {one.name for one in tier.denials} == set(selftest.NAMES)
    assert [one.name for one in tier.denials if not one.denied] == []
    outside = selftest.try_out(bare)
    assert [one.name for one in outside if one.denied] == []


@pytest.mark.parametrize(
    ("opened", "let_through"),
    [
        (["--share-net"], "network"),
        (["--bind", "/tmp", "/tmp"], "files"),
        (["--dev-bind", "/proc", "/proc"], "processes"),
    ],
)
def test_a_hole_in_the_walls_makes_a_lower_tier_with_a_label_and_a_reason(monkeypatch, tmp_path, opened, let_through):
    """The self-test finds each hole that is made in the real walls."""
    whole = confinement.wrapped

    def holed(program, package, stage):
        made = whole(program, package, stage)
        at = made.command.index("--chdir")
        return Launch((*made.command[:at], *opened, *made.command[at:]), made.env, made.cwd, made.filter)

    monkeypatch.setattr(confinement, "wrapped", holed)
    found = probe()
    assert (found.name, found.label) == ("weak", WEAK)
    assert let_through in found.why
    assert not found.confined
    with pytest.raises(confinement.NoConfinement):
        confinement.require(found, confinement.Policy(), "Vitale målinger")
    confinement.require(found, confinement.Policy(allow_unconfined=True), "Vitale målinger")


def test_without_bubblewrap_there_is_no_tier(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert (probe().name, probe().label) == ("none", UNCONFINED)
    assert "not installed" in probe().why


def test_doctor_says_what_is_denied(tmp_path, capsys):
    doctor(tmp_path / "profile", as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["confinement"] == "bubblewrap"
    assert told["confinement_denies"] == dict.fromkeys(selftest.NAMES, True)
    assert "ikke prøvd" in told["windows_tier"]
    doctor(tmp_path / "profile", as_json=False)
    words = capsys.readouterr().out
    assert "stengt   nett" in words


def run(tier, start, package, limits=None):
    stage = Stage()
    try:
        made = launch(tier, start, package, stage.folder, limits or Limits())
        with selftest.handed(made.filter) as descriptor:
            command = [str(descriptor) if part == FILTER else part for part in made.command]
            return subprocess.run(
                command, env=made.env, cwd=made.cwd, capture_output=True, text=True, timeout=30, check=False,
                pass_fds=[descriptor] if descriptor >= 0 else [],
            )  # fmt: skip
    finally:
        stage.close()


@pytest.fixture
def script(tmp_path):
    """A package whose program is a shell script: no Python, no SDK."""
    file = tmp_path / "package" / "run.sh"
    file.parent.mkdir()
    file.write_text("#!/bin/sh\nulimit -a\nulimit -c\n(echo child)\necho end $?\n")
    file.chmod(0o755)
    return file.parent


@pytest.mark.parametrize("with_prlimit", [True, False])
def test_limits_bind_programs_in_every_language(tier, script, monkeypatch, with_prlimit):
    if not with_prlimit:
        which = shutil.which
        monkeypatch.setattr(shutil, "which", lambda name: None if name == "prlimit" else which(name))
    done = run(tier, ("run.sh",), script, Limits(memory=200 << 20, files=33, cpu=77))
    said = done.stdout
    assert "77" in next(line for line in said.splitlines() if "time" in line or "cpu" in line)
    assert "33" in next(line for line in said.splitlines() if "nofile" in line or "open files" in line)
    assert str(200 << 10) in next(line for line in said.splitlines() if "data" in line)
    assert "child\n" not in said  # no process of its own


def test_a_panel_among_the_systems_files_does_not_see_its_neighbours(tier, tmp_path):
    """Packages may be installed below what every panel sees; the rest of them is then hidden."""
    hidden = confinement.wrapped(["true"], Path("/usr/share/workspace/plugins/own"), tmp_path)
    at = hidden.command.index("/usr/share/workspace/plugins")
    assert hidden.command[at - 1 : at + 3] == (
        "--tmpfs", "/usr/share/workspace/plugins", "--remount-ro", "/usr/share/workspace/plugins",
    )  # fmt: skip
    assert hidden.command.index("/panel") > at


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_the_filter_is_a_program_the_kernel_takes(machine):
    """Every jump lands inside, and the last step ends it: what the kernel itself checks."""
    steps = list(struct.iter_unpack("<HBBI", seccomp.program(machine)))
    assert len(steps) < 4096
    for at, (code, yes, no, value) in enumerate(steps):
        if code & 7 == 5:
            assert at + 1 + max(yes, no) < len(steps)
        if code & 7 == 0:
            assert value % 4 == 0
    assert steps[-1][0] == 6
    assert seccomp.program("unknown") == b""


def test_without_a_filter_the_walls_still_stand(tier, monkeypatch):
    monkeypatch.setattr(seccomp, "program", lambda machine="": b"")
    found = probe()
    assert (found.name, found.label) == ("bubblewrap", CONFINED)
    assert [one.name for one in found.denials if not one.denied] == ["new-processes"]


def test_an_unwrapped_tier_runs_bare_and_says_so(script):
    none = Tier("none", UNCONFINED, "x")
    assert not none.wrapped
    assert "end 0" in run(none, ("run.sh",), script).stdout
