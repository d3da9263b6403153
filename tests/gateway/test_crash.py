"""A gateway killed midway: nothing is written that the log does not have, and nothing is logged twice."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import pytest

from tests.gateway.conftest import Server, bundle, pulse
from workspace.access.audit import chain_of, verify_chain

ROOT = Path(__file__).resolve().parents[2]


def killed(folder, key, where):
    command = [sys.executable, "-m", "tests.gateway.killed", str(folder), key, where]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def creations(server):
    events = server.log()
    chains = defaultdict(list)
    for event in events:
        chains[chain_of(event)["chain"]].append(event)
    assert all(verify_chain(each) == [] for each in chains.values())
    return [e for e in events if e["action"] == "C"]


@pytest.mark.parametrize(("where", "written"), [("before", 0), ("after", 1), ("log", 1)])
def test_what_was_written_is_in_the_log_once_after_the_next_start(tmp_path, where, written, caplog):
    key, sent = str(uuid4()), bundle(pulse("BEB-18", value=77))
    (tmp_path / "sent.json").write_text(json.dumps(sent))
    killed(tmp_path, key, where)
    server = Server(tmp_path).start()
    try:
        tone = server.sign_in("tone")
        found = tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}")
        assert len(found) == written
        events = creations(server)
        assert len(events) == written
        for event in events:
            assert event["agent"][0]["name"] == "Tone"
            named = {e["what"]["reference"] for e in event["entity"] if "what" in e}
            assert named == {"Patient/BEB-18", *(f"Observation/{own}/_history/1" for own in found)}
        told = tone.get(f"/transactions/{key}")
        assert told.status_code == (200 if written else 404)
        if written:
            assert {e["resource"]["id"] for e in told.json()["body"]["entry"]} == found
        again = tone.send(sent, key)
        assert again.status_code == 200, again.text
        if written:
            assert {e["resource"]["id"] for e in again.json()["entry"]} == found
        assert len(tone.ids(f"Observation?_tag=urn:workspace:transaction|{key}")) == 1
        assert len(creations(server)) == 1
    finally:
        server.stop()
        caplog.clear()
