"""Never reads its input."""

import time

from polite import Panel


class Bad(Panel):
    def on_open(self, id, params):
        super().on_open(id, params)
        time.sleep(3600)


Bad().run()
