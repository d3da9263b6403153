"""The work surface: a layout tree projected onto splitters and tab bars.

The tree is the truth (`layouts.tree`); this widget only shows it and says what the user dragged. Panels are frames made
by the caller and looked up by instance; an instance without a frame gets a labelled placeholder, never a hole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QSplitter, QSplitterHandle, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from workspace.layouts.document import Split, Tabs, Tree
from workspace.layouts.tree import Path
from workspace.shell.kit.emptying import take_out

GAP = 10  # pixels between panels at 100 %: the ground shows through


class _Handle(QSplitterHandle):
    """A gap that can be dragged and, with the keyboard, moved by the arrow keys."""

    STEP = 24

    def __init__(self, orientation: Qt.Orientation, parent: QSplitter) -> None:
        super().__init__(orientation, parent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def paintEvent(self, event: object) -> None:  # the ground itself
        pass


class _Splitter(QSplitter):
    def createHandle(self) -> QSplitterHandle:
        return _Handle(self.orientation(), self)


class Surface(QWidget):
    """Shows one tree. `resized(path, sizes)` and `activated(instance)` tell what the user did to it."""

    resized = Signal(object, object)
    activated = Signal(str)

    def __init__(self, tree: Tree, frames: Mapping[str, QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frames = dict(frames)
        box = QVBoxLayout(self)
        box.setContentsMargins(GAP, GAP, GAP, GAP)
        self._tree = tree
        self._splitters: dict[Path, QSplitter] = {}
        for frame in frames.values():
            frame.setParent(self)  # never a window of its own, not even for a moment
        box.addWidget(self._build(tree, ()))

    @property
    def tree(self) -> Tree:
        return self._tree

    def add(self, instance: str, frame: QWidget) -> None:
        """One more frame; it is seen when a tree that names it is projected."""
        self._frames[instance] = frame
        frame.setParent(self)

    def project(self, tree: Tree) -> None:
        """Show another tree with the same frames: they are moved, never made anew."""
        for frame in self._frames.values():
            frame.setParent(self)
        layout = self.layout()
        assert layout is not None
        old = take_out(layout)
        self._splitters.clear()
        self._tree = tree
        layout.addWidget(self._build(tree, ()))
        for widget in old:
            if widget not in self._frames.values():
                widget.deleteLater()

    def bring(self, instance: str) -> None:
        """The tab of `instance` comes in front, where it stands behind one."""
        frame = self._frames.get(instance)
        for tabbed in self.findChildren(_Tabbed):
            if frame is not None and tabbed.isAncestorOf(frame):
                tabbed.show_frame(frame)

    def _build(self, tree: Tree, path: Path) -> QWidget:
        return self._place(tree) if isinstance(tree, Tabs) else self._split(tree, path)

    def _split(self, tree: Split, path: Path) -> QWidget:
        row = tree.direction == "row"
        splitter = _Splitter(Qt.Orientation.Horizontal if row else Qt.Orientation.Vertical)
        splitter.setChildrenCollapsible(False)
        splitter.setHandleWidth(GAP)
        for index, child in enumerate(tree.children):
            splitter.addWidget(self._build(child, (*path, index)))
            splitter.setStretchFactor(index, 1)
        shares = tree.sizes or (1.0,) * len(tree.children)
        # QSplitter takes shares as pixels and scales them to the room there is.
        splitter.setSizes([int(10_000 * share / sum(shares)) for share in shares])
        splitter.splitterMoved.connect(lambda *_: self.resized.emit(path, tuple(map(float, splitter.sizes()))))
        self._splitters[path] = splitter
        return splitter

    def _place(self, tree: Tabs) -> QWidget:
        frames = [self._frames[place.instance] for place in tree.panels]
        if len(frames) == 1:
            frames[0].show()
            return frames[0]
        return _Tabbed(tree, frames, self.activated.emit)


class _Tabbed(QWidget):
    """Several panels behind a tab bar with real, named tabs."""

    def __init__(self, tree: Tabs, frames: list[QWidget], chosen: Callable[[str], None]) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        box = QVBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(4)
        bar = QTabBar()
        bar.setDrawBase(False)
        bar.setExpanding(False)
        stack = QStackedWidget()
        for place, frame in zip(tree.panels, frames, strict=True):
            bar.addTab(frame.windowTitle() or place.instance)
            stack.addWidget(frame)
        names = [place.instance for place in tree.panels]
        current = names.index(tree.active) if tree.active in names else 0
        bar.setCurrentIndex(current)
        stack.setCurrentIndex(current)
        bar.currentChanged.connect(stack.setCurrentIndex)
        bar.currentChanged.connect(lambda index: chosen(names[index]))
        self._bar, self._stack = bar, stack
        box.addWidget(bar)
        box.addWidget(stack, 1)

    def show_frame(self, frame: QWidget) -> None:
        self._bar.setCurrentIndex(self._stack.indexOf(frame))
