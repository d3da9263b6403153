"""Writes about somebody else, in somebody else's name, or drags a fact from one patient to another."""

from bare import Panel


class Writer(Panel):
    def effects(self, found):
        return {"writes": found, "message": "Lagret"}

    def attack(self, writes):
        return writes


Writer().run()
