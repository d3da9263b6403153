"""All that lives as long as one person is signed in, and how it ends. Made by `app`, kept by the desk; begins nothing
itself."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from workspace.problem import Problem
from workspace.record.wiping import clear_own

if TYPE_CHECKING:
    from workspace.clock import OffsetClock
    from workspace.shell.attention import Attention
    from workspace.shell.drafts import DraftList
    from workspace.shell.pin import Pins
    from workspace.shell.surroundings import Surroundings
    from workspace.shell.unsent import Unsent
    from workspace.shell.wiping import Wiping
    from workspace.shell.workplace import Workplace

log = logging.getLogger(__name__)


@dataclass
class Shift:
    """Everything that lives as long as one person is signed in, in the order it is closed."""

    session: Any
    client: Any
    vault: Any
    record: Any
    outbox: Any
    drafts: Any
    broker: Any
    host: Any
    clock: OffsetClock
    directory: Any
    layout: Any
    units_asked: asyncio.Future[list[Any]]
    problems: list[Problem] = field(default_factory=list)
    workplace: Workplace | None = None
    around: Surroundings | None = None
    units: list[Any] = field(default_factory=list)
    unit: str = ""
    """The one on screen."""
    residents: tuple[Any, ...] = ()
    attention: Attention | None = None
    unsent: Unsent | None = None
    kept: DraftList | None = None
    orders: Any = None
    wiping: Wiping | None = None
    subscriptions: dict[str, Any] = field(default_factory=dict)
    errands: list[Any] = field(default_factory=list)
    vaults: Any = None
    keyless: bool = False
    """There is a vault here whose key is not to be had: this session's work is in memory."""
    pins: Pins | None = None


async def close_shift(shift: Shift, *, sign_out: bool) -> None:
    """Everything of one person's session, in order; nothing that waits is lost."""
    for part in (shift.attention, shift.unsent, shift.kept, shift.wiping, shift.pins):
        if part is not None:
            part.close()
    for subscription in shift.subscriptions.values():
        subscription.close()
    shift.units_asked.cancel()
    await asyncio.gather(shift.units_asked, return_exceptions=True)
    steps = []
    if shift.workplace is not None:
        steps.append(shift.workplace.close)
    if shift.orders is not None:
        steps.append(shift.orders.close)
    steps += [shift.host.close, shift.broker.close, shift.record.close, shift.outbox.close]
    steps += [errand.close for errand in shift.errands] + [shift.drafts.close]
    steps += [shift.vault.close]
    if shift.vaults is not None:
        steps += [partial(clear_own, shift.vaults, shift.vault), shift.vaults.close]
    steps += [shift.client.aclose, shift.session.sign_out if sign_out else shift.session.aclose]
    for step in steps:
        try:
            await step()
        except Exception:
            log.exception("closing")
