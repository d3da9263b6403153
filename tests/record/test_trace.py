"""What a resource alone tells of itself."""

from __future__ import annotations

import pytest

from workspace.record.trace import trace_of

WRONG = {"coding": [{"code": "entered-in-error"}]}


@pytest.mark.parametrize(
    ("kind", "said", "state"),
    [
        ("Goal", {"lifecycleStatus": "entered-in-error"}, "feilført"),
        ("Condition", {"verificationStatus": WRONG}, "feilført"),
        ("Observation", {"status": "entered-in-error"}, "feilført"),
        ("Observation", {"status": "corrected"}, "rettet"),
        ("Goal", {"lifecycleStatus": "active"}, "lagret"),
    ],
)
def test_what_was_taken_back_says_so_wherever_its_type_says_it(kind, said, state):
    assert trace_of({"resourceType": kind, "id": "x", "meta": {"versionId": "1"}, **said}).state == state
