"""Looks at other processes, ends them, and speaks to their memory."""

import ctypes
import os
import signal

from bare import Panel, tried


class Killer(Panel):
    def attack(self, shell):
        libc = ctypes.CDLL(None, use_errno=True)

        def call(name, *args):
            if getattr(libc, name)(*args) != 0:
                raise OSError(ctypes.get_errno(), name)

        found = {
            "kill the shell": tried(os.kill, shell, signal.SIGKILL),
            "kill the group": tried(os.killpg, shell, signal.SIGKILL),
            "trace": tried(call, "ptrace", 16, shell, 0, 0),
            "processes": tried(lambda: [p for p in os.listdir("/proc") if p.isdigit()]),
            "schedule": tried(os.setpriority, os.PRIO_PROCESS, shell, 19),
            "memory": tried(lambda: os.open(f"/proc/{shell}/mem", os.O_RDONLY)),
            "pidfd": tried(os.pidfd_open, shell),
        }
        return found | {"own number is small": os.getpid() < 10, "parent": os.getppid()}


Killer().run()
