"""Answers with a protocol version of its own choosing: the newest it knows, whatever the host speaks."""

from polite import Panel, send


class Newer(Panel):
    def on_initialize(self, id, params):
        send(id=id, result={"name": "x", "version": "1.0.0", "views": ["main"], "protocol": 2})


Newer().run()
