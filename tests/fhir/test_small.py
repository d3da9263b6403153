from workspace.fhir import codes, outcome, units
from workspace.fhir.compartment import patients_of
from workspace.fhir.merges import circular, onward
from workspace.fhir.references import local, replaced, target, walk
from workspace.fhir.texts import fold
from workspace.fhir.withdrawn import called_off, in_error
from workspace.problem import Problem


def test_registers_have_one_name():
    assert codes.canonical("http://hl7.no/fhir/NamingSystem/FNR") == "urn:oid:2.16.578.1.12.4.1.4.1"
    assert codes.same("http://hl7.org/fhir/sid/icd-10", "urn:oid:2.16.578.1.12.4.1.1.7110")
    assert not codes.same(codes.FNR, codes.DNR)


def test_no_alias_leads_to_another_alias():
    assert not set(codes.ALIASES.values()) & codes.ALIASES.keys()
    assert not set(units.ALIASES.values()) & units.ALIASES.keys()


def test_lab_spellings_are_one_unit():
    assert {units.canonical(each) for each in ("10E9/L", "10#9/L", "10**9/L", "10*9/L")} == {"10*9/L"}
    assert units.canonical("\u00b5mol/L") == units.canonical("\u03bcmol/L") == units.canonical("umol/L")


def test_text_is_compared_without_case_and_accents():
    assert fold("  MÁRET  Bjørkeløv ") == "maret bjorkelov"
    assert fold("Kåre") == fold("kare")


def test_what_no_longer_holds_says_so_each_type_in_its_own_place():
    def verified(*codes):
        return {"verificationStatus": {"coding": [{"code": code} for code in codes]}}

    wrong = "entered-in-error"
    for one in ({"status": wrong}, {"lifecycleStatus": wrong}, verified("x", wrong), verified("refuted", wrong)):
        assert (in_error(one), called_off(one)) == (True, wrong)
    assert (in_error(verified("refuted")), called_off(verified("refuted"))) == (False, "refuted")
    for odd in ({}, {"status": ["x"]}, {"verificationStatus": "x"}, {"verificationStatus": {"coding": [None]}}):
        assert (in_error(odd), called_off(odd)) == (False, "")


def test_references():
    assert str(local("http://x/fhir/Patient/1/_history/2", "http://x/fhir")) == "Patient/1"
    assert local("http://elsewhere/Patient/1") is None
    assert local("Patient?identifier=1") is None
    assert target({"reference": "#contained"}) == ""
    body = {"a": [{"reference": "urn:uuid:1"}], "b": "x"}
    assert [each["reference"] for each in walk(body)] == ["urn:uuid:1"]
    assert replaced(body, lambda text: text.upper())["a"] == [{"reference": "URN:UUID:1"}]
    assert body["b"] == "x"


def test_an_outcome_comes_back_as_the_problem_it_was():
    problem = outcome.problem_of(outcome.build(Problem("a-code", "En setning.", detail="why")))
    assert (problem.code, problem.sentence, problem.detail) == ("a-code", "En setning.", "why")


def test_a_foreign_outcome_still_gives_a_sentence():
    issues = [{"severity": "warning", "code": "x"}, {"severity": "error", "code": "invalid", "diagnostics": "bad"}]
    problem = outcome.problem_of({"resourceType": "OperationOutcome", "issue": issues})
    assert problem.sentence
    assert problem.detail == "bad"
    assert outcome.problem_of(None).sentence


def test_whom_a_resource_is_about():
    assert patients_of({"resourceType": "Patient", "id": "x"}) == ("Patient/x",)
    assert patients_of({"resourceType": "Flag", "subject": {"reference": "Patient/x"}}) == ("Patient/x",)
    assert patients_of({"resourceType": "Task", "for": {"reference": "Patient/x/_history/1"}}) == ("Patient/x",)
    assert patients_of({"resourceType": "Flag", "subject": {"reference": "Location/x"}}) == ()
    audit = {"resourceType": "AuditEvent", "entity": [{"what": {"reference": "Patient/x"}}]}
    assert patients_of(audit) == ()
    meeting = {"resourceType": "Appointment", "participant": [{"actor": {"reference": "Patient/x"}}]}
    assert patients_of(meeting) == ("Patient/x",)


def test_who_comes_after_a_record_that_was_replaced():
    replaced_by = {"a": "b", "b": "c", "x": "y", "y": "z", "z": "x", "w": "x", "self": "self"}
    assert [onward(each, replaced_by) for each in "abc"] == [("b", "c"), ("c",), ()]
    assert [each for each in ("a", "b", "c", "x", "y", "w", "self") if circular(each, replaced_by)] == [
        "x",
        "y",
        "w",
        "self",
    ]
    assert set(onward("w", replaced_by)) == {"x", "y", "z"}
