from __future__ import annotations

import shutil

import pytest

from workspace.fhir.identifiers import national_number
from workspace.problem import Problem
from workspace.sandbox.home.definitions import default_folder, load


def test_forty_residents_in_four_units_each_with_a_bed_of_their_own(home):
    assert list(home.residents) == [f"BEB-{number:02}" for number in range(1, 41)]
    assert len({one.room for one in home.residents.values()}) == 40
    assert {unit: sum(one.unit == unit for one in home.residents.values()) for unit in home.units} == {
        "fjellbris": 8,
        "havblikk": 12,
        "solsiden": 12,
        "korttid": 8,
    }


def test_no_number_can_belong_to_anybody(home):
    kinds = {one.id: national_number(one.number) for one in home.residents.values()}
    assert all(number.synthetic for own, number in kinds.items() if own != "BEB-40")
    assert kinds["BEB-40"].kind == "fhn"
    assert kinds["BEB-38"].kind == "dnr+tnr"
    for one in home.residents.values():
        if kinds[one.id].synthetic:
            assert kinds[one.id].born == one.born, one.id
            assert (int(one.number[8]) % 2 == 1) == (one.sex == "M"), one.id


def test_those_who_may_sign_in(home):
    people = {one.username: one for one in home.people()}
    tone = people["tone"]
    assert (tone.name, tone.role, tone.practitioner) == ("Tone Nilsen", "sykepleier", "Practitioner/tone")
    assert tone.unit_text == "Havblikk og Solsiden"
    assert tone.shift_text.startswith("Kveldsvakt")
    assert people["dahl"].role == "lege"
    assert {"assistent", "vikar", "avdelingsleder", "systemansvarlig"} <= {one.role for one in people.values()}
    assert not any(one.hpr for one in people.values() if one.role in ("assistent", "systemansvarlig"))


@pytest.mark.parametrize(
    ("file", "old", "new", "field"),
    [
        ("residents.csv", "09853922703", "09853922704", "number"),
        ("residents.csv", "09853922703", "13097248022", "number"),  # valid, but not synthetic
        ("medications.csv", "BEB-18,amoksicillin", "BEB-18,amoksisilin", "drug"),
        ("vitals.csv", "BEB-18,2026-01-14T14:20", "BEB-18,14.01.2026", "at"),
        ("vitals.csv", "24,92,0,108,64,104,A", "24,92,0,108,64,mange,A", "pulse"),
        ("staff.csv", "havblikk solsiden,Kveldsvakt", "havblikk solsida,Kveldsvakt", "units"),
        ("conditions.csv", "K78-I48.2,2019", "K78-I48.2,i 2019", "onset"),
        ("diagnoses.csv", "key,icpc2,icpc2_text", "key,icpc,icpc2_text", "icpc"),
        ("home.toml", 'number = "311000136"', 'number = "311000137"', "number"),
        ("templates.toml", "[all]", "[alle]", "all"),
    ],
)
def test_a_broken_definition_is_named_with_file_and_field(tmp_path, file, old, new, field):
    folder = tmp_path / "home"
    shutil.copytree(default_folder(), folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Problem) as caught:
        load(folder)
    assert caught.value.code == "home-definitions"
    assert file in caught.value.sentence
    assert "«" in caught.value.sentence
    assert field in caught.value.sentence


def test_a_missing_file_is_named(tmp_path):
    folder = tmp_path / "home"
    shutil.copytree(default_folder(), folder)
    (folder / "drugs.csv").unlink()
    with pytest.raises(Problem, match=r"drugs\.csv"):
        load(folder)
