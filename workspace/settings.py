"""Where the platform is, and what this workstation's policy says: one small file in the profile folder.

A missing file means the defaults; a broken one gives a Problem and is left as it is. Never holds secrets or
patient data.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from workspace.problem import Problem

ROOT = Path(__file__).resolve().parent.parent
"""What comes with the program: `plugins/`, `resources/`, `themes/`."""


class Settings(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`platform` is the platform's address; empty in the demo, where it is found. `theme` is a theme's name or
    "system". `text_scale` is per cent, 100–200. `allow_unconfined` lets panels start without confinement, labelled
    for good; `allow_key_file` keeps the vault's key in a file where there is no safe keyring. Both are for the
    sandbox only: a platform that is not one turns them off. `trusted_keys` are the vendors' public keys whose packages may
    be installed, by key id."""

    platform: str = ""
    theme: str = "system"
    text_scale: int = 100
    language: str = "nb"
    allow_unconfined: bool = False
    allow_key_file: bool = False
    trusted_keys: dict[str, str] = {}


PANELS = "panels"
"""The folder in a profile with the packages installed there."""
FILE = "settings.json"


def load(profile: Path) -> Settings:
    """Read `settings.json` of a profile. Raises Problem ``settings-broken``."""
    path = profile / FILE
    if not path.exists():
        return Settings()
    try:
        settings = msgspec.json.decode(path.read_bytes(), type=Settings)
    except (OSError, msgspec.DecodeError, RecursionError) as fault:
        raise Problem(
            "settings-broken",
            f"Innstillingene i «{FILE}» kan ikke leses.",
            "Rett filen, eller flytt den bort for å begynne med standardvalgene. Ingenting annet er berørt.",
            f"{path}: {fault}",
        ) from fault
    if not 100 <= settings.text_scale <= 200:
        raise Problem(
            "settings-broken",
            f"Tekststørrelsen {settings.text_scale} i «{FILE}» er utenfor 100–200.",
            "Velg et tall mellom 100 og 200.",
        )
    return settings


def save(profile: Path, settings: Settings) -> None:
    """Write the file whole or not at all."""
    profile.mkdir(parents=True, exist_ok=True)
    draft = profile / (FILE + ".new")
    draft.write_bytes(msgspec.json.format(msgspec.json.encode(settings), indent=2) + b"\n")
    os.replace(draft, profile / FILE)


def data_folder(name: str) -> Path:
    """A folder of the signed-in computer user's own, for profiles and the sandbox."""
    import platformdirs

    return Path(platformdirs.user_data_dir("clinician-workspace", appauthor=False)) / name
