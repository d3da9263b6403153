"""What holds for every file that is kept: nothing of one machine, of a real person or of a place we install from; docs that
say only what is there."""

from __future__ import annotations

import argparse
import ast
import importlib.util
import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

from workspace import cli
from workspace.fhir.identifiers import national_number

ROOT = Path(__file__).resolve().parents[1]
LONGEST = 540
"""Lines of a Python file. What should be read in one go may be longer, and stands here with its own bound."""
LONGER = {
    "workspace/panels/protocol.py": 760,  # the whole boundary in one module
    "workspace/panels/components.py": 640,  # every component of the tree
    "workspace/sdk/ui.py": 720,  # the same, as a vendor writes them
    "workspace/fhir/parameter_table.py": 640,  # a table
}
LARGEST = 300_000
"""Bytes of any file."""

# In pieces, because this file is looked through as well.
INSTALLED_FROM = [
    ".".join(parts)
    for parts in (
        ("py" + "pi", "org"),
        ("python" + "hosted", "org"),
        ("npm" + "js", "org"),
        ("npm" + "js", "com"),
        ("crates", "io"),
        ("proxy", "golang", "org"),
        ("rubygems", "org"),
        ("anaconda", "org"),
    )
] + ["/".join(("simple", ""))]
INDEX = re.compile(r"(?<!no-emit-)(?:extra-)?index-" + r"url\b|--find-" + r"links\b|--trusted-" + r"host\b")
OF_ONE_MACHINE = re.compile(
    "|".join((r"/home/" + r"\w", r"/Us" + r"ers/\w", r"(?<!\w)/ro" + r"ot/", r"[A-Z]:\\+Us" + "ers"))
)
NUMBER = re.compile(r"(?<![\d.-])\d{6} ?\d{5}(?![\d.-])")
REFUSED = "13097248022"
"""A widely quoted example without the mark of a synthetic one: the home's loader must refuse it."""
KNOWS_ALL_KINDS = ("tests/fhir/test_identifiers.py",)
"""Sorts numbers into their kinds, by examples of each that belong to nobody."""


@cache
def kept() -> tuple[Path, ...]:
    """Every file of the repository, also those not yet added."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.decode().split("\0") if name]
    else:  # an archive without its history
        hidden = (".venv", "__pycache__")
        found = [path for path in ROOT.rglob("*") if not any(part in hidden for part in path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def texts() -> dict[str, str]:
    """By name, what is in every file that is text."""
    found = {}
    for path in kept():
        try:
            found[name(path)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            assert path.suffix in (".png", ".ico", ".woff2", ".gz", ".zip"), (
                f"{name(path)} is neither text nor a known kind"
            )
    return found


def places(pattern: re.Pattern[str], *, below: tuple[str, ...] = ("",)) -> list[str]:
    return [
        f"{file}: {match[0]}"
        for file, text in texts().items()
        if file.startswith(below)
        for match in pattern.finditer(text)
    ]


def test_nothing_names_where_packages_are_installed_from():
    hosts = re.compile("|".join(map(re.escape, INSTALLED_FROM)))
    assert places(hosts) == []
    assert places(INDEX) == []
    assert places(re.compile(r"\w+://\S+"), below=("requirements/",)) == []


def test_nothing_names_a_folder_of_one_machine():
    assert places(OF_ONE_MACHINE) == []


def test_every_national_number_is_synthetic():
    """Synthetic: 80 added to the month, or 65 as the health network does it."""
    found = {
        place: national_number(place.rsplit(": ", 1)[1].replace(" ", ""))
        for place in places(NUMBER, below=("resources/", "tests/", "plugins/", "workspace/", "docs/", "README"))
        if not place.startswith(KNOWS_ALL_KINDS)
    }
    assert len(found) > 50, "the home's own numbers are not found"
    real = {place: one for place, one in found.items() if one.valid and not one.synthetic and one.text != REFUSED}
    # Nobody's either: a common help number (first digit 8 or 9), and whoever was born before 1900.
    nobodys = [place for place, one in real.items() if one.kind == "fhn" or (one.born and one.born.year < 1900)]
    assert sorted(real.keys() - set(nobodys)) == []


def test_files_are_small_enough_to_read():
    lines = {file: text.count("\n") for file, text in texts().items() if file.endswith(".py")}
    assert {file: count for file, count in lines.items() if count > LONGER.get(file, LONGEST)} == {}
    assert [name(path) for path in kept() if path.stat().st_size > LARGEST] == []


def test_every_module_says_what_it_is_for():
    silent = []
    for file, text in texts().items():
        ours = file.startswith("workspace/") and file.endswith(".py") and text.strip()
        if ours and not (ast.get_docstring(ast.parse(text)) or "").strip():
            silent.append(file)
    assert silent == []


@pytest.mark.parametrize(
    "line",
    [
        "now = datetime.now()",
        "now = datetime.now(UTC)",
        "now = datetime.utcnow()",
        "today = date.today()",
        "now = time.time()",
    ],
)
def test_the_time_is_asked_of_the_clock_alone(line):
    code = f"import time\nfrom datetime import UTC, date, datetime\n\n{line}\n"
    ruff = Path(sys.executable).with_name("ruff")

    def complaints(file: str) -> str:
        command = [ruff, "check", "--no-cache", "--select", "DTZ,TID", "--output-format", "concise"]
        asked = [*command, "--stdin-filename", ROOT / file, "-"]
        return subprocess.run(asked, input=code, capture_output=True, text=True, cwd=ROOT, check=False).stdout

    assert ":4:" in complaints("workspace/record/anything.py")
    assert ":4:" in complaints("plugins/nordlys-vitals/vitals.py")


def documents() -> list[str]:
    return [file for file in texts() if file.endswith(".md") and not file.startswith("tests/panels/")]


def spans(text: str) -> list[str]:
    """The lines of code in a document."""
    fenced = re.findall(r"^```[^\n]*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    rest = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [line for block in fenced for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", rest)


def commands() -> list[tuple[str, str]]:
    """(where, what is after `workspace`) of every command that a document or an advice tells to run."""
    found = []
    for file in documents():
        for line in spans(texts()[file]):
            if match := re.match(r"(?:\$ )?(?:\S*python3? -m )?workspace ([a-z].*)", line):
                found.append((file, match[1]))
    for file, text in texts().items():
        if file.startswith("workspace/") and file.endswith(".py"):
            found += [(file, told) for told in re.findall(r"«workspace ([^»\n{]+)»", text)]
    return found


def known(told: str) -> str:
    """What the command line does not know in `told`; "" when it knows all."""
    parser = cli.parser()
    for word in shlex.split(told.split("#")[0].replace("…", "")):
        subs = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
        if word.startswith("--"):
            if word.split("=")[0] not in parser._option_string_actions:
                return word
        elif subs:
            if word not in subs[0].choices:
                return word
            parser = subs[0].choices[word]
    return ""


def test_documents_and_advice_name_commands_that_exist():
    assert len(commands()) > 5
    assert [(file, told, known(told)) for file, told in commands() if known(told)] == []


def test_documents_name_commands_of_dev_that_exist():
    dev = load(ROOT / "dev.py")
    told = [(file, word) for file in documents() for word in re.findall(r"dev\.py ([a-z]+)", texts()[file])]
    assert told
    assert [(file, word) for file, word in told if not hasattr(dev, word)] == []


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_documents_point_at_what_is_there():
    missing = []
    for file in documents():
        for target in re.findall(r"\]\(([^)#\s]+)", texts()[file]):
            if "://" not in target and not ((ROOT / file).parent / target).exists():
                missing.append((file, target))
        for span in spans(texts()[file]):
            path = re.fullmatch(r"(workspace|docs|tests|plugins|resources|themes|requirements)/[\w./-]+", span)
            if path and not (ROOT / span).exists():
                missing.append((file, span))
    assert missing == []
    assert re.search(r"!\[[^]]*\]\(docs/screenshots/", texts()["README.md"]), "README shows what it looks like"
