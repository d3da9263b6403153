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


def test_what_was_refused_before_the_update_opens_as_text_too(own_sandbox, sign_on, tmp_path):
    [roles] = own_sandbox.read("tone", ["PractitionerRole?practitioner=Practitioner/tone"])
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name="Arne Storspove")
    nurse.did("type", bind="text", text=TEXT, instance="note")
    nurse.until(lambda: nurse.did("values", instance="note")["shown"]["text"] == TEXT, 5, "what was typed")
    assert own_sandbox.stop() == 0
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: "1 venter" in nurse.did("status")["words"], 10, "that it waits")
    own_sandbox.holding(*[{**one, "period": {**one.get("period", {}), "end": "2026-01-13"}} for one in roles])
    nurse.until(lambda: "ikke lagret" in nurse.did("status")["words"], 30, "that it was refused")
    assert nurse.quit() == 0
    own_sandbox.holding(*roles)
    again = sign_on("tone", own_sandbox, plugins=updated(tmp_path / "packages"))
    again.did("open_patient", name="Arne Storspove")
    again.did("press_status", text="Se hva")
    again.did("press_sheet", text="Åpne i skjemaet")
    again.until(lambda: "Kladder" in again.did("sheet")["words"], 10, "the list with its text")
    assert any(TEXT in one for one in again.did("sheet")["words"])
    assert again.did("values", instance="note")["shown"]["text"] == ""
    assert again.quit() == 0
