"""Starts a child that ignores every signal, in a session of its own, and then ends."""

import contextlib
import os
import signal
import time

from bare import Panel


class Parent(Panel):
    def attack(self):
        try:
            child = os.fork()
        except OSError:
            return {"made": False}
        if child == 0:
            os.setsid()
            for number in range(1, 65):
                with contextlib.suppress(OSError, ValueError):
                    signal.signal(number, signal.SIG_IGN)
            time.sleep(3600)
        return {"made": True}


Parent().run()
