"""Every snippet in the vendors' documents is run: commands for real, code as it stands, manifests read, messages decoded.

A block whose first line is a comment with a path (``# temperature/panel.py``) is a file, and is written. Others are run:
shell lines one by one in the page's own folder, Python one after the other in one namespace, JSON lines as messages, TOML
as a manifest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from workspace import cli
from workspace.panels import manifest
from workspace.panels.conformance import rules
from workspace.panels.protocol import ANSWERS, HOST_TO_PANEL, PANEL_TO_HOST, Node
from workspace.panels.tree import Tree
from workspace.panels.wire import ErrorBody
from workspace.sdk import Panel, record, ui
from workspace.sdk.testing import Bench

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [*sorted((DOCS / "vendors").glob("*.md")), DOCS / "panel-protocol.md", DOCS / "components.md"]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"^(?:#|//) ([\w-]+/[\w./-]+)\n")
KNOWN = {"sh", "python", "toml", "json", "markdown", "js"}
each = pytest.mark.parametrize("page", [page for page in PAGES if page.exists()], ids=lambda page: page.stem)


def blocks(page):
    """``(language, text, line)`` of each block."""
    text = page.read_text(encoding="utf-8")
    return [(found[1], found[2], text[: found.start()].count("\n") + 1) for found in BLOCK.finditer(text)]


@each
def test_every_block_says_what_it_is(page):
    unknown = [line for language, _, line in blocks(page) if language not in KNOWN]
    assert unknown == [], f"{page.name}: blocks without a known language at lines {unknown}"


@each
def test_links_lead_somewhere(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    gone = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert [link for link in gone if link != "../components.md"] == []  # the component kit's own page


@each
def test_every_snippet_runs(page, tmp_path):
    namespace: dict = {"__name__": "snippet"}
    methods: dict = {}
    for language, text, line in blocks(page):
        where = f"{page.name}:{line}"
        named = NAMED.match(text)
        if named:
            target = tmp_path / named[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text[named.end() :] if language == "markdown" else text, encoding="utf-8")
            if language == "toml":
                tomllib.loads(text)
            elif language == "python":
                compile(text, named[1], "exec")
        elif language == "sh":
            for command in text.splitlines():
                shell(command, tmp_path, where)
        elif language == "python" and page.stem == "components":
            example(text, where)
        elif language == "python":
            # As if it stood in a package: the SDK looks for texts and manifest beside the file.
            exec(compile(text, str(tmp_path / "panel.py"), "exec"), namespace)
        elif language == "toml":
            (tmp_path / "panel.toml").write_text(text, encoding="utf-8")
            if "[panel]" in text:
                (tmp_path / "panel.py").touch()
                manifest.load(tmp_path)
        elif language == "json":
            for number, message in enumerate(text.splitlines(), line + 1):
                decoded(json.loads(message), methods, f"{page.name}:{number}")


def example(text, where):
    """A whole view, as the components' page says: drawn, and taken by the shell's own tree."""
    one = Panel("vendor.example", "1.0.0")
    actions = {name: one.action(_named(name)) for name in ("save", "open_row", "choose_row")}
    scope: dict = {"ui": ui, "record": record, **actions}
    exec(compile(text, where, "exec"), scope)
    one.view("main")(scope["view"])
    bench = Bench(one)
    bench.open("main")
    bench.answer({asked["params"]["query"]: [] for asked in bench.asked()})
    assert bench.tree, where
    assert not bench.all("failed") or "ui.failed" in text, f"{where}: {bench.texts()}"
    Tree().whole(msgspec.convert(bench.tree, Node))


def _named(name):
    def action(ctx, **arguments):
        return None

    action.__name__ = name
    return action


def shell(line, folder, where):
    command = line.partition(" #")[0].split()
    if not command:
        return
    if command[:3] == ["workspace", "panel", "dev"]:
        command = [sys.executable, "-m", *command, "--synthetic", "--headless", "--seconds", "1.5"]
    elif command[0] == "workspace":  # in this process, which costs a second less
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            patch.setenv("WORKSPACE_PROFILE", str(folder / "profile"))
            assert cli.main(command[1:]) == 0, f"{where}: {line}"
        return
    elif command[0] == "python":
        command = [sys.executable, *command[1:], "-p", "no:cacheprovider"]
    elif command[0] == "node" and shutil.which("node") is None:
        return
    environment = {
        **os.environ, "PYTHONPATH": str(ROOT), "QT_QPA_PLATFORM": "offscreen", "WORKSPACE_PROFILE": str(folder / "profile"),
    }  # fmt: skip
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, f"{where}: {line}\n{done.stdout}\n{done.stderr}"


def decoded(message, methods, where):
    """A message of the protocol, in either direction, strictly: no field that the protocol does not know."""
    assert message.pop("jsonrpc") == "2.0", where
    if "error" in message:
        msgspec.convert(message["error"], ErrorBody)
        return
    if "method" not in message:
        kind = ANSWERS[methods[message["id"]]]
        strict(message["result"], kind, where)
        return
    kinds = {kind.method: kind for kind in (*HOST_TO_PANEL, *PANEL_TO_HOST)}
    methods[message.get("id")] = message["method"]
    params = strict(message["params"], kinds[message["method"]], where)
    if message["method"] == "render" and params.tree is not None:
        Tree().whole(params.tree, params.revision)


def strict(value, kind, where):
    if kind is None:
        return value
    made = msgspec.convert(value, kind)
    told = msgspec.to_builtins(made)
    unknown = sorted(set(value) - {field.encode_name for field in msgspec.structs.fields(kind)})
    assert unknown == [], f"{where}: {kind.__name__} has no {unknown}"
    assert told is not None
    return made


def test_the_rules_page_is_what_the_checks_say():
    stale = "docs/vendors/rules.md is stale: run python -m workspace.panels.conformance.rules > docs/vendors/rules.md"
    assert (DOCS / "vendors" / "rules.md").read_text(encoding="utf-8") == rules.page(), stale


def test_every_check_says_why_and_how_to_mend_it():
    assert len(rules.ALL) >= 25
    assert len({check.code for check in rules.ALL}) == len(rules.ALL)
    for check in rules.ALL:
        assert check.code[0] in rules.GROUPS
        assert re.fullmatch(r"[A-Z]-\d\d", check.code)
        assert len(check.why) > 20
        assert len(check.mend) > 20
