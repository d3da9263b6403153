"""Falls over whenever it opens, with words about the patient in its log."""

import sys

from bare import Panel


class Faller(Panel):
    def on_open(self, id, params):
        sys.stderr.write(f"feil for {params['context']['patient']}, født 120195 12345, «Kari Nordmann»\n")
        raise RuntimeError("velter")


Faller().run()
