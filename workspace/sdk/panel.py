"""The vendor's panel: which views it has, which actions, and `run()`. Holds functions, never data about anybody."""

from __future__ import annotations

import sys

from workspace.sdk.errors import SdkError
from workspace.sdk.texts import Texts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from workspace.sdk.ctx import Ctx
    from workspace.sdk.parts import Part

    View = Callable[[Ctx], Part | None]
    F = TypeVar("F", bound=Callable[..., Any])


class Panel:
    """``panel = Panel("vendor.name", "1.0.0")``. Name and version are for the host's log; the manifest decides."""

    def __init__(self, name: str = "panel", version: str = "0.0.0") -> None:
        self.name, self.version = name, version
        self.views: dict[str, View] = {}
        self.actions: dict[str, Callable[..., Any]] = {}
        self.intents: dict[str, Callable[..., Any]] = {}
        frame = sys._getframe(1)
        # Not the code's own file name first: compiled code may have been made elsewhere.
        made_in = str(frame.f_globals.get("__file__") or frame.f_code.co_filename).replace("\\", "/")
        self.texts = Texts(made_in.rpartition("/")[0] or ".")

    def view(self, name: str) -> Callable[[F], F]:
        """Registers a function ``(ctx) -> component`` as view `name` of the manifest."""
        if not isinstance(name, str):
            raise SdkError('@panel.view needs the view\'s id: @panel.view("vitals")')

        def register(function: F) -> F:
            if name in self.views:
                raise SdkError(f"the view {name!r} is registered twice")
            self.views[name] = function
            return function

        return register

    def action(self, function: F) -> F:
        """Registers a function ``(ctx, **arguments)`` under its own name. It may read, gather effects and return; it
        may not wait. It may be run again from its beginning when a result it uses has not come."""
        name = function.__name__
        if name in self.actions:
            raise SdkError(f"the action {name!r} is registered twice")
        self.actions[name] = function
        return function

    def intent(self, name: str) -> Callable[[F], F]:
        """Registers ``(ctx, **args) -> JSON`` for an intent that the manifest says this panel handles: what it returns
        is the result. ``return ctx.later()`` when the user must do something first; an action then says
        ``ctx.finish(name, …)``."""
        if not isinstance(name, str):
            raise SdkError('@panel.intent needs the intent\'s name: @panel.intent("record vital-signs")')

        def register(function: F) -> F:
            if name in self.intents:
                raise SdkError(f"the intent {name!r} is registered twice")
            self.intents[name] = function
            return function

        return register

    def run(self) -> None:
        """Speaks with the shell over stdin and stdout until it says `shutdown` or hangs up. ``print()`` goes to
        stderr."""
        from workspace.sdk.pipes import serve

        serve(self)
