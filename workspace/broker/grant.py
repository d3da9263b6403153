"""Who asks at the broker's door: a package, in one instance, in one context, with the scopes it was approved for."""

from __future__ import annotations

from dataclasses import dataclass

from workspace.broker.context import Context


@dataclass(frozen=True, slots=True)
class Grant:
    """`package` ``nordlys.vitals``, `version` ``1.0.0``, `scopes` in SMART v2 grammar
    (``patient/Observation.rs``), `instance` the panel instance's id in the layout."""

    package: str
    version: str
    vendor: str
    scopes: tuple[str, ...]
    instance: str
    context: Context

    @property
    def signature(self) -> str:
        """How audit names the panel: ``nordlys.vitals@1.0.0``."""
        return f"{self.package}@{self.version}"
