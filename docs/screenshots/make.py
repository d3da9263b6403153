"""Make the screenshots anew from the real program: `.venv/bin/python docs/screenshots/make.py`.

The work surface and the sign-in page from the demo, in light and dark; the component gallery in every theme.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
OFFSCREEN = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
GALLERY = "from pathlib import Path; from workspace.shell.gallery import run; "


def main() -> int:
    with tempfile.TemporaryDirectory() as folder:
        base = ["-m", "workspace", "demo", "--headless", "--sandbox", f"{folder}/sandbox"]
        base += ["--history", "30", "--profile", f"{folder}/profile"]
        for theme in ("light", "dark"):
            for activity in ("avdeling", "beboer"):
                more = ["--as", "tone", "--theme", theme, "--activity", activity, "--patient", "BEB-18"]
                make(*base, *more, "--screenshot", str(HERE / f"{activity}-{theme}.png"))
            make(*base, "--theme", theme, "--screenshot", str(HERE / f"innlogging-{theme}.png"))
    for theme in ("light", "dark", "high-contrast"):
        make("-c", f"{GALLERY}raise SystemExit(run(theme={theme!r}, scale=100, screenshots=Path({str(HERE)!r})))")
    return 0


def make(*arguments: str) -> None:
    """Run the program once; what it says is shown when it fails."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=OFFSCREEN, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")


if __name__ == "__main__":
    sys.exit(main())
