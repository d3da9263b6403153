from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workspace.sdk import record

NOW = record.parse("2026-01-14T15:04:00+01:00")


def test_norways_clock_is_the_time_zones_own():
    oslo = ZoneInfo("Europe/Oslo")
    for start in (datetime(2026, 3, 28, 22, tzinfo=UTC), datetime(2026, 10, 24, 22, tzinfo=UTC)):
        for step in range(24):
            moment = start + timedelta(minutes=20 * step)
            assert record.local(moment).isoformat() == moment.astimezone(oslo).isoformat()


@pytest.mark.parametrize(
    ("resource", "value"),
    [
        ({"valueQuantity": {"value": 38.6}}, 38.6),
        ({"valueQuantity": {"value": "38,6"}}, 38.6),
        ({"valueQuantity": {}}, None),
        ({"valueQuantity": {"value": 4.5, "comparator": "<"}}, "< 4,5"),
        ({"valueQuantity": {"comparator": "<"}}, None),
        ({"valueInteger": 7}, 7),
        ({"valueCodeableConcept": {"coding": [{"code": "A"}], "text": "Våken"}}, "A"),
        ({"valueCodeableConcept": {"text": "Våken"}}, "Våken"),
        ({"valueString": "ingen vekst"}, "ingen vekst"),
        ({"valueBoolean": False}, False),
        ({}, None),
        (None, None),
        ("tull", None),
    ],
)
def test_values(resource, value):
    assert record.value(resource) == value


@pytest.mark.parametrize(
    ("raw", "digits", "shown"),
    [(38.6, None, "38,6"), (74.0, None, "74"), (74, 1, "74,0"), (0.5, None, "0,5"), (-0.4, 1, "−0,4"), (None, 1, "")],
)
def test_decimals(raw, digits, shown):
    assert record.decimal(raw, digits) == shown


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-01-14T15:03:40+01:00", "nå"),
        ("2026-01-14T14:52:00+01:00", "for 12 min siden"),
        ("2026-01-14T11:00:00+01:00", "for 4 t siden"),
        ("2026-01-13T21:10:00+01:00", "i går 21:10"),
        ("2026-01-12T08:00:00+01:00", "for 2 d siden"),
        ("2025-12-03T08:00:00+01:00", "03.12.2025"),
        ("2026-01-14T20:00:00+01:00", "i dag 20:00"),
    ],
)
def test_ages(moment, said):
    assert record.ago(record.parse(moment), NOW) == said


def test_ages_of_people():
    assert record.years("1939-05-09", NOW) == 86
    assert record.years("1940-01-14", NOW) == 86
    assert record.years("1940-01-15", NOW) == 85
    assert [record.years(born, NOW) for born in (None, "", "1939", "tull", "2030-01-01")] == [None] * 5


def test_when_takes_what_there_is():
    assert record.when({"effectivePeriod": {"start": "2026-01-14"}}) == record.parse("2026-01-14T00:00:00+01:00")
    assert record.when({"onsetDateTime": "2019"}) == record.parse("2019-01-01T00:00:00+01:00")
    assert record.when({"effectiveDateTime": "i går", "issued": "2026-01-14T12:00:00Z"}).hour == 13
    assert record.when({"effectiveDateTime": "i går"}) is None
    assert record.when(None) is None


def test_names_of_things():
    concept = {"coding": [{"system": "a", "code": "1"}, {"system": "b", "code": "2", "display": "To"}]}
    assert record.text(concept) == "To"
    assert record.text({"code": concept}) == "To"
    assert record.text({"text": " En "}) == "En"
    assert record.text({"text": {"status": "generated", "div": "<div>x</div>"}, "code": concept}) == "To"
    assert record.text(None) == record.text({}) == ""
    assert record.code(concept, "b") == "2"
    assert record.coding(concept, "c") is None
    assert record.has_code({"code": concept}, "2", "9")


def test_a_narrative_is_escaped_and_read_back():
    text = "Slapp & varm <38,6>\nRingt «lege»"
    div = record.narrative(text + "\x00")
    assert div == (
        '<div xmlns="http://www.w3.org/1999/xhtml"><p>Slapp &amp; varm &lt;38,6&gt;</p><p>Ringt «lege»</p></div>'
    )
    assert record.plain(div) == text
    assert record.plain("<p>a&#230;&#xE6;&nbsp;b &ukjent; c</p>") == "aææ b &ukjent; c"
    assert record.plain(None) == record.plain("") == ""


def test_what_waits_is_told_by_its_tag():
    tag = {"system": "urn:workspace:state", "code": "venter"}
    one = {"resourceType": "Observation", "id": "a", "meta": {"tag": [{"system": "x", "code": "venter"}]}}
    assert (record.name(one), record.waits(one)) == ("Observation/a", False)
    assert record.waits({**one, "meta": {"tag": [*one["meta"]["tag"], tag]}})
    assert (record.name({"resourceType": "Observation"}), record.waits(None)) == ("", False)
