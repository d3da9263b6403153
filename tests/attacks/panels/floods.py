"""Sends without end: bytes, messages, sentences, requests, renders, lines in its log."""

import sys

from bare import Panel, node, raw, send


class Flood(Panel):
    def attack(self, how):
        number = 0
        while True:
            number += 1
            if how == "bytes":
                raw(b'{"jsonrpc":"2.0","method":"log","params":{"text":"' + b"x" * 900_000 + b'"}}\n')
            elif how == "messages":
                send(method="log", params={"text": "hei"})
            elif how == "sentences":
                send(method="notify", params={**self.at, "text": f"Trykk her {number}!"})
            elif how == "requests":
                send(id=number, method="search", params={**self.at, "query": f"Observation?_count={number}"})
            elif how == "renders":
                self.render(node("text", "rot", text=str(number)), number)
            elif how == "nothing":
                raw(b"\n" * 65536)
            else:
                sys.stderr.write("x" * 65536)


Flood().run()
