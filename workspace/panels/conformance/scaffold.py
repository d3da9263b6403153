"""`workspace panel new`: a small good panel to start from, out of `resources/scaffold`. Never overwrites anything."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from workspace.problem import Problem

SOURCE = Path(__file__).resolve().parents[3] / "resources" / "scaffold"

Language = Literal["python", "node"]
ContextKind = Literal["patient", "unit", "none"]

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40
_TAKEN = frozenset(
    {"con", "prn", "aux", "nul", "workspace", "panel", *(f"{p}{n}" for p in ("com", "lpt") for n in range(10))}
)
"""Names that Windows keeps for itself, and ours."""


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be made: `vendor` as users see it, ``Nordlys Helse``; its first word becomes the id's first half."""

    name: str
    language: Language = "python"
    context: ContextKind = "patient"
    vendor: str = "Eksempel"

    @property
    def title(self) -> str:
        words = self.name.replace("-", " ")
        return words[:1].upper() + words[1:]

    @property
    def vendor_id(self) -> str:
        plain = self.vendor.lower().translate({ord("æ"): "ae", ord("ø"): "o", ord("å"): "a"})
        return re.sub(r"[^a-z0-9]+", "-", plain).strip("-").partition("-")[0]

    @property
    def id(self) -> str:
        return f"{self.vendor_id}.{self.name}"


def make(order: Order, parent: Path) -> Path:
    """The new folder ``parent/<name>``, complete. Raises Problem ``bad-name``, ``bad-vendor`` or ``exists``."""
    check(order)
    folder = parent / order.name
    if folder.exists() or folder.is_symlink():
        raise Problem(
            "exists", f"«{folder}» finnes fra før. Ingenting er endret.", "Velg et annet navn, eller flytt mappen."
        )
    files = _files(order)
    words = {
        "ID": order.id,
        "TITLE": order.title,
        "VENDOR": order.vendor,
        "VENDORID": order.vendor_id,
        "NAME": order.name,
    }
    folder.mkdir(parents=True)
    for where, source in sorted(files.items()):
        text = source.read_text(encoding="utf-8")
        for key, value in words.items():
            text = text.replace(f"@@{key}@@", value)
        target = folder / where
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
    return folder


def check(order: Order) -> None:
    """Raises Problem when a name cannot be used."""
    if not _NAME.fullmatch(order.name) or len(order.name) > _LONGEST or order.name in _TAKEN:
        raise Problem(
            "bad-name",
            f"«{order.name}» kan ikke være navnet på et panel.",
            f"Bruk små bokstaver a–z, tall og enkle bindestreker, høyst {_LONGEST} tegn, for eksempel «vekt-og-ernaering».",
        )
    if not _NAME.fullmatch(order.vendor_id) or '"' in order.vendor or not order.vendor.isprintable():
        raise Problem(
            "bad-vendor",
            f"«{order.vendor}» kan ikke være leverandørens navn.",
            "Begynn med en bokstav, og bruk ikke anførselstegn.",
        )


def _files(order: Order) -> dict[str, Path]:
    """Where each file goes, and what it is made from; the context's own win over shared ones."""
    found: dict[str, Path] = {}
    for folder in (
        SOURCE / part / context for part in ("shared", order.language) for context in ("any", order.context)
    ):
        for source in folder.rglob("*"):
            if source.is_file() and "__pycache__" not in source.parts:
                found[source.relative_to(folder).as_posix()] = source
    for name in [where for where in found if where in ("test_panel.py", "panel.test.js")]:
        found[f"tests/{name}"] = found.pop(name)
    return found
