"""Dies each time it opens."""

from polite import Panel


class Bad(Panel):
    def on_open(self, id, params):
        raise RuntimeError("jeg virker aldri")


Bad().run()
