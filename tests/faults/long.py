"""The long run of `test_writes`: ``python tests/faults/long.py --writes 2000 --kills 200 [--seed N]``.

Prints the seed first, so that a run that fails or hangs can be repeated; exits non-zero when the books do not balance.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.faults.shift import Shift


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--writes", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        balance = asyncio.run(Shift(Path(folder), options.seed, options.writes, options.kills).run())
    print(balance.text())
    for name in ("lost", "doubled", "false_saved", "refused", "undone"):
        for one in getattr(balance, name)[:20]:
            print(f"  {name}: {one}")
    return 0 if balance.good else 1


if __name__ == "__main__":
    raise SystemExit(main())
