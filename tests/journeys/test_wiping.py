"""What was copied to the machine is deleted when its user says so, or the platform does, and the status line tells it."""

from __future__ import annotations

import asyncio
import json
import time
import urllib.request

from tests.journeys.conftest import PLAIN
from tests.journeys.test_without import chooses_a_pin
from tests.vaulted import in_vault_of
from workspace.away import people

KEY = bytes(range(32))
TONE = "Practitioner/tone"
TITLE = "Slett det som er kopiert til denne maskinen"


def order(sandbox, **asked):
    body = json.dumps(asked).encode()
    request = urllib.request.Request(f"{sandbox.url}/sandbox/wipe", body, {"Content-Type": "application/json"})
    with PLAIN.open(request, timeout=20) as answer:
        return json.loads(answer.read())["id"]


def test_asked_for_by_hand_and_ordered_from_the_platform(sandbox, sign_on, tmp_path):
    nurse = sign_on("tone", sandbox)
    chooses_a_pin(nurse)
    assert [one.who.user for one in asyncio.run(people(tmp_path / "tone"))] == [TONE]
    nurse.did("act", title=TITLE)
    nurse.until(lambda: "Slett kopiene" in nurse.did("sheet")["buttons"], 5, "the question")
    words = " ".join(nurse.did("sheet")["words"])
    assert "Slettes ikke: det som venter på plattformen" in words
    assert "kladder" in words
    nurse.did("key", key="Return")
    nurse.until(lambda: not nurse.did("sheet")["buttons"], 5, "Enter alone goes back")
    assert "er slettet" not in nurse.did("status")["words"]
    nurse.did("act", title=TITLE)
    nurse.until(lambda: "Slett kopiene" in nurse.did("sheet")["buttons"], 5, "the question again")
    nurse.did("press_sheet", text="Slett kopiene")
    nurse.until(lambda: "kopiert til denne maskinen, er slettet" in nurse.did("status")["words"], 10, "it is said")
    nurse.did("press_status", text="Lukk")
    assert "er slettet" not in nurse.did("status")["words"]

    order(sandbox, person="Practitioner/dahl", device="*", reason="Gjelder en annen")
    order(sandbox, person="Practitioner/tone", device="*", reason="PC-en skal byttes")
    nurse.until(lambda: "Etter ordre fra plattformen" in nurse.did("status")["words"], 10, "the order is carried out")
    assert "Grunn: PC-en skal byttes" in nurse.did("status")["spoken"]
    assert asyncio.run(people(tmp_path / "tone")) == [], "nobody is offered to come in by PIN"
    assert nurse.quit() == 0
    assert "Traceback" not in nurse.errors.read_text()
    assert list((tmp_path / "tone" / "vaults").iterdir()) == [], "nothing waited, so she left nothing"
    again = sign_on("tone", sandbox)
    again.did("wait_ready")
    assert "Etter ordre" not in again.did("status")["words"], "answered: it does not come again"
    assert again.quit() == 0


def test_what_is_kept_of_units_that_are_not_hers_any_more_goes_as_she_signs_on(own_sandbox, sign_on, tmp_path):
    profile = tmp_path / "tone"
    profile.mkdir()
    (profile / "vault.key").write_text(KEY.hex())
    later = int(time.time()) + 3600
    kept = [
        ("Practitioner/tone", "Organization/fjellbris", "Flag?_count=1", "x", "2026-01-14T14:45:00+01:00", later),
        ("Practitioner/tone", "Organization/havblikk", "Flag?_count=1", "x", "2026-01-14T14:45:00+01:00", later),
        ("Practitioner/tone", "Organization/havblikk", "Flag?_count=2", "x", "2026-01-10T14:45:00+01:00", later - 3601),
    ]
    in_vault_of(
        profile, KEY, TONE, lambda database: database.executemany("INSERT INTO offline VALUES (?, ?, ?, ?, ?, ?)", kept)
    )
    nurse = sign_on("tone", own_sandbox)
    assert nurse.quit() == 0
    left = in_vault_of(profile, KEY, TONE, lambda database: list(database.execute("SELECT unit, query FROM offline")))
    # On a slow day the copying has begun, and keeps what her panels ask instead.
    assert [row for row in left if row[0] != "Organization/havblikk" or row[1] == "Flag?_count=2"] == []
