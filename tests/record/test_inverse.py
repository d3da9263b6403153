"""The way back from a commit, as data."""

from __future__ import annotations

from copy import deepcopy

import pytest

from workspace.record import inverse

READING = {"resourceType": "Observation", "id": "7", "status": "final", "meta": {"versionId": "1"}, "valueInteger": 3}
ORIGIN = {"resourceType": "Provenance", "id": "9", "meta": {"versionId": "1"}}
NOTE = {"resourceType": "Composition", "id": "8", "status": "final", "meta": {"versionId": "2"}}


def test_created_becomes_entered_in_error_and_its_origin_stays():
    before = deepcopy(READING)
    first, second = inverse.inverse([READING, ORIGIN, NOTE])
    assert first["resource"] == {**READING, "status": "entered-in-error"}
    assert first["request"] == {"method": "PUT", "url": "Observation/7", "ifMatch": 'W/"1"'}
    assert second["request"]["ifMatch"] == 'W/"2"'
    assert before == READING


def test_updated_becomes_the_version_before_if_nobody_has_changed_it_since():
    now = {**READING, "valueInteger": 4, "meta": {"versionId": "2"}}
    entry = inverse.restored(READING, now)
    assert entry["resource"] == READING
    assert entry["request"] == {"method": "PUT", "url": "Observation/7", "ifMatch": 'W/"2"'}


def test_what_has_no_such_status_cannot_be_taken_back():
    assert inverse.undoable([READING, ORIGIN, NOTE])
    assert not inverse.undoable([READING, {"resourceType": "Patient", "id": "x"}])
    with pytest.raises(ValueError, match="Patient"):
        inverse.inverse([{"resourceType": "Patient", "id": "x"}])
