"""The project's own commands, with nothing but Python: set up `.venv` in this checkout and run.

    python3 dev.py demo          install what is missing, start the sandbox and the workspace
    python3 dev.py test          install what is missing, check everything, run the quick suite
    python3 dev.py test --long   the same with the long journeys
    python3 dev.py lock          make requirements/lock.txt anew

It never touches anything outside the checkout but the system packages the tests need (Debian and
Ubuntu, as root or with sudo; elsewhere it says what is missing).
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
LOCK = ROOT / "requirements" / "lock.txt"

DEMO_PACKAGES = (
    "bubblewrap",
    "fonts-inter",
    "libegl1",
    "libgl1",
    "libxkbcommon0",
    "libdbus-1-3",
    "libfontconfig1",
    "libxcb-cursor0",
    "libxkbcommon-x11-0",
    "libxcb-icccm4",
    "libxcb-keysyms1",
    "libxcb-shape0",
)
TEST_PACKAGES = (*DEMO_PACKAGES, "xvfb", "chromium", "nodejs")


def run(*command: str | Path, **options: Any) -> int:
    return subprocess.call([str(part) for part in command], cwd=ROOT, **options)


def set_up() -> None:
    """Make `.venv` hold exactly what the lock says; a second call costs nothing."""
    stamp = VENV / "lock.sha256"
    wanted = hashlib.sha256(LOCK.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted and PYTHON.exists():
        return
    if not PYTHON.exists():
        print("Lager et eget Python-miljø i .venv …", flush=True)
        venv.create(VENV, with_pip=True, clear=VENV.exists(), symlinks=os.name != "nt")
    print("Installerer det programmet trenger (bare første gang) …", flush=True)
    pip: list[str | Path] = [PYTHON, "-m", "pip", "--disable-pip-version-check", "--quiet"]
    if run(*pip, "install", "--require-hashes", "-r", LOCK):
        sys.exit("Installasjonen stoppet. Sjekk nettforbindelsen til pakkeregisteret og kjør kommandoen på nytt.")
    site = subprocess.check_output(
        [str(PYTHON), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    Path(site, "clinician_workspace.pth").write_text(f"{ROOT}\n", encoding="utf-8")
    run(PYTHON, "-m", "compileall", "-q", ROOT / "workspace", ROOT / "plugins")
    stamp.write_text(wanted)


def missing_system_packages(packages: tuple[str, ...]) -> list[str]:
    query = shutil.which("dpkg-query")
    if not query:
        return []
    found = subprocess.run(
        [query, "-W", "-f", "${Package} ${Status}\n", *packages], capture_output=True, text=True, check=False
    )
    installed = {line.split()[0] for line in found.stdout.splitlines() if line.endswith(" installed")}
    return [package for package in packages if package not in installed]


def system_packages(packages: tuple[str, ...]) -> None:
    """Install what is missing where we may; else say it and go on (tests that need it skip and say why)."""
    missing = missing_system_packages(packages)
    if not missing:
        return
    prefix = [] if os.name != "nt" and os.geteuid() == 0 else ["sudo", "-n"]
    apt = shutil.which("apt-get")
    if apt and (not prefix or subprocess.call([*prefix, "true"], stderr=subprocess.DEVNULL) == 0):
        print("Installerer systempakker: " + " ".join(missing), flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        quiet = {"stdout": subprocess.DEVNULL, "env": environment}
        run(*prefix, apt, "update", "-qq", **quiet)
        if run(*prefix, apt, "install", "-y", "-qq", "--no-install-recommends", *missing, **quiet) == 0:
            return
    print(
        "Mangler systempakker: " + " ".join(missing) + f"\nInstaller dem med: sudo apt-get install {' '.join(missing)}",
        flush=True,
    )


def demo(arguments: list[str]) -> int:
    set_up()
    if "--headless" in arguments or sys.platform.startswith("linux"):
        system_packages(DEMO_PACKAGES)
    return run(PYTHON, "-m", "workspace", "demo", *arguments)


def test(arguments: list[str]) -> int:
    set_up()
    system_packages(TEST_PACKAGES)
    long = "--long" in arguments
    rest = [argument for argument in arguments if argument != "--long"]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    steps: list[list[str | Path]] = (
        []
        if rest
        else [
            [BIN / "ruff", "check", "."],
            [BIN / "ruff", "format", "--check", "."],
            [PYTHON, "-m", "mypy"],
            [BIN / "lint-imports"],
        ]
    )
    steps.append([PYTHON, "-m", "pytest", *([] if long else ["-m", "not long"]), *rest])
    for step in steps:
        code = run(*step, env=environment)
        if code:
            return code
    return 0


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
