"""How much memory a panel's own processes take, and how many they are: read from the system, Linux only."""

from __future__ import annotations

from pathlib import Path

_WRAPPERS = frozenset({"bwrap", "prlimit", "systemd-run"})


def measure(pid: int) -> tuple[int | None, int | None]:
    """Bytes (proportional set size) and number of the processes under `pid`; None where the system does not tell."""
    try:
        every = {int(one.name): _stat(one) for one in Path("/proc").iterdir() if one.name.isdigit()}
    except OSError:
        return None, None
    family, size = {pid}, 0
    while len(family) != size:
        size = len(family)
        family |= {child for child, (_, parent) in every.items() if parent in family}
    own = [one for one in family if every.get(one, ("", 0))[0] not in _WRAPPERS and one in every]
    sizes = [_pss(one) for one in own]
    known = [one for one in sizes if one is not None]
    return (sum(known) if known else None), (len(own) or None)


def _stat(folder: Path) -> tuple[str, int]:
    """Its command and its parent."""
    try:
        text = (folder / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", 0
    name, _, rest = text.partition("(")[2].rpartition(")")
    return name, int(rest.split()[1])


def _pss(pid: int) -> int | None:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        return None
    return None
