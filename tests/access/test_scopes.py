"""SMART v2 scopes: what they cover and what they do not."""

from __future__ import annotations

import pytest

from workspace.access.scopes import parse_scope, permits, resource_scopes, restrictions_for

VITALS = "patient/Observation.rs?category=vital-signs"


@pytest.mark.parametrize(
    "text", ["openid", "patient/Observation.dus", "patient/Observation.", "patient/observation.r", "user/X.r?a="]
)
def test_what_is_no_scope_is_refused(text):
    with pytest.raises(ValueError, match=r"scope|restriction|query"):
        parse_scope(text)


def test_letters_and_types():
    assert permits(["patient/Observation.crs"], "Observation", "c")
    assert not permits(["patient/Observation.rs"], "Observation", "u")
    assert not permits(["patient/Observation.rs"], "Condition", "r")
    assert permits(["user/*.read"], "Condition", "s")
    assert not permits(["user/*.read"], "Condition", "c")


def test_a_restricted_scope_covers_searches_as_narrow_and_resources_that_fit():
    assert permits([VITALS], "Observation", "s", "category=vital-signs&code=8867-4")
    assert permits([VITALS], "Observation", "s", "category=http://x|vital-signs")
    assert not permits([VITALS], "Observation", "s", "code=8867-4")
    assert not permits([VITALS], "Observation", "s", "category=vital-signs,laboratory")
    assert not permits([VITALS], "Observation", "s")
    vital = {"category": [{"coding": [{"code": "vital-signs"}]}]}
    assert permits([VITALS], "Observation", "r", vital)
    assert not permits([VITALS], "Observation", "r", {"category": [{"coding": [{"code": "laboratory"}]}]})


def test_lists_of_scopes():
    found = resource_scopes(["openid", "launch/patient", VITALS, "patient/Broken.dus", "https://x/y"])
    assert [scope.type for scope in found] == ["Observation"]
    assert restrictions_for([VITALS, "patient/Observation.r"], "Observation", "r") == (
        (("category", ("vital-signs",)),),
        (),
    )
