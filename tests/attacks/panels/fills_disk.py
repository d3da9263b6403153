"""Writes wherever it can, and makes files without end where it cannot."""

import os

from bare import Panel, tried


def write(folder):
    path = os.path.join(folder, "fyll")
    with open(path, "wb") as file:
        for _ in range(64):
            file.write(b"x" * (1 << 20))
    return path


def many(folder):
    for number in range(100_000):
        os.close(os.open(os.path.join(folder, str(number)), os.O_CREAT | os.O_WRONLY))
    return "100,000 files"


class Filler(Panel):
    def attack(self):
        folders = ["/panel", "/sdk", "/tmp", "/dev/shm", "/dev", "/", "/usr", "/var/tmp", "/run", "/panel/__pycache__"]
        found = {f"write {one}": tried(write, one) for one in folders}
        found |= {f"many {one}": tried(many, one) for one in folders}
        return found | {f"folder {one}": tried(os.mkdir, os.path.join(one, "ny")) for one in folders}


Filler().run()
