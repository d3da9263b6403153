"""What holds for all our panels: they are vendors' packages like any other."""

from __future__ import annotations

import ast
import importlib
import sys
import tomllib
from pathlib import Path

import pytest
from home import ME, holes

from workspace.panels import manifest
from workspace.sdk.query import canonical
from workspace.sdk.testing import Bench

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
FOLDERS = sorted(one.parent for one in PLUGINS.glob("*/panel.py"))  # the one in Node.js has tests of its own
MODULES = {
    "fjelldata-residents": "residents", "fjelldata-summary": "summary", "nordlys-medications": "medications",
    "nordlys-vitals": "vitals", "polarvakt-note": "note", "polarvakt-report": "report",
}  # fmt: skip
each = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)


def test_all_six_are_there():
    assert {folder.name for folder in FOLDERS} == set(MODULES)


@each
def test_only_the_standard_library_the_sdk_and_its_own_files_are_imported(folder):
    own = {one.stem for one in folder.glob("*.py")}
    for file in folder.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.partition(".")[0]
                assert top in sys.stdlib_module_names | own or name.startswith("workspace.sdk"), (file.name, name)


@each
def test_the_manifest_is_good_and_names_the_views_that_exist(folder):
    package = manifest.load(folder)
    panel = importlib.import_module(MODULES[folder.name]).panel
    assert (panel.name, panel.version) == (package.id, package.version)
    assert set(panel.views) == {view.id for view in package.views}


def opened(folder, results):
    package = tomllib.loads((folder / "panel.toml").read_text(encoding="utf-8"))
    view = package["views"][0]
    bench = Bench(importlib.import_module(MODULES[folder.name]).panel)
    kind = view["context"]
    bench.open(view["id"], {one["query"]: results(one["query"]) for one in view["prefetch"]}, kind=kind, patients=[ME])
    return bench, package


@each
def test_the_first_render_waits_for_nothing_and_fetches_nothing_it_has_no_scope_for(folder):
    bench, package = opened(folder, lambda query: [])
    assert bench.asked() == []
    assert bench.all("pending") == bench.all("failed") == []
    scopes = {one.partition("/")[2].partition(".")[0] for one in package["access"]["scopes"]}
    queries = [one["query"] for one in package["views"][0]["prefetch"]]
    assert {query.partition("?")[0] for query in queries} <= scopes
    assert len({canonical(query) for query in queries}) == len(queries)


@each
def test_every_prefetched_query_is_used(folder):
    bench, _ = opened(folder, lambda query: [])
    instance = bench._session._instances[bench.instance]
    unused = [store.query for store in instance.stores.values() if not store.touched]
    assert unused == []


@each
def test_records_with_holes_never_break_it(folder, capsys):
    def results(query):
        rows = holes(query.partition("?")[0])
        extra = holes("Patient") + holes("Location") if "_include" in query else []
        return {"resources": rows + extra, "included": len(extra)}

    bench, _ = opened(folder, results)
    assert bench.all("failed") == []
    assert capsys.readouterr().err == ""
    assert bench.texts()


@each
def test_nothing_fetched_yet_draws_waiting_parts_and_failing_ones_say_why(folder, capsys):
    bench, _ = opened(folder, lambda query: {"error": "Plattformen svarer ikke.", "code": "unavailable"})
    assert "kunne ikke" in bench.texts() or "svarer ikke" in bench.texts()
    bench = Bench(importlib.import_module(MODULES[folder.name]).panel)
    package = tomllib.loads((folder / "panel.toml").read_text(encoding="utf-8"))
    bench.open(package["views"][0]["id"], kind=package["views"][0]["context"])
    assert bench.all("pending")
    asked = {canonical(one["params"]["query"]) for one in bench.asked()}
    assert asked == {canonical(one["query"]) for one in package["views"][0]["prefetch"]}
    assert capsys.readouterr().err == ""
