"""What a panel written in Python may import: a folder with `workspace/__init__.py` and `workspace/sdk` and nothing else.

A copy, not the source tree, so that no panel ever finds the shell's own rooms. Compiled, because a confined panel cannot
write the compiled files itself. Never holds a package's own code.
"""

from __future__ import annotations

import contextlib
import importlib.util
import py_compile
import shutil
import tempfile
import weakref
from pathlib import Path

LIMITS = """\
try:
    import resource
    bounds = {"AS": addresses, "DATA": memory, "NOFILE": files, "CPU": cpu, "NPROC": processes}
    bounds |= {"CORE": 0, "FSIZE": 0, "MEMLOCK": 0, "MSGQUEUE": 0}
    for name, value in bounds.items():
        which, value = getattr(resource, "RLIMIT_" + name, None), int(value)
        if which is None or value < 0:
            continue
        hard = resource.getrlimit(which)[1]
        value = value if hard < 0 else min(value, hard)
        resource.setrlimit(which, (value, value))
    del resource, bounds, name, which, value, hard
except ImportError:
    pass
"""

BOOT = f"""\
import sys
sdk, package, script, memory, files, cpu, processes = sys.argv[1:8]
addresses = memory
{LIMITS}
sys.path[:0] = [package, sdk]
sys.argv[:] = [script, *sys.argv[8:]]
__file__ = script
with open(script, "rb") as source:
    code = compile(source.read(), script, "exec")
del source, sdk, package, script, memory, addresses, files, cpu, processes
exec(code)
"""
"""Limits first, then the vendor's code as ``__main__``. The limits bind whatever the code starts, too."""

OTHERS = f"""\
import os, sys
memory, files, cpu, processes = sys.argv[1:5]
addresses = 64 * int(memory)
{LIMITS}
os.execv(sys.argv[5], sys.argv[5:])
"""
"""The same for a program that is not Python, where the machine has no `prlimit`: addresses only against the absurd."""

MOST = 200
"""Files of one folder that are compiled ahead; whoever has more waits for the rest."""


class Stage:
    """The folder, made at first use and taken away by `close`."""

    def __init__(self, source: Path | None = None) -> None:
        """`source` is the folder that holds `workspace/`; by default where this program is installed."""
        self._source = source or Path(__file__).resolve().parents[2]
        self._folder: Path | None = None

    @property
    def folder(self) -> Path:
        """Absolute; holds `boot.py`, `limits.py` and `workspace/`. Some milliseconds of file work the first time."""
        if self._folder is None:
            folder = Path(tempfile.mkdtemp(prefix="workspace-sdk-"))
            target = folder / "workspace"
            keep_compiled(self._source / "workspace" / "sdk")
            # Copies keep the files' times, so what is compiled stays valid.
            shutil.copytree(self._source / "workspace" / "sdk", target / "sdk")
            shutil.copy2(self._source / "workspace" / "__init__.py", target / "__init__.py")
            (folder / "boot.py").write_text(BOOT, encoding="utf-8")
            (folder / "limits.py").write_text(OTHERS, encoding="utf-8")
            keep_compiled(target)
            self._folder = folder
            # Also at the program's end, and when nobody has come to use it.
            self._gone = weakref.finalize(self, shutil.rmtree, folder, True)
        return self._folder

    def close(self) -> None:
        if self._folder is not None:
            self._gone()
            self._folder = None


def keep_compiled(folder: Path) -> None:
    """Compile what Python code in `folder` is not, beside its source, as the interpreter would if it might write there; a
    confined panel may not, and would compile at every start. Where nobody may write, nothing is done."""
    for source in sorted(folder.rglob("*.py"))[:MOST]:
        if not _compiled(source):
            with contextlib.suppress(OSError):
                py_compile.compile(str(source), doraise=False, quiet=2)


def _compiled(source: Path) -> bool:
    """Whether the compiled file beside `source` is of this very text, as the import system judges it (PEP 552)."""
    try:
        head = Path(importlib.util.cache_from_source(str(source))).read_bytes()[:16]
    except OSError:
        return False
    told = source.stat()
    moment = (int(told.st_mtime) & 0xFFFFFFFF).to_bytes(4, "little")
    size = (told.st_size & 0xFFFFFFFF).to_bytes(4, "little")
    return head == importlib.util.MAGIC_NUMBER + bytes(4) + moment + size
