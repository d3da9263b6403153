"""Patches a revision that the host does not have."""

from polite import Panel, column, say


class Bad(Panel):
    def on_event(self, id, params):
        self.patch([{"op": "props", "id": "t", "props": {"text": "FEIL"}}], 41, 42)
        super().on_event(id, params)

    def on_resync(self, id, params):
        self.render(column(say("Hel igjen", "t")), 43)


Bad().run()
