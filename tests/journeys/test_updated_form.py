"""A panel is updated while somebody has a draft in it: the text is offered to be read and copied, in the real program.

Two starts of the real program, so it takes some seconds.
"""

from __future__ import annotations

import shutil
from pathlib import Path

OWN = Path(__file__).resolve().parents[2] / "plugins"
TEXT = "Urolig natt, oppe to ganger."


def updated(folder):
    """The packages of the site, with a note whose fields have other meanings now."""
    shutil.copytree(OWN, folder, ignore=shutil.ignore_patterns("__pycache__"))
    manifest = folder / "polarvakt-note" / "panel.toml"
    manifest.write_text(manifest.read_text().replace("state_version = 1", "state_version = 2"))
    return folder


def test_what_was_typed_in_the_form_before_its_update_is_offered_as_text(sandbox, sign_on, tmp_path):
    nurse = sign_on("tone", sandbox)
    nurse.did("open_patient", name="Arne Storspove")
    nurse.did("type", bind="text", text=TEXT, instance="note")
    nurse.until(lambda: nurse.did("values", instance="note")["shown"]["text"] == TEXT, 5, "what was typed")
    assert nurse.quit() == 0
    again = sign_on("tone", sandbox, plugins=updated(tmp_path / "packages"))
    again.did("open_patient", name="Arne Storspove")
    words = again.did("status")["words"]
    assert "har tekst fra en eldre utgave av skjemaet." in words
    assert again.did("values", instance="note")["shown"]["text"] == "", "its fields may have other meanings now"
    again.did("press_status", text="Se kladder")
    sheet = again.did("sheet")
    assert any(TEXT in one for one in sheet["words"]), sheet
    again.did("press_sheet", text="Kopier tekst")
    again.did("press_sheet", text="Forkast")
    again.did("press_sheet", text="Ja, forkast")
    assert "eldre utgave" not in again.did("status")["words"]
    again.did("act", title="Kladder")
    again.until(lambda: any("Ingen kladder" in one for one in again.did("sheet")["words"]), 5, "the empty list")
    assert again.quit() == 0
