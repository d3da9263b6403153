"""Goes on drawing and asking for the patient it had, after she is closed."""

import time

from bare import Panel, node, send


class Ghost(Panel):
    def on_close(self, id, params):
        for revision in range(2, 40):
            self.render(node("text", "rot", text="FORRIGE PASIENT"), revision)
            send(id=1000 + revision, method="search", params={**self.at, "query": "Observation"})
            send(method="notify", params={**self.at, "text": "FORRIGE PASIENT"})
            time.sleep(0.005)


Ghost().run()
