"""Takes all the memory it can get."""

from polite import Panel


class Bad(Panel):
    def on_event(self, id, params):
        kept = []
        while True:
            kept.append(bytearray(32 << 20))


Bad().run()
