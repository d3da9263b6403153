"""Start of the program against an empty window, in one run: `python tests/benchmarks/start.py --json`.

Needs nothing: it starts a sandbox of its own in a temporary folder, seeds it, and stops it again. Prints ratios to the
first paint of an empty QMainWindow, each the median of `--runs`.

The start that is measured is that of a nurse's workstation: signing on through the whole protocol, then every panel of
every activity of her layout, with her unit and a resident open, painted for real on screen, one activity after another. The
profile has been used before, as a workstation's has (the shell then knows which panels' processes to make ready while she
signs on); `first_start_painted_ratio` is the same in a profile that was never used. The program is compiled, as one that was
installed is: a checkout whose files are newer than what Python keeps of them pays 0.3 s at every start where the environment
forbids it to write (`PYTHONDONTWRITEBYTECODE`), and the figures say nothing of the program.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
EMPTY = """
import time, os
from pathlib import Path
t = time.perf_counter()
ticks = float(Path('/proc/self/stat').read_text().rsplit(')', 1)[1].split()[19])
up = float(Path('/proc/uptime').read_text().split()[0])
born = t - (up - ticks / os.sysconf('SC_CLK_TCK'))
from PySide6.QtWidgets import QApplication, QMainWindow
app = QApplication([]); w = QMainWindow(); w.resize(1440, 900); w.show(); app.processEvents()
print((time.perf_counter() - born) * 1000)
"""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=7)
    options = parser.parse_args()
    subprocess.run([sys.executable, "-m", "compileall", "-q", "workspace", "plugins"], cwd=ROOT, check=True)
    with tempfile.TemporaryDirectory() as folder:
        sandbox = start_sandbox(Path(folder))
        try:
            figures = measure(Path(folder), options.runs)
        finally:
            sandbox.send_signal(signal.SIGTERM)
            sandbox.wait(10)
    if options.json:
        print(json.dumps(figures))
    else:
        for name, figure in figures.items():
            print(f"{name:28} {figure['value']:8.2f} {figure['unit']:6} aim {figure['aim']}")
    return 0


def start_sandbox(folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "workspace", "sandbox", "serve", "--sandbox", str(folder / "sandbox")]
    process = subprocess.Popen(
        [*command, "--port", "0", "--history", "14"], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            url = json.loads((folder / "sandbox" / "running.json").read_text())["url"]
            with urllib.request.urlopen(url + "/health", timeout=2) as answer:
                health = json.load(answer)
            if health["state"] == "ready" and health["history"]["complete"]:
                return process
        except (OSError, ValueError, KeyError):
            pass
        time.sleep(0.2)
    process.kill()
    raise SystemExit("the sandbox did not become ready")


def started(folder: Path, profile: str) -> dict[str, float]:
    """One start of the whole program; its report."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "workspace", "demo", "--as", "tone", "--headless", "--report", str(report)]
    command += ["--sandbox", str(folder / "sandbox"), "--profile", str(folder / profile)]
    subprocess.run(command, cwd=ROOT, env=ENVIRONMENT, check=True, capture_output=True)
    told: dict[str, float] = json.loads(report.read_text())
    return told


def measure(folder: Path, runs: int) -> dict[str, dict[str, object]]:
    empty: list[float] = []
    shown: list[float] = []
    painted: list[float] = []
    first: list[float] = []
    blocks: list[float] = []
    started(folder, "profile")  # warms the page cache
    for index in range(runs):
        out = subprocess.run([sys.executable, "-c", EMPTY], env=ENVIRONMENT, capture_output=True, check=True)
        told = started(folder, "profile")
        empty.append(float(out.stdout))
        shown.append(told["window_shown_ms"])
        painted.append(told["all_panels_painted_ms"])
        blocks.append(told["event_loop_longest_block_ms"])
        if index % 2 == 0:
            first.append(started(folder, f"fresh{index}")["all_panels_painted_ms"])
    base = statistics.median(empty)

    def figure(value: float, unit: str, aim: str) -> dict[str, object]:
        return {"value": round(value, 2), "unit": unit, "aim": aim, "runs": runs}

    return {
        "first_paint_ratio": figure(statistics.median(shown) / base, "×", "<= 2.5"),
        "all_panels_painted_ratio": figure(statistics.median(painted) / base, "×", "<= 5"),
        "first_start_painted_ratio": figure(statistics.median(first) / base, "×", "none"),
        "longest_event_loop_block": figure(statistics.median(blocks), "ms", "<= 50"),
        "empty_window": figure(base, "ms", "floor"),
    }


if __name__ == "__main__":
    sys.exit(main())
