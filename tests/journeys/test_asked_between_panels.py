"""The note of one vendor asks the vital signs of another for a new set: the nurse is led there, measures, and finds the
values offered in the note."""

from __future__ import annotations

ARNE = "Arne Storspove"


def test_new_readings_are_asked_for_saved_and_offered_in_the_note(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    nurse.did("open_patient", name=ARNE)
    nurse.did("type", bind="text", text="Slapp. ", instance="note")
    nurse.did("press", text="Nye målinger", instance="note")
    wanted = "Journalnotat (Polarvakt) venter på nye målinger."
    nurse.until(lambda: wanted in nurse.did("texts", instance="vitals")["tree"], 10, "the vitals panel says who waits")
    first = {"instance": "vitals", "bind": "respiration"}
    nurse.until(lambda: nurse.did("focus") == first, 5, "the focus is led to the first field there")
    nurse.did("type", bind="respiration", text="18", instance="vitals")
    nurse.did("type", bind="pulse", text="82", instance="vitals")
    nurse.did("press", text="Lagre", instance="vitals")
    nurse.until(
        lambda: "Pust 18 · Puls 82" in nurse.did("texts", instance="note")["tree"], 15, "the note offers the saved set"
    )
    nurse.until(lambda: wanted not in nurse.did("texts", instance="vitals")["tree"], 10, "nobody waits any more")
    nurse.did("press", text="Pust 18 · Puls 82", instance="note")
    nurse.until(
        lambda: "Slapp. Pust 18 · Puls 82 (fra Vitale målinger" in str(nurse.did("values", instance="note")),
        10,
        "the values stand in the note with their source",
    )
    said = nurse.errors.read_text()
    assert "Traceback" not in said, said
    assert nurse.quit() == 0
