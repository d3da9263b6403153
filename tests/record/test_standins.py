"""What was mended makes what the refused one was to make: those who rest on it go on with the right one, or say so."""

from __future__ import annotations

import asyncio

import pytest

from tests.gateway.conftest import bundle, pulse
from tests.record.test_chain import BAD, naming
from tests.record.test_outbox import ASKER, outbox_at, token_of, until
from workspace.record.standins import stand_ins

pytestmark = pytest.mark.usefixtures("impatient")
BREATH, PULSE = "9279-1", "8867-4"


def measured(code, value=16, at="2026-01-14T14:00:00+01:00"):
    coding = {"system": "http://loinc.org", "code": code}
    return {**pulse("BEB-18", value=value), "code": {"coding": [coding]}, "effectiveDateTime": at}


def names(sent):
    return [entry["fullUrl"] for entry in sent["entry"]]


def paired(old, new):
    """For each of `old` the place in `new` of what replaces it; None of what nothing does."""
    old, new = bundle(*old), bundle(*new)
    found = stand_ins(old, new)
    return [names(new).index(found[name]) if name in found else None for name in names(old)]


def test_what_is_about_the_same_stands_in():
    assert paired([measured(BREATH), measured(PULSE)], [measured(PULSE, 55), measured(BREATH, 18)]) == [1, 0]
    assert paired([measured(BREATH), measured(PULSE)], [measured(PULSE, 55)]) == [None, 0]
    assert paired([measured(BREATH)], [measured(PULSE)]) == [None]


def test_of_several_about_the_same_each_has_its_own_or_none():
    early, late = "2026-01-14T08:00:00+01:00", "2026-01-14T12:00:00+01:00"
    both = [measured(PULSE, at=early), measured(PULSE, at=late)]
    assert paired(both, [measured(PULSE, 55, late)]) == [None, 0]
    assert paired(both, [measured(PULSE, 55, "2026-01-14T13:00:00+01:00")]) == [None, None]
    assert paired(both, [measured(PULSE, 55), measured(PULSE, 56)]) == [0, 1]


def test_what_did_not_say_what_it_was_about_may_say_so_when_mended():
    note = {"resourceType": "Composition", "title": "Natt"}
    typed = {**note, "type": {"coding": [{"system": "http://loinc.org", "code": "34746-8"}]}}
    assert paired([note], [typed]) == [0]


def test_what_rests_on_a_create_that_is_mended_twice_follows(server, tmp_path):
    async def run():
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            first = bundle(BAD)
            refused = await outbox.commit(first, "Patient/BEB-18", ASKER, 5.0)
            held = await outbox.commit(naming(first["entry"][0]["fullUrl"]), "Patient/BEB-18", ASKER, 5.0)
            again = await outbox.commit(bundle(BAD), "Patient/BEB-18", ASKER, 5.0, replaces=refused.id)
            assert (again.state, outbox.item(held.id).held) == ("avvist", True)
            mended = bundle(pulse("BEB-18", value=55))
            done = await outbox.commit(mended, "Patient/BEB-18", ASKER, 5.0, replaces=again.id)
            assert done.state == "lagret"
            await until(lambda: outbox.unsent() == 0)
            assert outbox.items() == ()

    asyncio.run(run())


def test_what_rests_on_one_that_the_mending_left_out_is_refused_in_sight_also_after_a_kill(server, tmp_path):
    """The breath was not measured after all; the pulse is another thing."""

    async def run():
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            first = bundle({**BAD, "code": measured(BREATH)["code"]}, measured(PULSE, 55))
            refused = await outbox.commit(first, "Patient/BEB-18", ASKER, 5.0)
            held = await outbox.commit(naming(names(first)[0]), "Patient/BEB-18", ASKER, 5.0)
            assert held.problem.code == "held"
            mended = bundle(measured(PULSE, 55))
            done = await outbox.commit(mended, "Patient/BEB-18", ASKER, 5.0, replaces=refused.id)
            assert done.state == "lagret"
            assert [(one.id, one.state, one.problem.code) for one in outbox.items()] == [
                (held.id, "avvist", "base-gone")
            ]
        async with outbox_at(tmp_path / "v.sqlite", server.url, token_of(server)) as outbox:
            assert [(one.state, one.problem.code) for one in outbox.items()] == [("avvist", "base-gone")]

    asyncio.run(run())
