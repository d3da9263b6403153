"""How a panel is shut in: no network, no file but its own package, no environment, bounded memory (DESIGN §3).

Says what a tier is, which one the site's policy allows, and how to start a program in it. What a machine can really do
is found out in `selftest`; what a panel uses while it runs is counted in `watching`. Never starts a vendor's code.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from workspace.panels import runtimes, seccomp
from workspace.problem import Problem

CONFINED = "confined"
UNCONFINED = "Ikke avskjermet"
WEAK = "Svakt avskjermet"
FILTER = "%filter%"
"""Stands in a command for the descriptor that its `Launch.filter` is read from."""


@dataclass(frozen=True, slots=True)
class Denial:
    """Something the self-test tried from inside. `needed`: without it the tier does not count as confined."""

    name: str
    denied: bool
    told: str = ""
    needed: bool = True


@dataclass(frozen=True, slots=True)
class Tier:
    """`name` bubblewrap, weak (bubblewrap that lets something through) or none; `label` what `PanelInfo.confinement`
    shows; `why` the reason for a lower one; `denials` what the self-test found."""

    name: str
    label: str
    why: str = ""
    denials: tuple[Denial, ...] = ()

    @property
    def confined(self) -> bool:
        return self.label == CONFINED

    @property
    def wrapped(self) -> bool:
        """Whether programs are started inside walls at all."""
        return self.name != "none"


@dataclass(frozen=True, slots=True)
class Policy:
    """The site's: whether panels may run where nothing shuts them in (a developer's machine, never a ward)."""

    allow_unconfined: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes of memory, open files, seconds of processor time in a whole life, and processes and threads together."""

    memory: int = 512 << 20
    files: int = 64
    cpu: int = 1800
    tasks: int = 96


@dataclass(frozen=True, slots=True)
class Launch:
    """A command ready to be started: empty environment but what is in `env`, in folder `cwd`. `filter` is what the command
    reads from the descriptor that stands where it says `FILTER`."""

    command: tuple[str, ...]
    env: dict[str, str]
    cwd: str
    filter: bytes = b""


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
    """What works here, tried out (`selftest`). Blocks for about 50 ms; run it in a thread, once."""
    from workspace.panels import selftest

    return selftest.probe()


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
    at, sdk = ("/panel", "/sdk") if tier.wrapped else (str(package), str(stage))
    lent: Path | None = None
    if start[0] == "python":
        program = [*python(), f"{sdk}/boot.py", sdk, at, f"{at}/{start[1]}", *bounds(limits), *start[2:]]
    elif start[0] in runtimes.NAMES:
        lent = runtimes.find(start[0])
        program = [*_limited(sdk, limits), str(lent), f"{at}/{start[1]}", *start[2:]]
    else:
        program = [*_limited(sdk, limits), f"{at}/{start[0]}", *start[1:]]
    if not tier.wrapped:
        return Launch(tuple(program), {}, at)
    return wrapped(program, package, stage, lent)


def wrapped(program: list[str], package: Path, stage: Path, lent: Path | None = None) -> Launch:
    """`program` inside bubblewrap: sees the system's own programs, its package and the SDK, and may write nowhere. `lent`
    is an interpreter of the machine's, wherever it lies."""
    filter = seccomp.program()
    command = [
        shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent", "--new-session", "--clearenv",
        "--cap-drop", "ALL", "--hostname", "panel", "--ro-bind", "/usr", "/usr",
    ]  # fmt: skip
    if filter:
        command += ["--seccomp", FILTER]
    shown = [Path("/usr")]
    for name in ("/lib", "/lib32", "/lib64", "/libx32", "/bin"):
        folder = Path(name)
        if folder.is_symlink():
            command += ["--symlink", os.readlink(folder), name]
        elif folder.is_dir():
            command += ["--ro-bind", name, name]
            shown.append(folder)
    prefix = Path(sys.base_prefix).resolve()
    if not prefix.is_relative_to("/usr"):
        command += ["--ro-bind", str(prefix), str(prefix)]
        shown.append(prefix)
    for folder in _hidden(package, stage):
        if any(folder.is_relative_to(one) for one in shown):
            command += ["--tmpfs", str(folder), "--remount-ro", str(folder)]
    command += ["--dev", "/dev", "--tmpfs", "/tmp"]
    if lent is not None and not any(lent.is_relative_to(one) for one in shown):
        command += ["--ro-bind", str(lent), str(lent)]
    command += [
        "--ro-bind", str(stage), "/sdk", "--ro-bind", str(package), "/panel", "--chdir", "/panel",
        # Nothing may be written anywhere: no disk and no memory disk can be filled, and nothing is kept for the next.
        "--remount-ro", "/tmp", "--remount-ro", "/dev", "--remount-ro", "/",
    ]  # fmt: skip
    return Launch((*command, *program), {}, "/", filter)


def _hidden(package: Path, stage: Path) -> list[Path]:
    """Where other vendors' packages and this program itself lie, when that is among what every panel sees."""
    return [package.parent, stage.parent, Path(__file__).resolve().parents[2]]


def bounds(limits: Limits) -> list[str]:
    """What the boot code sets, in its order: address space, files, processor seconds, processes."""
    return [str(limits.memory), str(limits.files), str(limits.cpu), str(_processes(limits))]


def _processes(limits: Limits) -> int:
    """RLIMIT_NPROC counts one sandbox alone only since Linux 5.14, where a user namespace has its own count, and never for
    root; elsewhere it would count all that the user runs. -1: leave it; the filter and the watcher stand."""
    match = re.match(r"(\d+)\.(\d+)", platform.release())
    recent = match is not None and (int(match[1]), int(match[2])) >= (5, 14)
    return limits.tasks if sys.platform == "linux" and recent and os.geteuid() != 0 else -1


def _limited(sdk: str, limits: Limits) -> list[str]:
    """For programs that are not Python; Python panels get theirs from the boot code. Engines like V8 reserve far more
    addresses than they use, so it is data that is bounded here, and addresses only against the absurd."""
    prlimit = shutil.which("prlimit")
    if prlimit is None or not Path(prlimit).resolve().is_relative_to("/usr"):
        return [*python(), f"{sdk}/limits.py", *bounds(limits)]
    own = {"data": limits.memory, "as": 64 * limits.memory, "nofile": limits.files, "cpu": limits.cpu}
    own |= {"core": 0, "fsize": 0, "memlock": 0, "msgqueue": 0}
    if (processes := _processes(limits)) >= 0:
        own["nproc"] = processes
    return [prlimit, *(f"--{name}={value}" for name, value in own.items()), "--"]
