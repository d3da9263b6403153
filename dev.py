"""The project's own commands, with nothing but Python: set up `.venv` in this checkout and run.

    python3 dev.py demo          install what is missing, start the sandbox and the workspace
    python3 dev.py test          install what is missing, check everything, run the quick suite
    python3 dev.py test --long   the same with the long journeys
    python3 dev.py test PATH     only these tests, in one process (`-k` and `-m` select too)
    python3 dev.py lock          make requirements/lock.txt anew

It never touches anything outside the checkout but the system packages the tests need (Debian and
Ubuntu, as root or with sudo; elsewhere it says what is missing).
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import threading
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements" / "lock.txt"

# Of several names (releases name one library differently), any will do; the first is installed.
DEMO_PACKAGES = (
    "bubblewrap",
    "fonts-inter",
    "libegl1",
    "libgl1",
    "libglib2.0-0|libglib2.0-0t64",
    "libxkbcommon0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxcb-cursor0",
    "libxkbcommon-x11-0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-randr0",
    "libxcb-render-util0",
    "libxcb-shape0",
    "libxcb-xfixes0",
)
TEST_PACKAGES = (
    *DEMO_PACKAGES,
    "xvfb",
    "chromium|google-chrome-stable",
    "nodejs",  # a panel in another language
    "dbus-daemon|dbus",  # a session bus for keyrings that fail
    "gnome-keyring",
)
PROGRAMS = ("bwrap", "Xvfb", "chromium", "node", "dbus-run-session", "gnome-keyring-daemon")
"""What the packages bring, for systems with other package managers."""

CHECKS: tuple[tuple[str, ...], ...] = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("lint-imports",),
    ("mypy",),
)


def run(*command: str | Path, **options: Any) -> int:
    return subprocess.call([str(part) for part in command], cwd=ROOT, **options)


def set_up() -> None:
    """Make `.venv` hold exactly what the lock says; a second call costs nothing."""
    stamp = VENV / "lock.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    whole = _is_ours_and_whole()
    if whole and stamp.exists() and stamp.read_text() == wanted:
        _launcher()
        return
    if not whole:
        if importlib.util.find_spec("ensurepip") is None:
            system_packages((f"python{sys.version_info.major}.{sys.version_info.minor}-venv|python3-venv",))
        print("Lager et eget Python-miljø i .venv …", flush=True)
        try:
            venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=os.name != "nt")
        except (subprocess.CalledProcessError, OSError) as error:
            sys.exit(f"Kunne ikke lage .venv ({error}).\nPå Debian og Ubuntu: sudo apt-get install python3-venv.")
    print("Installerer det programmet trenger (bare første gang) …", flush=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if run(*pip, "install", "--require-hashes", "-r", LOCK):
        sys.exit("Installasjonen stoppet. Sjekk nettforbindelsen til pakkeregisteret og kjør kommandoen på nytt.")
    _ours().write_text(f"{ROOT}\n", encoding="utf-8")
    _compile("workspace", "plugins")
    _launcher()
    stamp.write_text(wanted)


def _compile(*folders: str) -> None:
    """Nothing that is up to date is compiled again."""
    run(PYTHON, "-m", "compileall", "-q", *(ROOT / folder for folder in folders))


def _launcher() -> None:
    """The `workspace` command, beside `.venv`'s python."""
    windows = os.name == "nt"
    where = BIN / ("workspace.cmd" if windows else "workspace")
    text = f'@"{PYTHON}" -m workspace %*\r\n' if windows else f'#!/bin/sh\nexec "{PYTHON}" -m workspace "$@"\n'
    if not where.exists() or where.read_text(encoding="utf-8") != text:
        where.write_text(text, encoding="utf-8", newline="")
        where.chmod(0o755)


def _ours() -> Path:
    """The file that lets `.venv` find this checkout."""
    if os.name == "nt":
        return VENV / "Lib" / "site-packages" / "clinician_workspace.pth"
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return VENV / "lib" / version / "site-packages" / "clinician_workspace.pth"


def _is_ours_and_whole() -> bool:
    """Whether `.venv` was set up to its end, here, by this Python. An old one cannot be mended: programs in it name
    the folder they were installed in."""
    ours = _ours()
    return PYTHON.exists() and ours.exists() and ours.read_text(encoding="utf-8").strip() == str(ROOT)


def missing_system_packages(packages: tuple[str, ...]) -> list[str]:
    query = shutil.which("dpkg-query")
    if not query:
        return []
    names = [name for package in packages for name in package.split("|")]
    found = subprocess.run(
        [query, "-W", "-f", "${Package} ${Status}\n", *names], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in found.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if not installed.intersection(package.split("|"))]


def system_packages(packages: tuple[str, ...]) -> None:
    """Install what is missing where we may; else say it and go on (tests that need it skip and say why)."""
    if sys.platform.startswith("linux") and not shutil.which("dpkg-query"):
        absent = [program for program in PROGRAMS if not shutil.which(program)] if packages is TEST_PACKAGES else []
        if absent:
            print("Mangler programmer: " + ", ".join(absent) + ". Prøvene som trenger dem, hoppes over.", flush=True)
        return
    missing = missing_system_packages(packages)
    if not missing:
        return
    prefix = [] if os.name != "nt" and os.geteuid() == 0 else ["sudo", "-n"]
    apt = shutil.which("apt-get")
    if apt and (not prefix or _can([*prefix, "true"])):
        print("Installerer systempakker: " + " ".join(map(_first, missing)), flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = [*prefix, apt, "install", "-y", "-qq", "--no-install-recommends"]
        quiet = {"stdout": subprocess.DEVNULL, "env": environment}
        run(*prefix, apt, "update", "-qq", **quiet)
        if run(*install, *map(_first, missing), **quiet) == 0:
            return
        # One that this release does not have must not keep the others out.
        for package in missing:
            any(run(*install, name, **quiet, stderr=subprocess.DEVNULL) == 0 for name in package.split("|"))
        missing = missing_system_packages(packages)
        if not missing:
            return
    names = " ".join(map(_first, missing))
    print(f"Mangler systempakker: {names}\nInstaller dem med: sudo apt-get install {names}", flush=True)


def _first(package: str) -> str:
    return package.split("|", maxsplit=1)[0]


def _can(command: list[str]) -> bool:
    return bool(shutil.which(command[0])) and subprocess.call(command, stderr=subprocess.DEVNULL) == 0


def demo(arguments: list[str]) -> int:
    set_up()
    if "--headless" in arguments or sys.platform.startswith("linux"):
        system_packages(DEMO_PACKAGES)
    if sys.dont_write_bytecode:  # what a checkout has changed since would be compiled at every start
        _compile("workspace", "plugins")
    return run(PYTHON, "-m", "workspace", "demo", *arguments)


def test(arguments: list[str]) -> int:
    set_up()
    system_packages(TEST_PACKAGES)
    _compile(
        "workspace", "plugins", "tests"
    )  # they start hundreds of processes, of which many may not write what they compile
    rest = [argument for argument in arguments if argument != "--long"]
    quick = [] if "--long" in arguments else ["-m", "not long"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    if any(_selects(argument) for argument in rest):
        return run(PYTHON, "-m", "pytest", *quick, *rest, env=environment)
    if sys.stdout.isatty():
        rest.insert(0, "--color=yes")
    return _side_by_side([str(PYTHON), "-m", "pytest", *quick, *_workers(), *rest], environment)


def _selects(argument: str) -> bool:
    """Whether it asks for some of the tests only."""
    return argument.startswith(("-k", "-m")) or (ROOT / argument.split("::", maxsplit=1)[0]).exists()


def _workers() -> list[str]:
    """Two for each core: many tests wait, for a process or a time. Files stay whole, for the fixtures they share."""
    cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    return ["-n", str(2 * cores), "--dist", "loadfile", "--no-loadscope-reorder"]


def _side_by_side(pytest: list[str], environment: dict[str, str]) -> int:
    """Run the tests and, beside them, the checks that need no program of ours to run. What a check says is told whole,
    between two lines of the tests. Answers the exit code of the first that failed."""
    failed: list[int] = []
    telling = threading.Lock()

    nice = shutil.which("nice")
    behind = [nice, "-n", "10"] if nice else []  # tests have deadlines, checks have not

    def check() -> None:
        for name, *more in CHECKS:
            command = [*behind, str(BIN / name), *more]
            done = subprocess.run(
                command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", check=False
            )
            with telling:
                if done.returncode:
                    failed.append(done.returncode)
                print(f"[{' '.join([name, *more])}: {'FEIL' if done.returncode else 'ok'}]\n{done.stdout}", flush=True)

    checking = threading.Thread(target=check, name="checks", daemon=True)
    checking.start()
    with subprocess.Popen(pytest, cwd=ROOT, env=environment, stdout=subprocess.PIPE, encoding="utf-8") as tests:
        try:
            assert tests.stdout is not None
            for line in tests.stdout:
                with telling:
                    print(line, end="", flush=True)
            code = tests.wait()
        except KeyboardInterrupt:
            tests.wait()  # it had the signal too, and tidies up
            return 130
    if code:
        failed.append(code)
    checking.join()
    return failed[0] if failed else 0


def lock(arguments: list[str]) -> int:
    set_up()
    run(PYTHON, "-m", "pip", "install", "--quiet", "uv")
    return run(
        BIN / "uv",
        "pip",
        "compile",
        "--universal",
        "--python-version",
        "3.11",
        "--generate-hashes",
        "--no-emit-index-url",
        "--no-annotate",
        "--no-header",
        "requirements/tests.in",
        "-o",
        LOCK,
        *arguments,
    )


def main() -> int:
    commands = {"demo": demo, "test": test, "lock": lock}
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if sys.version_info < (3, 11):  # noqa: UP036 - whoever starts it with an older one deserves a sentence
        sys.exit("Workspace trenger Python 3.11 eller nyere. Denne er " + sys.version.split()[0] + ".")
    if name not in commands:
        sys.exit(__doc__)
    return commands[name](sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
