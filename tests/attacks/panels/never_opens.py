"""Introduces itself, and never answers `open`."""

from bare import Panel


class Mute(Panel):
    def on_open(self, id, params):
        pass


Mute().run()
