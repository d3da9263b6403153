"""Nothing about a patient may outlive a run in the vendor's code: looks at what modules, classes and caches hold
afterwards.

A help against mistakes, not a wall: the wall is that a process serves one patient and then ends. Never changes
anything."""

from __future__ import annotations

import sys

from workspace.sdk.ctx import Ctx, Run, Values
from workspace.sdk.errors import PatientState
from workspace.sdk.results import Lazy, Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType
    from typing import Any

_MODULE = type(sys)
_FUNCTION = type(lambda: None)
_OURS = (Ctx, Run, Values, Lazy, Store)
_PLAIN = (int, float, bool, bytes, type(None), _MODULE)
_DEPTH = 4
_ENTRIES = 200
"""How deep, and how many entries of each container, are looked at: enough for a mistake, and cheap at every run."""


class Guard:
    """Made before the first run; `check` after each."""

    def __init__(self, functions: Iterable[Any]) -> None:
        self._modules = _modules(functions)
        self._known: set[tuple[str, str, int]] = set()  # what held a resource from the start: a template, not a patient
        for module in self._modules:
            for name, value in list(vars(module).items()):
                if _held(value, "", _DEPTH):
                    self._known.add((module.__name__, name, id(value)))

    def check(self, patient: str, run: str) -> None:
        """Raises PatientState, naming the module, the name and the run."""
        for module in self._modules:
            for name, value in list(vars(module).items()):
                if name.startswith("__") or isinstance(value, _PLAIN):
                    continue
                held = _held(value, patient, _DEPTH)
                if held and (module.__name__, name, id(value)) not in self._known:
                    file = (getattr(module, "__file__", "") or "").replace("\\", "/").rpartition("/")[2]
                    raise PatientState(
                        f"{file}: {name} holds {held} after {run}. Nothing about a patient may be kept at module level: ask "
                        f"for it with ctx.search where you need it, or keep it with ctx.set(...) in an action"
                    )


def _modules(functions: Iterable[Any]) -> list[ModuleType]:
    """The vendor's modules: those of the registered functions, and what lies in the same folders."""
    own = {function.__module__ for function in functions if hasattr(function, "__module__")}
    folders = {_folder(sys.modules.get(name)) for name in own} - {""}
    return [
        module
        for name, module in list(sys.modules.items())
        if (name in own or _folder(module) in folders) and isinstance(module, _MODULE)
    ]


def _folder(module: Any) -> str:
    file = getattr(module, "__file__", None)
    return file.replace("\\", "/").rpartition("/")[0] if isinstance(file, str) else ""


def _held(value: Any, patient: str, depth: int) -> str:
    """What of a patient's is in `value`, in words; empty when nothing is."""
    if isinstance(value, _OURS):
        return "a ctx" if isinstance(value, Ctx) else "a result" if isinstance(value, Lazy | Store) else "a run's state"
    if isinstance(value, str):
        return "the patient's reference" if patient and patient in value else ""
    if depth == 0 or isinstance(value, _PLAIN):
        return ""
    if isinstance(value, dict):
        if isinstance(value.get("resourceType"), str) and "id" in value:
            return f"a resource ({value['resourceType']})"
        return _any((*_some(value.values()), *_some(value)), patient, depth)
    if isinstance(value, list | tuple | set | frozenset):
        return _any(_some(value), patient, depth)
    return _inside(value, patient, depth)


def _inside(value: Any, patient: str, depth: int) -> str:
    """Functions that cache, classes and objects of the vendor's own."""
    if hasattr(value, "cache_info"):
        import gc

        return _any(_some([held for held in gc.get_referents(value) if isinstance(held, dict)]), patient, depth)
    if isinstance(value, _FUNCTION):
        return _any(_some(vars(value).values()), patient, depth) if vars(value) else ""
    kind = value if isinstance(value, type) else type(value)
    if kind.__module__.startswith(("workspace.sdk", "builtins")):
        return ""
    try:
        held = vars(value)
    except TypeError:
        return ""
    return _any(_some(dict(held).values()), patient, depth)


def _some(values: Iterable[Any]) -> list[Any]:
    found: list[Any] = []
    for one in values:
        if len(found) >= _ENTRIES:
            break
        found.append(one)
    return found


def _any(values: Iterable[Any], patient: str, depth: int) -> str:
    for one in values:
        if found := _held(one, patient, depth - 1):
            return found
    return ""
