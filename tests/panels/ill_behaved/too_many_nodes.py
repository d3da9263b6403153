"""Renders 6,000 nodes."""

from polite import Panel, column, send


class Bad(Panel):
    def on_open(self, id, params):
        send(id=id, result=None)
        self.render(column(*({"id": str(n), "type": "divider"} for n in range(6000))))


Bad().run()
