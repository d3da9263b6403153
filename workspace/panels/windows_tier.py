"""The Windows tier: a panel in an AppContainer without capabilities, inside a Job object that bounds and ends it.

UNTESTED: written from Microsoft's documentation ("Implementing an AppContainer", "Job Objects"), type-checked, and never run
on a Windows machine. Nothing imports it: the self-test reports no confinement on Windows, so that panels of vendors do not
start there unless the site's policy allows unconfined ones. To be taken into use it needs `selftest.PROGRAM` passed from
inside, and reader threads in a sibling of `pipes`, since Windows pipes cannot be polled.

An AppContainer without capabilities has no network, none of the user's files and no window messages to others; it reads
only what `grant` allows its package to read. The job ends every process when its last handle closes, whatever happens.
"""

from __future__ import annotations

import ctypes
import hashlib
import msvcrt
import os
import subprocess
import sys
from collections.abc import Sequence
from ctypes import wintypes
from dataclasses import dataclass
from pathlib import Path

from workspace.panels.confinement import Limits

assert sys.platform == "win32", "for Windows only"

_kernel = ctypes.WinDLL("kernel32", use_last_error=True)
_userenv = ctypes.WinDLL("userenv", use_last_error=True)
_advapi = ctypes.WinDLL("advapi32", use_last_error=True)

ALREADY_EXISTS = -2147024713  # HRESULT_FROM_WIN32(ERROR_ALREADY_EXISTS)
CREATE_SUSPENDED, EXTENDED_STARTUPINFO, NO_WINDOW, UNICODE_ENVIRONMENT = 0x4, 0x80000, 0x08000000, 0x400
USE_STD_HANDLES = 0x100
SECURITY_CAPABILITIES, HANDLE_LIST, CHILD_PROCESS_POLICY = 0x20009, 0x20002, 0x2000E
CHILD_PROCESS_RESTRICTED = 1
BASIC_UI_RESTRICTIONS, EXTENDED_LIMIT_INFORMATION = 4, 9
LIMIT_ACTIVE_PROCESS, LIMIT_PROCESS_MEMORY, LIMIT_JOB_MEMORY = 0x8, 0x100, 0x200
LIMIT_JOB_TIME, LIMIT_DIE_ON_EXCEPTION, LIMIT_KILL_ON_CLOSE = 0x4, 0x400, 0x2000
UI_ALL = 0xFF
"""No clipboard, no handles of others, no desktop, no display settings, no global atoms, no shutting down."""


class _BasicLimits(ctypes.Structure):
    _fields_ = (
        ("per_process_time", wintypes.LARGE_INTEGER), ("per_job_time", wintypes.LARGE_INTEGER),
        ("flags", wintypes.DWORD), ("minimum_set", ctypes.c_size_t), ("maximum_set", ctypes.c_size_t),
        ("active_processes", wintypes.DWORD), ("affinity", ctypes.c_size_t), ("priority", wintypes.DWORD),
        ("scheduling", wintypes.DWORD),
    )  # fmt: skip


class _ExtendedLimits(ctypes.Structure):
    _fields_ = (
        ("basic", _BasicLimits), ("io", ctypes.c_ulonglong * 6), ("process_memory", ctypes.c_size_t),
        ("job_memory", ctypes.c_size_t), ("peak_process", ctypes.c_size_t), ("peak_job", ctypes.c_size_t),
    )  # fmt: skip


class _Capabilities(ctypes.Structure):
    _fields_ = (
        ("container", ctypes.c_void_p), ("capabilities", ctypes.c_void_p), ("count", wintypes.DWORD),
        ("reserved", wintypes.DWORD),
    )  # fmt: skip


class _StartupInfo(ctypes.Structure):
    _fields_ = (
        ("size", wintypes.DWORD), ("reserved", wintypes.LPWSTR), ("desktop", wintypes.LPWSTR),
        ("title", wintypes.LPWSTR), ("x", wintypes.DWORD), ("y", wintypes.DWORD), ("width", wintypes.DWORD),
        ("height", wintypes.DWORD), ("columns", wintypes.DWORD), ("rows", wintypes.DWORD), ("fill", wintypes.DWORD),
        ("flags", wintypes.DWORD), ("show", wintypes.WORD), ("more_size", wintypes.WORD),
        ("more", ctypes.c_void_p), ("input", wintypes.HANDLE), ("output", wintypes.HANDLE),
        ("errors", wintypes.HANDLE), ("attributes", ctypes.c_void_p),
    )  # fmt: skip


class _ProcessInfo(ctypes.Structure):
    _fields_ = (
        ("process", wintypes.HANDLE), ("thread", wintypes.HANDLE), ("pid", wintypes.DWORD), ("tid", wintypes.DWORD),
    )  # fmt: skip


def _prototypes() -> None:
    """Handles and pointers are 64 bits wide; ctypes would pass ints as 32."""
    handle, pointer = wintypes.HANDLE, ctypes.c_void_p
    _kernel.CreateJobObjectW.restype = handle
    _kernel.CreateJobObjectW.argtypes = (pointer, wintypes.LPCWSTR)
    _kernel.SetInformationJobObject.argtypes = (handle, ctypes.c_int, pointer, wintypes.DWORD)
    _kernel.AssignProcessToJobObject.argtypes = (handle, handle)
    _kernel.TerminateJobObject.argtypes = (handle, wintypes.UINT)
    _kernel.TerminateProcess.argtypes = (handle, wintypes.UINT)
    _kernel.ResumeThread.argtypes = (handle,)
    _kernel.CloseHandle.argtypes = (handle,)
    _kernel.WaitForSingleObject.argtypes = (handle, wintypes.DWORD)
    _kernel.GetExitCodeProcess.argtypes = (handle, ctypes.POINTER(wintypes.DWORD))
    _kernel.InitializeProcThreadAttributeList.argtypes = (
        pointer, wintypes.DWORD, wintypes.DWORD, ctypes.POINTER(ctypes.c_size_t),
    )  # fmt: skip
    _kernel.UpdateProcThreadAttribute.argtypes = (
        pointer, wintypes.DWORD, ctypes.c_size_t, pointer, ctypes.c_size_t, pointer, pointer,
    )  # fmt: skip
    _kernel.DeleteProcThreadAttributeList.argtypes = (pointer,)
    _kernel.DeleteProcThreadAttributeList.restype = None
    _kernel.CreateProcessW.argtypes = (
        wintypes.LPCWSTR, wintypes.LPWSTR, pointer, pointer, wintypes.BOOL, wintypes.DWORD, pointer,
        wintypes.LPCWSTR, pointer, pointer,
    )  # fmt: skip
    _userenv.CreateAppContainerProfile.argtypes = (
        wintypes.LPCWSTR, wintypes.LPCWSTR, wintypes.LPCWSTR, pointer, wintypes.DWORD, ctypes.POINTER(pointer),
    )  # fmt: skip
    _userenv.CreateAppContainerProfile.restype = ctypes.c_long
    _userenv.DeriveAppContainerSidFromAppContainerName.argtypes = (wintypes.LPCWSTR, ctypes.POINTER(pointer))
    _userenv.DeriveAppContainerSidFromAppContainerName.restype = ctypes.c_long
    _advapi.ConvertSidToStringSidW.argtypes = (pointer, ctypes.POINTER(wintypes.LPWSTR))
    _advapi.FreeSid.argtypes = (pointer,)
    _advapi.FreeSid.restype = pointer
    _kernel.LocalFree.argtypes = (pointer,)
    _kernel.LocalFree.restype = pointer


_prototypes()


class Container:
    """The AppContainer of one package: made at first use, the same one later. `sid` is a pointer that `close` frees."""

    def __init__(self, package_id: str) -> None:
        """Raises OSError."""
        digest = hashlib.sha256(package_id.encode()).hexdigest()[:16]
        self.name = f"Workspace.Panel.{digest}"  # at most 64 signs, of a small alphabet
        found = ctypes.c_void_p()
        made = _userenv.CreateAppContainerProfile(self.name, package_id[:512], "Panel", None, 0, ctypes.byref(found))
        if made == ALREADY_EXISTS:
            made = _userenv.DeriveAppContainerSidFromAppContainerName(self.name, ctypes.byref(found))
        if made < 0:
            raise OSError(f"no AppContainer for {package_id}: HRESULT {made & 0xFFFFFFFF:#x}")
        self.sid = found

    def text(self) -> str:
        """``S-1-15-2-…``"""
        words = wintypes.LPWSTR()
        _check(_advapi.ConvertSidToStringSidW(self.sid, ctypes.byref(words)))
        try:
            return words.value or ""
        finally:
            _kernel.LocalFree(words)

    def grant(self, folder: Path) -> None:
        """Let the container read and run what is in `folder`; nothing else of the user's is open to it. Raises OSError."""
        rule = f"*{self.text()}:(OI)(CI)(RX)"
        done = subprocess.run(
            [f"{os.environ['SYSTEMROOT']}\\System32\\icacls.exe", str(folder), "/grant", rule, "/Q"],
            capture_output=True, check=False, creationflags=NO_WINDOW,
        )  # fmt: skip
        if done.returncode != 0:
            raise OSError(f"icacls: {done.stderr.decode('utf-8', 'replace').strip()}")

    def close(self) -> None:
        if self.sid:
            _advapi.FreeSid(self.sid)
            self.sid = ctypes.c_void_p()


class Job:
    """Bounds memory, processes and processor time of all that runs in it, and ends all of it with its handle."""

    def __init__(self, limits: Limits) -> None:
        self.handle = _kernel.CreateJobObjectW(None, None)
        _check(self.handle)
        bounds = _ExtendedLimits()
        bounds.basic.flags = (
            LIMIT_ACTIVE_PROCESS | LIMIT_PROCESS_MEMORY | LIMIT_JOB_MEMORY | LIMIT_JOB_TIME | LIMIT_DIE_ON_EXCEPTION
            | LIMIT_KILL_ON_CLOSE
        )  # fmt: skip
        bounds.basic.active_processes = 1
        bounds.basic.per_job_time = limits.cpu * 10_000_000  # in 100 ns
        bounds.process_memory = bounds.job_memory = limits.memory
        self._set(EXTENDED_LIMIT_INFORMATION, bounds)
        self._set(BASIC_UI_RESTRICTIONS, wintypes.DWORD(UI_ALL))

    def _set(self, kind: int, value: ctypes.Structure | wintypes.DWORD) -> None:
        _check(_kernel.SetInformationJobObject(self.handle, kind, ctypes.byref(value), ctypes.sizeof(value)))

    def take(self, process: int) -> None:
        _check(_kernel.AssignProcessToJobObject(self.handle, process))

    def end(self) -> None:
        """End all that runs in it, at once. Idempotent."""
        if self.handle:
            _kernel.TerminateJobObject(self.handle, 1)
            _kernel.CloseHandle(self.handle)
            self.handle = None


@dataclass(slots=True)
class Running:
    """A started panel: its pipes as descriptors of this process, to be read by threads."""

    pid: int
    process: int
    job: Job
    input: int
    output: int
    errors: int

    def wait(self, milliseconds: int) -> int | None:
        """The exit code, or None while it still runs."""
        if _kernel.WaitForSingleObject(self.process, milliseconds) != 0:
            return None
        code = wintypes.DWORD()
        _check(_kernel.GetExitCodeProcess(self.process, ctypes.byref(code)))
        return int(code.value)

    def end(self) -> None:
        self.job.end()


def spawn(command: Sequence[str], package: Path, stage: Path, limits: Limits, package_id: str) -> Running:
    """Start `command` shut in: suspended, put into its job, and only then let go. Raises OSError; nothing is left then."""
    container, job = Container(package_id), Job(limits)
    ours: list[int] = []
    theirs: list[int] = []
    try:
        for folder in (package, stage):
            container.grant(folder)
        for reads in (True, False, False):  # its standard input, output and errors
            reading, writing = os.pipe()
            (theirs if reads else ours).append(reading)
            (ours if reads else theirs).append(writing)
        for descriptor in theirs:
            os.set_inheritable(descriptor, True)
        info = _create(command, package, container, [msvcrt.get_osfhandle(one) for one in theirs])
        try:
            job.take(info.process)
            if _kernel.ResumeThread(info.thread) == 0xFFFFFFFF:
                raise ctypes.WinError(ctypes.get_last_error())
        except OSError:
            _kernel.TerminateProcess(info.process, 1)
            _kernel.CloseHandle(info.process)
            raise
        finally:
            _kernel.CloseHandle(info.thread)
    except BaseException:
        job.end()
        for descriptor in ours:
            os.close(descriptor)
        raise
    finally:
        for descriptor in theirs:
            os.close(descriptor)
        container.close()
    return Running(int(info.pid), int(info.process), job, *ours)


def _create(command: Sequence[str], folder: Path, container: Container, handles: Sequence[int]) -> _ProcessInfo:
    """The process, suspended, with these three handles and no environment but what Windows itself cannot do without."""
    capabilities = _Capabilities(container.sid, None, 0, 0)
    inherited = (wintypes.HANDLE * len(handles))(*handles)
    policy = wintypes.DWORD(CHILD_PROCESS_RESTRICTED)
    size = ctypes.c_size_t()
    _kernel.InitializeProcThreadAttributeList(None, 3, 0, ctypes.byref(size))
    attributes = ctypes.create_string_buffer(size.value)
    _check(_kernel.InitializeProcThreadAttributeList(attributes, 3, 0, ctypes.byref(size)))
    try:
        for which, value in (
            (SECURITY_CAPABILITIES, capabilities), (HANDLE_LIST, inherited), (CHILD_PROCESS_POLICY, policy),
        ):  # fmt: skip
            _check(
                _kernel.UpdateProcThreadAttribute(
                    attributes, 0, which, ctypes.byref(value), ctypes.sizeof(value), None, None
                )
            )
        start = _StartupInfo()
        start.size, start.flags = ctypes.sizeof(start), USE_STD_HANDLES
        start.input, start.output, start.errors = handles
        start.attributes = ctypes.cast(attributes, ctypes.c_void_p)
        info = _ProcessInfo()
        root = os.environ["SYSTEMROOT"]
        block = ctypes.create_unicode_buffer(f"SystemRoot={root}\0\0")
        flags = CREATE_SUSPENDED | EXTENDED_STARTUPINFO | NO_WINDOW | UNICODE_ENVIRONMENT
        line = ctypes.create_unicode_buffer(subprocess.list2cmdline(command))
        _check(
            _kernel.CreateProcessW(
                None, line, None, None, True, flags, block, str(folder), ctypes.byref(start), ctypes.byref(info)
            )
        )
        return info
    finally:
        _kernel.DeleteProcThreadAttributeList(attributes)


def _check(done: int | None) -> None:
    if not done:
        raise ctypes.WinError(ctypes.get_last_error())
