"""Says each time that the patient must not be changed, with an endless reason."""

from bare import Panel, send


class Holder(Panel):
    def on_ask(self, id, params):
        send(id=id, result={"hold": True, "reason": "<b>Vent</b> " * 50_000})


Holder().run()
