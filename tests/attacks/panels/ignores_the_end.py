"""Will not go: ignores close, shutdown, the closed pipe and every signal that can be ignored."""

import signal
import time

from bare import Panel


class Stayer(Panel):
    def run(self):
        for number in range(1, 32):
            if number not in (signal.SIGKILL, signal.SIGSTOP):
                signal.signal(number, signal.SIG_IGN)
        super().run()
        time.sleep(3600)

    def on_close(self, id, params):
        pass

    def on_shutdown(self, id, params):
        time.sleep(3600)


Stayer().run()
