"""kill -9 of the shell in the middle of a save: what was written is a draft or on its way, never both and never neither.

Two starts of the real program, so it takes some seconds.
"""

from __future__ import annotations

import json
import signal

ARNE = "Arne Storspove"
TEXT = "Drepes midt i lagringen"


def shown(nurse):
    return nurse.did("values", instance="note")["shown"].get("text")


def test_a_shell_that_is_killed_while_it_saves_does_not_offer_the_same_text_again(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    nurse.did("type", bind="text", text=TEXT, instance="note")
    nurse.until(lambda: shown(nurse) == TEXT, 5, "what was typed")
    own_sandbox.signal(signal.SIGSTOP)  # the commit waits for an answer, and the form still shows the text
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: waits(nurse), 5, "the note in the outbox")
    nurse.process.kill()
    nurse.process.wait(20)
    own_sandbox.signal(signal.SIGCONT)
    again = sign_on("tone", own_sandbox)
    again.did("open_patient", name=ARNE)
    again.until(lambda: "Alt er lagret" in again.did("status")["words"], 20, "the note on the platform")
    assert shown(again) == ""
    assert again.quit() == 0
    (notes,) = own_sandbox.read("dahl", ["Composition?patient=Patient/BEB-18&_count=50"], "polarvakt.note@1.0.0")
    assert sum(TEXT in json.dumps(one) for one in notes) == 1


def waits(nurse):
    return nurse.did("status")["waits"] == 1
