"""Make the screenshots anew from the real program: `.venv/bin/python docs/screenshots/make.py`."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        base = [sys.executable, "-m", "workspace", "demo", "--headless", "--sandbox", f"{folder}/sandbox"]
        base += ["--history", "30", "--profile", f"{folder}/profile"]
        for theme in ("light", "dark"):
            for activity in ("avdeling", "beboer"):
                more = ["--as", "tone", "--theme", theme, "--activity", activity, "--patient", "BEB-18"]
                picture = HERE / f"{activity}-{theme}.png"
                subprocess.run([*base, *more, "--screenshot", str(picture)], cwd=ROOT, check=True, capture_output=True)
            picture = HERE / f"innlogging-{theme}.png"
            subprocess.run(
                [*base, "--theme", theme, "--screenshot", str(picture)], cwd=ROOT, check=True, capture_output=True
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
