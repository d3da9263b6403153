"""The whole gallery, page by page: names, errors, contrast, room for large text, no warnings, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget

from tests.shell.kit.looking import contrast_of, cut, settle, words
from workspace.panels.components import COMPONENTS, Field, PairField
from workspace.problem import Problem
from workspace.shell import gallery, icons
from workspace.shell import theme as themes
from workspace.shell.exhibits import reference
from workspace.shell.exhibits.exhibit import EXHIBITS, load
from workspace.shell.exhibits.telling import ICONS
from workspace.shell.gallery import Gallery

KINDS = sorted(load())


@pytest.fixture(scope="module")
def window(qapp):
    """One gallery for all pages: making it anew for each would take most of the time."""
    made = Gallery(themes.apply(qapp, themes.load("light")))
    made.show()
    settle()
    yield made
    made.close()
    made.deleteLater()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settle()


@pytest.fixture
def show(qapp, window):
    def at(kind: str, theme: str = "light", scale: float = 1.0) -> Gallery:
        if (window.theme.name, window.theme.scale) != (theme, scale):
            window.set_theme(themes.apply(qapp, themes.load(theme, scale)))
        window.show_page(kind)
        window.resize(1000, 700)
        settle()
        window.resize(1200, 800)
        settle()
        return window

    yield at
    window.close_page()
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def takes_focus(body: QWidget) -> list[QWidget]:
    return [
        widget
        for widget in body.findChildren(QWidget)
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.focusProxy() is None
    ]


def test_every_component_has_its_exhibit():
    assert set(KINDS) == set(COMPONENTS)


@pytest.mark.parametrize("kind", ["", *KINDS])
def test_everything_that_takes_the_focus_says_what_it_is(show, kind):
    body = show(kind).body
    nameless = [type(one).__name__ for one in takes_focus(body) if not one.accessibleName()]
    assert nameless == []
    for one in takes_focus(body):
        face = QAccessible.queryAccessibleInterface(one)
        assert face is not None
        assert face.role() != QAccessible.Role.Client, f"{type(one).__name__} has no role"


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_is_tied_to_its_label_and_its_error(show, kind):
    body = show(kind).body
    nodes = body._instance.nodes
    for name, node in nodes.items():
        component = node.component
        if not isinstance(component, Field | PairField):
            continue
        inside = [body.widget(name), *body.widget(name).findChildren(QWidget)]
        asking = [one for one in inside if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.focusProxy() is None]
        assert asking, name
        said = " ".join(f"{one.accessibleName()} {one.accessibleDescription()}" for one in asking)
        assert component.label in said, name
        if component.error:
            assert component.error in said, name


@pytest.mark.parametrize("theme", themes.NAMES)
@pytest.mark.parametrize("kind", ["", *KINDS])
def test_painted_words_stand_out_from_what_they_are_painted_on(show, kind, theme):
    shown = show(kind, theme)
    least = shown.theme.contrast
    picture = shown.grab().toImage()
    weak = []
    for one in words(shown.body):
        found = contrast_of(one, picture, shown)
        if found < least:
            weak.append(f"«{one.text}» {one.ink} {found:.1f}")
    assert weak == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_no_words_are_cut_off(show, kind, scale):
    found = [said for one in words(show(kind, "light", scale).body) if (said := cut(one))]
    assert found == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_shortened_at_double_size_is_still_said_in_full(show, kind):
    lost = []
    for one in words(show(kind, "light", 2.0).body):
        if not one.text.endswith("…") or one.text in ("Ikke relevant fordi …", "Sender epikrisen …"):
            continue
        holder: QWidget | None = one.widget
        said = ""
        while holder is not None and not said:
            said = f"{holder.accessibleName()}{holder.accessibleDescription()}{holder.toolTip()}"
            face = QAccessible.queryAccessibleInterface(holder)
            said += "".join(
                face.child(index).text(QAccessible.Text.Name) for index in range(face.childCount()) if face.child(index)
            )
            holder = holder.parentWidget()
        if one.text.rstrip("…").rstrip()[:12] not in said:
            lost.append(f"«{one.text}» on {type(one.widget).__name__}")
    assert lost == []


def test_search_theme_and_text_size_work_by_keyboard(qtbot, show):
    window = show("divider")
    window.activateWindow()
    box = window.findChildren(QLineEdit)[0]
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    box.clear()
    qtbot.keyClicks(box, "kalender")
    shown = [window._list.item(row).text() for row in range(window._list.count())]
    assert shown == ["Spørre og handle", "date-field"] or shown == ["Ingen treff"]
    box.clear()
    qtbot.keyClicks(box, "dato")
    box.clear()
    qtbot.keyClicks(box, "bildefeil")
    assert [window._list.item(row).text() for row in range(window._list.count())] == ["Ingen treff"]
    box.clear()
    dark = next(one for one in window._themes._chips if one.accessibleName() == "Mørkt")
    qtbot.mouseClick(dark, Qt.MouseButton.LeftButton)
    assert window.theme.name == "dark"
    large = next(one for one in window._scales._chips if one.accessibleName() == "200 %")
    qtbot.mouseClick(large, Qt.MouseButton.LeftButton)
    assert window.theme.scale == 2.0
    assert window.body.env.theme == window.theme


def test_a_page_that_is_typed_into_redraws_itself(qtbot, show):
    body = show("code-field").body
    field = next(
        one for one in body._widgets.values() if getattr(one, "_component", None) and one._component.bind == "drug"
    )
    field.editor.setFocus()
    qtbot.keyClicks(field.editor, "amoks")
    qtbot.waitUntil(lambda: [one.label for one in field.matches] == ["Amoks 500 mg", "Amoks 250 mg"], timeout=3000)
    qtbot.keyClick(field.editor, Qt.Key.Key_Down)
    qtbot.keyClick(field.editor, Qt.Key.Key_Return)
    assert body._instance.values["drug"] == "J01CA04 amoks 250 mg"
    assert field.editor.text() == "J01CA04 Amoks 250 mg"


@pytest.mark.parametrize("kind", KINDS)
def test_vendors_words_are_never_marked_up(show, kind):
    from PySide6.QtWidgets import QLabel

    body = show(kind).body
    rich = [one.text() for one in body.findChildren(QLabel) if one.textFormat() != Qt.TextFormat.PlainText]
    assert rich == []


def test_pages_leave_nothing_behind(qapp, show):
    window = show("table")
    before = len(qapp.allWidgets())
    for kind in ("date-field", "code-field", "trend", "tabs", "table"):
        show(kind)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    settle()
    assert len(qapp.allWidgets()) <= before + 2
    assert window.isVisible()


def test_a_screenshot_is_made_and_an_unknown_page_refused(qapp, tmp_path: Path):
    assert gallery.run(theme="dark", scale=100, page="pill", screenshots=tmp_path) == 0
    assert (tmp_path / "gallery-dark.png").stat().st_size > 10_000
    with pytest.raises(Problem, match="ingen side"):
        gallery.run(theme="light", scale=100, page="hologram", screenshots=tmp_path)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def test_the_reference_is_fresh():
    again = "stale: run python -m workspace.shell.exhibits.reference"
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page_text(), again


def test_the_reference_has_an_example_of_every_component():
    text = reference.page_text()
    for kind, shown in EXHIBITS.items():
        assert f"### {kind}\n" in text
        assert shown.source in text
        assert shown.notes
        assert "ui." in shown.source


def test_the_icons_shown_are_ours():
    assert set(ICONS) - set(icons.names()) == {"finnes-ikke"}


def test_buttons_and_fields_answer_to_their_keys(qtbot, show):
    body = show("check-field").body
    box = body.widget("#told").editor
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert body._instance.values["told"] is True
    assert isinstance(box, QAbstractButton)
    area = show("text-area").body.widget("#note").editor
    assert isinstance(area, QPlainTextEdit)
    qtbot.keyClicks(area, "hei")
    assert show("text-area") is not None
