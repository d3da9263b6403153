"""Tries to change what shuts it in: namespaces, mounts, root, its own limits."""

import ctypes
import os
import resource

from bare import Panel, tried


class Escaper(Panel):
    def attack(self):
        libc = ctypes.CDLL(None, use_errno=True)

        def call(name, *args):
            if getattr(libc, name)(*args) != 0:
                raise OSError(ctypes.get_errno(), name)

        def raised(name):
            resource.setrlimit(getattr(resource, name), (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        found = {name: tried(raised, name) for name in ("RLIMIT_AS", "RLIMIT_NOFILE", "RLIMIT_CPU", "RLIMIT_FSIZE")}
        found["unshare user"] = tried(call, "unshare", 0x10000000)
        found["unshare mount"] = tried(call, "unshare", 0x00020000)
        found["mount"] = tried(call, "mount", b"none", b"/tmp", b"tmpfs", 0, None)
        found["remount"] = tried(call, "mount", b"none", b"/panel", None, 32 | 4096, None)
        found["umount"] = tried(call, "umount2", b"/usr", 2)
        found["chroot"] = tried(os.chroot, "/usr")
        found["setuid"] = tried(os.setuid, 12345)
        found["mknod"] = tried(os.mknod, "/tmp/disk", 0o60600, os.makedev(8, 0))
        found["hostname"] = tried(call, "sethostname", b"fri", 3)
        return found


Escaper().run()
