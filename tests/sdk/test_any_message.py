"""Whatever a host sends: a panel made with the SDK answers, goes on, and shows its view."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, seed
from hypothesis import strategies as st

from tests.panels.wild import EVENT, SEED, anything, fields, profile
from tests.sdk.everything.panel import everything
from workspace.panels.protocol import ERRORS, HOST_TO_PANEL, PANEL_TO_HOST, Result
from workspace.sdk.testing import Bench


@st.composite
def sent(draw: Any) -> Any:
    """A message of the host's, or one it should never send, almost right."""
    if draw(st.integers(0, 3)) == 0:
        body: dict[str, Any] = {"jsonrpc": "2.0", "id": draw(st.integers(0, 6))}
        result = (
            st.just({"watch": 1}) | st.just({"received": 3}) | st.just({"handled": True}) | fields(Result) | anything
        )
        if draw(st.booleans()):
            return {**body, "result": draw(result)}
        return {**body, "error": draw(st.fixed_dictionaries({"code": st.sampled_from([*ERRORS])}) | anything)}
    kind = draw(st.sampled_from([*HOST_TO_PANEL, *HOST_TO_PANEL, *PANEL_TO_HOST]))
    if kind.method == "shutdown":
        return {"jsonrpc": "2.0", "method": "ping", "id": 1, "params": {}}
    params = {**draw(fields(kind)), **({"instance": "i1", "context": "t1"} if draw(st.integers(0, 5)) else {})}
    if kind.method == "open":
        params["context"] = draw(
            st.just({"token": "t1", "kind": "patient", "now": "2026-01-14T15:04:00+01:00"}) | anything
        )
        params["view"] = "main"
    if kind.method == "event" and draw(st.booleans()):
        params["action"] = {"name": "save", "args": draw(st.just({}) | anything)}
    if "id" in params and draw(st.booleans()):
        params["id"] = EVENT
    made: dict[str, Any] = {"jsonrpc": "2.0", "method": kind.method, "params": params}
    if draw(st.booleans()):
        made["id"] = draw(st.just(EVENT) | st.integers(0, 9) | anything)
    return made


def test_nothing_that_a_host_sends_ends_a_panel(capsys: Any) -> None:
    print(f"FUZZ_SEED={SEED}")

    @seed(SEED)
    @profile(150)
    @given(st.lists(sent() | anything, min_size=1, max_size=8))
    def bursts(burst: list[Any]) -> None:
        bench = Bench(everything())
        bench._replies = list  # the burst answers
        bench.open("main")
        bench.send(*(one if isinstance(one, str) else json.dumps(one) for one in burst))
        bench.send("{", "[]", "7")
        assert bench.request("ping") is None
        bench.instance, bench.token = "i9", "t9"
        assert bench.open("main")["type"] == "column"

    bursts()
    capsys.readouterr()
