"""A panel's body: draws an instance's tree and keeps drawing it, reconciling by id.

Focus, caret, selection and scroll survive patches because widgets survive them. What is typed goes to the instance at
once; actions run as kept tasks. A frozen body drops input: it was meant for a context that is about to end.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import partial
from typing import Any, cast

from PySide6.QtCore import QEvent, QObject, QRect, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFrame, QLineEdit, QPlainTextEdit, QScrollArea, QSizePolicy, QVBoxLayout, QWidget
from shiboken6 import isValid

from workspace.panels.components import Action, Field, PairField
from workspace.panels.face import PanelInstance, TreeChange
from workspace.shell.kit import button, picture, table
from workspace.shell.kit.containers import FormWidget, least
from workspace.shell.kit.drawing import Drawing
from workspace.shell.kit.env import Env
from workspace.shell.kit.fields import LineEdit
from workspace.shell.kit.ink import RING
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


def _undoes_nothing(watched: QObject, event: QKeyEvent) -> bool:
    if not event.matches(QKeySequence.StandardKey.Undo):
        return False
    if isinstance(watched, QPlainTextEdit):
        return not watched.document().isUndoAvailable()
    return isinstance(watched, QLineEdit) and not watched.isUndoAvailable()


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
        self._frozen = self._painted = self._awaits_paint = False
        self._acting: set[str] = set()
        self.env = Env(theme, now, self.run, self._bound, self._value, self._typed, self._blob, origin=self._origin)
        self._scroll = QScrollArea(self)
        self._scroll.setFrameShape(QFrame.Shape.NoFrame)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = QWidget()
        self._column = QVBoxLayout(self._inside)
        self._drawing = Drawing(self._inside, self._column, self.env, self, self._told_slot)
        self._widgets = self._drawing.widgets
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
        self._instance, self._frozen = instance, False
        if instance.root is not None:
            self.rendered(TreeChange(whole=True))

    def retire(self) -> None:
        """Its context is over: nothing of it stays in any widget, and those that can be emptied stand by for the next
        instance of the same view (`attach`). It is to be out of sight."""
        instance, self._instance = self._instance, None
        self.set_frozen(True)
        self._acting.clear()
        self._drawing.empty(instance)
        self._scroll.verticalScrollBar().setValue(0)
        self._painted = self._awaits_paint = False

    def rendered(self, change: TreeChange) -> None:
        """Draw what changed."""
        instance = self._instance
        if instance is None or instance.root is None:
            return
        # All of it in this turn: nothing is painted in between, and of a patch only what is other is painted anew.
        self._drawing.draw(instance, change)
        if not change.whole:
            self._unseen()
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
        self._unseen()

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
        self._unseen()

    def blob_changed(self, handle: str) -> None:
        """A picture has come, is another, or is gone."""
        for widget in self._widgets.values():
            if isinstance(widget, picture.PictureWidget):
                widget.blob_changed(handle)
        self._unseen()

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
            if widget is not None and isinstance(node.component, Field | PairField) and widget.isVisibleTo(self):
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

    # --- looks ---

    def show_outside(self) -> None:
        """Tell the frame anew what stands in its title bar: it was not listening when that was drawn."""
        if self._instance is not None and self._instance.root is not None:
            self._drawing.outside(self._instance)

    def _unseen(self) -> None:
        if self._instance is not None and not self._inside.isVisible():
            self._drawing.settle(self._instance)

    def _told_slot(self, slot: str, widgets: list[QWidget]) -> None:
        (self.toolbarChanged if slot == "toolbar" else self.statusChanged).emit(widgets)

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

    # --- keys ---

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
        if kind == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and _undoes_nothing(watched, event):
            event.ignore()  # an editor with nothing of its own to undo would take the key all the same
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
