"""She signs out with unsent work, is told what becomes of it, and the workstation sends it with nobody there."""

from __future__ import annotations

import time

from tests.journeys import away
from tests.journeys.test_bad_input import ARNE, NOTE, works

NOTES = ["Composition?patient=Patient/BEB-18&_sort=-date&_count=1"]


def test_what_waits_at_sign_out_is_sent_from_the_machine_and_a_colleague_sees_it(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    works(nurse)
    port = own_sandbox.url.rpartition(":")[2]
    began = time.monotonic()
    assert own_sandbox.stop() == 0
    away.seconds_until_seen(nurse, began)
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: "1 venter" in nurse.did("status")["words"], 10, "that it waits")
    nurse.did("sign_out")
    said = "også etter at du har logget ut"
    nurse.until(lambda: any(said in one for one in nurse.did("sheet")["words"]), 5, said)
    nurse.did("press_sheet", text="Bli her")
    assert "1 venter" in nurse.did("status")["words"]
    nurse.did("sign_out")
    nurse.did("press_sheet", text="Logg ut")
    nurse.until(lambda: nurse.did("signed_in")["user"] == "", 30, "that she is signed out")
    own_sandbox.start(port)
    began, seen = time.monotonic(), ""
    while NOTE not in seen:
        assert time.monotonic() - began < 60, "the colleague never sees it"
        time.sleep(0.3)
        [found] = own_sandbox.read("dahl", NOTES, "polarvakt.note@1.0.0")
        seen = found[0]["section"][0]["text"]["div"] if found else ""
    assert nurse.quit() == 0
    again = sign_on("tone", own_sandbox)
    again.until(lambda: "Alt er lagret" in again.did("status")["words"], 20, "that all is saved")
    assert again.quit() == 0
