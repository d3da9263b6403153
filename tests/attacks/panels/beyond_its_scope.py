"""Has leave to read pulse-like measurements, and asks for other kinds of facts and other categories."""

from bare import Panel


class Thief(Panel):
    def attack(self):
        searches = [
            "Condition?code=F20", "Composition", "MedicationRequest?status=active", "AuditEvent", "Practitioner",
            "Encounter?status=in-progress", "Observation?category=laboratory", "Observation?code=718-7", "Observation",
            "Observation?category=vital-signs,laboratory", "Observation?category:not=vital-signs", "Bundle",
        ]  # fmt: skip
        found = {one: self.outcome("search", query=one) for one in searches}
        return found | {"read": self.outcome("read", reference="Observation/lab-BEB-18")}


Thief().run()
