"""After a whole shift, none of the residents and nothing of what was written about them can be read in what is left on
the machine: profile, home, caches, temporary files, logs, what was said on stderr, and what a crash leaves.

The shift is played with real keys (`tests/journeys/driver.py`): six panels, several residents, a saved set of vital signs,
half a note, one that waits while the platform is frozen, a killed panel, a killed and a crashed shell, a new start, a
sign-out. The sandbox stands elsewhere. Everything the machine may write lies under one folder, which is read whole.
"""

from __future__ import annotations

import csv
import re
import signal
import sqlite3
import sys
import time
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from tests.journeys.conftest import Workstation, own_sandbox

__all__ = ["own_sandbox"]

ROOT = Path(__file__).parents[2]
ARNE, EINAR, HARALD = "Arne Storspove", "Einar Furukongle", "Harald Steinkobbe"
NOTE = "Uroen tiltok etter middag"
FOLDERS = {
    "HOME": "home", "TMPDIR": "tmp", "XDG_CACHE_HOME": "cache", "XDG_DATA_HOME": "data", "XDG_STATE_HOME": "state",
    "XDG_CONFIG_HOME": "config", "XDG_RUNTIME_DIR": "runtime", "QML_DISK_CACHE_PATH": "qml",
}  # fmt: skip
CIPHERED = re.compile(r"vault\.sqlite(-wal|-shm)?|[0-9a-f]{32}\.(sqlite(-wal|-shm)?|person)")
SHORT = 6
"""Letters under which a name is not looked for in what is ciphered: chance writes four letters now and then."""


def residents():
    """(what it is, how it is looked for) of all 40: given and family names as words, national numbers."""
    with (ROOT / "resources" / "home" / "residents.csv").open(encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = {word for row in rows for key in ("given", "family") for word in (row[key], *row[key].split()) if word}
    return sorted(names), sorted({row["number"] for row in rows})


def needles(names, numbers, texts=()):
    """``{text: [(bytes, pattern)]}``: UTF-8 and both UTF-16, a number also with a space, a name only as a word of its own.
    The bytes are looked for first, which is ten times as fast; the pattern says whether it is a word."""
    found = {}
    for text in (*names, *numbers, *texts):
        spellings = {text, f"{text[:6]} {text[6:]}"} if text in numbers else {text, text.upper()}
        patterns = []
        for spelling in spellings:
            plain = spelling.encode()
            pattern = re.escape(plain)
            if text in names:  # «Finn» is not in «Finner», and «Tor» not in «Torsdag»
                pattern = rb"(?<![A-Za-z\x80-\xff])" + pattern + rb"(?![A-Za-z\x80-\xff])"
            patterns.append((plain, re.compile(pattern)))
            for code in ("utf-16-le", "utf-16-be"):
                patterns.append((spelling.encode(code), re.compile(re.escape(spelling.encode(code)))))
        found[text] = patterns
    return found


def in_clear(folder, wanted):
    """(file, text) for all that can be read in `folder`: in names of files, their bytes, and what they hold packed."""
    found = []
    for file in sorted(folder.rglob("*")):
        where = str(file.relative_to(folder))
        bodies = [where.encode()]
        if file.is_file() and not file.is_symlink():
            bodies += readings(file)
        for text, patterns in wanted.items():
            if len(text) < SHORT and CIPHERED.fullmatch(file.name):
                continue
            if any(plain in body and pattern.search(body) for plain, pattern in patterns for body in bodies):
                found.append((where, text))
    return found


def readings(file):
    """The bytes, and the values of every table when it is an open database: a page may split what a row does not."""
    raw = file.read_bytes()
    yield raw
    if raw[:2] in (b"\x78\x01", b"\x78\x9c", b"\x78\xda"):
        yield zlib.decompress(raw)
    if raw.startswith(b"SQLite format 3\0"):
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            yield "\n".join(connection.iterdump()).encode()


def leaves_no_core(pid):
    """Neither a core file nor, where the system collects crashes, any of its memory in what is collected."""
    of = Path(f"/proc/{pid}")
    limit = next(line for line in (of / "limits").read_text().splitlines() if line.startswith("Max core file size"))
    return limit.split()[4] == "0" and int((of / "coredump_filter").read_text(), 16) == 0


def beside_the_program(since):
    """Files that have appeared in the program's own folders, compiled code apart (it comes from the source alone)."""
    return [
        str(file)
        for folder in ("workspace", "plugins", "resources", "themes")
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".pyc" and file.stat().st_mtime > since
    ]


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """All that this machine lets a program write."""
    folder = tmp_path / "machine"
    for name, place in FOLDERS.items():
        (folder / place).mkdir(parents=True, mode=0o700)
        monkeypatch.setenv(name, str(folder / place))
    monkeypatch.setenv("PYTHONFAULTHANDLER", "1")
    return folder


@pytest.fixture
def sit_down(own_sandbox, machine):
    made = []

    def sit():
        made.append(Workstation("tone", own_sandbox, machine / "profile"))
        return made[-1]

    yield sit
    own_sandbox.signal(signal.SIGCONT)
    for one in made:
        one.end()


def saves_a_set(nurse):
    for bind, text in (("respiration", "25"), ("saturation", "91")):
        nurse.did("type", bind=bind, text=text)
    nurse.did("choose", bind="oxygen", keys="l")
    for bind, text in (("systolic", "104"), ("diastolic", "62"), ("pulse", "112"), ("temperature", "38,6")):
        nurse.did("type", bind=bind, text=text)
    nurse.did("choose", bind="consciousness", keys="a")
    nurse.did("key", key="S", ctrl=True)


def saved(nurse):
    return not nurse.did("values", instance="vitals")["values"]


def another(nurse, killed):
    now = nurse.did("panel_state", instance="medications")
    return now["pid"] != killed and now["state"] == "running"


def ends_of_itself(nurse, number):
    nurse.process.send_signal(number)
    assert nurse.process.wait(20) == -number
    nurse.end()


def test_nothing_of_a_resident_is_left_in_clear_after_a_shift(own_sandbox, machine, sit_down):
    names, numbers = residents()
    assert len(numbers) == 40
    began = time.time()
    nurse = sit_down()
    if sys.platform == "linux":
        assert all(leaves_no_core(one["pid"]) for one in nurse.did("pids").values())
    for who in (HARALD, EINAR, ARNE):
        nurse.did("open_patient", name=who)
    saves_a_set(nurse)
    nurse.until(lambda: saved(nurse), 15, "the set is saved")
    nurse.did("type", bind="text", text=NOTE, instance="note")
    nurse.until(lambda: nurse.did("values", instance="note")["values"].get("text") == NOTE, 10, "the half note")
    nurse.did(
        "switch_patient", name=EINAR
    )  # nobody has just measured him: the shell does not ask whether it is the same
    own_sandbox.signal(signal.SIGSTOP)
    saves_a_set(nurse)
    nurse.until(lambda: "1 venter på plattformen" in nurse.did("status")["words"], 30, "one that waits")
    killed = nurse.did("kill", instance="medications")["pid"]
    nurse.until(lambda: another(nurse, killed), 30, "the panel is back")
    assert in_clear(machine, needles(names, numbers, [NOTE])) == [], "while it works"
    ends_of_itself(nurse, signal.SIGKILL)
    own_sandbox.signal(signal.SIGCONT)

    nurse = sit_down()
    nurse.did("open_patient", name=ARNE)
    nurse.until(lambda: nurse.did("values", instance="note")["values"].get("text") == NOTE, 10, "the note is restored")
    nurse.until(lambda: "Alt er lagret" in nurse.did("status")["words"], 30, "what waited is sent")
    ends_of_itself(nurse, signal.SIGSEGV)
    assert "Fatal Python error: Segmentation fault" in nurse.errors.read_text(), "a crash says where"
    assert in_clear(machine, needles(names, numbers, [NOTE])) == [], "after a crash"

    nurse = sit_down()
    nurse.did("open_patient", name=ARNE)
    nurse.did("key", key="F12")
    nurse.until(lambda: nurse.did("signed_in")["user"] == "", 30, "signed out")
    assert nurse.quit() == 0
    left = [file for file in machine.rglob("*") if file.is_file()]
    assert {"vault.sqlite", "profile.err"} <= {file.name for file in left}
    assert {".sqlite", ".person"} <= {file.suffix for file in left if file.parent.name == "vaults"}
    assert beside_the_program(began) == []
    assert in_clear(machine, needles(names, numbers, [NOTE])) == []


def test_what_is_looked_for_would_be_found(tmp_path):
    """The search itself: in names of files, in two alphabets, in a database, packed, and as words only."""
    names, numbers = residents()
    wanted = needles(names, numbers, [NOTE])
    number, given, family = numbers[0], "Arne", "Storspove"
    assert {given, family} <= set(names)
    planted = {
        "a.log": f"opened {family}".encode(),
        "b.bin": b"\0\1" + number.encode("utf-16-le"),
        "c.txt": f"{number[:6]} {number[6:]}".encode(),
        "d.z": zlib.compress(NOTE.encode()),
        "e.txt": f"<{given}>".encode(),
        "vault.sqlite": family.encode(),
    }
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "f.txt").write_text("Arnested, Storspovene og 0123456789")
    assert in_clear(tmp_path, wanted) == []
    for name, body in planted.items():
        (tmp_path / name).write_bytes(body)
    (tmp_path / f"kladd {family}").mkdir()
    with closing(sqlite3.connect(tmp_path / "g.sqlite")) as connection:
        connection.execute("CREATE TABLE t (name TEXT)")
        connection.execute("INSERT INTO t VALUES (?)", ("x" * 5000 + f" {family}",))
        connection.commit()
    found = in_clear(tmp_path, wanted)
    assert {where for where, _ in found} == {*planted, f"kladd {family}", "g.sqlite"}
    assert {text for _, text in found} == {given, family, number, NOTE}
