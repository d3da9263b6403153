"""Types, and who answers for what they say."""

from __future__ import annotations

import pytest

from workspace.access.kinds import GLOBAL_TYPES, authors_of, patient_parameter, served
from workspace.fhir import parameters


def test_every_type_of_the_platform_that_names_patients_can_be_narrowed():
    assert patient_parameter("Patient") == "_id"
    assert patient_parameter("Observation") == patient_parameter("Task") == "patient"
    assert patient_parameter("Organization") == patient_parameter("Provenance") == ""
    for kind in parameters.types():
        assert served(kind) == (kind in GLOBAL_TYPES | {"AuditEvent", "Provenance"} or bool(patient_parameter(kind)))
    assert not served("Binary")


@pytest.mark.parametrize(
    ("resource", "authors"),
    [
        ({"resourceType": "Observation", "performer": [{"reference": "Practitioner/a"}]}, ("Practitioner/a",)),
        (
            {"resourceType": "MedicationAdministration", "performer": [{"actor": {"reference": "Practitioner/a"}}, {}]},
            ("Practitioner/a",),
        ),
        (
            {"resourceType": "Composition", "author": [{"reference": "http://p/fhir/Practitioner/a"}]},
            ("Practitioner/a",),
        ),
        ({"resourceType": "Composition", "author": ["tull", {"display": "Tone"}]}, ("tull",)),
        ({"resourceType": "Encounter"}, ()),
    ],
)
def test_authors(resource, authors):
    assert authors_of(resource, "http://p/fhir") == authors
