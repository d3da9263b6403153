"""The forms that are open on the work surface: brought in front and filled, named, and kept to what their author typed at
another workstation. Keeps nothing: what is typed is the panels' host's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from workspace.panels.host import PanelHost

if TYPE_CHECKING:
    from workspace.shell.workplace import Workplace


class Forms:
    """A form is known by its package and view."""

    def __init__(self, work: Workplace, host: PanelHost) -> None:
        self._work, self._host = work, host

    def fill(self, package: str, view: str, values: Mapping[str, Any]) -> bool:
        """Bring a view in front with `values` in its fields, as if they were typed. False when it is not in the layout."""
        for seat in self._work.seats().values():
            instance = seat.instance
            if instance is None or (instance.info.package, instance.info.view) != (package, view):
                continue
            seat.front(seat)
            for bind, value in values.items():
                if instance.values.get(bind) != value:
                    instance.typed(bind, value)
            seat.values_changed(tuple(values))
            seat.body.focus_first()
            return True
        return False

    def version(self, package: str, view: str) -> int | None:
        """The state version of a form that is installed here; None of one that is not."""
        found = self._host.packages.get(package)
        return found.state_version if found is not None and any(one.id == view for one in found.views) else None

    def title(self, package: str, view: str) -> str:
        found = self._host.packages.get(package)
        views = found.views if found is not None else ()
        return next((one.title for one in views if one.id == view), found.name if found is not None else package)

    def open(self) -> list[tuple[tuple[str, str, str, int], Callable[[str, str], None]]]:
        """Every panel that is open: whom it is about, package, view and state version, and what tells a sentence in it."""
        found: list[tuple[tuple[str, str, str, int], Callable[[str, str], None]]] = []
        for seat in self._work.seats().values():
            if (one := seat.instance) is not None:
                about = one.context.patient or one.context.unit or ""
                version = self._host.packages[one.info.package].state_version
                found.append(((about, one.info.package, one.info.view, version), seat.told))
        return found

    def labels(self, package: str, view: str) -> dict[str, str]:
        """What the fields of a form are called, by bind; empty when it is not open for anybody now."""
        found: dict[str, str] = {}
        for seat in self._work.seats().values():
            if (one := seat.instance) is not None and (one.info.package, one.info.view) == (package, view):
                for node in one.nodes.values():
                    part: Any
                    for part in (
                        node.component,
                        *(getattr(node.component, half, None) for half in ("first", "second")),
                    ):
                        if getattr(part, "bind", "") and part.label:
                            found[part.bind] = part.label
        return found

    def keep(self) -> None:
        """What is typed in any of them is handed over as a draft now."""
        for seat in self._work.seats().values():
            if seat.instance is not None:
                seat.instance.keep()

    def follow(self, key: Sequence[str], values: Mapping[str, Any]) -> None:
        """What was typed, saved or emptied in the same form on another workstation is so here; focus stays where it is."""
        for seat in self._work.seats().values():
            if seat.instance is not None and (changed := seat.instance.follow(key, values)):
                seat.values_changed(changed)

    def exchange(self, key: Sequence[str], before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
        """What was sent from the list of what is not saved leaves the form that still shows it."""
        for seat in self._work.seats().values():
            if seat.instance is not None and (changed := seat.instance.exchange(key, before, after)):
                seat.values_changed(changed)
