"""Reads the home folder, the system's secrets, another vendor's package and the shell's own code; looks around."""

import os
import sys
from pathlib import Path

from bare import Panel, tried

HOME = "/root"


class Burglar(Panel):
    def attack(self, secret, neighbour, shell):
        files = [secret, neighbour, shell, "/etc/passwd", "/etc/shadow", "/etc/hosts", f"{HOME}/.bashrc", "/proc/1/environ",
                 "/proc/self/mounts", f"/panel/..{HOME}/.profile", "/sys/kernel/notes", "/dev/mem", "/dev/sda", "/dev/kmsg",
                 "/run/secrets", "/var/log/syslog"]  # fmt: skip
        found = {one: tried(lambda one=one: Path(one).read_bytes()[:20]) for one in files}
        found |= {f"list {one}": tried(os.listdir, one) for one in ("/home", "/root", "/mnt", "/var", "/run", "/opt/x")}
        for name in ("msgspec", "PySide6", "workspace.panels", "workspace.broker"):
            found["import " + name] = tried(__import__, name)
        seen = {"env": sorted(os.environ), "around": sorted(os.listdir(".")), "folders": sorted(os.listdir("/"))}
        seen["path"] = [one for one in sys.path if not one.startswith(("/usr", sys.prefix))]
        return {"tried": found, "seen": seen}


Burglar().run()
