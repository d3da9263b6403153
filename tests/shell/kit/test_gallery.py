"""The whole gallery, page by page: names, errors, contrast, room for large text, no warnings, nothing left behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget

from tests.shell.kit.looking import contrast_of, cut, settle, words
from workspace.panels.components import COMPONENTS, Field, PairField
from workspace.problem import Problem
from workspace.sdk import Panel, ui
from workspace.sdk.testing import Bench
from workspace.shell import gallery, icons
from workspace.shell import theme as themes
from workspace.shell.exhibits import exhibit, reference
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
def test_a_page_is_named_tied_and_plain(show, kind):
    """Everything that takes the focus says what it is, every field is tied to its label and its error, and no vendor's words
    are marked up."""
    body = show(kind).body
    nameless = [type(one).__name__ for one in takes_focus(body) if not one.accessibleName()]
    assert nameless == []
    for one in takes_focus(body):
        face = QAccessible.queryAccessibleInterface(one)
        assert face is not None
        assert face.role() != QAccessible.Role.Client, f"{type(one).__name__} has no role"
    for name, node in body._instance.nodes.items():
        if isinstance(node.component, Field | PairField):
            assert_tied(body.widget(name), node.component)
    rich = [one.text() for one in body.findChildren(QLabel) if one.textFormat() != Qt.TextFormat.PlainText]
    assert rich == []


def assert_tied(widget: QWidget, component: Field | PairField) -> None:
    asking = takes_focus(widget) + ([widget] if widget.focusPolicy() & Qt.FocusPolicy.TabFocus else [])
    assert asking
    said = " ".join(f"{one.accessibleName()} {one.accessibleDescription()}" for one in asking)
    assert component.label in said
    assert component.error in said


@pytest.mark.parametrize("theme", themes.NAMES)
@pytest.mark.parametrize("kind", ["", *KINDS])
def test_painted_words_stand_out_and_are_not_cut(show, kind, theme):
    shown = show(kind, theme)
    least = shown.theme.contrast
    picture = shown.grab().toImage()
    found = list(words(shown.body))
    ratios = [(one, contrast_of(one, picture, shown)) for one in found]
    assert [f"«{one.text}» {one.ink} {ratio:.1f}" for one, ratio in ratios if ratio < least] == []
    assert [said for one in found if (said := cut(one))] == []


OWN = ("Ikke relevant fordi …", "Sender epikrisen …")


@pytest.mark.parametrize("kind", KINDS)
def test_at_double_size_no_words_are_cut_and_what_is_shortened_is_said_in_full(show, kind):
    found = list(words(show(kind, "light", 2.0).body))
    assert [said for one in found if (said := cut(one))] == []
    short = [one for one in found if one.text.endswith("…") and one.text not in OWN]
    assert [one.text for one in short if one.text.rstrip("…").rstrip()[:12] not in told_by(one.widget)] == []


def told_by(widget: QWidget) -> str:
    """What a screen reader or a tool tip says of a widget, of its rows and tabs, or of what it stands in."""
    holder: QWidget | None = widget
    while holder is not None:
        face = QAccessible.queryAccessibleInterface(holder)
        children = [face.child(index) for index in range(face.childCount())]
        said = [holder.accessibleName(), holder.accessibleDescription(), holder.toolTip()]
        said += [child.text(QAccessible.Text.Name) for child in children if child is not None]
        if any(said):
            return "".join(said)
        holder = holder.parentWidget()
    return ""


def test_search_theme_and_text_size_work_by_keyboard(qtbot, show):
    window = show("divider")
    window.activateWindow()
    box = window.findChildren(QLineEdit)[0]
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    box.clear()
    qtbot.keyClicks(box, "calendar")
    assert [window._list.item(row).text() for row in range(window._list.count())] == ["Spørre og handle", "date-field"]
    box.clear()
    qtbot.keyClicks(box, "hologram")
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


@pytest.mark.parametrize("kind", KINDS)
def test_an_example_runs_as_it_is_printed(kind):
    """With nothing but the SDK and the panel's actions: what a vendor copies works."""
    shown = EXHIBITS[kind]
    names: dict = {"ui": ui, "save": exhibit.save, "open_row": exhibit.open_row, "choose_row": exhibit.choose_row}
    exec(compile(shown.source, kind, "exec"), names)
    panel = Panel()
    panel.actions.update(exhibit.panel.actions)
    panel.view("page")(names["view"])
    bench = Bench(panel)
    bench.open("page")
    assert kind in {one["type"] for one in bench.nodes()}
    assert bench.all("failed") == [] or kind == "failed"


def test_the_icons_shown_are_ours():
    assert set(ICONS) - set(icons.names()) == {"finnes-ikke"}


def test_a_check_answers_to_its_key(qtbot, show):
    body = show("check-field").body
    box = body.widget("#told").editor
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Space)
    assert body._instance.values["told"] is True
