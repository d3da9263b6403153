"""The self-test of confinement: what a panel would find on this machine, tried from inside before any vendor's code runs.

Each denial is tried against something that is really there: a listening port, a secret in the environment, a file of the
user's, a neighbour's package, this very process. Never trusts that a tool is installed, only what it kept out.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from workspace.panels import confinement
from workspace.panels.confinement import CONFINED, UNCONFINED, WEAK, Denial, Launch, Tier

TIMEOUT = 10.0
NAMES = {
    "network": "nett", "files": "filer", "environment": "miljøvariabler", "packages": "andre paneler",
    "processes": "andre programmer", "writing": "skriving", "new-processes": "nye prosesser",
}  # fmt: skip
"""Every denial in Norwegian. All are needed but the last, which the host's own watch makes up for."""

PROGRAM = """\
import json, os, socket, sys
port, abstract, own, neighbour, pid, secret = sys.argv[1:7]
def tried(*ways):
    for way in ways:
        try:
            got = way()
        except BaseException as fault:
            last = type(fault).__name__
        else:
            return ["reached", repr(got)[:60]]
    return ["denied", last]
def connect(family, address):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(1)
    s.connect(address)
    return address
def read(path):
    with open(path, "rb") as file:
        return file.read(16)
def write(folder):
    path = os.path.join(folder, "x")
    with open(path, "wb") as file:
        file.write(b"x")
    os.unlink(path)
    return path
def environment():
    # As the system holds it, too: a program may have cleared only its own view.
    held = " ".join(os.environ.values())
    try:
        held += read("/proc/self/environ").decode("utf-8", "replace")
    except OSError:
        pass
    if secret not in held:
        raise LookupError
    return "secret"
def signalled():
    if int(pid) < 64:
        raise LookupError  # in a container the shell's number may be one of ours in here: it proves nothing
    os.kill(int(pid), 0)
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "child"
print(json.dumps({
    "network": tried(lambda: connect(socket.AF_INET, ("127.0.0.1", int(port))),
                     lambda: connect(socket.AF_UNIX, chr(0) + abstract)),
    "files": tried(lambda: read(own), lambda: read("/etc/passwd"), lambda: os.listdir(os.path.dirname(own))),
    "environment": tried(environment),
    "packages": tried(lambda: read(neighbour), lambda: os.listdir(os.path.dirname(neighbour))),
    "processes": tried(signalled, lambda: os.listdir("/proc/" + pid)),
    "writing": tried(*(lambda at=at: write(at) for at in (".", "/tmp", "/dev/shm", "/dev", "/", "/usr", "/var/tmp"))),
    "new-processes": tried(fork),
}))
"""


def probe() -> Tier:
    """The best tier that this machine really has."""
    if sys.platform == "win32":
        return Tier("none", UNCONFINED, "the Windows tier is written but has not been tested; it is not used")
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return Tier("none", UNCONFINED, "bubblewrap is not installed")
    try:
        denials = try_out(confinement.wrapped)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return Tier("none", UNCONFINED, f"bubblewrap: {error}")
    open_ = [one.name for one in denials if one.needed and not one.denied]
    if open_:
        return Tier("weak", WEAK, f"bubblewrap does not deny: {', '.join(open_)}", denials)
    return Tier("bubblewrap", CONFINED, "", denials)


def try_out(wrap: object) -> tuple[Denial, ...]:
    """Run the program in ``wrap(program, package, stage) -> Launch``. Raises OSError or ValueError when it does not run."""
    with tempfile.TemporaryDirectory(prefix="workspace-probe-") as folder, _listening() as (port, abstract):
        base = Path(folder).resolve()
        package, neighbour, stage = base / "packages" / "own", base / "packages" / "other", base / "stage"
        for made in (package, neighbour, stage):
            made.mkdir(parents=True)
        (base / "own.txt").write_text("secret")
        (neighbour / "panel.py").write_text("secret")
        (package / "try.py").write_text(PROGRAM)
        secret = secrets.token_hex(8)
        at = "/panel" if wrap is confinement.wrapped else str(package)
        given = [str(port), abstract, str(base / "own.txt"), str(neighbour / "panel.py"), str(os.getpid()), secret]
        launch: Launch = wrap([*confinement.python(), f"{at}/try.py", *given], package, stage)  # type: ignore[operator]
        return _read(_run(launch, {"WORKSPACE_PROBE": secret}))


def _run(launch: Launch, environment: dict[str, str]) -> str:
    """Its output. `environment` is what surrounds bubblewrap here: from inside nothing of it may be seen."""
    with handed(launch.filter) as descriptor:
        command = [str(descriptor) if part == confinement.FILTER else part for part in launch.command]
        done = subprocess.run(
            command, capture_output=True, timeout=TIMEOUT, env=environment, cwd=launch.cwd, check=False,
            stdin=subprocess.DEVNULL, pass_fds=[descriptor] if descriptor >= 0 else [],
        )  # fmt: skip
    if done.returncode != 0:
        lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise ValueError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout.decode("utf-8", "replace")


def _read(text: str) -> tuple[Denial, ...]:
    found = json.loads(text)
    return tuple(
        Denial(name, found[name][0] == "denied", str(found[name][1]), needed=name != "new-processes") for name in NAMES
    )


@contextlib.contextmanager
def handed(data: bytes) -> Iterator[int]:
    """A descriptor that gives `data` (at most a pipe's 64 KiB) and then ends; -1 when there is nothing to give."""
    if not data:
        yield -1
        return
    reading, writing = os.pipe()
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(data)
        yield reading
    finally:
        os.close(reading)


@contextlib.contextmanager
def _listening() -> Iterator[tuple[int, str]]:
    """A port of this machine and an abstract local name that somebody listens on."""
    with contextlib.ExitStack() as stack:
        port = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        name = f"workspace-{secrets.token_hex(8)}"
        if sys.platform == "linux":
            local = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
            local.bind("\0" + name)
            local.listen()
        yield port.getsockname()[1], name
