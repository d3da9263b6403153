"""Who may see what, and the words of a refusal."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from workspace.access.decision import Decisions, Position, Subject, Target, cares, decide
from workspace.clock import OSLO

NOW = datetime(2026, 1, 14, 14, 45, tzinfo=OSLO)
TONE = Subject("s", "Tone", "Practitioner/tone", "sykepleier")
HOME = Decisions(
    (
        Position(
            "PractitionerRole/1",
            "Organization/havblikk",
            "sykepleier",
            NOW - timedelta(days=9),
            NOW + timedelta(days=9),
        ),
    ),
    {"Patient/A": ("Organization/havblikk",), "Patient/B": ("Organization/fjellbris",)},
    {"Organization/havblikk": "Organization/fjellheim", "Organization/fjellbris": "Organization/fjellheim"},
)


def ask(kind="Observation", patients=None, *, subject=TONE, action="search", purpose="TREAT", now=NOW, home=HOME):
    return decide(subject, action, Target(kind, patients), "", home, purpose, now)


def test_a_position_opens_the_patients_of_its_unit():
    assert ask().patients == {"Patient/A"}
    assert ask(patients=("Patient/A",)).sentence == "Du har stilling ved havblikk, der pasienten er innlagt."
    refused = ask(patients=("Patient/A", "Patient/B"))
    assert (refused.effect, refused.code, refused.rule) == ("deny", "no-decision", "R-01")


def test_a_position_above_opens_all_below_and_one_that_has_ended_nothing():
    above = Decisions((Position("x", "Organization/fjellheim", "lege"),), HOME.residence, HOME.parents)
    assert ask(home=above).patients == {"Patient/A", "Patient/B"}
    assert not ask(now=NOW + timedelta(days=10)).permitted
    assert not ask(now=NOW - timedelta(days=10)).permitted


def test_units_that_are_part_of_each_other_do_not_hang():
    loop = Decisions(
        (Position("x", "Organization/c"),),
        {"Patient/A": ("Organization/a",)},
        {"Organization/a": "Organization/b", "Organization/b": "Organization/a"},
    )
    assert not ask(home=loop).permitted


@pytest.mark.parametrize("role", ["systemansvarlig", "personvernombud", "saksbehandler", "fagutvikling"])
def test_a_role_outside_care_opens_no_record_whatever_its_position(role):
    subject = Subject("s", "N", "Practitioner/n", role)
    refused = ask(subject=subject)
    assert "en rolle alene åpner ingen journal" in refused.sentence
    assert ask("Organization", subject=subject).permitted


@pytest.mark.parametrize(("role", "may"), [("systemansvarlig", True), ("personvernombud", True), ("sykepleier", False)])
def test_the_log_is_read_by_those_who_guard_it_and_written_by_none(role, may):
    subject = Subject("s", "N", "Practitioner/n", role)
    assert ask("AuditEvent", subject=subject).permitted is may
    assert ask("AuditEvent", subject=subject, action="update").code == "read-only"


def test_without_a_role_from_the_issuer_the_positions_code_decides_and_an_unknown_one_opens_nothing():
    assert cares("sykepleier", "")
    assert cares("Sykepleier", "sykepleier")
    assert not cares("systemansvarlig", "")
    assert not cares("", "")
    assert not cares("noe-nytt", "")
    assert not cares("systemansvarlig", "sykepleier")


def test_purposes():
    assert ask(purpose="X").code == "purpose"
    assert ask(purpose="COC").code == "purpose"
    assert ask("Encounter", purpose="COC").permitted
    assert ask("Encounter", purpose="COC", action="update").code == "purpose"
    assert ask(purpose="BTG").effect == "reason"


def test_what_is_about_nobody_is_refused_and_an_unknown_type_too():
    assert ask(patients=()).code == "no-patient"
    assert ask("Binary").code == "type"
    assert ask("Patient", ("Patient/A",), action="update").code == "read-only"
    assert not ask(subject=Subject("s", "Maskin", "")).permitted
