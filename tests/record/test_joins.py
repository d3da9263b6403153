"""A merge is told once, and records that replace each other are none."""

from __future__ import annotations

import pytest

from workspace.record.joins import Joins


def patient(own, *, stays=""):
    link = [{"other": {"reference": f"Patient/{stays}"}, "type": "replaced-by"}] if stays else []
    return {"resourceType": "Patient", "id": own, "link": link}


def told(joins, *rows):
    return [pair for pair in joins.read(rows) if joins.tells(*pair)]


def test_a_merge_is_told_once_however_often_it_is_read():
    joins = Joins()
    rows = patient("a", stays="b"), patient("b"), {"resourceType": "Flag", "id": "x"}
    assert told(joins, *rows) == [("Patient/a", "Patient/b")]
    assert told(joins, *rows) == []
    assert told(joins, patient("b", stays="c")) == [("Patient/b", "Patient/c")], "a row of merges is no circle"


@pytest.mark.parametrize("names", ["ab", "abc"])
def test_records_that_replace_each_other_move_nothing(names):
    circle = [patient(gone, stays=stays) for gone, stays in zip(names, names[1:] + names[0], strict=True)]
    joins = Joins()
    assert told(joins, *circle) == [], "read together"
    joins = Joins()
    heard = [found for row in circle for found in told(joins, row)]
    assert len(heard) == len(names) - 1, "one by one: the last of them closes it"
    assert [found for _ in range(3) for row in circle for found in told(joins, row)] == []


def test_a_merge_that_was_undone_may_go_the_other_way():
    joins = Joins()
    assert joins.tells("Patient/a", "Patient/b")
    assert not joins.tells("Patient/b", "Patient/a")
    joins = Joins()
    assert joins.tells("Patient/a", "Patient/b")
    joins.read([patient("a")])
    assert joins.tells("Patient/b", "Patient/a")
