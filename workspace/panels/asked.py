"""What the panels of a layout ask as they open, for a unit and for each who lives in it: what offline reading must keep.

Asks nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from workspace.broker.context import for_patient, for_unit
from workspace.broker.grant import Grant
from workspace.panels.manifest import Package


def asked_by(packages: Iterable[Package], unit: str, patients: Sequence[str]) -> list[tuple[Grant, str]]:
    """(grant, query) of every prefetch; those of patient views once, for a patient that stands for all."""
    found = []
    for package in packages:
        for view in package.views:
            if view.context == "unit":
                where = for_unit(unit, tuple(patients))
            elif view.context == "patient" and patients:
                where = for_patient(patients[0])
            else:
                continue
            grant = Grant(package.id, package.version, package.vendor, package.scopes, "offline", where)
            found += [(grant, item.query) for item in view.prefetch]
    return found
