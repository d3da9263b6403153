"""Deliberately bad panels, each with one fault: rejected for that alone. The folder's name says which code."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import pytest

from workspace.panels.confinement import Tier
from workspace.panels.conformance import check, rules, run

BAD = Path(__file__).parent / "bad"
FOLDERS = sorted(one for one in BAD.iterdir() if one.is_dir())
NOWHERE = Tier("none", "Ikke avskjermet", "asked for by the test")
AT_ONCE = 3


def codes(seen):
    return {verdict.code for verdict in check.judged(rules.ALL, seen) if verdict.status == "failed"}


def test_there_are_at_least_a_dozen_and_each_names_a_real_code():
    assert len(FOLDERS) >= 12
    known = {one.code for one in rules.ALL}
    assert {folder.name.partition("_")[0] for folder in FOLDERS} <= known


def judged(folders):
    """``(code in the folder's name, codes that failed)`` of each."""

    async def each():
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(folder):
            async with gate:
                return folder.name.partition("_")[0], codes(await run.rehearse(folder))

        return await asyncio.gather(*(one(folder) for folder in folders))

    return asyncio.run(each())


def rejected(folders):
    return [(wanted, found) for wanted, found in judged(folders) if found != {wanted}]


QUICK = ("A-01", "E-03", "P-01", "P-02", "M-01", "W-02")


def test_each_is_rejected_with_its_own_code_and_no_other():
    assert rejected([folder for folder in FOLDERS if folder.name.startswith(QUICK)]) == []


@pytest.mark.long
def test_the_slow_ones_too():
    assert rejected([folder for folder in FOLDERS if not folder.name.startswith(QUICK)]) == []


WORST = ("crash_loop", "mute", "flood", "giant_line", "broken_json", "silent", "stays", "twin_binds")


@pytest.mark.long
def test_the_worst_panels_end_in_a_verdict_too(tmp_path):
    programs = BAD.parents[1] / "ill_behaved"
    folders = []
    for name in WORST:
        folder = tmp_path / name
        shutil.copytree(BAD / "A-01_field_without_label", folder)
        shutil.copy(programs / f"{name}.py", folder / "panel.py")
        shutil.copy(programs / "polite.py", folder / "polite.py")
        folders.append(folder)
    assert all(found for _, found in judged(folders))


def test_a_bad_panel_ends_with_code_1_a_reason_and_how_to_mend_it(command):
    code, out, _ = command("panel", "verify", BAD / "M-01_prefetch_names_a_patient", "--junit", "out.xml", "--json")
    told = {row["code"]: row for row in json.loads(out)["checks"]}
    assert code == 1
    assert set(told["M-01"]) == {"code", "status", "reason", "mend"}
    assert "views[0].prefetch[0].query" in told["M-01"]["reason"]
    assert told["M-01"]["mend"]
    assert {row["status"] for row in told.values()} == {"passed", "failed", "skipped"}
    junit = Path("out.xml").read_text(encoding="utf-8")
    assert '<failure message="panel.toml: views[0]' in junit
    assert f'tests="{len(told)}" failures="1"' in junit


# --- faults that can be seen without running the panel ------------------------------------------------------


def changed(folder, where, old, new):
    file = folder / where
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")


CHANGES = [
    ("M-02", "panel.toml", "minimum = [36, 16]\n", ""),
    ("M-02", "panel.toml", "minimum = [36, 16]", "minimum = [300, 16]"),
    ("M-03", "icon.svg", "currentColor", "#ff0000"),
    ("M-03", "icon.svg", "</svg>", "<script>1</script></svg>"),
    ("M-04", "learn/nb.md", "# Demo panel", "Demo panel"),
    ("M-05", "panel.toml", "default = 100\n", ""),
    ("M-05", "panel.toml", 'title = "Marker puls over"', 'title = "limit"'),
    ("T-01", "texts/en.toml", "save =", "save"),
    ("T-02", "texts/en.toml", 'save = "Save"\n', ""),
    ("T-02", "texts/en.toml", '"Save"', '" "'),
    ("S-01", "panel.toml", "patient/Observation.crs", "patient/*.crs"),
    ("S-01", "panel.toml", "patient/Observation.crs", "system/Observation.crs"),
    ("S-01", "panel.toml", "patient/Observation.crs", "patient/Observation.cruds"),
    ("S-02", "panel.toml", "patient/Observation.crs", "patient/Observation.c"),
    ("K-03", "texts/nb.toml", "Skriv et tall", "Skriv et tall, som 010154 50068"),  # nobody's: born in 1854
    ("K-04", "panel.py", "from workspace.sdk import", "import numpy\nfrom workspace.sdk import"),
]


def still(folder):
    """The codes that fail without running anything; R-01 always does then."""
    return codes(asyncio.run(run.rehearse(folder, tier=NOWHERE))) - {"R-01"}


@pytest.mark.parametrize(("code", "where", "old", "new"), CHANGES)
def test_what_is_wrong_in_the_files_is_found_without_running_them(made, code, where, old, new):
    folder = made()
    changed(folder, where, old, new)
    assert still(folder) == {code}


def test_links_and_names_that_are_one_on_windows_are_found(made):
    folder = made()
    assert still(folder) == set()
    (folder / "texts" / "NB.toml").write_text('a = "b"\n')
    assert still(folder) == {"K-01"}
    (folder / "texts" / "NB.toml").unlink()
    (folder / "passwd").symlink_to("/etc/passwd")
    assert still(folder) == {"K-01"}


def test_a_package_that_is_too_large_is_found(made):
    folder = made()
    (folder / "film.bin").write_bytes(bytes(11 << 20))
    assert still(folder) == {"K-02"}


def test_where_nothing_can_be_shut_in_nothing_is_run_and_it_says_so(made):
    seen = asyncio.run(run.rehearse(made(), tier=NOWHERE))
    told = {verdict.code: verdict for verdict in check.judged(rules.ALL, seen)}
    assert seen.passed == []
    assert told["R-01"].status == "failed"
    assert "bubblewrap" in told["R-01"].reason
    assert told["P-01"].status == "skipped"
