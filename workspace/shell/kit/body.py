"""A panel's body: draws an instance's tree and keeps drawing it, reconciling by id.

Focus, caret, selection and scroll survive patches because widgets survive them. What is typed goes to the instance at
once; actions run as kept tasks. A frozen body drops input: it was meant for a context that is about to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from datetime import datetime
from functools import partial
from typing import Any, cast

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QFrame, QLineEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from workspace.panels.components import Action, Button, Component, Field, PairField
from workspace.panels.face import PanelInstance, TreeChange
from workspace.shell.kit import access, button, picture, renewal, table
from workspace.shell.kit.containers import Container, FormWidget, least
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import Labelled, LineEdit
from workspace.shell.kit.ink import RING
from workspace.shell.kit.registry import make_of, registry
from workspace.shell.theme import Theme

Spawn = Callable[[Coroutine[Any, Any, Any]], "asyncio.Task[Any]"]


INPUT = (
    QEvent.Type.KeyPress,
    QEvent.Type.InputMethod,
    QEvent.Type.MouseButtonPress,
    QEvent.Type.MouseButtonDblClick,
    QEvent.Type.Drop,
)


def _drop(widgets: dict[str, QWidget], _body: object = None) -> None:
    for widget in widgets.values():
        if isValid(widget):
            widget.hide()
            widget.deleteLater()


class PanelBody(QFrame):
    """`toolbarChanged` and `statusChanged` give the root's widgets for the frame's title bar; `acted` an action's
    outcome; `firstPainted` once, after the first paint that follows the first tree; `undoAsked` when Ctrl+Z is pressed where
    no editor has something of its own to undo; `originAsked` a ``Type/id`` and where on the screen it is shown."""

    toolbarChanged = Signal(object)
    statusChanged = Signal(object)
    acted = Signal(object)
    firstPainted = Signal()
    undoAsked = Signal()
    originAsked = Signal(str, object)

    def __init__(self, theme: Theme, now: Callable[[], datetime], spawn: Spawn, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spawn = spawn
        self._instance: PanelInstance | None = None
        self._kinds = registry()
        self._widgets: dict[str, QWidget] = {}
        self._makes: dict[str, tuple[object, ...]] = {}
        self._emptied = False
        self._shortcuts: dict[str, QShortcut] = {}
        self._frozen = self._painted = self._awaits_paint = False
        self._slots: dict[str, list[QWidget]] = {}
        self._acting: set[str] = set()
        self.env = Env(theme, now, self.run, self._bound, self._value, self._typed, self._blob, origin=self._origin)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._scroll.setWidget(self._inside)
        # the frame's rounded ground shows through
        self._scroll.viewport().setAutoFillBackground(False)
        self._inside.setAutoFillBackground(False)
        self._scroll.viewport().installEventFilter(self)
        self._inside.installEventFilter(self)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.addWidget(self._scroll)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        undo = QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self)
        undo.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.activated.connect(self._undo)
        # What a frame took into its title bar is no child of ours, and must not outlive us: it shows a patient's data.
        self.destroyed.connect(partial(_drop, self._widgets))
        self._pad()

    # --- the instance ---

    def attach(self, instance: PanelInstance) -> None:
        """Draw this instance from now on; its tree may already be there."""
        self._instance = instance
        if instance.root is not None:
            self.rendered(TreeChange(whole=True))

    def retire(self) -> None:
        """Its context is over: nothing of it stays in any widget, and those that can be emptied stand by for the next
        instance of the same view (`attach`). It is to be out of sight."""
        instance, self._instance = self._instance, None
        self.set_frozen(True)
        self._acting.clear()
        self._drop_shortcuts()
        nodes = instance.nodes if instance is not None else {}
        for name in [name for name, widget in self._widgets.items() if not renewal.empty(widget)]:
            self._orphan(nodes[name].children if name in nodes else ())
            self._remove(name)
        for widget in self._widgets.values():
            if not self._inside.isAncestorOf(widget):  # from the frame's title bar
                widget.setParent(self._inside)
        self._slots.clear()
        self._scroll.verticalScrollBar().setValue(0)
        self._emptied, self._painted, self._awaits_paint = True, False, False

    def rendered(self, change: TreeChange) -> None:
        """Draw what changed."""
        instance = self._instance
        if instance is None or instance.root is None:
            return
        # All of it in this turn: nothing is painted in between, and of a patch only what is other is painted anew.
        if self._emptied:
            self._again(instance)
        elif change.whole or not self._widgets:
            self._whole(instance)
        else:
            self._patch(instance, change)
        self._fit()
        if not self._painted:
            self._painted = self._awaits_paint = True
            self._inside.update()

    def values_changed(self, binds: tuple[str, ...]) -> None:
        """Fields whose memory changed by something else than typing here."""
        del binds
        for widget in self._widgets.values():
            if hasattr(widget, "value_changed"):
                widget.value_changed()

    def marks_changed(self) -> None:
        """What is not saved yet has changed: rows say it beside their words."""
        for widget in self._widgets.values():
            if isinstance(widget, table.TableWidget):
                widget.marks_changed()

    def bound_changed(self, watch: int) -> None:
        instance = self._instance
        if instance is None:
            return
        for name, widget in self._widgets.items():
            node = instance.nodes.get(name)
            if node is not None and getattr(node.component, "watch", None) == watch:
                cast(Any, widget).bound_changed()

    def blob_changed(self, handle: str) -> None:
        """A picture has come, is another, or is gone."""
        for widget in self._widgets.values():
            if isinstance(widget, picture.PictureWidget):
                widget.blob_changed(handle)

    def focus_first(self) -> None:
        """The focus goes to the first field of the body, in the order of the tree; what stands in the title bar only
        chooses what is shown."""
        instance = self._instance
        waiting = [instance.root] if instance is not None and instance.root is not None else []
        while instance is not None and waiting:
            node = instance.nodes[waiting.pop()]
            widget = self._widgets.get(node.id)
            if node.component.slot != "body":
                continue
            if widget is not None and isinstance(node.component, Field | PairField):
                widget.setFocus(Qt.FocusReason.OtherFocusReason)
                return
            waiting.extend(reversed(node.children))

    def tick(self) -> None:
        """A minute has passed: ages have grown."""
        for widget in self._widgets.values():
            if hasattr(widget, "tick"):
                widget.tick()

    def set_theme(self, theme: Theme) -> None:
        self.env.theme = theme
        self._pad()
        for widget in self._widgets.values():
            cast(Any, widget).set_theme(theme)
        self._fit()

    def set_frozen(self, frozen: bool) -> None:
        """Drop what is typed and pressed from now on."""
        self._frozen = frozen

    def widget(self, node_id: str) -> QWidget | None:
        """The widget of a node, for tests and for focus."""
        return self._widgets.get(node_id)

    # --- doing ---

    def run(self, action: Action) -> None:
        """Start an action, once until it ends."""
        instance, key = self._instance, repr(action)
        if instance is None or self._frozen or key in self._acting:
            return
        self._acting.add(key)
        pressed = [
            w for w in self._widgets.values() if isinstance(w, button.ButtonWidget) and w.component.action == action
        ]
        for one in pressed:
            one.set_busy(True)
        self._spawn(self._act(instance, action, key, pressed))

    def _origin(self, reference: str, area: QRect) -> None:
        if not self._frozen:
            self.originAsked.emit(reference, area)

    def _undo(self) -> None:
        if not self._frozen:
            self.undoAsked.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc lets go of an action that runs, as long as nothing of it is being saved."""
        if event.key() == Qt.Key.Key_Escape and self._acting and self._instance is not None and self._instance.cancel():
            event.accept()
            return
        super().keyPressEvent(event)

    async def _act(self, instance: PanelInstance, action: Action, key: str, pressed: list[button.ButtonWidget]) -> None:
        try:
            outcome = await instance.act(action)
        finally:
            if self._instance is instance:  # else it serves another by now, and this is not that one's business
                self._acting.discard(key)
                for one in pressed:
                    if isValid(one):
                        one.set_busy(False)
        if isValid(self) and self._instance is instance:
            self.acted.emit(outcome)

    def _typed(self, bind: str, value: Any) -> None:
        if self._instance is not None and not self._frozen:
            self._instance.typed(bind, value)

    def _value(self, bind: str) -> Any:
        return self._instance.values.get(bind) if self._instance is not None else None

    def _bound(self, watch: int) -> Any:
        from workspace.panels.face import BoundRows

        return self._instance.bound(watch) if self._instance is not None else BoundRows()

    def _blob(self, handle: str) -> tuple[str, bytes] | None:
        return self._instance.blob(handle) if self._instance is not None else None

    # --- drawing ---

    def _pad(self) -> None:
        side = self.env.theme.px(12)
        self._column.setContentsMargins(side - RING, 0, side - RING, side - RING)

    def _fit(self) -> None:
        """As wide as the panel, as high as it or as the content at its least: tables scroll before the body does."""
        instance = self._instance
        root = self._widgets.get(instance.root or "") if instance is not None else None
        room, margins = self._scroll.viewport().size(), self._column.contentsMargins()
        tall = 0
        if root is not None:
            width = room.width() - margins.left() - margins.right()
            tall = least(root, width) + margins.top() + margins.bottom()
        self._inside.resize(room.width(), max(room.height(), tall))

    def _whole(self, instance: PanelInstance) -> None:
        holder, caret = self._holder()
        self._clear()
        root = cast(str, instance.root)
        self._make(instance, root)
        self._column.addWidget(self._widgets[root], 1)
        self._place(instance, list(instance.nodes))
        # Last: in a visible parent each child that is shown makes Qt look through all its brothers.
        self._widgets[root].show()
        self._outside(instance)
        self._chain(instance)
        again = self._widgets.get(holder)
        if again is not None:
            again.setFocus(Qt.FocusReason.OtherFocusReason)
            editor = again.focusWidget() or again.focusProxy()
            if isinstance(editor, QLineEdit):
                editor.setCursorPosition(caret)

    def _again(self, instance: PanelInstance) -> None:
        """Emptied widgets take the components of another context; what is missing is made, what is too much goes."""
        self._emptied, nodes, root = False, instance.nodes, cast(str, instance.root)
        self._frozen = False
        stale = [n for n in self._widgets if n not in nodes or self._makes[n] != make_of(nodes[n].component)]
        going = [self._widgets[name] for name in stale]
        if root in self._widgets:
            self._widgets[root].hide()  # what is placed in a hidden one is laid out once, when it is shown
        self._orphan([n for n, w in self._widgets.items() if w.parentWidget() in going])
        for name in stale:
            self._remove(name)
        fresh = [name for name in nodes if name not in self._widgets]
        for name, node in nodes.items():
            if name in self._widgets:
                renewal.fill(self._widgets[name], node.component)
                self._shortcut(name, node.component)
            else:
                self._make(instance, name, deep=False)
        if root in fresh:
            self._column.addWidget(self._widgets[root], 1)
        self._place(instance, [name for name in nodes if not self._stands(instance, name)])
        for name in reversed(list(nodes)):
            widget = self._widgets.get(name)
            if isinstance(widget, Container | Labelled):
                widget.settle()
        self._widgets[root].show()
        self._outside(instance)
        if fresh or stale:
            self._chain(instance)

    def _orphan(self, names: Iterable[str]) -> None:
        """Widgets that are to outlive what they stand in."""
        for name in names:
            if name in self._widgets:
                self._widgets[name].setParent(self._inside)

    def _holder(self) -> tuple[str, int]:
        """The node that has the focus, and where its caret stands."""
        focus = QApplication.focusWidget()
        for name, widget in self._widgets.items():
            if (
                focus is not None
                and not isinstance(widget, Container)
                and (focus is widget or widget.isAncestorOf(focus))
            ):
                return name, focus.cursorPosition() if isinstance(focus, QLineEdit) else 0
        return "", 0

    def _clear(self) -> None:
        for widget in list(self._widgets.values()):
            widget.hide()
            widget.deleteLater()
        self._widgets.clear()
        self._makes.clear()
        self._drop_shortcuts()
        while self._column.count():
            self._column.takeAt(0)

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
            node, widget = instance.nodes.get(name), self._widgets.get(name)
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
            widget = self._widgets.get(name)
            if isinstance(widget, table.TableWidget) and name in instance.nodes:
                widget.rows_changed(cast(Any, instance.nodes[name].component), rows)
        self._place(instance, [name for name in instance.nodes if name in parents])
        self._outside(instance, force=False)
        if parents:
            self._chain(instance)

    def _remake(self, instance: PanelInstance, name: str) -> None:
        """Another widget for the same node; its children stay the widgets they were."""
        self._orphan(instance.nodes[name].children)
        self._make(instance, name, deep=False)
        if name == instance.root:
            self._column.addWidget(self._widgets[name], 1)
            self._widgets[name].show()

    def _make(self, instance: PanelInstance, name: str, *, deep: bool = True) -> None:
        node = instance.nodes.get(name)
        if node is None:
            return
        self._remove(name)
        kind = node.component.kind if node.component.kind in self._kinds else "unknown"
        widget = cast(Any, self._kinds[kind])(node.component, self.env, self._inside)
        widget.setObjectName(name)
        access.speak_in(widget, node.component.language)
        self._widgets[name], self._makes[name] = widget, make_of(node.component)
        self._shortcut(name, node.component)
        for one in (widget, *widget.findChildren(QWidget)):
            if one.focusPolicy() != Qt.FocusPolicy.NoFocus:
                one.installEventFilter(self)
        if deep:
            for child in node.children:
                self._make(instance, child)

    def _remove(self, name: str) -> None:
        widget = self._widgets.pop(name, None)
        self._makes.pop(name, None)
        shortcut = self._shortcuts.pop(name, None)
        if shortcut is not None:
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        if widget is not None:
            widget.hide()
            widget.setParent(None)
            widget.deleteLater()

    def _place(self, instance: PanelInstance, names: list[str]) -> None:
        """Put what stands in these into them, the outermost first: whatever moves to another parent is polished anew with
        all that stands in it, and the style sheet then takes the margins and palettes of labels away."""
        inside = {name: self._children(instance, name) for name in names if name in instance.nodes}
        places = [(one, inside[name]) for name in inside if isinstance(one := self._widgets.get(name), Container)]
        for container, children in places:  # whether one grows depends on what stands in it
            container.children_ = children
        for container, children in places:
            container.place(children)

    def _stands(self, instance: PanelInstance, name: str) -> bool:
        """Whether a container has what it is to have already; else it is given its component, and is to be placed."""
        widget, component = self._widgets.get(name), instance.nodes[name].component
        if not isinstance(widget, Container):
            return True
        same = widget.component == component and widget.children_ == self._children(instance, name)
        widget.component = component
        return same

    def _children(self, instance: PanelInstance, name: str) -> list[tuple[QWidget, str, int]]:
        """What stands in a container: widget, kind and span of each child."""
        children = []
        for child in instance.nodes[name].children:
            inside, below = self._widgets.get(child), instance.nodes.get(child)
            if inside is None or below is None:
                continue
            if name == instance.root and below.component.slot != "body":
                continue
            children.append((inside, below.component.kind, below.component.span))
        return children

    def _outside(self, instance: PanelInstance, *, force: bool = True) -> None:
        """Tell the frame which widgets stand in its title bar; after a patch only when they are others, so that the focus
        stays in them."""
        root = instance.nodes[cast(str, instance.root)]
        for slot, signal in (("toolbar", self.toolbarChanged), ("status", self.statusChanged)):
            names = [n for n in root.children if n in instance.nodes and instance.nodes[n].component.slot == slot]
            widgets = [self._widgets[name] for name in names if name in self._widgets]
            for widget in widgets:
                if widget.parentWidget() is self._inside:
                    widget.hide()  # until a frame takes it
            if force or widgets != self._slots.get(slot, []):
                signal.emit(widgets)
            self._slots[slot] = widgets

    # --- keys ---

    def _chain(self, instance: PanelInstance) -> None:
        """Tab goes through the tree in its order: Qt's own is the order in which the widgets happened to be made."""
        stack, before = [cast(str, instance.root)], None
        while stack:
            name = stack.pop()
            node, widget = instance.nodes.get(name), self._widgets.get(name)
            if node is None or widget is None:
                continue
            stack += reversed(node.children)
            if isinstance(widget, Container) or not self._inside.isAncestorOf(widget):
                continue
            for one in (widget, *widget.findChildren(QWidget)):
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
            shortcut = QShortcut(QKeySequence(component.shortcut), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(lambda: self._press(name))
            self._shortcuts[name] = shortcut

    def _press(self, name: str) -> None:
        widget = self._widgets.get(name)
        if isinstance(widget, button.ButtonWidget):
            widget.press()

    def _drop_shortcuts(self) -> None:
        for shortcut in self._shortcuts.values():
            shortcut.setEnabled(False)
            shortcut.deleteLater()
        self._shortcuts.clear()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kind = event.type()
        if watched is self._inside:
            if kind == QEvent.Type.Paint and self._awaits_paint:
                self._awaits_paint = False
                self.firstPainted.emit()
            elif kind == QEvent.Type.LayoutRequest:
                self._fit()
            return False
        if watched is self._scroll.viewport():
            if kind == QEvent.Type.Resize:
                self._fit()
            return False
        if self._frozen and kind in INPUT:
            return True
        if isinstance(watched, QLineEdit) and isinstance(event, QKeyEvent) and kind == QEvent.Type.KeyPress:
            if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                return False
            if isinstance(watched, LineEdit) and watched.keeps_enter():
                return False
            return self._submit(watched)
        return super().eventFilter(watched, event)

    def _submit(self, editor: QWidget) -> bool:
        parent = editor.parentWidget()
        while parent is not None and parent is not self:
            if isinstance(parent, FormWidget) and parent.component.submit is not None:
                self.run(parent.component.submit)
                return True
            parent = parent.parentWidget()
        return False
