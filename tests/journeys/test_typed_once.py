"""The whole way, as a nurse goes it: signed on once, a set of vital signs typed once, seen everywhere, kept for good,
and never under the wrong resident. Real processes, real HTTP, real keys."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.journeys import away

ARNE = "Arne Storspove"
SET = {"respiration": "25", "saturation": "91", "systolic": "104", "diastolic": "62", "pulse": "112"}
NEWS2 = "1104051000000101"
OTHERS = ("Einar Furukongle", "Harald Steinkobbe")
AIM, MOST = 2.0, 10.0
"""Seconds until what was saved stands in every panel. The aim is measured by ``tests/benchmarks/record.py`` and printed,
where three tests may share two processors; asserted is `MOST`."""
SOON = 5.0
"""Seconds for what a panel answers at once."""


def type_one_set(nurse):
    """25, 91, Luft, 104/62, 112, 38,6, A: eight fields and choices. Answers the key presses of each."""
    keys = {}
    for bind in ("respiration", "saturation"):
        keys[bind] = nurse.did("type", bind=bind, text=SET[bind])
    keys["oxygen"] = nurse.did("choose", bind="oxygen", keys="l")
    for bind in ("systolic", "diastolic", "pulse"):
        keys[bind] = nurse.did("type", bind=bind, text=SET[bind])
    keys["temperature"] = nurse.did("type", bind="temperature", text="38,6")
    keys["consciousness"] = nurse.did("choose", bind="consciousness", keys="a")
    return keys


def save_one_set(nurse):
    nurse.did("go", activity="beboer")
    before = {row[0] for row in nurse.did("texts", instance="vitals")["bound"]}
    keys = type_one_set(nurse)
    nurse.until(lambda: "NEWS2 blir 10" in nurse.did("texts", instance="vitals")["tree"], SOON, "NEWS2 while typing")
    nurse.did("key", key="S", ctrl=True)
    return before, keys


def ended_quietly(workstation):
    """What is said on stderr is nothing that failed, also not on the way out."""
    said = workstation.errors.read_text()
    assert "Traceback" not in said, said[said.index("Traceback") - 200 :][:3000]


def shown_news2(workstation):
    """NEWS2 as the summary has it."""
    rows = workstation.did("texts", instance="summary")["rows"]
    return next((row[1] for row in rows if row[0] == "NEWS2"), "")


def listed_news2(workstation):
    rows = workstation.did("texts", instance="residents")["rows"]
    return next((row[2] for row in rows if ARNE in row[1]), "")


def is_ten(words):
    return re.match(r"10\b", words) is not None


def test_signed_on_by_the_protocol_without_a_question(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    ready = nurse.did("wait_ready")
    assert ready["subject"] == {"username": "tone", "name": "Tone Nilsen", "role": "sykepleier"}
    assert ready["user"] == "Practitioner/tone"
    assert ready["prompts"] == 0
    assert ready["activities"] == ["Avdeling", "Beboer"]
    nurse.did("open_patient", name=ARNE)
    panels = nurse.did("pids")
    shell = panels.pop("shell")["pid"]
    assert set(panels) == {"residents", "report", "vitals", "note", "summary", "medications"}
    assert len({one["vendor"] for one in panels.values()}) == 3
    assert len({one["package"] for one in panels.values()}) == 6
    assert len({shell, *(one["pid"] for one in panels.values())}) == 7, "each package has a process of its own"
    assert nurse.quit() == 0
    ended_quietly(nurse)


@pytest.mark.skipif(sys.platform != "linux", reason="open files of another process are read from /proc")
def test_a_panel_has_no_way_out(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    nurse.did("open_patient", name=ARNE)
    panels = nurse.did("pids")
    panels.pop("shell")
    for name, one in panels.items():
        handles = [os.readlink(each) for each in Path(f"/proc/{one['pid']}/fd").iterdir()]
        assert not [each for each in handles if each.startswith("socket:")], (name, handles)
    lower = {name: one["confinement"] for name, one in panels.items() if one["confinement"] != "confined"}
    if lower:
        pytest.skip(f"this machine cannot confine panels, and says so on each: {lower}")
    assert nurse.quit() == 0


def test_no_window_but_the_one(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    nurse.did("open_patient", name=ARNE)
    assert set(nurse.did("windows")["shown"]) <= {"MainWindow"}
    assert nurse.quit() == 0


def test_activities_are_gone_to_by_key(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    nurse.did("open_patient", name=ARNE)
    nurse.did("go", activity="avdeling")
    assert nurse.did("sample")["banner"] == "", "no resident's banner over the unit's list"
    nurse.did("go", activity="beboer")
    assert ARNE in nurse.did("sample")["banner"]
    assert nurse.quit() == 0


def test_one_set_is_typed_once_and_seen_everywhere(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE, by="keyboard")
    nurse.until(lambda: shown_news2(nurse), SOON, "the summary")
    assert not is_ten(shown_news2(nurse))
    before, keys = save_one_set(nurse)
    saved = time.monotonic()
    assert {bind: one["times"] for bind, one in keys.items()} == dict.fromkeys(keys, 1)
    assert sum(one["keys"] for one in keys.values()) == len("2591l1046211238,6a")

    def trend():
        bound = nurse.did("texts", instance="vitals")["bound"]
        return {(code, row[3]) for row in bound if row[0] not in before for code in row[2]}

    nurse.until(lambda: {("8867-4", 112), ("9279-1", 25)} <= trend(), MOST, "the trend")
    nurse.until(lambda: is_ten(shown_news2(nurse)), MOST, "NEWS2 in the summary")
    nurse.until(lambda: is_ten(listed_news2(nurse)), MOST, "NEWS2 in the list")
    took = time.monotonic() - saved
    print(f"all of them after {took:.2f} s, and what asking took (aim {AIM:.0f})")
    assert took < MOST
    nurse.until(
        lambda: not nurse.did("values", instance="vitals")["values"], SOON, "a saved form is empty once all is shown"
    )
    quoted = quote_and_sign(nurse)
    stored(own_sandbox, quoted)
    assert nurse.quit() == 0
    ended_quietly(nurse)


def test_the_same_typed_again_is_told_before_it_is_saved(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("open_patient", name=ARNE)
    save_one_set(nurse)
    nurse.until(lambda: is_ten(shown_news2(nurse)), 5, "the first set")
    nurse.until(lambda: not nurse.did("values", instance="vitals")["values"], 5, "an empty form")
    before = nurse.did("status")["words"]
    save_one_set(nurse)
    nurse.until(lambda: nurse.did("sheet")["words"], 5, "that it exists already")
    said = nurse.did("sheet")["words"]
    assert "Finnes allerede" in said
    assert any("Vitale målinger, Tone Nilsen" in one for one in said), said
    nurse.did("press_sheet", text="Tilbake til skjemaet")
    nurse.until(lambda: not nurse.did("sheet")["words"], 5, "back in the form")
    nurse.until(lambda: "Ikke lagret" in nurse.did("texts", instance="vitals")["state"], 5, "that nothing was saved")
    assert nurse.did("values", instance="vitals")["values"]["pulse"] == 112, "the form stands as it was"
    nurse.did("key", key="S", ctrl=True)
    nurse.until(lambda: nurse.did("sheet")["words"], 5, "it is told again")
    nurse.did("press_sheet", text="Bruk alle som finnes")
    nurse.did("press_sheet", text="Lagre")
    nurse.until(lambda: not nurse.did("values", instance="vitals")["values"], 5, "an empty form")
    after = nurse.did("status")["words"]
    assert before != after
    reused = int(re.search(r"(\d+) gjenbrukt", after)[1]) - int(re.search(r"(\d+) gjenbrukt", before)[1])
    assert reused >= 6, (before, after)
    [pulses] = own_sandbox.read("tone", ["Observation?patient=Patient/BEB-18&code=8867-4&date=ge2026-01-14T13:40:00Z"])
    assert len(pulses) == 1, "one pulse, not two"
    assert set(nurse.did("windows")["shown"]) <= {"MainWindow"}, "a sheet is no window"
    assert nurse.quit() == 0
    ended_quietly(nurse)


def quote_and_sign(nurse):
    """Put the values into a note without typing them. Answers the note's text."""

    def offered():  # the note is another process than those that were waited for
        offer = nurse.did("texts", instance="note")["tree"]
        whence = [one for one in offer if re.fullmatch(r"fra Vitale målinger, Tone \d\d:\d\d", one)]
        return whence and "Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112" in offer

    nurse.until(offered, SOON, "the offer to quote it")
    nurse.did("press", text="Pust 25", instance="note")
    nurse.until(lambda: nurse.did("values", instance="note")["shown"]["text"], SOON, "the values in the note")
    text = nurse.did("values", instance="note")["shown"]["text"]
    assert re.search(r"Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112 \(fra Vitale målinger, Tone \d\d:\d\d\)", text)
    counted = "4 verdier gjenbrukt, 0 skrevet på nytt"
    nurse.until(lambda: counted in nurse.did("texts", instance="note")["tree"], SOON, "the count")
    nurse.did("press", text="Signer", instance="note")
    nurse.until(lambda: not nurse.did("values", instance="note")["shown"]["text"], SOON, "the note is signed")
    return text.strip()


def stored(sandbox, quoted):
    """What the platform says afterwards."""
    query = f"Observation?patient=Patient/BEB-18&code=http://snomed.info/sct|{NEWS2}&_sort=-date&_count=1"
    [[score]] = sandbox.read("tone", [query])
    assert score["valueQuantity"]["value"] == 10
    assert sorted(part["valueQuantity"]["value"] for part in score["component"]) == [0, 0, 1, 1, 2, 3, 3]
    sources = [one["reference"] for one in score["derivedFrom"]]
    [parts] = sandbox.read("tone", [f"Observation?_id={','.join(one.split('/')[1] for one in sources)}"])
    assert {f"Observation/{one['id']}" for one in parts} == set(sources)
    assert {one["subject"]["reference"] for one in parts} == {"Patient/BEB-18"}
    assert {one["effectiveDateTime"] for one in parts} == {score["effectiveDateTime"]}
    simple = {
        one["code"]["coding"][0]["code"]: one["valueQuantity"]["value"] for one in parts if "valueQuantity" in one
    }
    assert {"9279-1": 25, "2708-6": 91, "8867-4": 112, "8310-5": 38.6}.items() <= simple.items()
    [[note]] = sandbox.read("tone", ["Composition?patient=Patient/BEB-18&_sort=-date&_count=1"], "polarvakt.note@1.0.0")
    assert quoted.split("(")[0].strip() in note["section"][0]["text"]["div"]


def open_arne(workstation, unit="Havblikk"):
    if unit:
        workstation.did("open_unit", name=unit)
    workstation.did("open_patient", name=ARNE)


def test_a_colleague_sees_it_and_it_outlives_everything(own_sandbox, sign_on):
    doctor = sign_on("dahl", own_sandbox)
    open_arne(doctor)
    nurse = sign_on("tone", own_sandbox)
    open_arne(nurse, "")
    doctor.until(lambda: shown_news2(doctor), SOON, "the doctor's summary")
    assert not is_ten(shown_news2(doctor))
    save_one_set(nurse)
    doctor.until(lambda: is_ten(shown_news2(doctor)), MOST, "NEWS2 in the doctor's summary")
    doctor.until(lambda: is_ten(listed_news2(doctor)), MOST, "NEWS2 in the doctor's list")
    assert (doctor.quit(), nurse.quit()) == (0, 0)
    assert own_sandbox.stop() == 0
    own_sandbox.start()
    again = sign_on("dahl", own_sandbox)
    open_arne(again)
    again.until(lambda: is_ten(shown_news2(again)), SOON, "NEWS2 after everything was restarted")
    assert again.quit() == 0
    logged(own_sandbox)


def logged(sandbox):
    """The log, as those who may read it see it: user, panel, patient and purpose of opening, reading and writing."""
    [events] = sandbox.read("pia-tjernblom", ["AuditEvent?_count=500"])
    found = set()
    for event in events:
        details = {one["type"]: one["valueString"] for one in event["entity"][0].get("detail", [])}
        user, panel = event["agent"][0]["who"].get("reference"), event["agent"][1]["name"]
        purpose = event["purposeOfEvent"][0]["coding"][0]["code"]
        patients = [one["what"]["reference"] for one in event["entity"] if one.get("role", {}).get("code") == "1"]
        found |= {(user, panel.split("@")[0], details.get("kind"), one, purpose) for one in patients}
    for user in ("Practitioner/tone", "Practitioner/dahl"):
        for package in ("nordlys.vitals", "fjelldata.summary", "polarvakt.note", "nordlys.medications"):
            assert (user, package, "open", "Patient/BEB-18", "TREAT") in found, (user, package, "open")
        kinds = {each[2] for each in found if each[0] == user and each[3] == "Patient/BEB-18"}
        assert kinds & {"read", "search"}, kinds
    assert ("Practitioner/tone", "nordlys.vitals", "create", "Patient/BEB-18", "TREAT") in found, sorted(
        each for each in found if each[2] == "create"
    )


def switch_between_two(nurse, times):
    """Back and forth; after each, everything on screen is one resident's. Then the wire is looked through."""
    seen, pids = {}, {}
    for turn in range(times):
        name, other = OTHERS[turn % 2], OTHERS[(turn + 1) % 2]
        switched = nurse.did("switch_patient", name=name)
        assert switched["mixed"] == [], (turn, switched)
        sample = nurse.did("sample")
        assert name in sample["banner"]
        assert sample["mixed"] == []
        assert sample["patient"] == switched["patient"]
        for panel, one in sample["panels"].items():
            assert one["patient"] == sample["patient"], (turn, panel)
            assert one["token"] == sample["token"], (turn, panel)
            assert set(one["subjects"]) <= {sample["patient"]}, (turn, panel, one["subjects"])
            assert other.split()[-1] not in one["words"], (turn, panel)
            assert pids.setdefault(one["pid"], sample["token"]) == sample["token"], "a process served two contexts"
        assert seen.setdefault(sample["token"], sample["patient"]) == sample["patient"]
    assert len(seen) == times, "every switch is a new context"
    of_one_patient_each(nurse.did("wire")["processes"])


def of_one_patient_each(processes):
    checked = 0
    for pid, one in processes.items():
        assert len(one["contexts"]) <= 1, (pid, one["package"], one["contexts"])
        if "patient" in one["kinds"]:
            checked += 1
            assert len(one["patients"]) == 1, (pid, one["package"], one["patients"])
            assert {f"Patient/{one['patients'][0]}"} == {patient for _, patient in one["opened"]}
    assert checked >= 4


def test_twelve_switches_show_and_tell_one_resident_at_a_time(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    switch_between_two(nurse, 12)
    assert nurse.quit() == 0
    ended_quietly(nurse)


@pytest.mark.long
def test_fifty_switches_show_and_tell_one_resident_at_a_time(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    switch_between_two(nurse, 50)
    assert nurse.quit() == 0


def test_what_is_typed_outlives_its_panel(sandbox, sign_on):
    nurse = sign_on("tone", sandbox)
    nurse.did("switch_patient", name=OTHERS[0])
    words = "Sover godt, spist halv porsjon."
    nurse.did("type", bind="text", text=words, instance="note")
    dead = nurse.did("kill", instance="note")["pid"]
    summary = nurse.did("texts", instance="summary")
    assert OTHERS[0] in summary["banner"], "the window goes on"
    deadline = time.monotonic() + 4 * SOON  # a process is started, and perhaps once more
    state = nurse.did("panel_state", instance="note")
    while state["state"] != "running" or state["pid"] == dead:
        if state["state"] == "dead" and state["notice"]:  # the frame is told in the next turn of the loop
            assert "Journalnotat" in state["notice"], state
            nurse.tried("press", text="Start på nytt", instance="note")  # it may just have come back by itself
        assert time.monotonic() < deadline, state
        time.sleep(0.05)
        state = nurse.did("panel_state", instance="note")
    assert state["patient"] == "Patient/BEB-20"
    held = nurse.did("values", instance="note")
    assert held["values"]["text"] == held["shown"]["text"] == words
    assert nurse.did("key", key="End")["focus"] == "Lines", "the next key goes on in the note"
    nurse.did("type", bind="text", text=" Drikker lite.", instance="note")
    nurse.did("switch_patient", name=OTHERS[1])
    assert not nurse.did("values", instance="note")["shown"]["text"], "another resident's note is empty"
    nurse.did("switch_patient", name=OTHERS[0])
    back = nurse.did("values", instance="note")["shown"]["text"]
    assert words in back
    assert "Drikker lite." in back
    assert nurse.quit() == 0
    after = sign_on("tone", sandbox)
    after.did("switch_patient", name=OTHERS[0])
    after.until(
        lambda: after.did("values", instance="note")["shown"]["text"] == back, SOON, "the draft after a restart"
    )
    assert after.quit() == 0


def when_all_is_told(nurse):
    """What was on the wire once nothing new comes: a slow answer may arrive after its panel has drawn."""
    told, before = nurse.did("wire"), None
    deadline = time.monotonic() + 20
    while before != told["resources"]:
        assert time.monotonic() < deadline, "the wire does not come to rest"
        time.sleep(0.6)
        before, told = told["resources"], nurse.did("wire")
    return told


def test_all_that_a_panel_gets_comes_from_the_platform(own_sandbox, sign_on):
    nurse = sign_on("tone", own_sandbox)
    nurse.did("switch_patient", name=OTHERS[0])
    told = when_all_is_told(nurse)
    assert len(told["resources"]) > 50
    assert set(told["resources"]) - own_sandbox.held() == set(), "the platform knows all of it"
    own_sandbox.signal(signal.SIGSTOP)
    frozen = time.monotonic()
    nurse.tried("switch_patient", name=OTHERS[1], seconds=3.0)
    assert OTHERS[1] in nurse.did("sample")["banner"], "another resident can be opened without the platform"
    later = nurse.did("wire", since=told["count"])
    assert later["count"] > told["count"], "the panels were opened"
    assert set(later["resources"]) <= set(told["resources"]), "nothing new without the platform"
    sample = nurse.did("sample")
    assert {one["patient"] for one in sample["panels"].values()} == {sample["patient"]}
    assert sample["patient"] != "Patient/BEB-20"
    assert OTHERS[0].split()[-1] not in "".join(one["words"] for one in sample["panels"].values())
    away.seconds_until_seen(nurse, frozen)
    own_sandbox.signal(signal.SIGCONT)
    nurse.until(lambda: nurse.did("texts", instance="vitals")["bound"], 10, "the values, when the platform is back")
    away.seconds_until_gone(nurse, frozen)
    assert nurse.quit() == 0
