"""Two fields of one name."""

from polite import Panel, column, field, send


class Bad(Panel):
    def on_open(self, id, params):
        send(id=id, result=None)
        self.render(column(field("x", "puls"), field("y", "puls")))


Bad().run()
