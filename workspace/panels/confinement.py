"""How a panel is shut in: no network, no file but its own package, no environment, bounded memory (DESIGN §3).

`probe` finds out what this machine can really do; `launch` says how to start a program in a tier. Never starts a
vendor's code, and never picks a lower tier than the site's policy allows.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from workspace.panels import runtimes
from workspace.problem import Problem

CONFINED = "confined"
UNCONFINED = "Ikke avskjermet"


@dataclass(frozen=True, slots=True)
class Tier:
    """`name` bubblewrap or none; `label` what `PanelInfo.confinement` shows; `why` the reason for a lower one."""

    name: str
    label: str
    why: str = ""

    @property
    def confined(self) -> bool:
        return self.label == CONFINED


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's: whether panels may run where nothing shuts them in (a developer's machine, never a ward)."""

    allow_unconfined: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of address space, open files, and seconds of processor time in a whole life."""

    memory: int = 512 << 20
    files: int = 64
    cpu: int = 1800


@dataclass(frozen=True, slots=True)
class Launch:
    """A command ready to be started: empty environment but what is in `env`, in folder `cwd`."""

    command: tuple[str, ...]
    env: dict[str, str]
    cwd: str


class NoConfinement(Problem):
    """This machine cannot shut a panel in, and the policy does not allow less."""

    def __init__(self, panel: str, why: str) -> None:
        super().__init__(
            "no-confinement",
            f"«{panel}» er ikke startet, fordi denne maskinen ikke kan skjerme paneler av fra nett og filer.",
            "Be driftsansvarlig installere bubblewrap, eller tillate uavskjermede paneler i arbeidsstasjonens regler.",
            detail=why,
        )


def probe() -> Tier:
    """What works here, tried out with the real interpreter: an own network, own files, and nothing of the home.

    Blocks for about 30 ms; run it in a thread, once.
    """
    bwrap = shutil.which("bwrap")
    if sys.platform != "linux" or bwrap is None:
        return Tier("none", UNCONFINED, "bubblewrap is not installed")
    check = (
        "import os,socket\n"
        "assert os.path.exists('/panel') and os.path.exists('/sdk')\n"
        "assert not os.path.exists('/etc/passwd') and not os.path.exists('/home')\n"
        "s=socket.socket(); s.settimeout(1)\n"
        "try: s.connect(('192.0.2.1', 9))\n"
        "except OSError: print('shut')\n"
    )
    # Any two small folders do: the question is whether this machine can bind them and nothing else.
    folder = Path(__file__).resolve().parent
    command = [*_bubblewrap(bwrap, folder, folder), *python(), "-c", check]
    try:
        done = subprocess.run(command, capture_output=True, timeout=10, env={}, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Tier("none", UNCONFINED, f"bubblewrap: {error}")
    if done.returncode == 0 and done.stdout.strip() == b"shut":
        return Tier("bubblewrap", CONFINED)
    reason = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return Tier("none", UNCONFINED, f"bubblewrap: {reason[-1] if reason else done.returncode}")


def require(tier: Tier, policy: Policy, panel: str) -> None:
    """Raises NoConfinement when `panel` (its name) may not be started in `tier`."""
    if not tier.confined and not policy.allow_unconfined:
        raise NoConfinement(panel, tier.why)


def python() -> list[str]:
    """The host's own interpreter, isolated: no environment, no site-packages, no user folder. Never the venv's own link or
    copy: that one is not to be seen from inside."""
    own = getattr(sys, "_base_executable", "") or sys.executable
    return [os.path.realpath(own), "-I", "-S", "-E", "-B"]


def launch(tier: Tier, start: tuple[str, ...], package: Path, stage: Path, limits: Limits) -> Launch:
    """`start` as the manifest says it, inside `tier`. `package` and `stage` are absolute folders."""
    inside = tier.confined
    at, sdk = ("/panel", "/sdk") if inside else (str(package), str(stage))
    if start[0] == "python":
        bounds = [str(limits.memory), str(limits.files), str(limits.cpu)]
        program = [*python(), f"{sdk}/boot.py", sdk, at, f"{at}/{start[1]}", *bounds, *start[2:]]
    elif start[0] in runtimes.NAMES:
        program = [*_prlimit(limits, 64), str(runtimes.find(start[0])), f"{at}/{start[1]}", *start[2:]]
    else:
        program = [*_prlimit(limits), f"{at}/{start[0]}", *start[1:]]
    if not inside:
        return Launch(tuple(program), {}, at)
    bwrap = shutil.which("bwrap") or "bwrap"
    return Launch((*_bubblewrap(bwrap, package, stage), *program), {}, "/")


def _bubblewrap(bwrap: str, package: Path, stage: Path) -> list[str]:
    command = [
        bwrap, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL",
        "--hostname", "panel", "--ro-bind", "/usr", "/usr",
    ]  # fmt: skip
    for name in ("/lib", "/lib32", "/lib64", "/libx32", "/bin"):
        folder = Path(name)
        if folder.is_symlink():
            command += ["--symlink", os.readlink(folder), name]
        elif folder.is_dir():
            command += ["--ro-bind", name, name]
    prefix = Path(sys.base_prefix).resolve()
    if not prefix.is_relative_to("/usr"):
        command += ["--ro-bind", str(prefix), str(prefix)]
    return [
        *command, "--dev", "/dev", "--tmpfs", "/tmp",
        "--ro-bind", str(stage), "/sdk", "--ro-bind", str(package), "/panel", "--chdir", "/panel",
        "--remount-ro", "/",
    ]  # fmt: skip


def _prlimit(limits: Limits, wide: int = 1) -> list[str]:
    """For programs that are not Python; Python panels get theirs from the boot code."""
    prlimit = shutil.which("prlimit")
    if prlimit is None:
        return []
    bounds = {"as": limits.memory * wide, "nofile": limits.files, "cpu": limits.cpu, "core": 0, "fsize": 0}
    return [prlimit, *(f"--{name}={value}" for name, value in bounds.items()), "--"]
