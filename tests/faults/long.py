"""The long run of `test_writes`: ``python tests/faults/long.py --writes 2000 --kills 200 [--seed N]``.

Prints the seed first, so that a run that fails or hangs can be repeated; exits non-zero when the books do not balance.
With ``--keep FOLDER`` the stores, the vault, the logs and the ledger of a run that fails stay there, to be looked into.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import shutil
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.shift import Shift


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writes", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        shift = Shift(Path(folder), options.seed, options.writes, options.kills)
        balance = asyncio.run(shift.run())
        if options.keep and not balance.good:
            ledger = {own: asdict(one) for own, one in shift.ledger.items()}
            (Path(folder) / "ledger.json").write_text(json.dumps({"ledger": ledger, "heard": shift.heard}, indent=1))
            shutil.copytree(folder, options.keep)
    print(balance.text())
    for name in ("lost", "doubled", "false_saved", "refused", "undone", "both", "neither", "ghosts"):
        for one in getattr(balance, name)[:20]:
            print(f"  {name}: {one}")
    return 0 if balance.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
