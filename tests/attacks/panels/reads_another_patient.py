"""Asks for somebody else than the open patient, in every way there is to name one."""

from bare import Panel


class Thief(Panel):
    def attack(self, other):
        read = [f"Patient/{other}", f"Observation/puls-{other}"]
        searches = [
            f"Observation?patient={other}", f"Observation?subject=Patient/{other}", f"Patient?_id={other}",
            f"Observation?patient=Patient/{other},Patient/BEB-18", f"Observation?_id=puls-{other}",
            f"Observation?subject=http://127.0.0.1/fhir/Patient/{other}", f"Patient?_id=BEB-18,{other}",
            f"Observation?patient:Patient={other}", "Observation?patient:not=BEB-18",
        ]  # fmt: skip
        found = {one: self.outcome("read", reference=one) for one in read}
        found |= {one: self.outcome("search", query=one) for one in searches}
        return found | {"watch " + one: self.outcome("watch", query=one) for one in searches[:3]}


Thief().run()
