"""After the program has run with patients on screen, none of them can be read in what it leaves on the machine."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def residents():
    """Family names, full names and national numbers of the home's definitions."""
    found = set()
    for file in (ROOT / "resources" / "home").glob("*.csv"):
        with file.open(encoding="utf-8") as lines:
            for row in csv.DictReader(lines):
                for name, value in row.items():
                    text = (value or "").strip()
                    number = text.isdigit() and len(text) == 11
                    if number or (name == "family" and len(text) > 5):
                        found.add(text)
    return found


@pytest.mark.long
def test_nothing_of_a_resident_is_left_in_clear(tmp_path, seeded):
    words = residents()
    assert len([word for word in words if word.isdigit()]) >= 40
    sandbox = tmp_path / "sandbox"
    seeded.copy_to(sandbox)
    places = {name: tmp_path / name for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")}
    for place in places.values():
        place.mkdir()
    environment = {**os.environ, **{name: str(place) for name, place in places.items()}, "QT_QPA_PLATFORM": "offscreen"}
    profile = tmp_path / "profile"
    command = [
        sys.executable, "-m", "workspace", "demo", "--as", "tone", "--headless",
        "--profile", str(profile), "--sandbox", str(sandbox),
    ]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (profile / "vault.sqlite").exists()
    left = [file for place in (profile, *places.values()) for file in place.rglob("*") if file.is_file()]
    assert left
    needles = [(word, spelling) for word in words for spelling in (word.encode(), word.encode("utf-16-le"))]
    found = [(file.name, word) for file in left for word, needle in needles if needle in file.read_bytes()]
    assert found == []
    assert not any(word in done.stdout + done.stderr for word in words)
