"""`dev.py` on machines that lack something, and what it does with checks that fail."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def dev():
    """A copy of the module that a test may change."""
    spec = importlib.util.spec_from_file_location("dev_under_test", ROOT / "dev.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """``machine("dpkg-query", "echo …")`` puts a program on the only path there is."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def put(name, script):
        program = tmp_path / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)

    return put


def python(*code):
    return ("python", "-c", "\n".join(("import sys, time, pathlib", *code)))


@pytest.mark.parametrize(("check_first", "code"), [(True, 3), (False, 1)])
def test_the_first_failure_decides_the_exit_code(dev, tmp_path, capfd, check_first, code):
    first, second = f"pathlib.Path({str(tmp_path / 'done')!r}).touch()", f"p = pathlib.Path({str(tmp_path / 'done')!r})"
    wait = ("while not p.exists(): time.sleep(0.01)", "time.sleep(0.3)")
    check, tests = ((first,), (second, *wait)) if check_first else ((second, *wait), (first,))
    dev.BIN = Path(sys.executable).parent
    dev.CHECKS = (python(*check, "print('one'); print('two'); sys.exit(3)"), python("print('three')"))
    asked = [sys.executable, *python(*tests, "print('1 failed'); sys.exit(1)")[1:]]
    assert dev._side_by_side(asked, dict(dev.os.environ)) == code
    said = capfd.readouterr().out
    assert "one\ntwo\n" in said
    assert "three\n" in said
    assert "1 failed\n" in said


def test_all_good_is_zero(dev):
    dev.BIN = Path(sys.executable).parent
    dev.CHECKS = (python("pass"),)
    assert dev._side_by_side([sys.executable, "-c", "pass"], dict(dev.os.environ)) == 0


def test_a_library_under_its_newer_name_is_not_missing(dev, machine):
    machine("dpkg-query", "echo 'libglib2.0-0t64 install ok installed'; echo 'xvfb unknown ok not-installed'; exit 1")
    assert dev.missing_system_packages(("libglib2.0-0|libglib2.0-0t64", "xvfb")) == ["xvfb"]


@pytest.mark.skipif(sys.platform != "linux", reason="about packages of Debian")
def test_what_cannot_be_installed_is_named_with_the_command(dev, machine, capfd):
    machine("dpkg-query", "exit 1")
    machine("apt-get", "exit 100")
    machine("sudo", "exit 1")
    dev.system_packages(("bubblewrap", "chromium|google-chrome-stable"))
    assert "sudo apt-get install bubblewrap chromium\n" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="about packages of Debian")
def test_one_that_this_release_lacks_does_not_keep_the_others_out(dev, machine, tmp_path, monkeypatch, capfd):
    monkeypatch.setattr(dev.os, "geteuid", lambda: 0)
    log = tmp_path / "log"
    machine("dpkg-query", f"[ -e {log} ] && echo 'bubblewrap install ok installed'; exit 1")
    machine("apt-get", f'for each; do last=$each; done; [ "$last" = bubblewrap ] && echo > {log}; [ -e {log} ]')
    dev.system_packages(("bubblewrap", "chromium"))
    assert "Mangler systempakker: chromium\n" in capfd.readouterr().out


@pytest.mark.skipif(sys.platform != "linux", reason="about packages of Linux")
def test_without_debians_packages_the_missing_programs_are_named(dev, machine, capfd):
    machine("Xvfb", "exit 0")
    dev.system_packages(dev.TEST_PACKAGES)
    said = capfd.readouterr().out
    assert "bwrap" in said
    assert "Xvfb" not in said


def test_an_environment_of_another_folder_is_made_anew(dev, tmp_path):
    dev.ROOT, dev.VENV = tmp_path, tmp_path / ".venv"
    dev.PYTHON = Path(sys.executable)
    assert not dev._is_ours_and_whole(), "set up half way"
    dev._ours().parent.mkdir(parents=True)
    dev._ours().write_text("/somewhere/else\n")
    assert not dev._is_ours_and_whole()
    dev._ours().write_text(f"{tmp_path}\n")
    assert dev._is_ours_and_whole()


@pytest.mark.parametrize(
    ("argument", "some"),
    [("tests/vault", True), ("tests/test_dev.py::test_x", True), ("-k", True), ("-m", True), ("--durations=9", False)],
)
def test_a_path_or_a_choice_runs_without_the_checks(dev, argument, some):
    assert dev._selects(argument) is some
