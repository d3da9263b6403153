"""Two records turn out to be one while the one that goes is on the screen: it says so, and what was typed is not lost."""

from __future__ import annotations

import json
import urllib.request

ARNE, OTHER = "Arne Storspove", "Einar Furukongle"


def test_a_record_that_is_joined_while_it_is_open_says_so_and_opens_the_one_that_stays(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox, "desk")
    stays = nurse.did("open_patient", name=OTHER)["patient"]
    gone = nurse.did("open_patient", name=ARNE)["patient"]
    nurse.did("type", bind="text", text="Sover, rolig pust.", instance="note")
    assert nurse.did("joined")["words"] == ""
    asked = json.dumps({"from": gone, "into": stays}).encode()
    headers = {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{own_sandbox.url}/sandbox/merge", asked, headers)) as answer:
        assert answer.status == 200
    nurse.until(lambda: f"slått sammen med {OTHER}" in nurse.did("joined")["words"], 20, "that the record was joined")
    assert nurse.did("joined")["button"] == "Åpne"
    nurse.until(lambda: ARNE not in nurse.did("residents")["known"], 20, "a list without the one who went")
    nurse.did("joined", press=True)
    nurse.until(lambda: nurse.did("joined")["patient"] == stays, 20, "the one who stays")
    assert nurse.did("joined")["words"] == ""
    shown = lambda: nurse.did("values", instance="note")["shown"]["text"]  # noqa: E731
    nurse.until(lambda: shown() == "Sover, rolig pust.", 20, "what was typed")
    assert nurse.quit() == 0
