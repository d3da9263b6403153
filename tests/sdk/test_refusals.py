"""What the SDK refuses, and whether it says what to do and where."""

from __future__ import annotations

import functools
import importlib.util
import sys
import threading

import pytest

from workspace.sdk import Panel, SdkError, StaleContext, ui
from workspace.sdk.testing import Bench, Refused

PULSE = {
    "resourceType": "Observation",
    "id": "a",
    "status": "final",
    "subject": {"reference": "Patient/BEB-18"},
    "code": {"coding": [{"code": "8867-4"}]},
}


def module(tmp_path, body, name):
    """A vendor's module with `body`, imported as a panel would be."""
    path = tmp_path / f"{name}.py"
    path.write_text("from workspace.sdk import Panel, ui\npanel = Panel()\n" + body, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(name, path)
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made
    spec.loader.exec_module(made)
    return made


@pytest.fixture(autouse=True)
def _forget():
    before = set(sys.modules)
    yield
    for name in set(sys.modules) - before:
        if name.startswith("vendor_"):
            del sys.modules[name]


VIEW = """
@panel.view("main")
def main(ctx):
    global LAST
    rows = ctx.search("Observation")
    {keep}
    return ui.text(str(len(rows)))
"""


@pytest.mark.parametrize(
    ("before", "keep", "says"),
    [
        ("LAST = None", "LAST = rows[0]", "LAST holds a resource (Observation)"),
        ("LAST = []", "LAST.append(rows[0])", "LAST holds a resource (Observation)"),
        ("LAST = {}", "LAST[ctx.patient] = len(rows)", "LAST holds the patient's reference"),
        ("LAST = None", "LAST = ctx", "LAST holds a ctx"),
        ("LAST = None", "LAST = rows", "LAST holds a result"),
        ("class Keep: pass\nLAST = Keep()", "LAST.row = [rows[0]]", "LAST holds a resource (Observation)"),
        ("class LAST: row = None", "LAST.row = rows[0]", "LAST holds a resource (Observation)"),
        (
            "import functools\n@functools.cache\ndef LAST(row): return row\nclass H(dict):\n def __hash__(s): return 1",
            "LAST(H(rows[0]))",
            "LAST holds a resource (Observation)",
        ),
    ],
)
def test_patient_state_at_module_level_is_refused_in_a_view(tmp_path, capsys, before, keep, says):
    made = module(tmp_path, before + VIEW.format(keep=keep), "vendor_view")
    bench = Bench(made.panel)
    bench.open("main", record=[PULSE])
    assert bench.all("failed")
    told = capsys.readouterr().err
    assert f"vendor_view.py: {says}" in told.replace("_H", "")
    assert "after view main" in told
    assert "ctx.search" in told


def test_patient_state_at_module_level_saves_nothing(tmp_path, capsys):
    body = """
SEEN = set()
@panel.view("main")
def main(ctx):
    return ui.button(ui.action("Lagre", save))
@panel.action
def save(ctx):
    SEEN.add(ctx.patient)
    ctx.create("Observation", code="8867-4", value=72, unit="/min")
"""
    made = module(tmp_path, body, "vendor_action")
    bench = Bench(made.panel)
    bench.open("main", record=[])
    with pytest.raises(Refused):
        bench.click("Lagre")
    assert bench.record.resources == {}
    assert "SEEN holds the patient's reference after action save" in capsys.readouterr().err


def test_templates_and_constants_are_nobodys(tmp_path):
    body = """
TEMPLATE = {"resourceType": "Observation", "id": "", "status": "final"}
CODES = {"8867-4": ["Puls"]}
COUNT = 0
@panel.view("main")
def main(ctx):
    global COUNT
    COUNT += 1
    return ui.text(f"{COUNT} {len(ctx.search('Observation'))}")
"""
    made = module(tmp_path, body, "vendor_fine")
    bench = Bench(made.panel)
    bench.open("main", record=[PULSE])
    assert bench.all("failed") == []
    assert bench.texts().endswith(" 1")


def test_a_write_in_a_view_says_where(capsys):
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        ctx.create("Observation")
        return ui.text("x")

    bench = Bench(panel)
    bench.open("main")
    assert bench.all("failed")
    said = capsys.readouterr().err
    assert "test_refusals.py:" in said
    assert "ctx.create in view main: it only describes; do this in a function marked @panel.action" in said


@pytest.mark.parametrize("what", ["notify", "print", "raise_intent", "finish", "decline", "say", "set", "clear"])
def test_every_effect_is_refused_in_a_view(what, capsys):
    panel = Panel()
    args = {"print": ("a", "b"), "decline": ("a", "b"), "set": ()}.get(what, ("a",))

    @panel.view("main")
    def main(ctx):
        getattr(ctx, what)(*args)
        return ui.text("x")

    bench = Bench(panel)
    bench.open("main")
    assert f"ctx.{what} in view main" in capsys.readouterr().err


def test_a_kept_ctx_and_a_thread_are_told_which_run_it_was():
    panel, kept, caught = Panel(), [], []

    @panel.view("main")
    def main(ctx):
        kept.append(ctx)

        def touch():
            try:
                ctx.search("Observation")
            except StaleContext as error:
                caught.append(str(error))

        thread = threading.Thread(target=touch)
        thread.start()
        thread.join()
        return ui.text("x")

    Bench(panel).open("main")
    with pytest.raises(StaleContext, match=r"test_refusals.py:\d+: this ctx is from view main, which is over"):
        _ = kept[0].patient
    assert "read what you need of it before you start another thread" in caught[0]


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda ctx: ctx.say("x" * 501), "at most 500 characters"),
        (lambda ctx: ctx.notify("x", "pink"), "tone is ok, warn, bad or neutral; not 'pink'"),
        (lambda ctx: ctx.blob("image/svg+xml", b"<svg/>"), "a blob is one of image/png"),
        (lambda ctx: ctx.blob("image/png", b""), "bytes"),
        (lambda ctx: ctx.blob("image/png", bytes(9 << 20)), "at most 8 MiB"),
        (lambda ctx: ctx.print("x", 7), "a text, or a component"),
    ],
)
def test_a_mistake_in_an_action_says_what_is_right(call, says, capsys):
    panel = Panel()

    @panel.view("main")
    def main(ctx):
        return ui.text("x")

    @panel.action
    def do(ctx):
        call(ctx)

    bench = Bench(panel)
    bench.open("main")
    with pytest.raises(Refused):
        bench.act("do")
    assert says in capsys.readouterr().err


def test_an_intent_is_registered_once_and_by_name():
    panel = Panel()
    panel.intent("record vital-signs")(lambda ctx: None)
    with pytest.raises(SdkError, match="twice"):
        panel.intent("record vital-signs")(lambda ctx: None)
    with pytest.raises(SdkError, match="needs the intent's name"):
        panel.intent(functools.partial)
