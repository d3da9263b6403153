"""Care plans and the day's work that comes of them: every task of a list has its line in a plan.

A plan says for whom, why, and what is to be done when; a task is one measure on one day, done, not done, or still to do.
Never makes a task of its own accord.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.former import diagnoses
from workspace.sandbox.home.model import Area, Measure, Resident
from workspace.sandbox.home.people import Roster
from workspace.sandbox.home.shapes import by, concept, noon, patient, resource, stay, to

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
UNDONE = ("Avslått av beboer",) * 4 + ("Sov",) * 2 + ("Ikke til stede",) * 2 + ("Ikke tid",) * 2


def problems(home: Home, own: str) -> list[str]:
    """The keys of somebody's problems, of those who have left too."""
    if own in home.former:
        return diagnoses(own)
    return [key for who, key, *_ in home.conditions if who == own]


def areas(home: Home, own: str) -> list[tuple[Area, tuple[str, ...]]]:
    """What somebody has a plan for, each with the keys of the problems it addresses."""
    held = problems(home, own)
    found = []
    for area in home.areas:
        addressed = tuple(key for key in held if home.diagnoses[key].icpc2 in area.codes)
        if addressed or "all" in area.codes:
            found.append((area, addressed))
    return found


def plans(home: Home, stays: tuple[Resident, ...]) -> Iterator[Resource]:
    """The plans of one person and their goals; ended with the last stay."""
    first, one = stays[0], stays[-1]
    over = one.left is not None
    author = by(home.staff[one.contact])
    for area, addressed in areas(home, one.id):
        looked = Random(f"{one.id}/{area.key}/evaluated").randrange(26 if not home.units[one.unit].short_stay else 6)
        evaluated = noon(one.left) if one.left else max(home.now - timedelta(days=looked, hours=3), noon(one.admitted))
        goal = resource(
            "Goal",
            f"{one.id}-mal-{area.key}",
            evaluated,
            lifecycleStatus="completed" if over else "active",
            description=concept(area.goal.replace("{name}", one.given)),
            subject=patient(one),
            startDate=first.admitted.isoformat(),
        )
        made = resource(
            "CarePlan",
            f"{one.id}-plan-{area.key}",
            evaluated,
            status="completed" if over else "active",
            intent="plan",
            title=area.title,
            description=area.goal.replace("{name}", one.given),
            subject=patient(one),
            encounter=stay(one),
            period={"start": first.admitted.isoformat()} | ({"end": one.left.isoformat()} if one.left else {}),
            created=first.admitted.isoformat(),
            author=author,
            goal=[to("Goal", goal["id"])],
            activity=[{"detail": _detail(measure, over=over)} for measure in area.measures],
            note=[{"authorReference": author, "time": evaluated.isoformat(), "text": "Evaluert: videreføres."}],
        )
        if addressed:
            made["addresses"] = [to("Condition", f"{one.id}-{key}") for key in addressed]
        yield goal
        yield made


def _detail(measure: Measure, *, over: bool) -> Resource:
    repeat: Resource = {"frequency": len(measure.times), "period": 1, "periodUnit": "d"}
    if measure.days:
        repeat |= {"periodUnit": "wk", "dayOfWeek": [DAYS[day] for day in measure.days]}
    repeat["timeOfDay"] = [f"{clock}:00" for clock in measure.times]
    return {
        "kind": "Task",
        "code": concept(measure.text),
        "status": "completed" if over else "in-progress",
        "doNotPerform": False,
        "scheduledTiming": {"repeat": repeat},
    }


class Work:
    """Makes one day's tasks for one resident."""

    def __init__(self, home: Home, roster: Roster) -> None:
        self._home, self._roster = home, roster
        self._areas: dict[str, list[tuple[Area, tuple[str, ...]]]] = {}

    def day(self, one: Resident, day: date) -> Iterator[Resource]:
        """Tasks are made at midnight; what is due after now is still to do, and a little of what is past too."""
        if one.id not in self._areas:
            self._areas[one.id] = areas(self._home, one.id)
        chance = Random(f"{one.id}/{day}/work")
        made = datetime.combine(day, time(0, 5), OSLO)
        if made > self._home.now or day == one.admitted:
            return
        for area, _ in self._areas[one.id]:
            for at, measure in enumerate(area.measures):
                for clock in measure.times if not measure.days or day.weekday() in measure.days else ():
                    due = datetime.combine(day, time.fromisoformat(clock), OSLO)
                    minutes, fate = chance.randint(-20, 35), chance.random()
                    yield self._task(one, area, at, due, made, due + timedelta(minutes=minutes), fate)

    def _task(
        self, one: Resident, area: Area, at: int, due: datetime, made: datetime, done: datetime, fate: float
    ) -> Resource:
        measure, now = area.measures[at], self._home.now
        undone = fate < 0.04
        # What is done is written down within the hour; of today's, the last hour's is not all signed yet.
        settled = done <= now and (now - done > timedelta(hours=1) or fate > 0.3)
        member = self._roster.someone(one, done, Random(f"{one.id}/{due}/{area.key}"))
        task = resource(
            "Task",
            f"{one.id}-{due:%Y%m%d%H%M}-{area.key}{at}",
            done if settled else made,
            basedOn=[to("CarePlan", f"{one.id}-plan-{area.key}", area.title)],
            status=("cancelled" if undone else "completed") if settled else "requested",
            intent="order",
            priority="routine",
            code=concept(measure.text),
            description=measure.text,
            **{"for": patient(one)},
            encounter=stay(one),
            authoredOn=made.isoformat(),
            lastModified=(done if settled else made).isoformat(),
            requester=by(self._home.staff[one.contact]),
            restriction={"period": {"end": due.isoformat()}},
        )
        if settled:
            task["owner"] = by(member)
        if settled and undone:
            task["statusReason"] = concept(UNDONE[int(fate / 0.04 * len(UNDONE))])
        elif settled:
            task["executionPeriod"] = {"end": done.isoformat()}
        return task
