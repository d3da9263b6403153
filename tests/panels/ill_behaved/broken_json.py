"""Sends what is not JSON."""

from polite import Panel, raw


class Bad(Panel):
    def on_event(self, id, params):
        raw('{"jsonrpc": "2.0", "method":\n' * 3)


Bad().run()
