"""Sends messages without end."""

from polite import Panel, send


class Bad(Panel):
    def on_event(self, id, params):
        while True:
            send(method="notify", params={**self.at, "text": "hei"})


Bad().run()
