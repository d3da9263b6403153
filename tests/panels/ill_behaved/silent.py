"""Stops answering after its first render."""

import time

from polite import Panel


class Bad(Panel):
    def on_event(self, id, params):
        time.sleep(2.6)
        super().on_event(id, params)


Bad().run()
