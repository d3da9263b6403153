from __future__ import annotations

import itertools

import pytest
from PySide6.QtCore import Qt

from workspace.panels.components import Series, Trend
from workspace.panels.face import BoundRows
from workspace.shell import theme as themes
from workspace.shell.kit.curves import ticks
from workspace.shell.kit.trend import TrendWidget

PULSE = Series(
    key="p", title="Puls", unit="/min",
    points=[("2026-01-14T14:52:00+01:00", 112), ("2026-01-12T08:00:00+01:00", 84), ("2026-01-13T08:00:00+01:00", 96)],
)  # fmt: skip
TEMP = Series(key="t", title="Temp", unit="°C", points=[("2026-01-14T14:52:00+01:00", 38.6)])


@pytest.fixture
def show(qtbot, notes):
    def make(component: Trend) -> TrendWidget:
        made = TrendWidget(component, notes.env)
        qtbot.addWidget(made)
        made.resize(400, 160)
        made.show()
        return made

    return make


def test_the_newest_values_are_told_in_words(show):
    trend = show(Trend(series=[PULSE, TEMP], label="Kurver"))
    assert trend.words() == "Puls 112 /min 14.01. 14:52; Temp 38,6 °C 14.01. 14:52"
    assert (trend.plot.accessibleName(), trend.plot.accessibleDescription()) == ("Kurver", trend.words())


def test_arrows_read_out_point_by_point_and_stop_at_the_ends(qtbot, show):
    trend = show(Trend(series=[PULSE, TEMP]))
    said = []
    for key in (Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Left, Qt.Key.Key_Right):
        qtbot.keyClick(trend.plot, key)
        said.append(trend.plot.accessibleDescription())
    assert said == [
        "14.01. 14:52  Puls 112 · Temp 38,6",
        "13.01. 08:00  Puls 96",
        "12.01. 08:00  Puls 84",
        "12.01. 08:00  Puls 84",
        "13.01. 08:00  Puls 96",
    ]


def test_no_measurements_is_said(show):
    trend = show(Trend(series=[Series(key="p", title="Puls")], empty="Ingen målinger ennå"))
    assert trend.words() == "Ingen målinger ennå"
    assert not trend.grab().isNull()


def test_hours_leave_out_what_is_older(show):
    trend = show(Trend(series=[PULSE], hours=36))
    assert [value for _, value in trend.curves()[0].points] == [96, 112]


def test_a_bound_trend_follows_its_watch(notes, show):
    def pulse(at: str, value: float) -> dict:
        return {"code": {"coding": [{"code": "8867-4"}]}, "effectiveDateTime": at, "valueQuantity": {"value": value}}

    notes.rows = BoundRows((pulse("2026-01-14T10:00:00+01:00", 88),))
    trend = show(Trend(series=[Series(key="p", title="Puls", code="8867-4")], watch=3))
    assert trend.words() == "Puls 88 14.01. 10:00"
    notes.rows = BoundRows((pulse("2026-01-14T10:00:00+01:00", 88), pulse("2026-01-14T11:00:00+01:00", 91.5)))
    trend.bound_changed()
    assert trend.words() == "Puls 91,5 14.01. 11:00"


@pytest.mark.parametrize(("low", "high"), [(0, 120), (35.2, 39.9), (0.1, 0.9), (80, 81), (-4, 4), (900, 13000)])
@pytest.mark.parametrize("count", [3, 5])
def test_ticks_are_few_round_and_inside(low: float, high: float, count: int):
    found = ticks(low, high, count)
    assert 1 <= len(found) <= count + 1
    assert all(low <= tick <= high and tick == round(tick, 6) for tick in found)
    steps = {round(b - a, 6) for a, b in itertools.pairwise(found)}
    assert len(steps) <= 1


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_labels_of_curves_that_end_together_do_not_meet(monkeypatch, show, scale: float):
    series = [
        Series(key=str(n), title=f"Kurve {n}", points=[("2026-01-13", 50), ("2026-01-14", 100 + n * 0.1)])
        for n in range(3)
    ]
    trend = show(Trend(series=series))
    trend.set_theme(themes.load("light", scale))
    trend.resize(400, trend.sizeHint().height())
    tops = trend.plot.label_tops([100.0, 100.1, 100.2])
    height = themes.load("light", scale).px(16)
    assert all(b - a >= height for a, b in zip(sorted(tops), sorted(tops)[1:], strict=False))
    assert max(tops) + height <= trend.plot.height()
    assert min(tops) >= 0


def test_curves_that_ask_for_one_tone_are_told_apart(qtbot, notes):
    points = [("2026-01-14T08:00:00+01:00", 1.0), ("2026-01-14T09:00:00+01:00", 2.0)]
    series = [Series(key=key, title=key, points=points) for key in "abc"]
    made = TrendWidget(Trend(series=series), notes.env)
    qtbot.addWidget(made)
    assert len({curve.tone for curve in made.curves()}) == 3
