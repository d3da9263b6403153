"""The trend component: curves over time, and the same numbers as a table whenever somebody wants that."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from workspace.panels.components import Trend
from workspace.shell.kit import curves as curves_
from workspace.shell.kit import paths
from workspace.shell.kit.curves import Curve, Other
from workspace.shell.kit.env import Env
from workspace.shell.kit.ink import RING
from workspace.shell.kit.opener import Opener
from workspace.shell.kit.plot import Plot
from workspace.shell.kit.table import TableWidget
from workspace.shell.kit.whence import Offer
from workspace.shell.theme import Theme


class TrendWidget(QWidget):
    """T turns between curves and table. The table is made when it is first asked for."""

    def __init__(self, component: Trend, env: Env, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._env, self._theme, self._component = env, env.theme, component
        self._curves: list[Curve] = []
        self._others: list[Other] = []
        self._table: TableWidget | None = None
        self._seen = paths.Readings()
        self._plot = Plot(env.theme)
        self._plot.setParent(self)
        self._turner = Opener(env.theme, "table", "Vis som tabell (T)")
        self._turner.setParent(self)
        self._turner.clicked.connect(self.turn)
        self._plot.offered = self.offers
        self._plot.origin = lambda reference, area: env.origin(reference, area)
        self._plot.installEventFilter(self)
        self.setFocusProxy(self._plot)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        self._read()

    @property
    def plot(self) -> Plot:
        return self._plot

    @property
    def table(self) -> TableWidget | None:
        """The table while it stands in the curves' place."""
        return self._table if self._table is not None and not self._table.isHidden() else None

    def set_component(self, component: Trend) -> None:
        self._component = component
        self._read()

    def forget(self) -> None:
        """No curves; the table that stood in their place goes."""
        if self._table is not None:
            if not self._table.isHidden():
                self.turn()
            self._table.deleteLater()
            self._table = None
        self._component, self._seen = Trend(series=[], empty=""), paths.Readings()
        self._read()

    def bound_changed(self) -> None:
        self._read()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self._turner.set_theme(theme)
        if self._table is not None:
            self._table.set_theme(theme)
        self._read()
        self._arrange()

    def curves(self) -> list[Curve]:
        return self._curves

    def words(self) -> str:
        """The newest value of each curve, or the empty text."""
        return self._plot.words()

    def offers(self, moment: datetime) -> Sequence[Offer]:
        """What was measured at `moment`, to be asked about."""
        bound = self._env.bound(self._component.watch) if self._component.watch is not None else None
        rows = bound.resources if bound is not None else ()
        return [Offer(*one) for one in curves_.named(self._component, rows, moment)]

    def turn(self) -> None:
        """From curves to table, or back; the focus stays in what is shown."""
        if self._table is None:
            self._table = TableWidget(curves_.as_table(self._component, self._curves, self._others), self._env, self)
            self._table.set_theme(self._theme)
            self._table.offered = lambda key: self.offers(datetime.fromisoformat(key))
            self._table.view.installEventFilter(self)
            self._table.hide()
        to_table = self._table.isHidden()
        here = self._plot.hasFocus() or self._table.view.hasFocus()
        self._table.setVisible(to_table)
        self._plot.setVisible(not to_table)
        self.setFocusProxy(self._table if to_table else self._plot)
        if here:
            self.setFocus(Qt.FocusReason.OtherFocusReason)
        name = "Vis som kurver (T)" if to_table else "Vis som tabell (T)"
        self._turner.set_icon("trend" if to_table else "table", name)
        self._arrange()
        self.updateGeometry()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        pressed = isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress
        if pressed and event.key() == Qt.Key.Key_T and not event.modifiers():  # type: ignore[attr-defined]
            self.turn()
            return True
        return super().eventFilter(watched, event)

    def _read(self) -> None:
        component = self._component
        bound = self._env.bound(component.watch) if component.watch is not None else None
        rows = bound.resources if bound is not None else ()
        stale = f"Ikke oppdatert: {bound.error}" if bound is not None and bound.error else ""
        self._curves, self._others = curves_.read(component, rows, self._env.now(), self._seen)
        told = " · ".join(part for part in (stale, curves_.left_out(self._others)) if part)
        empty = bound.nothing(component.empty) if bound is not None and not rows else component.empty
        self._plot.show_curves(self._theme, component, self._curves, told, empty)
        self._turner.setVisible(bool(self._curves or self._others))
        if self._table is not None:
            self._table.set_component(curves_.as_table(component, self._curves, self._others))
        self.updateGeometry()

    # --- size -----------------------------------------------------------------------------------------------

    def sizeHint(self) -> QSize:
        return self._plot.sizeHint()

    def minimumSizeHint(self) -> QSize:
        return self._plot.minimumSizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        size = self._theme.px(20)
        self._plot.setGeometry(RING, 0, self.width() - RING, self.height())
        if self._table is not None:
            self._table.setGeometry(0, 0, self.width() - size, self.height())
        self._turner.setGeometry(self.width() - size, self.height() - size, size, size)
        self._turner.raise_()


WIDGETS: dict[str, type[QWidget]] = {"trend": TrendWidget}
