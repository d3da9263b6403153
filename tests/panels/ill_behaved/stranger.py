"""Speaks none of the host's protocol versions, and says so."""

from polite import Panel, send


class Stranger(Panel):
    def on_initialize(self, id, params):
        spoken = f"jeg snakker 7, dere {params.get('oldest')} til {params['protocol']}"
        send(id=id, error={"code": -32020, "message": spoken, "data": {"name": "unsupported-protocol"}})


Stranger().run()
