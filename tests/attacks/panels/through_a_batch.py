"""Batches, paths, operations and methods that are not in the protocol."""

from bare import Panel


class Thief(Panel):
    def attack(self, other):
        entry = [{"request": {"method": "GET", "url": f"Observation?patient={other}"}}]
        found = {}
        for method in ("batch", "transaction", "fhir", "write", "commit", "undo", "create", "$everything", "open"):
            found[method] = self.outcome(method, bundle={"resourceType": "Bundle", "type": "batch", "entry": entry})
        paths = [
            "", "/", "?", "Patient", f"Patient/{other}/$everything", f"Patient/BEB-18/../{other}", "metadata",
            f"Observation/puls-{other}/_history/1", f"../fhir/Patient/{other}", f"Patient/BEB-18?_id={other}",
            f"Patient/BEB-18\r\nX-Workspace-Package: x/{other}", f"Patient%2F{other}", f"Patient/{other}#", "_history",
            "Patient/BEB-18/_history", "Observation/_search", f"http://127.0.0.1/fhir/Patient/{other}",
        ]  # fmt: skip
        found |= {f"read {one}": self.outcome("read", reference=one) for one in paths}
        searches = ["", "?", "Patient/$everything", f"Patient/{other}?_id={other}", "Observation?_page=x", "$export",
                    "Observation?_filter=x", "Observation?_query=all", "_history?_since=2000", "Patient/_search?_id=x",
                    "Observation?_content=x", "Observation?_type=Patient", "Observation?_elements=%00"]  # fmt: skip
        return found | {f"search {one}": self.outcome("search", query=one) for one in searches}


Thief().run()
