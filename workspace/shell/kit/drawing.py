"""The widgets of an instance's tree, by node id: made, patched in place, and emptied when their context is over.

Knows components and places, not what an instance is or does; input and paint are the body's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget
from shiboken6 import isValid

from workspace.panels.components import Button, Component
from workspace.panels.face import PanelInstance, TreeChange
from workspace.shell.kit import access, button, renewal, table
from workspace.shell.kit.containers import Container
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Labelled
from workspace.shell.kit.registry import make_of, registry


class Drawing:
    """In `inside`, whose one child in `column` is the tree's root. `owner` filters the events of what can have the focus and
    holds the shortcuts; `slots` is told a slot of the title bar and the widgets for it."""

    def __init__(
        self,
        inside: QWidget,
        column: QVBoxLayout,
        env: Env,
        owner: QWidget,
        slots: Callable[[str, list[QWidget]], None],
    ) -> None:
        self._inside, self._column, self._env, self._owner, self._tell = inside, column, env, owner, slots
        self._kinds = registry()
        self.widgets: dict[str, QWidget] = {}
        self._makes: dict[str, tuple[object, ...]] = {}
        self._shortcuts: dict[str, QShortcut] = {}
        self._slots: dict[str, list[QWidget]] = {}
        self._stops: set[str] = set()  # nodes that can have the focus, or could
        self.emptied = False

    def draw(self, instance: PanelInstance, change: TreeChange) -> None:
        """What of the tree is other than what stands here."""
        if not self.widgets:
            self._first(instance)
        elif self.emptied:
            self._again(instance)
        else:
            with self._focus_kept():
                if change.whole:
                    # Somebody looks and perhaps types, as when the panel's process is a new one: what stands in both trees
                    # stays the widget it is, with its caret and what can be undone in it, and no key is lost meanwhile.
                    self._renew(instance, live=True)
                else:
                    self._patch(instance, change)

    def settle(self, instance: PanelInstance) -> None:
        """Something has become other while nobody could see it: how much room all takes is asked anew. Qt tells a parent of
        it only while it is visible, and measures that it took when it was visible would stand."""
        for name in reversed(list(instance.nodes)):
            widget = self.widgets.get(name)
            if isinstance(widget, Container | Labelled):
                widget.settle()

    def empty(self, instance: PanelInstance | None) -> None:
        """Nothing of `instance` stays in any widget; those that can be emptied stand by for the next."""
        self._drop_shortcuts()
        nodes = instance.nodes if instance is not None else {}
        for name in [name for name, widget in self.widgets.items() if not renewal.empty(widget)]:
            self._orphan(nodes[name].children if name in nodes else ())
            self._remove(name)
        for widget in self.widgets.values():
            if not self._inside.isAncestorOf(widget):  # from the frame's title bar
                widget.setParent(self._inside)
        self._slots.clear()
        self.emptied = True

    def _first(self, instance: PanelInstance) -> None:
        """Nothing stands here yet."""
        self.emptied, root = False, cast(str, instance.root)
        self._make(instance, root)
        self._column.addWidget(self.widgets[root], 1)
        self._place(instance, list(instance.nodes))
        # Last: in a visible parent each child that is shown makes Qt look through all its brothers.
        self.widgets[root].show()
        self.outside(instance)
        self._new_stops()
        self._chain(instance)

    @contextmanager
    def _focus_kept(self) -> Iterator[None]:
        """What has the focus has it afterwards too, where it or another one of its node stands then."""
        focus = QApplication.focusWidget()
        holder, caret = self._holder(focus), _caret(focus)
        yield
        again = self.widgets.get(holder)
        if again is None or QApplication.focusWidget() is focus:
            return
        if (
            focus is not None and isValid(focus) and (focus is again or again.isAncestorOf(focus))
        ):  # it stands elsewhere
            focus.setFocus(Qt.FocusReason.OtherFocusReason)
            return
        again.setFocus(Qt.FocusReason.OtherFocusReason)
        _set_caret(again.focusWidget() or again.focusProxy(), caret)

    def _again(self, instance: PanelInstance) -> None:
        """Emptied widgets take the components of another context."""
        self.emptied, root = False, cast(str, instance.root)
        if root in self.widgets:
            self.widgets[root].hide()  # what is placed in a hidden one is laid out once, when it is shown
        self._renew(instance, live=False)

    def _renew(self, instance: PanelInstance, *, live: bool) -> None:
        """The widgets of one tree take the components of another; what is missing is made, what is too much goes. `live`:
        somebody looks at them, and what they hold stays; else they are empty, and the frame knows of none."""
        nodes, root = instance.nodes, cast(str, instance.root)
        give = renewal.keep if live else renewal.fill
        stale = [n for n in self.widgets if n not in nodes or self._makes[n] != make_of(nodes[n].component)]
        going = [self.widgets[name] for name in stale]
        self._orphan([n for n, w in self.widgets.items() if w.parentWidget() in going])
        for name in stale:
            self._remove(name)
        fresh = [name for name in nodes if name not in self.widgets]
        for name, node in nodes.items():
            if name in self.widgets:
                give(self.widgets[name], node.component)
                self._shortcut(name, node.component)
            else:
                self._make(instance, name, deep=False)
        if self._column.indexOf(self.widgets[root]) < 0:  # a new one, or one that stood within another
            self._column.addWidget(self.widgets[root], 1)
        moved = [name for name in nodes if not self._stands(instance, name)]
        self._place(instance, list(nodes) if live else moved)
        self.settle(instance)
        self.widgets[root].show()
        self.outside(instance, force=not live)
        if self._new_stops() or fresh or stale:
            self._chain(instance)

    def _new_stops(self) -> bool:
        """Whether something that could not have the focus can have it now, for the first time; its events are filtered from
        then on, like those of the rest."""
        found = [
            name
            for name, widget in self.widgets.items()
            if name not in self._stops and widget.focusPolicy() != Qt.FocusPolicy.NoFocus
        ]
        for name in found:
            self.widgets[name].installEventFilter(cast(QObject, self._owner))
        self._stops.update(found)
        return bool(found)

    def _patch(self, instance: PanelInstance, change: TreeChange) -> None:
        for name in change.removed:
            self._remove(name)
        parents = set(change.reordered)
        for name in change.added:
            self._make(instance, name, deep=False)
            node = instance.nodes.get(name)
            if node is not None:
                parents.add(name)
                if node.parent is not None:
                    parents.add(node.parent)
        for name in change.changed:
            node, widget = instance.nodes.get(name), self.widgets.get(name)
            if node is None:
                continue
            if widget is None or self._makes[name] != make_of(node.component):
                self._remake(instance, name)
                parents |= {name, *([node.parent] if node.parent else [])}
            else:
                cast(Any, widget).set_component(node.component)
                access.speak_in(widget, node.component.language)
                self._shortcut(name, node.component)
        for name, rows in change.rows.items():
            widget = self.widgets.get(name)
            if isinstance(widget, table.TableWidget) and name in instance.nodes:
                widget.rows_changed(cast(Any, instance.nodes[name].component), rows)
        self._place(instance, [name for name in instance.nodes if name in parents])
        self.outside(instance, force=False)
        if self._new_stops() or parents:
            self._chain(instance)

    # --- one widget ---

    def _make(self, instance: PanelInstance, name: str, *, deep: bool = True) -> None:
        node = instance.nodes.get(name)
        if node is None:
            return
        self._remove(name)
        kind = node.component.kind if node.component.kind in self._kinds else "unknown"
        widget = cast(Any, self._kinds[kind])(node.component, self._env, self._inside)
        widget.setObjectName(name)
        access.speak_in(widget, node.component.language)
        self.widgets[name], self._makes[name] = widget, make_of(node.component)
        self._shortcut(name, node.component)
        for one in widget.findChildren(QWidget):
            if one.focusPolicy() != Qt.FocusPolicy.NoFocus:
                one.installEventFilter(cast(QObject, self._owner))
        if deep:
            for child in node.children:
                self._make(instance, child)

    def _remake(self, instance: PanelInstance, name: str) -> None:
        """Another widget for the same node; its children stay the widgets they were."""
        self._orphan(instance.nodes[name].children)
        self._make(instance, name, deep=False)
        if name == instance.root:
            self._column.addWidget(self.widgets[name], 1)
            self.widgets[name].show()

    def _remove(self, name: str) -> None:
        widget = self.widgets.pop(name, None)
        self._makes.pop(name, None)
        self._stops.discard(name)
        shortcut = self._shortcuts.pop(name, None)
        if shortcut is not None:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()

    def _orphan(self, names: Iterable[str]) -> None:
        """Widgets that are to outlive what they stand in."""
        for name in names:
            if name in self.widgets:
                self.widgets[name].setParent(self._inside)

    def _holder(self, focus: QWidget | None) -> str:
        """The node in whose widget `focus` is; "" where it is in none of these, or in a container's own head."""
        one = focus
        while one is not None:
            name = one.objectName()
            if self.widgets.get(name) is one:
                return "" if isinstance(one, Container) else name
            one = one.parentWidget()
        return ""

    # --- where it stands ---

    def _place(self, instance: PanelInstance, names: list[str]) -> None:
        """Put what stands in these into them, the outermost first: whatever moves to another parent is polished anew with
        all that stands in it, and the style sheet then takes the margins and palettes of labels away."""
        inside = {name: self._children(instance, name) for name in names if name in instance.nodes}
        places = [(one, inside[name]) for name in inside if isinstance(one := self.widgets.get(name), Container)]
        for container, children in places:  # whether one grows depends on what stands in it
            container.children_ = children
        for container, children in places:
            container.place(children)

    def _stands(self, instance: PanelInstance, name: str) -> bool:
        """Whether a container has what it is to have already; else it is given its component, and is to be placed."""
        widget, component = self.widgets.get(name), instance.nodes[name].component
        if not isinstance(widget, Container):
            return True
        same = widget.component == component and widget.children_ == self._children(instance, name)
        widget.component = component
        return same

    def _children(self, instance: PanelInstance, name: str) -> list[tuple[QWidget, str, int]]:
        """What stands in a container: widget, kind and span of each child."""
        children = []
        for child in instance.nodes[name].children:
            inside, below = self.widgets.get(child), instance.nodes.get(child)
            if inside is None or below is None:
                continue
            if name == instance.root and below.component.slot != "body":
                continue
            children.append((inside, below.component.kind, below.component.span))
        return children

    def outside(self, instance: PanelInstance, *, force: bool = True) -> None:
        """Tell the frame which widgets stand in its title bar; after a patch only when they are others, so that the focus
        stays in them."""
        root = instance.nodes[cast(str, instance.root)]
        for slot in ("toolbar", "status"):
            names = [n for n in root.children if n in instance.nodes and instance.nodes[n].component.slot == slot]
            widgets = [self.widgets[name] for name in names if name in self.widgets]
            for widget in widgets:
                if widget.parentWidget() is self._inside:
                    widget.hide()  # until a frame takes it
            if force or widgets != self._slots.get(slot, []):
                self._tell(slot, widgets)
            self._slots[slot] = widgets

    # --- keys ---

    def _chain(self, instance: PanelInstance) -> None:
        """Tab goes through the tree in its order: Qt's own is the order in which the widgets happened to be made."""
        stack, before = [cast(str, instance.root)], None
        while stack:
            name = stack.pop()
            node, widget = instance.nodes.get(name), self.widgets.get(name)
            if node is None or widget is None:
                continue
            stack += reversed(node.children)
            if not self._inside.isAncestorOf(widget):
                continue
            inside = widget.heads() if isinstance(widget, Container) else widget.findChildren(QWidget)
            for one in (widget, *inside):
                if one.focusPolicy() & Qt.FocusPolicy.TabFocus and one.focusProxy() is None:
                    if before is not None:
                        QWidget.setTabOrder(before, one)
                    before = one

    def _shortcut(self, name: str, component: Component) -> None:
        old = self._shortcuts.pop(name, None)
        if old is not None:
            old.setEnabled(False)
            old.deleteLater()
        if isinstance(component, Button) and component.shortcut:
            shortcut = QShortcut(self._owner)
            shortcut.setKeys(_keys(component.shortcut))
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda: self._press(name))
            self._shortcuts[name] = shortcut

    def _press(self, name: str) -> None:
        widget = self.widgets.get(name)
        if isinstance(widget, button.ButtonWidget):
            widget.press()

    def _drop_shortcuts(self) -> None:
        for shortcut in self._shortcuts.values():
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts.clear()


def _keys(shortcut: str) -> list[QKeySequence]:
    """Qt's Enter is that of the number block; here it is either."""
    head, _, last = shortcut.rpartition("+")
    if last.lower() not in ("enter", "return"):
        return [QKeySequence(shortcut)]
    return [QKeySequence("+".join(part for part in (head, name) if part)) for name in ("Return", "Enter")]


def _caret(editor: QWidget | None) -> int:
    if isinstance(editor, QPlainTextEdit):
        return editor.textCursor().position()
    return editor.cursorPosition() if isinstance(editor, QLineEdit) else 0


def _set_caret(editor: QWidget | None, place: int) -> None:
    if isinstance(editor, QLineEdit):
        editor.setCursorPosition(place)
    elif isinstance(editor, QPlainTextEdit):
        cursor = editor.textCursor()
        cursor.setPosition(min(place, editor.document().characterCount() - 1))
        editor.setTextCursor(cursor)
