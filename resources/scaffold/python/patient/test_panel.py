"""Runs without a shell: `workspace.sdk.testing` is a host in miniature."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from panel import panel

from workspace.sdk.testing import Bench, Refused

READING = {
    "resourceType": "Observation",
    "id": "p1",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/BEB-18"},
    "effectiveDateTime": "2026-01-14T14:30:00+01:00",
    "performer": [{"display": "Tone Nilsen"}],
    "valueQuantity": {"value": 112, "unit": "/min"},
}


@pytest.fixture
def bench():
    made = Bench(panel)
    made.open("main", record=[READING])
    return made


def test_the_latest_reading_is_shown_and_marked_when_high(bench):
    assert bench.rows()[0]["cells"]["pulse"]["text"] == "▲ 112"


def test_a_pulse_is_saved_for_the_patient_on_screen_and_the_form_is_cleared(bench):
    bench.type(pulse=72, comment="etter trapp")
    effects = bench.click("Lagre")
    (write,) = effects["writes"]
    assert write["resource"]["subject"] == {"reference": "Patient/BEB-18"}
    assert write["resource"]["valueQuantity"]["value"] == 72
    assert bench.rows()[0]["cells"]["comment"] == "etter trapp"
    assert bench.values["pulse"] is None


def test_nothing_is_saved_without_a_number(bench):
    with pytest.raises(Refused, match="Skriv inn pulsen"):
        bench.click("Lagre")


def test_without_readings_it_says_what_to_do():
    made = Bench(panel)
    made.open("main", record=[])
    assert "Ingen målinger ennå" in made.texts()
