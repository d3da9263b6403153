from __future__ import annotations

import note as panel
import pytest
from home import allergy, note, vital_set

from workspace.sdk.testing import Bench, Refused

QUOTE = "Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112 (fra Vitale målinger, Tone 15:02)"


def opened(vitals=None, notes=(), problems=(), allergies=(), **state):
    bench = Bench(panel.panel)
    results = {
        panel.VITALS: vital_set() if vitals is None else vitals,
        panel.NOTES: list(notes),
        panel.PROBLEMS: list(problems),
        panel.ALLERGIES: list(allergies),
    }
    bench.open("note", results, values=state)
    return bench


def test_measured_values_are_put_in_once_with_their_source():
    bench = opened(text="Slapp og varm.")
    effects = bench.click("Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112")
    assert effects["state"]["text"] == f"Slapp og varm. {QUOTE} "
    assert "4 verdier gjenbrukt, 0 skrevet på nytt" in bench.texts()
    assert [one["props"]["text"] for one in bench.all("button")] == [
        "Forverring",
        "ISBAR",
        "Pårørende",
        "Nye målinger",
        "Signer",
    ]


def test_what_is_typed_again_or_taken_out_is_counted_so():
    bench = opened(text="Puls 112 og temp 38.6 nå.")
    assert "0 verdier gjenbrukt, 2 skrevet på nytt" in bench.texts()
    bench.click("Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112")
    assert "4 verdier gjenbrukt, 2 skrevet på nytt" in bench.texts()
    bench.type(text="Bare min egen tekst.")
    assert "0 verdier gjenbrukt, 0 skrevet på nytt" in bench.texts()


def test_signing_writes_the_note_and_where_it_comes_from():
    bench = opened(text="Verre <nå> & slapp.\nRingt lege.")
    bench.click("Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112")
    effects = bench.click("Signer")
    composition, provenance = (one["resource"] for one in effects["writes"])
    assert composition["type"]["coding"][0]["code"] == "B02-2"
    assert composition["subject"] == {"reference": "Patient/BEB-18"}
    assert composition["author"] == [{"reference": "Practitioner/tone", "display": "Tone Nilsen"}]
    assert composition["date"] == "2026-01-14T15:04:00+01:00"
    div = composition["section"][0]["text"]["div"]
    assert "<p>Verre &lt;nå&gt; &amp; slapp.</p><p>Ringt lege. Pust 25" in div
    assert provenance["target"] == [{"reference": effects["writes"][0]["full_url"]}]
    assert [one["what"]["reference"] for one in provenance["entity"]] == [
        "Observation/rr", "Observation/sat", "Observation/temp", "Observation/pulse",
    ]  # fmt: skip
    assert {one["role"] for one in provenance["entity"]} == {"source"}
    assert effects["clear"] == ["text"]
    assert effects["message"] == "Signert. 4 verdier gjenbrukt, 0 skrevet på nytt."
    assert "0 verdier gjenbrukt" in bench.texts()


def test_an_unquoted_note_has_no_sources():
    provenance = opened(text="Rolig natt.").click("Signer")["writes"][1]["resource"]
    assert "entity" not in provenance


def test_an_empty_note_is_not_signed():
    with pytest.raises(Refused, match="Skriv noe"):
        opened(text="  \n").click("Signer")


def test_templates_add_below_what_is_written_and_never_name_the_patient():
    problems = [{"resourceType": "Condition", "id": "p", "code": {"text": "Pneumoni"}}]
    bench = opened(problems=problems, allergies=[allergy("a", "Penicillin")], text="Mitt.")
    text = bench.click("ISBAR")["state"]["text"]
    assert text.startswith("Mitt.\n\nI – Hvem ringer: Tone Nilsen, sykepleier\n")
    assert "B – Bakgrunn: Pneumoni. Allergier: Penicillin." in text
    assert f"A – Aktuelt: {QUOTE}" in text
    assert "BEB-18" not in text
    assert "4 verdier gjenbrukt, 0 skrevet på nytt" in bench.texts()


def test_templates_without_measurements():
    assert "(ingen nye)" in opened(vitals=[]).click("Forverring")["state"]["text"]


def test_the_three_latest_notes_are_shown_with_author_and_time():
    notes = [note(f"n{day}", f"Notat {day} &amp; mer", f"2026-01-{day:02d}T21:10:00+01:00") for day in range(9, 14)]
    bench = opened(notes=notes)
    texts = bench.texts()
    assert "13.01.2026 21:10 · Mia Strand" in texts
    assert "Notat 13 & mer" in texts
    assert "Notat 11" in texts
    assert "Notat 10" not in texts
    abouts = [one["props"].get("about") for one in bench.all("text") if "Notat " in one["props"]["text"]]
    assert abouts == ["Composition/n13", "Composition/n12", "Composition/n11"]


def test_only_values_of_the_newest_set_are_offered():
    old = vital_set("2026-01-13T08:00:00+01:00")
    new = [one for one in vital_set() if one["id"] in ("rr", "pulse")]
    for one in old:
        one["id"] += "-old"
    bench = opened(vitals=new + old)
    assert "Pust 25 · Puls 112" in bench.texts()
    assert "SpO₂" not in bench.texts()
    (source,) = (one["props"] for one in bench.all("text") if one["props"]["text"].startswith("fra Vitale"))
    assert source["abouts"] == {"Pust 25": "Observation/rr", "Puls 112": "Observation/pulse"}


def test_a_set_asked_for_is_offered_when_it_is_saved_and_why_not_when_it_is_not():
    bench = opened(text="Slapp.")
    bench.click("Nye målinger")
    assert bench.raised == [("record vital-signs", {})]
    assert "Ingen andre paneler her tar imot «record vital-signs»." in bench.texts()
    assert "Pust 25 · SpO₂ 91 % · Temp 38,6 · Puls 112" in bench.texts(), "what was measured before is still offered"
    only = next(one for one in bench._shown[1] if one["code"]["coding"][0]["code"] == "8867-4")
    bench.other("record vital-signs", lambda: {"observations": [f"Observation/{only['id']}"]})
    bench.click("Nye målinger")
    assert "Ingen andre paneler" not in bench.texts()
    effects = bench.click("Puls 112")
    assert effects["state"]["text"].startswith("Slapp. Puls 112 (fra Vitale målinger")
