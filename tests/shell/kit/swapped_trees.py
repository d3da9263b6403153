"""A panel whose outer container becomes the inner one: ``python -m tests.shell.kit.swapped_trees resync`` (or
``next-patient``, in a body that stood by). Prints what stands in what in the end."""

from __future__ import annotations

import os
import sys

from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from tests.shell.kit.conftest import NOW
from tests.shell.kit.fakes import FakeInstance, Spawner, node
from workspace.shell import theme as themes
from workspace.shell.kit.body import PanelBody

FIELD = node("text-field", "#t", bind="t", label="Tekst")
FORMER = node("column", "c", node("section", "s", FIELD, title="S"))
LATER = node("section", "s", node("column", "c", FIELD), title="S")


def main(way: str) -> None:
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    app = QApplication([])
    spawner = Spawner()
    body = PanelBody(themes.apply(app, themes.load("light")), lambda: NOW, spawner)
    body.show()
    first, second = FakeInstance(), FakeInstance()
    first.listener = second.listener = body
    body.attach(first)
    first.whole(FORMER)
    if way == "resync":
        first.whole(LATER)
    else:
        body.retire()
        second.tree.whole(LATER)
        body.attach(second)
    QTest.qWait(20)
    names = sorted(
        "sc", key=lambda name: -sum(body.widget(name).isAncestorOf(body.widget(one)) for one in ("s", "c", "#t"))
    )
    assert all(body.widget(name).isAncestorOf(body.widget("#t")) for name in names)
    print(" > ".join([*names, "#t"]))
    spawner.close()


if __name__ == "__main__":
    main(sys.argv[1])
