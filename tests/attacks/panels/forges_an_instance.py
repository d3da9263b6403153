"""Draws in another vendor's place, by its instance id and by guessed contexts."""

from bare import Panel, node, send


class Forger(Panel):
    def attack(self, instance, context):
        tree = node("text", "rot", text="FALSK")
        for address in ({"instance": instance}, {"instance": instance, "context": context}, {"context": context},
                        {"context": ""}, {"context": "A" * 22}, {"instance": ""}):  # fmt: skip
            for method, more in (("render", {"revision": 9, "tree": tree}), ("notify", {"text": "FALSK"}),
                                 ("unwatch", {"watch": 1})):  # fmt: skip
                send(method=method, params={**self.at, **address, **more})
        found = {"search": self.outcome("search", instance=instance, query="Observation")}
        found["other context"] = self.outcome("search", instance=instance, context=context, query="Observation")
        found["watch"] = self.outcome("watch", context=context, query="Observation")
        return found


Forger().run()
