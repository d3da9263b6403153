"""A filter over the system calls of a confined panel: no new processes, no sockets but local ones, no way to rebuild the
walls. Classic BPF as bubblewrap's ``--seccomp`` takes it; pure data, made without any library.

Never the only wall: namespaces deny network and files already. What it adds is what they cannot: a fork bomb has no
first fork, not even for root, and `vsock`, shared memory that outlives its process, and io_uring are out of reach.
"""

from __future__ import annotations

import platform
import struct
import sys

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _KILL, _ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
_EPERM, _ENOSYS, _EACCES = 1, 38, 13
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
CLONE_THREAD = 0x00010000
AF_UNIX = 1

_NEW = {"open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
        "mount_setattr": 442, "io_uring_setup": 425, "io_uring_enter": 426, "io_uring_register": 427}  # fmt: skip
"""Numbers that all architectures share."""

_MACHINES: dict[str, tuple[int, int, int, int, dict[str, int]]] = {
    # audit architecture, clone, clone3, socket, and what is denied outright
    "x86_64": (0xC000003E, 56, 435, 41, {
        "fork": 57, "vfork": 58, "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "mount": 165,
        "umount2": 166, "pivot_root": 155, "chroot": 161, "unshare": 272, "setns": 308, "bpf": 321,
        "perf_event_open": 298, "userfaultfd": 323, "keyctl": 250, "add_key": 248, "request_key": 249,
        "shmget": 29, "msgget": 68, "semget": 64, "mq_open": 240, "kexec_load": 246, "init_module": 175,
        "finit_module": 313, "delete_module": 176,
    }),
    "aarch64": (0xC00000B7, 220, 435, 198, {
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "mount": 40, "umount2": 39,
        "pivot_root": 41, "chroot": 51, "unshare": 97, "setns": 268, "bpf": 280, "perf_event_open": 241,
        "userfaultfd": 282, "keyctl": 219, "add_key": 217, "request_key": 218, "shmget": 194, "msgget": 186,
        "semget": 190, "mq_open": 180, "kexec_load": 104, "init_module": 105, "finit_module": 273,
        "delete_module": 106,
    }),
}  # fmt: skip


def program(machine: str = "") -> bytes:
    """The filter for `machine` (this one's by default); empty where we know no numbers and the walls must do alone."""
    known = _MACHINES.get(machine or platform.machine())
    if known is None or sys.byteorder != "little":
        return b""
    architecture, clone, clone3, socket, denied = known
    steps = [
        _step(_LOAD, _ARCHITECTURE), _step(_EQUAL, architecture, 1, 0), _step(_RETURN, _KILL),
        _step(_LOAD, _NUMBER),
        *_when(_AT_LEAST, 0x40000000, _ERRNO | _EPERM),  # x32: another numbering of the same calls
        # Threads stay, processes do not: libc falls back from clone3, whose flags a filter cannot see, to clone.
        *_when(_EQUAL, clone3, _ERRNO | _ENOSYS),
    ]  # fmt: skip
    for number in (*denied.values(), *_NEW.values()):
        steps += _when(_EQUAL, number, _ERRNO | _EPERM)
    steps += [
        _step(_EQUAL, clone, 0, 4), _step(_LOAD, _FIRST_ARGUMENT), _step(_ANY_BIT, CLONE_THREAD, 1, 0),
        _step(_RETURN, _ERRNO | _EPERM), _step(_RETURN, _ALLOW),
        _step(_EQUAL, socket, 0, 4), _step(_LOAD, _FIRST_ARGUMENT), _step(_EQUAL, AF_UNIX, 1, 0),
        _step(_RETURN, _ERRNO | _EACCES), _step(_RETURN, _ALLOW),
        _step(_RETURN, _ALLOW),
    ]  # fmt: skip
    return b"".join(steps)


def _step(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    """One instruction; `yes` and `no` are how many to skip."""
    return struct.pack("<HBBI", code, yes, no, value)


def _when(test: int, value: int, verdict: int) -> list[bytes]:
    return [_step(test, value, 0, 1), _step(_RETURN, verdict)]
