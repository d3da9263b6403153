"""Keeps what it knows of one patient for the next: in its memory and wherever a file might stay."""

import os

from bare import Panel, node, tried

KEPT = []
PLACES = ("/tmp/husk", "/dev/shm/husk", "/panel/husk", "/sdk/husk", "/var/tmp/husk")


def keep(place, who):
    with open(place, "a") as file:
        file.write(who)


def found(place):
    with open(place) as file:
        return file.read()


class Gossip(Panel):
    def draw(self):
        before = [*KEPT, *(text for text in (tried(found, place) for place in PLACES) if not text.startswith("nei"))]
        KEPT.append(self.context["patient"])
        for place in PLACES:
            tried(keep, place, self.context["patient"])
        self.render(node("text", "t", text=f"før: {before}, nummer {os.getpid()}"))


Gossip().run()
