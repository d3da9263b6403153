from __future__ import annotations

from datetime import date

import pytest

from workspace.sandbox.home.days import generate
from workspace.sandbox.home.definitions import load
from workspace.sandbox.home.standing import leavers, standing


@pytest.fixture(scope="session")
def home():
    return load()


@pytest.fixture(scope="session")
def standing_data(home):
    return list(standing(home))


@pytest.fixture(scope="session")
def former_data(home):
    return list(leavers(home))


@pytest.fixture(scope="session")
def weeks(home):
    """Six weeks up to now: long enough to hold illness, falls and panels of tests."""
    return list(generate(home, date(2025, 12, 4), date(2026, 1, 14)))


def reference(resource):
    return f"{resource['resourceType']}/{resource['id']}"


def of(resources, kind, patient="", code=""):
    """Those of one type, about one patient, with one code, in the order they came."""
    return [
        one
        for one in resources
        if one["resourceType"] == kind
        and (not patient or (one.get("subject") or one.get("for") or one.get("patient")) == {"reference": patient})
        and (not code or any(held.get("code") == code for held in one["code"].get("coding", [])))
    ]


@pytest.fixture(scope="session", name="of")
def of_():
    return of


@pytest.fixture(scope="session", name="reference")
def reference_():
    return reference
