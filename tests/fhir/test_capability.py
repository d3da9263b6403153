"""What a platform must say that it can do, and the words for what is not there."""

from __future__ import annotations

from copy import deepcopy

import pytest

from workspace.clock import SystemClock
from workspace.fhir.capability import NEEDS, lacking
from workspace.fhir.search import parse_query
from workspace.record import directory
from workspace.sandbox.fhir.capability import statement


@pytest.fixture(scope="module")
def whole():
    return statement(SystemClock(), "")


def kind(told, name):
    return next(each for each in told["rest"][0]["resource"] if each["type"] == name)


def without(told, how):
    told = deepcopy(told)
    rest = told["rest"][0]
    match how:
        case "release":
            told["fhirVersion"] = "5.0.0"
        case "transactions":
            rest["interaction"] = [{"code": "batch"}]
        case "type":
            rest["resource"].remove(kind(told, "Flag"))
        case "parameter":
            kind(told, "Flag")["searchParam"] = [e for e in kind(told, "Flag")["searchParam"] if e["name"] != "status"]
        case "include":
            kind(told, "Encounter")["searchInclude"].remove("Encounter:location")
        case "update":
            kind(told, "Observation")["interaction"] = [{"code": e} for e in ("read", "search-type", "create")]
        case "versions":
            kind(told, "Observation")["versioning"] = "no-version"
        case "everything":
            return {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"}
        case "silent":  # it says less, not that there is less
            del kind(told, "Flag")["searchParam"], kind(told, "Encounter")["searchInclude"]
        case "all included":
            kind(told, "Encounter")["searchInclude"] = ["*"]
    return told


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("nothing", ()),
        ("silent", ()),
        ("all included", ()),
        ("release", ("FHIR R4",)),
        ("transactions", ("lagring av flere opplysninger samlet",)),
        ("type", ("Flag",)),
        ("parameter", ("søk i Flag etter status",)),
        ("include", ("location sammen med Encounter",)),
        ("update", ("lagring av Observation",)),
        ("versions", ("versjoner av Observation",)),
    ],
)
def test_what_is_missing_is_said_and_nothing_else(whole, how, words):
    assert lacking(without(whole, how)) == words


def test_a_statement_of_nothing_lacks_all(whole):
    assert set(NEEDS) < set(lacking(without(whole, "everything")))


def test_what_the_workspace_asks_by_itself_stands_among_what_it_needs():
    asked = [directory._stays("Organization/havblikk"), directory._flags(["Patient/BEB-18"])]
    asked += [text for _, text in directory._banner("Patient/BEB-18")]
    asked += ["PractitionerRole?practitioner=x&_include=PractitionerRole:organization", "Organization?partof=x"]
    assert len(asked) > 6
    for text in asked:
        query = parse_query(text)
        need = NEEDS[query.type]
        used = {each.name for each in query.parameters} | {each.name for each in query.sort}
        assert {name for name in used if not name.startswith("_")} <= set(need.parameters), text
        assert {f"{each.type}:{each.name}" for each in query.include} <= set(need.includes), text
