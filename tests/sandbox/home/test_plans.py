"""Care plans, the day's work and what was said: what the list's tasks and the report show."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta

from workspace.gateway.profiles import faults
from workspace.sandbox.home.days import generate

NOW = datetime.fromisoformat("2026-01-14T14:45:00+01:00")
OPEN = {"requested", "received", "accepted", "ready", "in-progress"}


def due(task):
    return datetime.fromisoformat(task["restriction"]["period"]["end"])


def test_everybody_has_plans_that_say_why_and_what(home, standing_data, of, reference):
    known = {reference(one): one for one in standing_data}
    for own in home.residents:
        plans = of(standing_data, "CarePlan", f"Patient/{own}")
        assert len(plans) >= 4
        for plan in plans:
            assert plan["status"] == "active"
            (goal,) = plan["goal"]
            assert known[goal["reference"]]["description"]["text"] == plan["description"]
            assert all(one["detail"]["scheduledTiming"]["repeat"]["timeOfDay"] for one in plan["activity"])
            assert all(one["reference"] in known for one in plan.get("addresses", ()))
    (heart,) = [one for one in of(standing_data, "CarePlan", "Patient/BEB-09") if one["title"] == "Hjertesvikt"]
    assert [one["reference"] for one in heart["addresses"]] == ["Condition/BEB-09-K77-I50.9"]


def test_those_who_left_have_ended_plans(former_data, of):
    assert {one["status"] for one in of(former_data, "CarePlan")} == {"completed"}
    assert all(one["period"]["end"] for one in of(former_data, "CarePlan"))


def test_each_task_of_a_day_has_its_line_in_a_plan(standing_data, former_data, weeks, of, reference):
    plans = {reference(one): one for one in [*standing_data, *former_data] if one["resourceType"] == "CarePlan"}
    tasks = of(weeks, "Task")
    for task in tasks:
        plan = plans[task["basedOn"][0]["reference"]]
        assert task["description"] in {one["detail"]["code"]["text"] for one in plan["activity"]}
        assert plan["subject"] == task["for"]


def test_a_resident_has_five_to_nine_tasks_a_day(home, weeks, of):
    counted = Counter(one["restriction"]["period"]["end"][:10] for one in of(weeks, "Task"))
    here = {day: sum(one.here(date.fromisoformat(day)) for one in home.residents.values()) for day in counted}
    shares = [counted[day] / here[day] for day in counted if day > "2026-01-01"]
    assert min(shares) >= 5
    assert max(shares) <= 9


def test_what_is_due_later_is_open_and_what_is_past_is_done_or_says_why_not(weeks, of):
    tasks = of(weeks, "Task")
    for task in tasks:
        if due(task) > NOW + timedelta(minutes=35):
            assert task["status"] == "requested", task["id"]
        elif due(task) < NOW - timedelta(hours=2):
            assert task["status"] in ("completed", "cancelled"), task["id"]
        assert (task["status"] == "cancelled") == ("statusReason" in task)
        assert (task["status"] == "completed") == ("executionPeriod" in task)
        assert ("owner" in task) == (task["status"] != "requested")
    settled = [one for one in tasks if one["status"] != "requested"]
    assert 0.02 < sum(one["status"] == "cancelled" for one in settled) / len(settled) < 0.06


def test_the_lists_column_counts_the_evenings_work_and_what_was_asked_for(home, standing_data, weeks, of):
    everything = [*of(standing_data, "Task"), *of(weeks, "Task")]
    counted = Counter(one["for"]["reference"] for one in everything if one["status"] in OPEN)
    havblikk = [counted[f"Patient/{one.id}"] for one in home.residents.values() if one.unit == "havblikk"]
    assert all(2 <= number <= 9 for number in havblikk), havblikk
    assert len(set(havblikk)) > 2


def test_relatives_and_others_are_heard_of(weeks, standing_data, of, reference):
    told = of(weeks, "Communication")
    a_day = len(told) / 42
    assert 7 <= a_day <= 16
    kinds = Counter(one["category"][0]["coding"][0]["code"] for one in told)
    assert kinds["parorende"] > kinds["melding"] > 50
    known = {reference(one) for one in standing_data}
    for one in told:
        (line,) = one["payload"]
        assert "{" not in line["contentString"]
        for who in (one["sender"], *one["recipient"]):
            assert who.get("reference", next(iter(known))) in known
    anne = of(told, "Communication", "Patient/BEB-18")[-1]
    assert (anne["sender"]["display"], anne["sent"][:10]) == ("Anne Storspove", "2026-01-13")
    assert {one["status"] for one in told} == {"completed", "in-progress"}


def test_what_the_home_is_made_of_would_be_taken_from_a_panel_too(standing_data, weeks):
    for one in [*standing_data, *weeks]:
        if one["resourceType"] in ("CarePlan", "Communication", "Task", "Goal"):
            assert faults(one) == [], one["id"]


def test_work_and_the_rest_are_together_the_whole(home):
    day = date(2026, 1, 9)
    whole = {one["id"] for one in generate(home, day, day)}
    work = {one["id"] for one in generate(home, day, day, rest=False)}
    rest = {one["id"] for one in generate(home, day, day, work=False)}
    assert work | rest == whole
    assert not work & rest
    assert len(work) > 200
