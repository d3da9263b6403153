from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel

from workspace.panels.components import Action, Failed, Notice, Pending, Pill, Text
from workspace.shell import theme as themes
from workspace.shell.chips import PlainButton
from workspace.shell.kit.failed import FailedWidget
from workspace.shell.kit.notice import NoticeWidget
from workspace.shell.kit.pending import PendingWidget
from workspace.shell.kit.pill import PillWidget
from workspace.shell.kit.text import TextWidget


def test_a_text_tells_age_and_source_and_grows_older(qtbot, notes):
    text = TextWidget(Text(text="74,2 kg", at="2026-01-14T15:03:50+01:00", source="Mia"), notes.env)
    qtbot.addWidget(text)
    assert text.text() == "74,2 kg · nå · Mia"
    later = notes.env.now().replace(hour=15, minute=9)
    notes.env.now = lambda: later
    text.tick()
    assert text.text() == "74,2 kg · for 5 min siden · Mia"


def test_a_vendors_markup_is_never_interpreted(qtbot, notes):
    for widget in (
        TextWidget(Text(text="<b>x</b>"), notes.env),
        NoticeWidget(Notice(text="<img src='file:///x'>"), notes.env),
        FailedWidget(Failed(text="<b>x</b>"), notes.env),
    ):
        qtbot.addWidget(widget)
        labels = [widget] if isinstance(widget, QLabel) else widget.findChildren(QLabel)
        assert {label.textFormat() for label in labels} == {Qt.TextFormat.PlainText}


def test_a_quick_answer_never_flickers_and_a_slow_one_says_what_it_waits_for(qtbot, notes):
    waiting = PendingWidget(Pending(waits_for="Venter på laboratoriet"), notes.env)
    qtbot.addWidget(waiting)
    waiting.resize(200, 90)
    waiting.show()
    blank = waiting.grab().toImage()
    assert waiting.accessibleName() == ""
    qtbot.waitUntil(lambda: waiting.grab().toImage() != blank, timeout=1500)
    qtbot.waitUntil(lambda: waiting.accessibleName() == "Venter på laboratoriet", timeout=4000)


def test_what_failed_can_be_tried_again_when_there_is_a_way(qtbot, notes):
    failed = FailedWidget(Failed(text="Prøvesvarene kom ikke.", retry=Action("again")), notes.env)
    qtbot.addWidget(failed)
    failed.show()
    again = failed.findChild(PlainButton)
    qtbot.mouseClick(again, Qt.MouseButton.LeftButton)
    assert notes.ran == [Action("again")]
    failed.set_component(Failed(text="Du har ikke tilgang."))
    assert not again.isVisible()


def test_a_shape_stands_beside_the_colour(qtbot, notes):
    pictures = []
    for shape in ("none", "up", "diamond", "dot"):
        pill = PillWidget(Pill(text="7", tone="bad", shape=shape), notes.env)
        qtbot.addWidget(pill)
        pill.resize(pill.sizeHint())
        pictures.append(pill.grab().toImage())
    assert all(a != b for i, a in enumerate(pictures) for b in pictures[i + 1 :])


def test_a_notice_wraps_and_stays_readable_in_every_theme(qtbot, notes):
    notice = NoticeWidget(Notice(title="Allergi", text="Penicillin er registrert som allergi. " * 3), notes.env)
    qtbot.addWidget(notice)
    notice.resize(260, 40)
    for name in themes.NAMES:
        theme = themes.load(name)
        notice.set_theme(theme)
        label = notice.findChild(QLabel)
        assert label.palette().color(label.foregroundRole()).name() == theme.text
    assert notice.heightForWidth(260) > notice.heightForWidth(900)
