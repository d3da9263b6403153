"""Runs without a shell: `workspace.sdk.testing` is a host in miniature."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from panel import panel

from workspace.sdk.testing import Bench, Refused


@pytest.fixture
def bench():
    made = Bench(panel)
    made.open("main", kind="none")
    return made


def test_the_rate_stands_there_while_one_types(bench):
    bench.type(volume=1000, hours=8)
    assert "125 ml/t" in bench.texts()


def test_a_rate_can_be_kept_and_the_list_cleared(bench):
    bench.type(volume=1000, hours=8)
    bench.click("Ta vare på")
    assert bench.rows()[0]["cells"]["text"] == "1000 ml på 8 t: 125 ml/t"
    bench.click("Tøm listen")
    assert bench.rows() == []


def test_nothing_is_kept_before_both_are_there(bench):
    bench.type(volume=1000)
    with pytest.raises(Refused, match="Skriv volum"):
        bench.click("Ta vare på")
