"""Packages as vendors write them, whole and broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.panels.conftest import MANIFEST, PLUGINS
from workspace.panels.manifest import ManifestProblem, discover, load


def a_package(folder: Path, name: str = "prove", **changes: str) -> Path:
    package = folder / name
    package.mkdir(parents=True)
    text = MANIFEST.format(name=name, id=name)
    for old, new in changes.values():  # type: ignore[misc]
        assert old in text
        text = text.replace(old, new)
    (package / "panel.toml").write_text(text, encoding="utf-8")
    (package / "panel.py").write_text("")
    return package


def test_a_whole_package(tmp_path: Path) -> None:
    package = load(a_package(tmp_path))
    assert (package.id, package.vendor, package.start) == ("prove.prove", "Prøveverk", ("python", "panel.py"))
    assert package.views[0].prefetch[0].query == "Observation?code=8867-4"
    assert package.view("main") is package.views[0]
    assert package.view("x") is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (('version = "1.0.0"', 'version = "ny"'), "panel.version"),
        (('id = "prove.prove"', 'id = "../../etc"'), "panel.id"),
        (("protocol = 1", "protocol = 99"), "panel.protocol"),
        (('languages = ["nb"]', "languages = []"), "panel.languages"),
        (('vendor = "Prøveverk"', "vendor = 3"), "panel.vendor"),
        (('"panel.py"]', '"../annen/panel.py"]'), "panel.start"),
        (('"panel.py"]', '"mangler.py"]'), "panel.start"),
        (('start = ["python", "panel.py"]', 'start = ["python"]'), "panel.start"),
        (('"Observation?code=8867-4"', '"Observation?patient=Patient/x"'), "views[0].prefetch[0].query"),
        (('"Observation?code=8867-4"', '"observasjon"'), "views[0].prefetch[0].query"),
        (('"patient/Observation.crus"', '"patient/Observation.alt"'), "access.scopes[0]"),
        (('"open Patient"', '"gjør noe"'), "intents.raises[0]"),
    ],
)
def test_a_broken_one_names_file_and_field(tmp_path: Path, change: tuple[str, str], field: str) -> None:
    folder = a_package(tmp_path, change=change)  # type: ignore[arg-type]
    with pytest.raises(ManifestProblem) as caught:
        load(folder)
    assert caught.value.field == field
    assert f"i feltet {field} i panel.toml" in caught.value.sentence
    assert "«prove»" in caught.value.sentence
    assert caught.value.advice


def test_one_broken_package_does_not_stop_the_others(tmp_path: Path) -> None:
    a_package(tmp_path, "hel")
    (a_package(tmp_path, "odelagt") / "panel.toml").write_text("dette er [ikke TOML")
    twin = a_package(tmp_path, "tvilling") / "panel.toml"
    twin.write_text(twin.read_text().replace("prove.tvilling", "prove.hel"))
    packages, problems = discover(tmp_path)
    assert list(packages) == ["prove.hel"]
    assert [problem.file.parent.name for problem in problems] == ["odelagt", "tvilling"]  # type: ignore[attr-defined]
    assert "ugyldig TOML" in problems[0].sentence
    assert "brukes også av «hel»" in problems[1].sentence


def test_our_own_panels_are_whole() -> None:
    packages, problems = discover(PLUGINS)
    assert problems == []
    assert "nordlys.vitals" in packages


def test_no_folder_is_a_problem_and_not_a_crash(tmp_path: Path) -> None:
    packages, [problem] = discover(tmp_path / "borte")
    assert packages == {}
    assert problem.code == "no-packages"
