"""What a vendor imports: views, actions and components. Standard library only.

    from workspace.sdk import Panel, record, ui

Kept small on purpose: a panel's process is started anew for every patient, so everything imported here is paid for at
each switch. Nothing in this package knows FHIR servers, log-in or the network; the shell does.
"""

from __future__ import annotations

from workspace.sdk import record, ui
from workspace.sdk.errors import PanelProblem, SdkError, StaleContext, WriteInView
from workspace.sdk.panel import Panel
from workspace.sdk.results import Lazy, Result

__all__ = ["Lazy", "Panel", "PanelProblem", "Result", "SdkError", "StaleContext", "WriteInView", "record", "ui"]
