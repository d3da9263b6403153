# ruff: noqa: E501 - pieces of code are read whole
"""Every check can fail: the scaffold with one thing changed is rejected for just that."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from workspace.panels.conformance import check, rules, run

BAD = Path(__file__).parent / "bad"
TOP = "    return ui.column(\n"
FIRST = TOP + "        {}\n"


def top(expression):
    """Something more at the top of the view."""
    return ("panel.py", TOP, FIRST.format(expression + ","))


PYTHON = {
    "S-04": [("panel.toml", '"patient/Observation.crs"', '"patient/Observation.crs", "patient/Condition.rs"')],
    "S-05": [("panel.toml", '[[views.prefetch]]\nquery = "Observation?code=8867-4&_sort=-date&_count=50"\n', "")],
    "T-03": [
        ("panel.py", "ctx.t(", "word("),
        ("panel.py", "READINGS =", 'def word(key, **values):\n    return panel.texts.get(key, "nb", values)\n\n\nREADINGS ='),
    ],
    "P-03": [top('ui.text("Rognebær")')],
    "A-02": [("panel.py", 'ui.action(ctx.t("save"), save)', 'ui.action("", save)')],
    "A-03": [("panel.py", 'label=ctx.t("list")', 'label=""')],
    "A-05": [
        ("panel.toml", "default = 100", "default = 10"),
        ("panel.py", 'ui.cell(f"▲ {record.decimal(pulse)}", tone="warn", sort=pulse)', 'ui.cell("", tone="warn", sort=pulse)'),
    ],
    "A-06": [("panel.py", 'shortcut="Ctrl+S"', 'shortcut="Ctrl+K"')],
    "C-03": [top('ui.text("Målt 2026-01-14")')],
    "C-04": [top('ui.icon("rocket", label="Rakett")')],
    "R-01": [("panel.py", 'Panel("eksempel.', 'Panel("annen.')],
    "R-02": [("panel.py", TOP, "    if not SLOW:\n        SLOW.append(1)\n        import time\n\n        time.sleep(2.2)\n" + TOP),
             ("panel.py", "READINGS =", "SLOW = []\nREADINGS =")],
    "R-04": [("panel.py", 'ui.action(ctx.t("save"), save)', 'ui.action(ctx.t("save"), "nobody")')],
    "R-09": [("panel.py", "    if pulse is None:\n        raise", "    import os\n\n    os._exit(3)\n    if pulse is None:\n        raise")],
    "L-02": [("panel.py", TOP, '    if readings.ready and len(readings) > 40:\n        HOG.append(bytearray(b"x") * (160 << 20))\n' + TOP),
             ("panel.py", "READINGS =", "HOG = []\nREADINGS =")],
    "I-02": [("panel.py", '    ctx.clear("pulse"', '    ctx.raise_intent("open Patient", patient=ctx.patient)\n    ctx.clear("pulse"')],
    "E-01": [top("ui.part(lambda: 1 / 0 if len(readings) == 6 else None)")],
    "E-02": [("panel.py", TOP, "    if readings.ready and not list(readings):\n        return ui.column()\n" + TOP)],
    "D-02": [("panel.py", "    typed = ctx.state.pulse\n", "    typed = ctx.state.pulse\n    float(typed or 0)\n")],
    "W-01": [
        top("ui.part(eager, ctx)"),
        ("panel.py", "def line(", 'def eager(ctx):\n    import traceback\n\n    try:\n        ctx.clear("pulse")\n'
         "    except Exception:\n        traceback.print_exc()\n\n\ndef line("),
    ],
}  # fmt: skip
NODE = {
    "P-04": [("wire.js", "    this.revision += 1\n", "    this.revision += 1\n"
              "    this.send({ method: 'notify', params: { instance: 'other', context: 'x', text: 'y' } })\n")],
    "C-02": [("wire.js", "{ base, patch }", "{ base: base - 1, patch }")],
    "R-05": [
        ("wire.js", "      if (id !== undefined) send({ id, result:", "      if (method === 'event') late.set(id, setTimeout(() => "
         "send({ id, result }), 60))\n      else if (id !== undefined) send({ id, result:"),
        ("wire.js", "    cancel() {},", "    cancel: (params) => clearTimeout(late.get(params.id)),"),
        ("wire.js", "  let number = 0\n", "  let number = 0\n  const late = new Map()\n"),
    ],
    "R-08": [("wire.js", "    open(params) {\n", "    open(params) {\n      process.stdout.write('opened\\n')\n")],
    "L-01": [("panel.js", "label: ctx.t('comment'), bind: 'comment'", "label: ctx.t('comment'), bind: 'comment', "
              "hint: /^.{16,99}$/.test(ctx.values.comment || '') ? 'x'.repeat(300000) : ''")],
    "I-01": [("panel.toml", "[settings.limit]", '[intents]\nhandles = ["record pulse"]\n\n[settings.limit]')],
    "E-05": [("wire.js", "    if (!this.dirty || !this.visible) return\n", "    const waits = [...this.results.values()]"
              ".some((one) => !one.ready && !one.error)\n    if (!this.dirty || !this.visible || waits) return\n")],
    "W-03": [
        ("panel.toml", "Observation.crs", "Observation.crus"),
        ("panel.js", "    writes: [{ action: 'create', resource }],", "    writes: [{ action: 'update', resource: { ...resource, "
         "id: 'x' } }],"),
    ],
}  # fmt: skip
CANNOT = {"K-05"}  # packing is the kit's own work


def altered(folder, changes):
    for where, old, new in changes:
        file = folder / where
        text = file.read_text(encoding="utf-8")
        assert old in text, (where, old)
        file.write_text(text.replace(old, new), encoding="utf-8")
    return folder


def rejected(folders):
    async def each():
        gate = asyncio.Semaphore(3)

        async def one(code, folder):
            async with gate:
                verdicts = check.judged(rules.ALL, await run.rehearse(folder))
                return code, {v.code: v.reason for v in verdicts if v.status == "failed"}

        return await asyncio.gather(*(one(code, folder) for code, folder in folders.items()))

    return [(code, found) for code, found in asyncio.run(each()) if set(found) != {code}]


@pytest.mark.long
def test_one_thing_wrong_is_rejected_for_just_that(made):
    folders = {code: altered(made(f"p-{code.lower()}"), changes) for code, changes in PYTHON.items()}
    assert rejected(folders) == []


@pytest.mark.long
@pytest.mark.skipif(shutil.which("node") is None, reason="Node.js is not installed: python3 dev.py test installs it")
def test_so_it_is_in_another_language(made):
    folders = {code: altered(made(f"n-{code.lower()}", language="node"), changes) for code, changes in NODE.items()}
    assert rejected(folders) == []


def test_no_check_is_without_a_panel_that_fails_it():
    files = {"M-02", "M-03", "M-04", "M-05", "T-02", "S-01", "S-02", "K-01", "K-02", "K-03", "K-04", "K-06"}
    shown = files | {one.name.partition("_")[0] for one in BAD.iterdir()}
    shown |= {*PYTHON, *NODE}  # `files` are seen without running anything: test_bad.py, test_install.py
    assert {one.code for one in rules.ALL} - shown == CANNOT
