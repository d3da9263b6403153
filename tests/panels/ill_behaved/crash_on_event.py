"""Dies when the user does something."""

import os

from polite import Panel


class Bad(Panel):
    def on_event(self, id, params):
        os._exit(3)


Bad().run()
