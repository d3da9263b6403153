"""A list for one unit that asks for another's residents."""

from bare import Panel


class Thief(Panel):
    def attack(self, other, unit):
        searches = [
            f"Observation?patient={other}", f"Patient?_id={other}", f"Encounter?service-provider={unit}",
            f"Encounter?service-provider=Organization/{unit}", "Patient?name=Navn30", f"Patient?organization={unit}",
        ]  # fmt: skip
        found = {one: self.outcome("search", query=one) for one in searches}
        return found | {"read": self.outcome("read", reference=f"Observation/puls-{other}")}


Thief().run()
