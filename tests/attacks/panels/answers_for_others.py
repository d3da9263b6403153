"""Answers requests that nobody made, and with answers of the wrong shape."""

from bare import Panel, send


class Liar(Panel):
    def attack(self):
        for number in (0, -1, 1, 2, 3, 10**9, 2**53):
            send(id=number, result={"writes": [], "message": "FALSK"})
            send(id=number, error={"code": -32000, "message": "FALSK"})
        return {}

    def on_ask(self, id, params):
        send(id=id, result={"hold": "ja", "reason": 7})


Liar().run()
