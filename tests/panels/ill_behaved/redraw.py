"""Draws itself again and again."""

from polite import Panel, say


class Bad(Panel):
    def on_event(self, id, params):
        for revision in range(2, 1500):
            self.render(say(str(revision)), revision)


Bad().run()
