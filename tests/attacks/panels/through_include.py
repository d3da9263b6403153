"""Asks for its own patient, and lets includes fetch what it may not ask for."""

from bare import Panel


class Thief(Panel):
    def attack(self):
        searches = [
            "Observation?_include=Observation:performer", "Observation?_include=*", "Observation?_include:iterate=*",
            "Patient?_revinclude=Condition:patient", "Patient?_revinclude=*", "Patient?_revinclude:iterate=*",
            "Observation?_include=Observation:encounter", "Observation?_include=Observation:has-member",
            "Observation?_include=Observation:derived-from",
        ]  # fmt: skip
        return {one: self.outcome("search", query=one) for one in searches}


Thief().run()
