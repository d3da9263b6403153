"""Sends a line that never ends."""

from polite import Panel, raw


class Bad(Panel):
    def on_event(self, id, params):
        for _ in range(40):
            raw("x" * 65536)


Bad().run()
