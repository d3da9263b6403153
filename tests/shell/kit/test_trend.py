from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from workspace.panels.components import Band, Series, Trend
from workspace.panels.face import BoundRows
from workspace.shell import theme as themes
from workspace.shell.kit import curves
from workspace.shell.kit.curves import ticks
from workspace.shell.kit.trend import TrendWidget

PULSE = Series(
    key="p", title="Puls", unit="/min",
    points=[("2026-01-14T14:52:00+01:00", 112), ("2026-01-12T08:00:00+01:00", 84), ("2026-01-13T08:00:00+01:00", 96)],
)  # fmt: skip
TEMP = Series(key="t", title="Temp", unit="°C", points=[("2026-01-14T14:52:00+01:00", 38.6)])
WAITS = {"system": "urn:workspace:state", "code": "venter"}


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


def test_a_point_that_waits_is_drawn_and_said_otherwise(qtbot, notes, show):
    def pulse(at: str, value: float, **more) -> dict:
        code = {"code": {"coding": [{"code": "8867-4"}]}}
        return {**code, "effectiveDateTime": at, "valueQuantity": {"value": value}, **more}

    meta = {"tag": [WAITS]}
    first = pulse("2026-01-14T10:00:00+01:00", 88)
    notes.rows = BoundRows((pulse("2026-01-14T11:00:00+01:00", 91, meta=meta), first))
    trend = show(Trend(series=[Series(key="p", title="Puls", code="8867-4")], watch=3))
    assert trend.words() == "Puls 91 14.01. 11:00, venter"
    qtbot.keyClick(trend.plot, Qt.Key.Key_End)
    assert trend.plot.accessibleDescription() == "14.01. 11:00  Puls 91, venter"
    qtbot.keyClick(trend.plot, Qt.Key.Key_Home)
    assert trend.plot.accessibleDescription() == "14.01. 10:00  Puls 88"
    qtbot.keyClick(trend.plot, Qt.Key.Key_Escape)
    waiting = trend.plot.grab().toImage()
    trend.turn()
    column = trend.table.model.component.columns[1]
    assert [trend.table.model.words(row, column) for row in trend.table.model._rows] == ["91 venter", "88"]
    trend.turn()
    notes.rows = BoundRows((pulse("2026-01-14T11:00:00+01:00", 91), first))
    trend.bound_changed()
    assert trend.words() == "Puls 91 14.01. 11:00"
    assert trend.plot.grab().toImage() != waiting


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


def at(day: int, hour: int = 8) -> str:
    return f"2026-01-{day:02d}T{hour:02d}:00:00+01:00"


def test_each_unit_has_its_own_axis_and_its_own_bands(show):
    temp = Series(key="t", title="Temp", unit="°C", points=[(at(12), 36.8), (at(14), 38.6)])
    pressure = Series(key="b", title="Puls 2", unit="/min", points=[(at(13), 60)])
    trend = show(
        Trend(series=[PULSE, temp, pressure], bands=[Band(low=36, high=38, series="t"), Band(low=50, high=90)])
    )
    lanes = curves.lanes(trend._component, trend.curves())
    assert [(lane.unit, [curve.series.key for curve in lane.curves]) for lane in lanes] == [
        ("/min", ["p", "b"]),
        ("°C", ["t"]),
    ]
    assert [[(band.low, band.high) for band in lane.bands] for lane in lanes] == [[(50, 90)], [(36, 38)]]
    assert lanes[1].low > 30, "a temperature is not drawn on the axis of a pulse"
    areas = [trend.plot.lane_area(index) for index in range(2)]
    assert areas[0].bottom() < areas[1].top()
    assert trend.sizeHint().height() >= show(Trend(series=[PULSE])).sizeHint().height()


@pytest.mark.parametrize(
    ("points", "gap", "runs"),
    [
        ([(at(10), 1.0), (at(11), None), (at(12), 2.0)], 0, [1, 1]),
        ([(at(10), 1.0), (at(11), 2.0), (at(12), 3.0)], 0, [3]),
        ([(at(1), 1.0), (at(2), 2.0), (at(3), 3.0), (at(20), 4.0)], 0, [3, 1]),
        ([(at(10, 8), 1.0), (at(10, 12), 2.0), (at(10, 20), 3.0)], 6, [2, 1]),
        ([(at(1), 1.0), (at(8), 2.0), (at(15), 3.0)], 0, [3]),
    ],
)
def test_missing_values_and_long_pauses_break_the_line(show, points, gap, runs):
    trend = show(Trend(series=[Series(key="x", title="X", points=points)], gap_hours=gap))
    assert [len(run) for run in trend.curves()[0].runs] == runs


def test_t_turns_curves_into_a_table_and_back(qtbot, show):
    trend = show(Trend(series=[PULSE, TEMP], label="Kurver"))
    trend.activateWindow()
    trend.setFocus()
    qtbot.waitUntil(lambda: QApplication.focusWidget() is trend.plot)
    qtbot.keyClick(trend.plot, Qt.Key.Key_T)
    table = trend.table
    assert table is not None
    assert QApplication.focusWidget() is table.view
    read = [[table.model.index(row, column).data() for column in range(3)] for row in range(table.model.rowCount())]
    assert read == [["14.01.2026 14:52", "112", "38,6"], ["13.01.2026 08:00", "96", ""], ["12.01.2026 08:00", "84", ""]]
    assert [column.title for column in table.model.component.columns] == ["Tid", "Puls (/min)", "Temp (°C)"]
    trend.set_component(Trend(series=[PULSE], label="Kurver"))
    assert table.model.columnCount() == 2, "the table follows"
    qtbot.keyClick(table.view, Qt.Key.Key_T)
    assert trend.table is None
    assert QApplication.focusWidget() is trend.plot


def test_the_corner_button_does_the_same(qtbot, show):
    trend = show(Trend(series=[PULSE]))
    qtbot.mouseClick(trend._turner, Qt.MouseButton.LeftButton)
    assert trend.table is not None
    assert trend._turner.accessibleName() == "Vis som kurver (T)"


def test_home_end_and_escape_move_the_cursor(qtbot, show):
    trend = show(Trend(series=[PULSE, TEMP]))
    qtbot.keyClick(trend.plot, Qt.Key.Key_Home)
    assert trend.plot.accessibleDescription() == "12.01. 08:00  Puls 84"
    qtbot.keyClick(trend.plot, Qt.Key.Key_End)
    assert "Temp 38,6" in trend.plot.accessibleDescription()
    qtbot.keyClick(trend.plot, Qt.Key.Key_Escape)
    assert trend.plot.accessibleDescription() == trend.words()


def test_hovering_reads_the_nearest_point(qtbot, show):
    trend = show(Trend(series=[PULSE]))
    QApplication.processEvents()
    area = trend.plot.lane_area(0)
    qtbot.mouseMove(trend.plot, area.topRight().toPoint())
    qtbot.waitUntil(lambda: trend.plot.accessibleDescription() == "14.01. 14:52  Puls 112")


@pytest.mark.parametrize("most", [2, 4, 6])
@pytest.mark.parametrize("hours", [3, 30, 50, 24 * 14, 24 * 500])
def test_the_time_axis_has_few_marks_each_where_it_says(most: int, hours: int):
    first = datetime(2026, 1, 9, 6, tzinfo=UTC)
    found = curves.marks(first, first + timedelta(hours=hours), most)
    assert 1 <= len(found) <= most + 1
    assert len({text for _, text in found}) == len(found)
    assert all(first <= moment <= first + timedelta(hours=hours) for moment, _ in found)


def test_measurements_in_a_unit_that_cannot_be_turned_are_counted_beside_the_curve_and_listed(notes, show):
    def row(value, unit, day):
        quantity, code = {"value": value, "unit": unit}, {"coding": [{"code": "29463-7"}]}
        return {"code": code, "valueQuantity": quantity, "effectiveDateTime": f"2026-01-{day:02d}T08:00:00+01:00"}

    def listed():
        model = trend.table.model
        return [
            tuple(model.words(model.row(n), column) for column in model.component.columns)
            for n in range(model.rowCount())
        ]

    notes.rows = BoundRows((row(71500, "g", 1), row(70, "kg", 2), row(9, "gutefot", 3), row(8, "gutefot", 1)))
    trend = show(Trend(series=[Series(key="w", title="Vekt", unit="kg", code="29463-7")], watch=1, empty="Ingen"))
    assert trend.words() == "Vekt 70 kg 02.01. 08:00; 2 målinger i annen enhet"
    assert [value for _, value in trend.curves()[0].points] == [71.5, 70.0]
    trend.turn()
    assert listed() == [
        ("03.01.2026 08:00", "9 gutefot annen enhet"),
        ("02.01.2026 08:00", "70"),
        ("01.01.2026 08:00", "8 gutefot annen enhet"),  # at the same moment as a value that can be turned
        ("01.01.2026 08:00", "71,5"),
    ]
    notes.rows = BoundRows((row(9, "gutefot", 3) | {"meta": {"tag": [WAITS]}}, row(8, "gutefot", 4)))
    trend.bound_changed()
    assert trend.words() == "2 målinger i annen enhet"
    assert listed() == [
        ("04.01.2026 08:00", "8 gutefot annen enhet"),
        ("03.01.2026 08:00", "9 gutefot annen enhet, venter"),
    ]


def test_what_has_not_come_is_not_called_empty(notes, show):
    series = [Series(key="p", title="Puls", code="8867-4")]
    notes.rows = BoundRows(ready=False)
    trend = show(Trend(series=series, watch=3, empty="Ingen målinger ennå"))
    assert trend.words() == "Henter …"
    notes.rows = BoundRows(error="Plattformen svarer ikke.")
    trend.bound_changed()
    assert trend.words() == "Ikke oppdatert: Plattformen svarer ikke."
    assert "Kunne ikke hentes." in trend.plot._empty
    notes.rows = BoundRows()
    trend.bound_changed()
    assert trend.words() == "Ingen målinger ennå"


def test_a_limit_breaks_the_line_and_is_counted_and_listed_as_what_is_not_exact(notes, show):
    def row(value, day, **more):
        quantity, code = {"value": value, "unit": "mg/L", **more}, {"coding": [{"code": "1988-5"}]}
        return {"code": code, "valueQuantity": quantity, "effectiveDateTime": f"2026-01-{day:02d}T08:00:00+01:00"}

    odd = row(9, 4, unit="gutefot")
    notes.rows = BoundRows((row(48, 1), row(5, 2, comparator="<"), row(50, 3), odd))
    trend = show(Trend(series=[Series(key="c", title="CRP", unit="mg/L", code="1988-5")], watch=1, gap_hours=1000))
    assert trend.words() == "CRP 50 mg/L 03.01. 08:00; 1 måling i annen enhet · 1 måling uten nøyaktig verdi"
    (curve,) = trend.curves()
    assert [value for _, value in curve.points] == [48, 50]
    assert [len(run) for run in curve.runs] == [1, 1]
    trend.turn()
    model = trend.table.model
    cells = [model.words(model.row(n), model.component.columns[1]) for n in range(model.rowCount())]
    assert cells == ["9 gutefot annen enhet", "50", "< 5 mg/L ikke nøyaktig", "48"]
