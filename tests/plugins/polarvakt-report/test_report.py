from __future__ import annotations

import report
from home import ME, news2, note, observation, order, stay

from workspace.sdk.testing import Bench


def opened(notes=(), orders=(), falls=(), scores=(), **more):
    room = {"resourceType": "Location", "id": "rom-210", "name": "210"}
    bench = Bench(report.panel)
    results = {
        report.STAYS: {"resources": [stay(ME, "210"), room], "included": 1},
        report.NOTES: list(notes) if not isinstance(notes, dict) else notes,
        report.ORDERS: list(orders),
        report.FALLS: list(falls),
        report.SCORES: list(scores),
    }
    bench.open("report", results, kind="unit", patients=[ME], **more)
    return bench


def told(bench):
    return [(one["cells"]["what"]["text"], one["cells"]["who"]["text"]) for one in bench.rows()]


def ended(name, drug, end):
    made = order(name, drug, status="stopped")
    made["dosageInstruction"][0]["timing"] = {"repeat": {"boundsPeriod": {"end": end}}}
    return made


def test_newest_first_from_every_source():
    fall = observation("f", "161898004", None, "2026-01-13T22:10:00+01:00", note=[{"text": "Ingen skade."}])
    bench = opened(
        notes=[note("n", "Spist lite til middag. Resten er lengre.", "2026-01-14T12:00:00+01:00")],
        orders=[
            order("o", "Amoksicillin", authored="2026-01-14T11:30:00+01:00"),
            order("old", "Furosemid", authored="2025-01-01"),
            order("no", "Ibuprofen", authored="2026-01-14T11:00:00+01:00", doNotPerform=True),
            ended("s", "Metoprolol", "2026-01-14T09:00:00+01:00"),
        ],
        falls=[fall],
        scores=[news2("a", 7), news2("b", 6, at="2026-01-14T10:00:00+01:00"), news2("c", 4, patient="Patient/x")],
    )
    assert told(bench) == [
        ("NEWS2 7", "Tone 14:52"),
        ("Spist lite til middag.", "Mia 12:00"),
        ("Amoksicillin startet", "Ingrid 11:30"),
        ("Ibuprofen skal ikke gis", "Ingrid 11:00"),
        ("Metoprolol avsluttet", "Ingrid 09:00"),
        ("Fall: Ingen skade.", "Tone 22:10"),
    ]
    assert {one["cells"]["room"]["text"] for one in bench.rows()} == {"210"}
    assert (bench.rows()[0]["cells"]["what"]["tone"], bench.rows()[0]["cells"]["what"]["shape"]) == ("bad", "up")


def test_the_window_is_a_setting():
    notes = [note("n", "I går morges.", "2026-01-13T08:00:00+01:00")]
    assert told(opened(notes)) == []
    assert len(told(opened(notes, settings={"hours": 48}))) == 1


def test_the_shift_stands_where_the_name_is_missing():
    assert told(opened([note("n", "Sov godt.", "2026-01-14T03:00:00+01:00", author="")])) == [
        ("Sov godt.", "natt 03:00")
    ]


def test_a_line_opens_the_resident():
    action = opened(scores=[news2("a", 7)]).rows()[0]["action"]
    bench = opened(scores=[news2("a", 7)])
    assert bench.act(action["name"], **action["args"])["raise"][0]["args"] == {"patient": ME}


def test_long_notes_are_cut_at_a_word():
    (row,) = told(opened([note("n", "ord " * 60, "2026-01-14T12:00:00+01:00")]))
    assert len(row[0]) <= 90
    assert row[0].endswith("ord…")


def test_a_source_that_fails_is_named_and_the_others_still_shown():
    bench = opened({"error": "Borte."}, scores=[news2("a", 7)])
    assert "notater" in bench.one("notice")["text"]
    assert told(bench) == [("NEWS2 7", "Tone 14:52")]
