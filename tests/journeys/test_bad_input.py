"""What is wrong around the shell is said in a plain sentence that tells what to do; the shell stays up and keeps what
was typed."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ARNE = "Arne Storspove"
NOTE = "Sover, rolig pust."
GARBAGE = """import sys
for line in sys.stdin:
    sys.stdout.write('{"jsonrpc": 2.0, oops' + chr(10))
    sys.stdout.flush()
"""


@pytest.fixture
def plugins(tmp_path):
    """A copy of the panels that a test may damage."""
    return Path(shutil.copytree(ROOT / "plugins", tmp_path / "plugins"))


def works(nurse):
    """Somebody can still write a note and be told that it is kept."""
    nurse.did("type", bind="text", text=NOTE, instance="note")
    assert nurse.did("values", instance="note")["shown"]["text"].endswith(NOTE)


def test_a_broken_manifest_and_a_panel_that_talks_nonsense_leave_the_rest(sandbox, sign_on, plugins):
    manifest = plugins / "fjelldata-summary" / "panel.toml"
    manifest.write_text(manifest.read_text().replace("protocol = 1", "protocol = 'one'"))
    (plugins / "nordlys-medications" / "panel.py").write_text(GARBAGE)
    nurse = sign_on("tone", sandbox, plugins=plugins)
    assert "fjelldata-summary" in nurse.did("status")["words"]
    nurse.tried("open_patient", name=ARNE, seconds=1.0)
    assert ARNE in nurse.did("sample")["banner"]
    nurse.until(lambda: nurse.did("texts", instance="medications")["notice"], 10, "why the panel is not there")
    notice = nurse.did("texts", instance="medications")["notice"]
    assert "Legemidler" in notice
    assert "Nordlys Helse" in notice
    works(nurse)
    assert nurse.quit() == 0


def test_an_expired_login_is_mended_in_place(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    works(nurse)
    token = nurse.did("sample")["token"]
    assert nurse.did("expire")["state"] == "expired"
    said = nurse.did("status")["words"]
    assert "Innloggingen er utløpt" in said
    assert "tatt vare på" in said
    nurse.did("press_status", text="Logg inn på nytt")
    nurse.until(lambda: "utløpt" not in nurse.did("status")["words"], 10, nurse.did("status")["words"])
    sample = nurse.did("sample")
    assert sample["token"] == token, "nothing on screen was begun anew"
    assert nurse.did("values", instance="note")["shown"]["text"] == NOTE
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: not nurse.did("values", instance="note")["shown"]["text"], 5, "the note is signed")
    [[note]] = own_sandbox.read(
        "tone", ["Composition?patient=Patient/BEB-18&_sort=-date&_count=1"], "polarvakt.note@1.0.0"
    )
    assert NOTE in note["section"][0]["text"]["div"]
    assert nurse.quit() == 0


def hollow(home):
    """Arne as another system might have left him, and resources that lack what nobody should lack."""
    about = {"reference": "Patient/BEB-18"}
    odd = [
        {"resourceType": "Observation", "id": "odd-1", "status": "final", "subject": about, "code": {}},
        {
            "resourceType": "Observation", "id": "odd-2", "status": "final", "subject": about,
            "category": [{"coding": [{"code": "vital-signs"}]}], "code": {"coding": [{"code": "8867-4"}]},
            "effectiveDateTime": "2026-01", "valueString": "raskt",
        },
        {"resourceType": "Condition", "id": "odd-3", "subject": about},
        {"resourceType": "MedicationRequest", "id": "odd-4", "subject": about, "status": "active", "intent": "order"},
        {"resourceType": "AllergyIntolerance", "id": "odd-5", "patient": about},
        {"resourceType": "Composition", "id": "odd-6", "subject": about, "status": "final", "section": [{}, None]},
        {"resourceType": "Flag", "id": "odd-7", "subject": about, "status": "active"},
    ]  # fmt: skip
    return [{**home, "birthDate": None, "name": [{"family": "Storspove"}]}, *odd]


def test_a_resident_without_birth_date_and_hollow_resources_are_shown_as_they_are(own_sandbox, sign_on):
    [[arne]] = own_sandbox.read("tone", ["Patient?_id=BEB-18"])
    arne["birthDate"] = None
    own_sandbox.holding(*[{k: v for k, v in one.items() if v is not None} for one in hollow(arne)])
    nurse = sign_on("tone", own_sandbox)
    listed = lambda: [row[1] for row in nurse.did("texts", instance="residents")["rows"]]  # noqa: E731
    nurse.until(lambda: any("Storspove" in name for name in listed()), 5, f"the list: {listed()}")
    assert nurse.did("open_patient", name="Storspove")["banner"]
    sample = nurse.did("sample")
    assert "alder ukjent" in sample["banner"]
    for name, panel in sample["panels"].items():
        assert panel["state"] == "running", (name, panel)
        assert "kunne ikke" not in panel["words"].casefold(), (name, panel["words"])
    assert "None" not in "".join(panel["words"] for panel in sample["panels"].values())
    works(nurse)
    assert nurse.quit() == 0
    assert "Traceback" not in nurse.errors.read_text()


def test_a_damaged_vault_is_said_and_set_aside(sandbox, sign_on, tmp_path):
    first = sign_on("tone", sandbox)
    assert first.quit() == 0
    vault = tmp_path / "tone" / "vault.sqlite"
    vault.write_bytes(b"not a database at all " * 300)
    told = sign_on("tone", sandbox, ready=False)
    refused = told.tried("wait_ready")
    assert not refused["ok"]
    assert "kunne ikke leses og er flyttet til" in refused["problem"]
    assert told.quit() == 0
    assert list((tmp_path / "tone").glob("vault.skadet-*.sqlite")), "nothing is thrown away"
    again = sign_on("tone", sandbox)
    again.did("open_patient", name=ARNE)
    works(again)
    assert again.quit() == 0


def ended(sandbox):
    """Tone's roles, ended since this morning."""
    [roles] = sandbox.read("tone", ["PractitionerRole?practitioner=Practitioner/tone"])
    return [{**one, "period": {**one.get("period", {}), "end": "2026-01-13"}} for one in roles]


def test_what_waited_and_was_refused_is_said_and_opens_in_its_form_again(own_sandbox, sign_on):
    roles = ended(own_sandbox)
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    works(nurse)
    own_sandbox.signal(signal.SIGSTOP)
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: "venter på plattformen" in nurse.did("status")["words"], 10, "that it waits")
    assert nurse.did("texts", instance="residents")["marks"] == {"Patient/BEB-18": "venter"}, "also on his row"
    nurse.did("press_status", text="1 venter")
    words = nurse.did("sheet")["words"]
    assert any(NOTE in one for one in words), words
    assert any(one.startswith("Journalnotat") and ARNE in one for one in words), words
    nurse.did("press_sheet", text="Lukk")
    nurse.did("go", activity="avdeling")
    nurse.did("go", activity="beboer")
    own_sandbox.signal(signal.SIGCONT)
    own_sandbox.process.kill()  # before it can answer
    own_sandbox.process.wait()
    own_sandbox.start(own_sandbox.url.rpartition(":")[2])
    nurse.until(lambda: "Alt er lagret" in nurse.did("status")["words"], 30, nurse.did("status")["words"])
    [[note]] = own_sandbox.read(
        "tone", ["Composition?patient=Patient/BEB-18&_sort=-date&_count=1"], "polarvakt.note@1.0.0"
    )
    assert NOTE in note["section"][0]["text"]["div"], "sent by itself, once"
    works(nurse)
    assert own_sandbox.stop() == 0
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: "1 venter" in nurse.did("status")["words"], 10, "that it waits")
    own_sandbox.holding(*roles)
    nurse.until(lambda: "ikke lagret" in nurse.did("status")["words"], 30, "that it was refused")
    assert nurse.did("texts", instance="residents")["marks"].get("Patient/BEB-18") in ("ikke lagret", None)
    nurse.did("press_status", text="Se hva")
    nurse.did("press_sheet", text="Åpne i skjemaet")
    nurse.until(lambda: nurse.did("values", instance="note")["shown"]["text"] == NOTE, 5, "the form, as it was")
    assert nurse.quit() == 0
