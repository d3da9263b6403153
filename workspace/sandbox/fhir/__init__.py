"""FHIR R4 storage on SQLite. It stores; it knows nothing of users."""

from workspace.sandbox.fhir.prepare import Prepared, prepare
from workspace.sandbox.fhir.store import Store

__all__ = ["Prepared", "Store", "prepare"]
