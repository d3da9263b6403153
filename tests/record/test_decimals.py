"""A decimal keeps its digits through the outbox, the offline copy and a restart without the platform."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest

from tests.gateway.conftest import pulse
from tests.record.test_offline import NOWHERE, PULSES, about, keep, working
from workspace.broker.door import Write
from workspace.fhir import json
from workspace.record import offline as offline_module
from workspace.record import record as record_module
from workspace.record.conflict import compare

TYPED, STORED = "38.60", "1.10e-2"


def written(text, **more):
    extension = [{"url": "urn:nobody:knows", "valueDecimal": json.Literal(text)}]
    return pulse("BEB-18", value=json.Literal(text), extension=extension, **more)


def counted(body, text):
    raw = json.dumps(body).decode()
    return raw.count(f'"value":{text},'), raw.count(f'"valueDecimal":{text}}}')


def test_what_was_read_is_kept_offline_and_what_was_typed_is_delivered_later(server, tmp_path, monkeypatch):
    monkeypatch.setattr(offline_module, "BETWEEN", 0.0)
    monkeypatch.setattr(offline_module, "BEFORE", 0.0)
    monkeypatch.setattr(record_module, "FIRST_HELLO", 0.2)

    async def run():
        file = tmp_path / "v.sqlite"
        server.store_put(written(STORED, id="der-fra-foer"))
        async with working(server, file) as broker:
            assert counted((await broker.search(about(), PULSES)).resources, STORED) == (1, 1)
            await keep(broker)
        async with working(server, file, origin=NOWHERE) as broker:
            found = await broker.search(about(), PULSES)
            assert counted(found.resources, STORED) == (1, 1)
            receipt = await broker.commit(about(), [Write("create", written(TYPED), f"urn:uuid:{uuid4()}")])
            assert receipt.state == "venter"
        async with working(server, file) as broker:
            async with asyncio.timeout(20):
                while counted((await broker.search(about(), PULSES)).resources, TYPED) != (1, 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            heard = []
            broker.watch(about(), PULSES, heard.append)
            async with asyncio.timeout(20):
                while not heard:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
                server.store_put(written("-0.50", id="fra-stroemmen"))
                while counted([row for one in heard for _, row in one.put], "-0.50") != (1, 1):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        raw = server.sign_in("tone").get(PULSES + "&patient=BEB-18").text
        assert raw.count(f'"value":{TYPED},') == raw.count(f'"value":{STORED},') == 1

    asyncio.run(run())


@pytest.mark.parametrize(("base", "mine", "theirs", "kept"), [
    ("38.6", "38.60", "38.6", "38.60"),
    ("38.6", "38.6", "38.60", "38.60"),
    ("38.6", "38.600", "38.60", "38.600"),
])  # fmt: skip
def test_the_same_value_is_no_conflict_and_the_newer_digits_stand(base, mine, theirs, kept):
    def version(text, **more):
        return json.loads(json.dumps(pulse("BEB-18", value=json.Literal(text), **more)))

    compared = compare(version(base), version(mine), version(theirs, note=[{"text": "ny"}]))
    assert [each.path for each in compared.fields] == ["note"]
    assert compared.joinable
    assert f'"value":{kept},'.encode() in json.dumps(compared.merged)
