"""Takes memory without end: its own, shared, and in files that have no name."""

import mmap
import os

from bare import Panel, tried


class Hog(Panel):
    def attack(self, how):
        kept, size = [], 32 << 20
        if how == "own":
            while True:
                kept.append(bytearray(size))
        if how == "shared":
            while True:
                part = mmap.mmap(-1, size)
                for at in range(0, size, 4096):
                    part[at] = 1
                kept.append(part)

        def nameless():
            while True:
                kept.append(os.memfd_create("x"))
                os.posix_fallocate(kept[-1], 0, size)

        return {"nameless": tried(nameless), "kept": len(kept)}


Hog().run()
