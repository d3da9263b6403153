"""Two authors of one resource: what is joined, what must be chosen, and that nothing either wrote disappears."""

from __future__ import annotations

from copy import deepcopy

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.record.test_chain import quantity
from workspace.fhir.describe import path_words, value_words
from workspace.record.conflict import compare, loses, resolved

pytestmark = pytest.mark.usefixtures("impatient")


def coded(code):
    return {"coding": [{"system": "http://loinc.org", "code": code}]}


def pressure(systolic=120, diastolic=80):
    def part(code, value):
        return {"code": coded(code), "valueQuantity": {"value": value, "unit": "mm[Hg]"}}

    return [part("8480-6", systolic), part("8462-4", diastolic)]


PLAN = {
    "resourceType": "CarePlan",
    "id": "p",
    "meta": {"versionId": "3"},
    "status": "active",
    "title": "Tiltaksplan",
    "description": "Spiser lite",
    "text": {"status": "generated", "div": "<div>Spiser lite</div>"},
    "period": {"start": "2026-01-01"},
    "activity": [{"id": "a", "detail": {"status": "in-progress", "description": "Vei ukentlig"}}],
    "note": [{"text": "startet"}],
}


def changed(resource, **more):
    return {**deepcopy(resource), **more}


def paths(found):
    return {each.path: each.side for each in found.fields}


def test_changes_of_different_elements_are_joined():
    mine = changed(PLAN, description="Spiser bedre")
    theirs = changed(PLAN, title="Plan for ernæring", meta={"versionId": "4"})
    found = compare(PLAN, mine, theirs)
    assert paths(found) == {"description": "mine", "title": "theirs"}
    assert found.open == ()
    assert (found.merged["description"], found.merged["title"]) == ("Spiser bedre", "Plan for ernæring")
    assert found.merged["meta"] == {"versionId": "4"}
    assert "text" not in found.merged  # generated from one side's values


def test_the_same_element_needs_a_choice_and_each_choice_is_kept():
    mine, theirs = changed(PLAN, description="Spiser bedre"), changed(PLAN, description="Spiser ingenting")
    found = compare(PLAN, mine, theirs)
    assert paths(found) == {"description": "both"}
    with pytest.raises(KeyError):
        resolved(found, {})
    assert resolved(found, {"description": "mine"})["description"] == "Spiser bedre"
    assert resolved(found, {"description": "theirs"})["description"] == "Spiser ingenting"
    both = resolved(found, {"description": {"value": "Bedre til frokost, ellers ingenting"}})
    assert both["description"].startswith("Bedre til frokost")
    assert "description" not in resolved(found, {"description": {"value": None}})
    with pytest.raises(ValueError, match="neither"):
        resolved(found, {"description": "hers"})
    assert [loses(found, resolved(found, {"description": one})) for one in ("mine", "theirs")] == [False, True]


def test_a_value_and_its_unit_never_come_from_two_authors():
    base = {"resourceType": "Observation", "id": "o", "valueQuantity": {"value": 70, "unit": "kg", "code": "kg"}}
    mine = changed(base, valueQuantity={"value": 71, "unit": "kg", "code": "kg"})
    theirs = changed(base, valueQuantity={"value": 70, "unit": "g", "code": "g"})
    found = compare(base, mine, theirs)
    assert paths(found) == {"valueQuantity": "both"}


def test_parts_are_told_apart_by_their_code():
    base = {"resourceType": "Observation", "id": "o", "component": pressure()}
    mine = changed(base, component=pressure(systolic=125))
    theirs = changed(base, component=list(reversed(pressure(diastolic=85))))
    found = compare(base, mine, theirs)
    assert paths(found) == {"component.8480-6.valueQuantity": "mine", "component.8462-4.valueQuantity": "theirs"}
    values = {part["code"]["coding"][0]["code"]: part["valueQuantity"]["value"] for part in found.merged["component"]}
    assert values == {"8480-6": 125, "8462-4": 85}
    chosen = resolved(found, {"component.8480-6.valueQuantity": "theirs"})
    assert [part["valueQuantity"]["value"] for part in chosen["component"]] == [120, 85]


def test_two_additions_to_a_list_are_both_kept():
    mine = changed(PLAN, note=[{"text": "startet"}, {"text": "min"}])
    theirs = changed(PLAN, note=[{"text": "startet"}, {"text": "hennes"}])
    found = compare(PLAN, mine, theirs)
    assert found.open == ()
    assert [each["text"] for each in found.merged["note"]] == ["startet", "hennes", "min"]
    assert not loses(found, resolved(found, {})), "nothing of mine is given up"
    first = changed(PLAN)
    del first["note"]
    found = compare(first, changed(first, note=[{"text": "min"}]), changed(first, note=[{"text": "hennes"}]))
    assert not loses(found, resolved(found, {}))
    assert loses(found, resolved(found, {"note": "theirs"}))
    assert not loses(found, resolved(found, {"note": "mine"}))
    mine["activity"] = [*PLAN["activity"], {"id": "b", "detail": {"description": "Ny"}}]
    theirs["activity"] = [{"id": "a", "detail": {"status": "completed", "description": "Vei ukentlig"}}]
    found = compare(PLAN, mine, theirs)
    assert found.open == ()
    assert [each["detail"].get("status") for each in found.merged["activity"]] == ["completed", None]


def test_what_one_has_taken_back_is_not_mended_by_the_other():
    mine = changed(PLAN, description="Spiser bedre")
    theirs = changed(PLAN, status="entered-in-error")
    found = compare(PLAN, mine, theirs)
    assert found.withdrawn == ("theirs",)
    assert set(paths(found).values()) == {"both"}


def verified(code):
    return {"verificationStatus": {"coding": [{"code": code}]}}


ALLERGY = {
    "resourceType": "AllergyIntolerance", "id": "a", "clinicalStatus": {"coding": [{"code": "active"}]},
    **verified("confirmed"), "code": {"text": "Penicillin"}, "reaction": [{"id": "r", "severity": "mild"}],
}  # fmt: skip
WRONG = {
    key: value for key, value in changed(ALLERGY, **verified("entered-in-error")).items() if key != "clinicalStatus"
}
SEVERE = changed(ALLERGY, reaction=[{"id": "r", "severity": "severe"}], note=[{"text": "anafylaksi i går"}])
GOAL = {"resourceType": "Goal", "id": "g", "lifecycleStatus": "active", "description": {"text": "Gå"}}


@pytest.mark.parametrize(
    ("base", "edit", "back"),
    [
        (ALLERGY, SEVERE, WRONG),
        (ALLERGY, SEVERE, changed(ALLERGY, **verified("refuted"))),
        (changed(ALLERGY, **verified("refuted")), changed(SEVERE, **verified("refuted")), WRONG),
        (GOAL, changed(GOAL, description={"text": "Gå uten hjelp"}), changed(GOAL, lifecycleStatus="entered-in-error")),
    ],
)
def test_what_one_has_called_off_is_a_question_wherever_its_type_says_so(base, edit, back):
    for found, side in ((compare(base, edit, back), "theirs"), (compare(base, back, edit), "mine")):
        assert (found.withdrawn, found.joinable) == ((side,), False)
        assert set(paths(found).values()) == {"both"}
    again = compare(back, changed(back, note=[{"text": "x"}]), changed(back, text={"status": "empty"}))
    assert (again.withdrawn, again.joinable) == ((), True), "nobody has called it off anew"


def test_a_clinical_status_goes_with_what_says_that_it_was_entered_in_error():
    found = compare(ALLERGY, SEVERE, WRONG)
    assert set(paths(found)) == {"verificationStatus[x]", "reaction.r.severity", "note"}
    rest = {"reaction.r.severity": "mine", "note": "mine"}
    assert "clinicalStatus" not in resolved(found, {**rest, "verificationStatus[x]": "theirs"})
    assert resolved(found, {**rest, "verificationStatus[x]": "mine"}) == SEVERE
    (both,) = [each for each in found.fields if each.path == "verificationStatus[x]"]
    assert (value_words(both.mine), value_words(both.theirs)) == ("aktiv, bekreftet", "feilført")
    other = changed(ALLERGY, clinicalStatus={"coding": [{"code": "inactive"}]})
    assert set(paths(compare(ALLERGY, other, changed(ALLERGY, **verified("refuted"))))) == {
        "clinicalStatus", "verificationStatus",
    }  # fmt: skip


UNSURE = {"extension": [{"url": "http://ukjent.example/usikker", "valueBoolean": True}]}


@pytest.mark.parametrize(
    ("path", "within"),
    [
        ("value[x]", lambda held: held),
        ("component.8480-6.value[x]", lambda held: {"component": [{"code": coded("8480-6"), **held}]}),
        ("note.0.value[x]", lambda held: {"note": [held]}),
    ],
)
def test_a_value_and_what_is_said_of_that_very_value_are_one_element(path, within):
    base, mine = within({"valueString": "120 over 80"}), within({"valueString": "140 over 90"})
    theirs = within({"valueString": "120 over 80", "_valueString": UNSURE})
    found = compare(base, mine, theirs)
    assert (paths(found), found.joinable) == ({path: "both"}, False)
    assert resolved(found, {path: "mine"}) == mine
    assert resolved(found, {path: "theirs"}) == theirs
    assert [loses(found, resolved(found, {path: side})) for side in ("mine", "theirs")] == [False, True]
    (one,) = found.fields
    assert (value_words(one.mine), value_words(one.theirs)) == ("140 over 90", "120 over 80 (usikker: ja)")
    assert paths(compare(theirs, mine, theirs)) == {path: "mine"}


def test_names_and_what_is_said_of_each_are_chosen_together():
    base = {"resourceType": "Patient", "name": [{"use": "official", "given": ["Arne", "Kåre"]}]}
    mine = {**base, "name": [{"use": "official", "given": ["Kåre"]}]}
    theirs = {**base, "name": [{**base["name"][0], "_given": [None, UNSURE]}]}
    found = compare(base, mine, theirs)
    assert paths(found) == {"name.0.given[x]": "both"}
    assert resolved(found, {"name.0.given[x]": "theirs"}) == theirs
    assert value_words(found.fields[0].theirs) == "Arne, Kåre (usikker: ja)"


def test_what_is_said_of_a_status_weighs_as_the_status_does():
    base = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "dosageInstruction": [{"text": "1 × 2"}],
    }
    found = compare(base, changed(base, dosageInstruction=[{"text": "1 × 3"}]), changed(base, _status=UNSURE))
    assert (paths(found)["status[x]"], found.open, found.joinable) == ("theirs", (), False)
    gone = {"valueQuantity": {"_value": UNSURE, "unit": "kg"}}
    found = compare(
        gone, {"valueQuantity": {**gone["valueQuantity"], "unit": "g"}}, {"valueQuantity": {"_value": {}, "unit": "kg"}}
    )
    assert paths(found) == {"valueQuantity": "both"}


def test_without_the_version_both_came_from_every_difference_is_a_choice():
    found = compare(None, changed(PLAN, description="a"), changed(PLAN, description="b", title="x"))
    assert paths(found) == {"description": "both", "title": "both"}


def test_an_unknown_extension_survives():
    extended = changed(PLAN, extension=[{"url": "http://ukjent.example/x", "valueDecimal": 1.50}])
    found = compare(extended, changed(extended, title="x"), changed(extended, description="y"))
    assert found.merged["extension"] == extended["extension"]


TREE = st.recursive(
    st.integers(0, 3) | st.text("ab", max_size=2),
    lambda inner: (
        st.dictionaries(st.sampled_from(["p", "_p", "q", "r"]), inner, max_size=3) | st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)
RESOURCE = st.dictionaries(st.sampled_from(["a", "b", "c", "_c", "valueString", "note"]), TREE, max_size=4)


@settings(max_examples=300, deadline=None)
@given(RESOURCE, RESOURCE, RESOURCE)
@example({"c": [""]}, {"a": {}, "c": ["", ""]}, {"c": [""]})  # a repeated element is an addition too
def test_no_change_disappears_whatever_the_shapes(base, mine, theirs):
    found = compare(base, mine, theirs)
    everything = dict.fromkeys(paths(found), "mine")
    if not any(each.side == "theirs" for each in found.fields):
        assert resolved(found, everything) == mine
        assert not loses(found, resolved(found, everything))
    assert not compare(mine, mine, resolved(found, {**everything})).open
    if base == theirs:
        assert found.open == ()
        assert found.merged == mine
    if base == mine:
        assert found.open == ()
        assert found.merged == theirs
    if mine == theirs:
        assert found.fields == ()
        assert found.merged == mine
    sides = paths(found)
    mirrored = paths(compare(base, theirs, mine))
    other = {"mine": "theirs", "theirs": "mine", "both": "both"}
    grown = {each.path for each in found.fields if isinstance(each.mine, list) and isinstance(each.theirs, list)}
    assert {p: other[s] for p, s in mirrored.items() if p not in grown} == {
        p: s for p, s in sides.items() if p not in grown
    }


# Through the platform -----------------------------------------------------------------------------------


def test_one_stops_it_while_the_other_changes_the_dose_is_for_people():
    base = {
        "resourceType": "MedicationRequest",
        "id": "m",
        "status": "active",
        "dosageInstruction": [{"text": "1 × 2"}],
    }
    found = compare(base, changed(base, dosageInstruction=[{"text": "1 × 3"}]), changed(base, status="stopped"))
    assert (found.open, found.joinable) == ((), False)
    assert compare(base, changed(base, note=[{"text": "x"}]), changed(base, status="stopped")).joinable


def test_a_value_under_another_name_is_the_same_element_and_only_one_of_them_stands():
    base = {"resourceType": "Observation", "id": "o", "effectiveDateTime": "2026-01-14", "status": "final"}
    mine = changed(base, valueString="uklar", effectivePeriod={"start": "2026-01-13"})
    del mine["effectiveDateTime"]
    theirs = changed(base, valueQuantity=quantity(99), effectiveDateTime="2026-01-15")
    found = compare(base, mine, theirs)
    assert paths(found) == {"value[x]": "both", "effective[x]": "both"}
    assert {"valueString", "effectivePeriod"} <= found.merged.keys()
    assert not {"valueQuantity", "effectiveDateTime"} & found.merged.keys()
    chosen = resolved(found, {"value[x]": "theirs", "effective[x]": "mine"})
    assert (chosen["valueQuantity"], chosen["effectivePeriod"]) == (quantity(99), {"start": "2026-01-13"})
    assert not {"valueString", "effectiveDateTime"} & chosen.keys()
    assert loses(found, chosen)
    assert not loses(found, resolved(found, {"value[x]": "mine", "effective[x]": "mine"}))
    assert path_words(base, "value[x]") == "Verdi"
    assert value_words({"valueString": "uklar"}) == "uklar"
    assert value_words({"effectiveDateTime": "2026-01-15"}) == "15.01.2026"


def test_what_has_moved_in_a_list_is_not_given_to_what_stands_in_its_place_now():
    def notes(*texts):
        return {"resourceType": "CarePlan", "id": "p", "note": [{"text": text, "x": x} for text, x in texts]}

    base = notes(("faller", 1), ("sover", 1))
    mine, theirs = notes(("sover", 1), ("spiser", 1)), notes(("faller", 2), ("sover", 1))
    assert paths(compare(base, mine, theirs)) == {"note": "both"}
    assert paths(compare(base, theirs, mine)) == {"note": "both"}
    signed = {"note": [{"text": "sover", "authorString": "Tone"}]}
    other = {"note": [{"text": "sover", "authorString": "Lege"}]}
    found = compare(signed, {"note": [{"text": "sover lite", "authorString": "Tone"}]}, other)
    assert paths(found) == {"note.0": "both"}, "nobody is made the author of another's words"
    two = {"note": [*signed["note"], {"text": "spiser", "authorString": "Tone"}]}
    found = compare(two, {"note": [{"text": "sover lite", "authorString": "Tone"}, two["note"][1]]},
                    {"note": [two["note"][0], {"text": "spiser godt", "authorString": "Lege"}]})  # fmt: skip
    assert (paths(found), found.joinable) == ({"note.0": "mine", "note.1": "theirs"}, True)


@pytest.mark.parametrize("theirs", [
    {"modifierExtension": [{"url": "http://ukjent.example/ikke", "valueBoolean": True}]},
    {"interpretation": [{"text": "høy"}]},
])  # fmt: skip
def test_what_changes_or_judges_the_value_is_not_joined_with_another_value(theirs):
    base = {"resourceType": "Observation", "id": "o", "valueQuantity": quantity(70)}
    found = compare(base, changed(base, valueQuantity=quantity(71)), changed(base, **theirs))
    assert (found.open, found.joinable) == ((), False)
