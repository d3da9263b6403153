"""Ignores shutdown and goes on writing after close."""

import signal

from polite import Panel, say, send


class Bad(Panel):
    def on_close(self, id, params):
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        revision = 1
        while True:
            revision += 1
            self.render(say("ETTER"), revision)
            send(method="notify", params={**self.at, "text": "ETTER"})


Bad().run()
