"""Nests deeper than anybody can draw."""

import json

from polite import Panel, raw


class Bad(Panel):
    def on_event(self, id, params):
        at = json.dumps(self.at)[1:-1]
        inner = '{"id":"x","type":"column","children":[' * 20000 + "]}" * 20000
        raw(f'{{"jsonrpc":"2.0","method":"render","params":{{{at},"revision":2,"tree":{inner}}}}}\n')
        super().on_event(id, params)


Bad().run()
