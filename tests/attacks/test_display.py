"""Panels that want the shell to draw something else than words and fields: the real kit, offscreen."""

from __future__ import annotations

import asyncio
import re

import pytest
from PySide6.QtCore import QAbstractItemModel, Qt
from PySide6.QtGui import Qt as GuiQt
from PySide6.QtGui import QTextDocument
from PySide6.QtWidgets import QAbstractButton, QAbstractItemView, QApplication, QLabel, QTextEdit, QWidget

from tests.attacks.conftest import refused, until


def drawn(attack):
    return [attack.frame, *attack.frame.findChildren(QWidget)]


@refused("every")
async def test_its_mark_up_is_shown_as_words(ward):
    dresser = await ward.shown("html_in_text")
    await dresser.act()
    await until(lambda: "tekst" in dresser.panel.nodes, dresser.panel)
    await asyncio.sleep(0.1)
    labels = 0
    for widget in drawn(dresser):
        if isinstance(widget, QLabel):
            labels += "<b>" in widget.text()
            assert widget.textFormat() == Qt.TextFormat.PlainText or not GuiQt.mightBeRichText(widget.text()), widget
            assert not widget.openExternalLinks()
        if isinstance(widget, QTextEdit):
            assert "<b>" not in widget.toHtml().replace("&lt;b&gt;", "")
        # A tooltip is drawn as mark-up whenever it looks like it: it must not look like it, or say it as words.
        for text in (widget.toolTip(), widget.statusTip(), widget.whatsThis()):
            assert plain(text), (widget, text)
        if isinstance(widget, QAbstractItemView) and widget.model() is not None:
            for tip in tips(widget.model()):
                assert plain(tip), (widget, tip)
    assert labels >= 8  # it did get there, as words
    names = [widget.accessibleName() for widget in drawn(dresser)]
    assert any("<a href" in name for name in names)  # read out as it stands: screen readers know no mark-up here
    assert not any(isinstance(w, QAbstractButton) and "<b>" in w.text() and w.shortcut() for w in drawn(dresser))


def is_patient(target):
    return re.fullmatch(r"Patient/[A-Za-z0-9\-.]{1,64}", target) is not None


def plain(text):
    """Whether Qt will show `text` as it stands, signs of mark-up included."""
    if not GuiQt.mightBeRichText(text):
        return True
    document = QTextDocument()
    document.setHtml(text)
    return "<b>" in document.toPlainText() or "<" not in text.replace("<p>", "").replace("</p>", "")


def tips(model: QAbstractItemModel):
    for row in range(min(model.rowCount(), 20)):
        for column in range(model.columnCount()):
            yield str(model.index(row, column).data(Qt.ItemDataRole.ToolTipRole) or "")
    for column in range(model.columnCount()):
        yield str(model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole) or "")


@refused("every")
async def test_it_links_to_files_and_pages(ward, monkeypatch):
    opened = []
    monkeypatch.setattr("PySide6.QtGui.QDesktopServices.openUrl", lambda url: opened.append(url))
    linker = await ward.shown("links_to_a_file")
    await linker.act()
    await until(lambda: "t0" in linker.panel.nodes, linker.panel)
    await asyncio.sleep(0.1)
    assert opened == []
    assert {name for name, _ in linker.raised} <= {"open Patient"}
    targets = [str(context.get("patient", "")) for _, context in linker.raised]
    assert all(not is_patient(target) for target in targets)  # the shell opens residents it knows, and nothing else


@refused("every")
async def test_it_speaks_as_if_it_were_the_shell(ward):
    actor = await ward.shown("impersonates")
    await actor.act()
    await asyncio.sleep(0.2)
    chip = actor.frame._state
    said = chip.accessibleName()
    assert len(said) <= 500
    assert "\n" not in said
    assert all(sign.isprintable() for sign in said)
    assert chip.width() <= actor.frame.width()


@refused("every")
@pytest.mark.parametrize(
    ("how", "shown"),
    [
        ("unknown", True), ("100,000 nodes", False), ("same id", False), ("same bind", False),
        ("huge values", False), ("huge grid", False), ("huge span", False), ("huge field", False), ("huge decimals", False),
        ("huge area", False), ("huge skeleton", False), ("huge level", False), ("huge cells", None),
        ("a long word", None), ("many lines", None), ("a wide table", None),
        ("a long list", None), ("many chips", False), ("many fields", False), ("many buttons", False),
        ("many tables", False),
        ("many texts", None), ("many levels", True), ("shortcuts", True),
    ],
)  # fmt: skip
async def test_it_draws_what_cannot_be_drawn(ward, how, shown):
    painter = await ward.shown("strange_trees")
    pid = painter.panel.pid
    await painter.act(how=how)
    await asyncio.sleep(0.2)
    if shown is False:
        assert "t" in painter.panel.nodes or painter.panel.pid != pid  # what stood before stands, or it is gone
        assert painter.panel.problem or painter.told()
    if shown is True:
        assert painter.panel.problem == ""
        assert "t" not in painter.panel.nodes
    painter.frame.grab()
    await ward.press()
    if how == "shortcuts":
        assert painter.panel.state == "running"


@refused("every")
async def test_it_takes_the_focus_or_the_keys_of_others(ward):
    thief = await ward.shown("strange_trees")
    ward.field.setFocus()
    await thief.act(how="shortcuts")
    await thief.act(how="many levels")
    await asyncio.sleep(0.1)
    assert QApplication.focusWidget() is ward.field
