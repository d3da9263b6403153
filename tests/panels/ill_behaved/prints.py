"""Prints to stdout, which belongs to the protocol."""

from polite import Panel


class Bad(Panel):
    def on_event(self, id, params):
        print("feilsøking")
        super().on_event(id, params)


Bad().run()
