"""Renders with a context token that is not its own, and for an instance that is not its own."""

from polite import Panel, say, send


class Bad(Panel):
    def on_event(self, id, params):
        for address in ({"context": "gjettet"}, {"instance": "p2"}):
            send(method="render", params={**self.at, **address, "revision": 2, "tree": say("FEIL")})
        send(id=id, result={})


Bad().run()
