"""Runs without a shell: `workspace.sdk.testing` is a host in miniature."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from panel import panel

from workspace.sdk.testing import Bench, Refused

PEOPLE = [
    {"resourceType": "Patient", "id": "BEB-18", "name": [{"given": ["Kari"], "family": "Prøve"}]},
    {"resourceType": "Patient", "id": "BEB-19"},
]


@pytest.fixture
def bench():
    made = Bench(panel)
    made.open("main", record=PEOPLE, kind="unit", patients=["Patient/BEB-18", "Patient/BEB-19"])
    return made


def test_each_resident_has_a_line_also_without_name_and_reading(bench):
    assert [row["cells"]["name"] for row in bench.rows()] == ["Kari Prøve", "Ukjent navn"]
    assert bench.rows()[0]["cells"]["pulse"] == "Ikke målt"


def test_a_pulse_is_saved_for_the_resident_that_was_chosen(bench):
    bench.type(resident="Patient/BEB-19", pulse=72)
    (write,) = bench.click("Lagre")["writes"]
    assert write["resource"]["subject"] == {"reference": "Patient/BEB-19"}


def test_nothing_is_saved_without_a_resident(bench):
    bench.type(pulse=72)
    with pytest.raises(Refused, match="Velg beboer"):
        bench.click("Lagre")
