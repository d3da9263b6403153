"""The search rules of FHIR R4, asked of the store in the words of the home."""

import pytest

VITAL = {"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "vital-signs"}


def reading(bench, own, when, *, patient="BEB-18", code="8867-4", value=80, unit="/min", **more):
    content = {
        "status": "final",
        "category": [{"coding": [VITAL]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": code}]},
        "subject": {"reference": f"Patient/{patient}"},
        "valueQuantity": {"value": value, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit},
        **more,
    }
    if when:
        content["effectiveDateTime"] = when
    bench.put("Observation", own, **content)


def stay(bench, own, start, end=None):
    period = {"start": start, **({"end": end} if end else {})}
    bench.put("Encounter", own, status="in-progress", period=period)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("2026-01-14", {"midnight", "ten", "whole"}),
        ("2026-01-14T10:00", {"ten"}),
        ("ne2026-01-14", {"after", "earlier"}),
        ("gt2026-01-14T09:00", {"ten", "whole", "after"}),
        ("lt2026-01-14T10:00", {"midnight", "whole", "earlier"}),
        ("ge2026-01-14", {"midnight", "ten", "whole", "after"}),
        ("le2026-01-14", {"midnight", "ten", "whole", "earlier"}),
        ("sa2026-01-14", {"after"}),
        ("eb2026-01-14", {"earlier"}),
        ("ap2026-01-14", {"midnight", "ten", "whole"}),
        ("2026", {"midnight", "ten", "whole", "after", "earlier"}),
        ("2025", set()),
        ("2026-01-14T10:00,2026-01-10", {"ten", "earlier"}),
    ],
)
def test_dates_meet_by_their_precision(bench, query, expected):
    reading(bench, "midnight", "2026-01-14T00:00:00+01:00")
    reading(bench, "ten", "2026-01-14T10:00:00+01:00")
    reading(bench, "whole", "2026-01-14")
    reading(bench, "after", "2026-01-15T00:00:00+01:00")
    reading(bench, "earlier", "2026-01-10")
    reading(bench, "untimed", None)
    assert bench.found(f"Observation?date={query}") == expected
    assert bench.found(f"Observation?date={query}&patient=BEB-18&code=8867-4") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("gt2026-01-14", {"open", "later"}),
        ("lt2026-01-14", {"open", "past"}),
        ("sa2026-01-14", {"later"}),
        ("eb2026-01-14", {"past"}),
        ("ge2026-01-14", {"open", "later"}),
        ("le2026-01-14", {"open", "past"}),
        ("2026-01-03", {"past"}),
    ],
)
def test_an_open_period_reaches_on(bench, query, expected):
    stay(bench, "open", "2025-11-21")
    stay(bench, "past", "2026-01-03T08:00:00+01:00", "2026-01-03T12:00:00+01:00")
    stay(bench, "later", "2026-01-15")
    assert bench.found(f"Encounter?date={query}") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("code=T90", {"icpc", "bare", "other"}),
        ("code=http://hl7.org/fhir/sid/icpc-2|T90", {"icpc"}),
        ("code=urn:oid:2.16.578.1.12.4.1.1.7170|T90", {"icpc"}),
        ("code=|T90", {"bare"}),
        ("code=http://hl7.org/fhir/sid/icpc-2|", {"icpc", "more"}),
        ("code=urn:nowhere|", set()),
        ("code=T90,K77", {"icpc", "bare", "other", "more"}),
        ("code:not=T90", {"more", "none"}),
        ("code:missing=true", {"none"}),
        ("code:missing=false", {"icpc", "bare", "other", "more"}),
        ("code=T90&code=K77", set()),
        ("code=T90&clinical-status=active", {"icpc"}),
        ("_id=icpc,more,nobody", {"icpc", "more"}),
        ("_id=icpc&code=K77", set()),
    ],
)
def test_tokens_in_each_form(bench, query, expected):
    def problem(own, *codings, **more):
        content = {"code": {"coding": list(codings)}} if codings else {}
        bench.put("Condition", own, subject={"reference": "Patient/BEB-11"}, **content, **more)

    active = {"clinicalStatus": {"coding": [{"code": "active"}]}}
    problem("icpc", {"system": "http://hl7.org/fhir/sid/icpc-2", "code": "T90"}, **active)
    problem("bare", {"code": "T90"})
    problem("other", {"system": "urn:other", "code": "T90"})
    problem("more", {"system": "urn:oid:2.16.578.1.12.4.1.1.7170", "code": "K77"})
    problem("none")
    assert bench.found(f"Condition?{query}") == expected
    assert bench.found(f"Condition?{query}&patient=BEB-11") == expected
    assert bench.ask("GET", f"Condition?{query}&_summary=count").body["total"] == len(expected)


def test_a_coding_in_two_systems_is_one_match(bench):
    both = [{"system": "urn:a", "code": "x"}, {"system": "urn:b", "code": "x"}]
    bench.put("Condition", "one", subject={"reference": "Patient/a"}, code={"coding": both})
    assert bench.ids("Condition?code=x") == ["one"]
    assert bench.ask("GET", "Condition?code=x,y&_summary=count").body["total"] == 1


def test_references_in_each_form(bench):
    bench.put("Flag", "one", subject={"reference": "Patient/BEB-18/_history/1"})
    bench.put("Flag", "two", subject={"reference": "Location/BEB-18"})
    assert bench.found("Flag?patient=BEB-18") == {"one"}
    assert bench.found("Flag?patient=Patient/BEB-18") == {"one"}
    assert bench.found("Flag?subject=BEB-18") == {"one", "two"}
    assert bench.found("Flag?subject:Location=BEB-18") == {"two"}


def test_a_logical_reference_is_found_by_its_identifier(bench):
    doctor = {"identifier": {"system": "urn:oid:2.16.578.1.12.4.1.4.4", "value": "9144900"}}
    bench.put("Patient", "one", generalPractitioner=[doctor])
    query = "Patient?general-practitioner:identifier=http://hl7.no/fhir/NamingSystem/HPR|9144900"
    assert bench.found(query) == {"one"}


def test_names_are_found_without_case_and_accents(bench):
    bench.put("Patient", "maret", name=[{"family": "Reinlav", "given": ["Máret"]}])
    bench.put("Patient", "nils", name=[{"family": "Bjørkeløv", "given": ["Nils"]}])
    assert bench.found("Patient?name=maret") == {"maret"}
    assert bench.found("Patient?name=BJORK") == {"nils"}
    assert bench.found("Patient?name=løv") == set()
    assert bench.found("Patient?name:contains=LØV") == {"nils"}
    assert bench.found("Patient?family:exact=Bjørkeløv") == {"nils"}
    assert bench.found("Patient?family:exact=bjørkeløv") == set()
    assert bench.found("Patient?name=Nils Bjør") == {"nils"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("5.4", {"a", "b"}),
        ("5.40", {"a"}),
        ("gt5.4", {"b", "big", "over"}),
        ("ge5.44", {"b", "big", "over"}),
        ("lt5.4", {"small"}),
        ("le5.4", {"a", "small"}),
        ("ne5.4", {"small", "big", "over"}),
        ("ap5", {"a", "b"}),
        ("5.4|http://unitsofmeasure.org|mmol/L", {"a", "b"}),
        ("5.4|http://unitsofmeasure.org|g/L", set()),
        ("gt5||mmol/L", {"a", "b", "big", "over"}),
    ],
)
def test_quantities_meet_by_their_precision(bench, query, expected):
    for own, value in (("a", 5.4), ("b", 5.44), ("small", 1.0), ("big", 9.0)):
        reading(bench, own, "2026-01-14", code="15074-8", value=value, unit="mmol/L")
    over = {"value": 35, "comparator": ">", "unit": "mmol/L"}
    reading(bench, "over", "2026-01-14", valueQuantity=over)
    assert bench.found(f"Observation?value-quantity={query}") == expected


def test_spellings_of_a_unit_are_one(bench):
    for own, unit in (("a", "10E9/L"), ("b", "10*9/L")):
        reading(bench, own, "2026-01-14", value=7, unit=unit)
    assert bench.found("Observation?value-quantity=7|http://unitsofmeasure.org|10#9/L") == {"a", "b"}


def test_the_newest_come_first_and_what_has_no_time_comes_last(bench):
    reading(bench, "old", "2026-01-01")
    reading(bench, "none", None)
    reading(bench, "new", "2026-01-02")
    assert bench.ids("Observation?patient=BEB-18&_sort=-date") == ["new", "old", "none"]
    assert bench.ids("Observation?patient=BEB-18&_sort=date") == ["old", "new", "none"]
    assert bench.ids("Observation?patient=BEB-18") == ["new", "old", "none"]


def test_several_sort_keys_and_missing_last(bench):
    bench.put("Patient", "c", name=[{"family": "Ål"}], birthDate="1950-01-01")
    bench.put("Patient", "a", name=[{"family": "Berg"}], birthDate="1940-01-01")
    bench.put("Patient", "b", name=[{"family": "berg"}], birthDate="1960-01-01")
    bench.put("Patient", "n", birthDate="1930-01-01")
    assert bench.ids("Patient?_sort=family,-birthdate") == ["c", "b", "a", "n"]
    assert bench.ids("Patient?_sort=-family,birthdate") == ["a", "b", "c", "n"]
    assert bench.ids("Patient?_sort=-_id") == ["n", "c", "b", "a"]


def pages(bench, query, between=lambda: None):
    seen = []
    while query:
        body = bench.ask("GET", query).body
        seen += [each["resource"]["id"] for each in body.get("entry", [])]
        query = next((each["url"] for each in body["link"] if each["relation"] == "next"), None)
        between()
    return seen


@pytest.mark.parametrize("sort", ["-date", "date", "status,-date", "-code", "_id", "-_lastUpdated,date"])
def test_paging_neither_repeats_nor_skips_while_others_write(bench, sort):
    for number in range(10):
        reading(bench, f"o{number}", f"2026-01-{10 + number // 2}" if number else None)
    added = iter(range(100))

    def write():
        reading(bench, f"x{next(added)}", "2026-02-01")

    seen = pages(bench, f"Observation?patient=BEB-18&_sort={sort}&_count=3", write)
    ours = [each for each in seen if each.startswith("o")]
    assert sorted(ours) == [f"o{number}" for number in range(10)]
    assert len(seen) == len(set(seen))


def test_totals_are_given_when_asked(bench):
    for number in range(5):
        reading(bench, f"o{number}", "2026-01-14")
    assert "total" not in bench.ask("GET", "Observation?_count=2").body
    assert bench.ask("GET", "Observation?_count=2&_total=accurate").body["total"] == 5
    body = bench.ask("GET", "Observation?_summary=count").body
    assert body["total"] == 5
    assert "entry" not in body


def test_includes_are_marked_and_come_once(bench):
    bench.put("Patient", "BEB-18", name=[{"family": "Storspove"}], managingOrganization={"reference": "Organization/h"})
    bench.put("Organization", "h", name="Fjellheim")
    bench.put("Practitioner", "tone", name=[{"family": "Fjell"}])
    for own in ("a", "b"):
        reading(bench, own, "2026-01-14", performer=[{"reference": "Practitioner/tone"}])
    bench.put("Provenance", "p", target=[{"reference": "Observation/a"}], recorded="2026-01-14T14:45:00+01:00")
    query = (
        "Observation?code=8867-4&_include=Observation:patient&_include=Observation:performer:Practitioner"
        "&_include:iterate=Patient:organization&_revinclude=Provenance:target"
    )
    entries = bench.ask("GET", query).body["entry"]
    modes = {each["resource"]["id"]: each["search"]["mode"] for each in entries}
    assert len(entries) == 6
    assert modes == {"a": "match", "b": "match", "BEB-18": "include", "tone": "include", "h": "include", "p": "include"}


def test_a_chain_asks_the_resource_at_the_other_end(bench):
    number = {"system": "urn:oid:2.16.578.1.12.4.1.4.1", "value": "09853922703"}
    bench.put("Patient", "BEB-18", identifier=[number], name=[{"family": "Storspove"}])
    bench.put("Patient", "BEB-17", name=[{"family": "Røsslyng"}])
    reading(bench, "a", "2026-01-14")
    reading(bench, "b", "2026-01-14", patient="BEB-17")
    assert bench.found("Observation?patient.identifier=http://hl7.no/fhir/NamingSystem/FNR|09853922703") == {"a"}
    assert bench.found("Observation?subject:Patient.name=røss") == {"b"}
    assert bench.found("Observation?patient.name=nobody") == set()


def test_several_patients_and_a_code(bench):
    for patient in ("A", "B", "C"):
        reading(bench, f"{patient}1", "2026-01-14", patient=patient)
        reading(bench, f"{patient}2", "2026-01-13", patient=patient, code="9279-1")
    assert bench.found("Observation?patient=A,C&code=8867-4") == {"A1", "C1"}
    assert bench.found("Observation?patient=A,C") == {"A1", "A2", "C1", "C2"}


def test_last_updated(bench):
    reading(bench, "a", "2020-01-01")
    assert bench.found("Observation?_lastUpdated=ge2026-01-14") == {"a"}
    assert bench.found("Observation?_lastUpdated=lt2026-01-14") == set()


def test_a_search_may_be_posted(bench):
    reading(bench, "a", "2026-01-14")
    answer = bench.ask("POST", "Observation/_search?code=8867-4", {"patient": ["BEB-18"]})
    assert [each["resource"]["id"] for each in answer.body["entry"]] == ["a"]


def test_an_unknown_parameter_is_refused_unless_leniency_is_asked(bench):
    reading(bench, "a", "2026-01-14")
    strict = bench.ask("GET", "Observation?colour=red")
    assert strict.status == 400
    assert "colour" in strict.body["issue"][0]["details"]["text"]
    assert bench.ask("GET", "Observation?colour=red", prefer="handling=lenient").status == 200
    assert bench.ask("GET", "Observation?_page=rubbish").status == 400


def test_an_update_leaves_no_trace_of_the_former_value_in_a_search(bench):
    reading(bench, "a", "2026-01-14", value=80)
    reading(bench, "a", "2026-01-15", code="9279-1", value=18, patient="BEB-17")
    for former in ("code=8867-4", "patient=BEB-18", "value-quantity=80", "date=2026-01-14"):
        assert bench.found(f"Observation?{former}") == set()
    for present in ("code=9279-1", "patient=BEB-17", "value-quantity=18", "date=2026-01-15"):
        assert bench.found(f"Observation?{present}") == {"a"}
