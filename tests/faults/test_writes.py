"""Nothing typed is lost and nothing is done twice, whatever dies meanwhile (the long run: ``tests/faults/long.py``)."""

from __future__ import annotations

import asyncio
import os
import random

from tests.faults.shift import Shift


def test_randomised_writes_and_kills_balance(tmp_path, capsys):
    seed = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1 << 30))
    balance = asyncio.run(Shift(tmp_path, seed, 48, 6).run())
    with capsys.disabled():
        print(f"\n{balance.text()}")
    assert balance.good, f"FAULTS_SEED={seed} reproduces it: {balance}"
    assert sum(balance.kills.values()) == 6
    assert balance.acknowledged >= 24  # what was on its way to a writer that died was never acknowledged
    assert sum(balance.faults.values()) > 5
