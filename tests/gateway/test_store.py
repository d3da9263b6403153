"""The gateway's own file."""

from __future__ import annotations

import asyncio

import pytest

from workspace.gateway.store import GatewayStore
from workspace.problem import Problem


def test_a_damaged_file_is_told_in_words(tmp_path):
    path = tmp_path / "gateway.sqlite"
    path.write_bytes(b"not a database, but long enough to be looked at as one" * 50)
    with pytest.raises(Problem) as problem:
        asyncio.run(GatewayStore(path).start())
    assert problem.value.code == "gateway-store-failed"


def test_work_that_fails_leaves_nothing_behind(tmp_path):
    async def run():
        store = GatewayStore(tmp_path / "sub" / "gateway.sqlite")
        await store.start()

        def half(connection):
            connection.execute("INSERT INTO number VALUES ('x', 1)")
            raise ValueError

        with pytest.raises(ValueError):  # noqa: PT011 - the one just raised
            await store.run(half)
        found = await store.run(lambda c: c.execute("SELECT * FROM number").fetchall())
        await store.close()
        await store.close()
        return found

    assert asyncio.run(run()) == []
