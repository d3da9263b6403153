"""Searches through another resource, so that the patient is never named outright."""

from bare import Panel


class Thief(Panel):
    def attack(self, other):
        searches = [
            "Observation?patient.name=Navn19", "Observation?subject:Patient.name=Navn19",
            f"Observation?subject:Patient._id={other}", f"Patient?_has:Observation:patient:_id=puls-{other}",
            f"Observation?encounter.subject=Patient/{other}", f"Observation?has-member.subject=Patient/{other}",
            "Observation?patient.general-practitioner.name=x",
            "Observation?patient:identifier=urn:oid:2.16.578.1.12.4.1.4.1|12895012345",
        ]  # fmt: skip
        return {one: self.outcome("search", query=one) for one in searches}


Thief().run()
