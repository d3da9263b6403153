"""The work surface: a layout tree projected onto splitters and tab bars.

The tree is the truth (`layouts.tree`); this widget only shows it and says what the user dragged. Panels are frames made
by the caller and looked up by instance; an instance without a frame gets a labelled placeholder, never a hole.

Where the window is small or the text large, panels that the tree has beside each other stand below each other, and the page
scrolls (WCAG 1.4.10): a column too narrow to read in helps nobody.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QSizePolicy, QSplitter, QSplitterHandle, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from workspace.layouts.document import Split, Tabs, Tree
from workspace.layouts.tree import Path
from workspace.shell.kit.emptying import take_out
from workspace.shell.theme import Theme

GAP = 10  # pixels between panels at 100 %: the ground shows through
COLUMN, LEAST = 335, 260
"""The width that a column of panels is given on average, or they stand below each other; and what each has at the least."""
HEIGHT, WHOLE = 150, 300
"""The least height of a panel beside others, and of one below others where the page is high enough to show it whole."""


def columns(tree: Tree) -> int:
    """How many panels stand beside each other where most do."""
    if isinstance(tree, Tabs):
        return 1
    many = [columns(child) for child in tree.children]
    return sum(many) if tree.direction == "row" else max(many)


def leaves(tree: Tree) -> int:
    return 1 if isinstance(tree, Tabs) else sum(leaves(child) for child in tree.children)


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

    def __init__(
        self, tree: Tree, frames: Mapping[str, QWidget], theme: Theme | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._frames = dict(frames)
        self._scale = theme.scale if theme is not None else 1.0
        self._sight = QSize()
        box = QVBoxLayout(self)
        box.setContentsMargins(GAP, GAP, GAP, GAP)
        self._tree = tree
        self._splitters: dict[Path, QSplitter] = {}
        self._shares: dict[Path, tuple[float, ...]] = {}
        self._leaves: list[QWidget] = []
        for frame in frames.values():
            frame.setParent(self)  # never a window of its own, not even for a moment
        box.addWidget(self._build(tree, ()))
        self._reflow()

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
        self._shares.clear()
        self._leaves.clear()
        self._tree = tree
        layout.addWidget(self._build(tree, ()))
        self._reflow()
        for widget in old:
            if widget not in self._frames.values():
                widget.deleteLater()

    def bring(self, instance: str) -> None:
        """The tab of `instance` comes in front, where it stands behind one."""
        frame = self._frames.get(instance)
        for tabbed in self.findChildren(_Tabbed):
            if frame is not None and tabbed.isAncestorOf(frame):
                tabbed.show_frame(frame)

    def frame(self, instance: str) -> QWidget | None:
        return self._frames.get(instance)

    # --- room ---

    def set_theme(self, theme: Theme) -> None:
        """Another text size wants other room."""
        self._scale = theme.scale
        self._reflow()

    def set_sight(self, size: QSize) -> None:
        """How much of it can be seen at once, in pixels, with the scroll bar: that comes and goes with what is decided."""
        if size != self._sight:
            self._sight = size
            self._reflow()

    def _reflow(self) -> None:
        """Each row as the tree has it where it is wide enough, else as a column; there no panel is made higher than what can
        be seen at once."""
        stacked = self._turn(self._tree, (), self._sight.width() - 2 * GAP)
        wanted = max(HEIGHT, min(WHOLE, int((self._sight.height() - 2 * GAP) / self._scale))) if stacked else HEIGHT
        for leaf in self._leaves:
            leaf.setMinimumSize(round(LEAST * self._scale) if not stacked else 1, round(wanted * self._scale))

    def _turn(self, tree: Tree, path: Path, width: float) -> bool:
        """Whether anything in it stands below what the tree has it beside."""
        if isinstance(tree, Tabs):
            return False
        narrow = tree.direction == "row" and self._sight.isValid() and width < columns(tree) * COLUMN * self._scale
        splitter, shares = self._splitters[path], self._shares[path]
        across = tree.direction == "row" and not narrow
        wanted = Qt.Orientation.Horizontal if across else Qt.Orientation.Vertical
        if splitter.orientation() != wanted:
            splitter.setOrientation(wanted)
            parts = tuple(float(leaves(child)) for child in tree.children) if narrow else shares
            splitter.setSizes([int(10_000 * part / sum(parts)) for part in parts])
        below = [
            self._turn(child, (*path, index), width * share / sum(shares) if across else width)
            for index, (child, share) in enumerate(zip(tree.children, shares, strict=True))
        ]
        return narrow or any(below)

    def _build(self, tree: Tree, path: Path) -> QWidget:
        if isinstance(tree, Tabs):
            self._leaves.append(self._place(tree))
            return self._leaves[-1]
        return self._split(tree, path)

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
        splitter.splitterMoved.connect(lambda *_: self._dragged(path))
        self._splitters[path], self._shares[path] = splitter, tuple(map(float, shares))
        return splitter

    def _dragged(self, path: Path) -> None:
        splitter, tree = self._splitters[path], self._tree
        for step in path:
            assert isinstance(tree, Split)
            tree = tree.children[step]
        across = splitter.orientation() == Qt.Orientation.Horizontal
        if isinstance(tree, Split) and across == (tree.direction == "row"):  # else they are no shares of the layout's
            self._shares[path] = tuple(map(float, splitter.sizes()))
            self.resized.emit(path, self._shares[path])

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
