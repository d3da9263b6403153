"""One nurse, two PCs: what she typed in the room stands at the desk, in the same form, whichever she opened first."""

from __future__ import annotations

ARNE = "Arne Storspove"


def shown(nurse):
    return nurse.did("values", instance="note")["shown"]["text"]


def test_unsaved_work_follows_its_author_to_another_pc(sandbox, sign_on):
    room = sign_on("tone", sandbox, "room")
    room.did("open_patient", name=ARNE)
    room.did("type", bind="text", text="Sover, rolig pust.", instance="note")
    desk = sign_on("tone", sandbox, "desk")
    desk.did("open_patient", name=ARNE)
    desk.until(lambda: shown(desk) == "Sover, rolig pust.", 10, "what was typed in the room")
    # Both are open now: what is typed at one stands at the other, in a form that is on the screen.
    room.did("type", bind="text", text=" Drikker lite.", instance="note")
    desk.until(
        lambda: shown(desk) == "Sover, rolig pust. Drikker lite.", 10, "what was typed in the room, a moment ago"
    )
    desk.did("type", bind="text", text=" Ringt lege.", instance="note")
    whole = "Sover, rolig pust. Drikker lite. Ringt lege."
    room.until(lambda: shown(room) == whole, 10, "what was typed at the desk")
    assert shown(desk) == whole
    # Saved at one, it is no longer unsaved at the other.
    desk.did("press", text="Signer", instance="note")
    for nurse in (desk, room):
        nurse.until(lambda n=nurse: shown(n) == "", 10, "an empty form where it was saved")
    assert desk.quit() == 0
    assert room.quit() == 0
