"""What stands in the home whatever day it is: the organisation, its staff, the residents and what is known of them.

Everything here has an id of its own and never changes between runs. Days are made in `days`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta

from workspace.access.protection import PROTECTION
from workspace.access.restrictions import PRIVACY
from workspace.clock import OSLO
from workspace.fhir.service import Resource
from workspace.sandbox.home import former
from workspace.sandbox.home.definitions import Home
from workspace.sandbox.home.model import Member, Order, Resident
from workspace.sandbox.home.plans import plans
from workspace.sandbox.home.shapes import (
    ATC,
    CATEGORIES,
    FUNCTIONS,
    HPR,
    ICD10,
    ICPC2,
    LOINC,
    NUMBERS,
    ORGANISATION_NUMBER,
    ROLES,
    TERMINOLOGY,
    by,
    coding,
    concept,
    noon,
    patient,
    resource,
    stay,
    to,
)

OPENED = date(2015, 8, 1)
LANGUAGES = {"nb": "Norsk bokmål", "nn": "Norsk nynorsk", "se": "Nordsamisk", "ar": "Arabisk"}
MUNICIPALITIES = "https://register.geonorge.no/subregister/sosi-kodelister/kartverket/kommunenummer-alle"
_FUNCTIONS = {"lege": "3", "fastlege": "6", "sykepleier": "21", "helsefagarbeider": "9", "avdelingsleder": "18"}


def standing(home: Home) -> Iterator[Resource]:
    """Every standing resource of `home`, each with the date it came to be."""
    yield from places(home)
    for member in home.staff.values():
        yield from staff(home, member)
    for resident in home.residents.values():
        yield from person(home, resident)
    yield from problems(home)
    yield from warnings(home)
    for who in home.residents:
        for order in home.orders.get(who, ()):
            yield medication(home, order)
    yield from locks(home)
    for resident in home.residents.values():
        yield from plans(home, (resident,))
    yield from tasks(home)


def leavers(home: Home) -> Iterator[Resource]:
    """Those who lived here and do not any more: person, stays, problems and ended orders."""
    for who, stays in home.former.items():
        last = stays[-1]
        assert last.left is not None
        gone = noon(last.left)
        (made, *_) = person(home, last)
        made |= {"active": not last.died, "meta": {**made["meta"], "lastUpdated": gone.isoformat()}}
        if last.died:
            made["deceasedDateTime"] = last.left.isoformat()
        yield made
        for each in stays:
            yield encounter(home, each)
        for key in former.diagnoses(who):
            yield condition(home, stays[0], key, str(stays[0].admitted.year - 3 - len(key) % 7), "active")
        for order in home.orders.get(who, ()):
            yield medication(home, order)
        yield from plans(home, stays)


# --- the house ----------------------------------------------------------------------------------------------


def places(home: Home) -> Iterator[Resource]:
    yield organization(home.id, home.name, home.number, "Sykehjem")
    for unit in home.units.values():
        yield {**organization(unit.id, unit.name, unit.number, "Avdeling"), "partOf": to("Organization", home.id)}
    for resident in home.residents.values():
        yield resource(
            "Location",
            f"rom-{resident.room}",
            noon(OPENED),
            "Location",
            status="active",
            name=resident.room,
            mode="instance",
            physicalType=concept("Rom", coding(TERMINOLOGY + "location-physical-type", "ro", "Room")),
            managingOrganization=to("Organization", resident.unit),
        )


def organization(own: str, name: str, number: str, kind: str) -> Resource:
    return resource(
        "Organization",
        own,
        noon(OPENED),
        "Organization",
        identifier=[{"system": ORGANISATION_NUMBER, "value": number}],
        active=True,
        type=[concept(kind, coding(TERMINOLOGY + "organization-type", "prov" if kind == "Sykehjem" else "dept"))],
        name=name,
    )


def staff(home: Home, member: Member) -> Iterator[Resource]:
    given, _, family = member.name.partition(" ")
    made = resource(
        "Practitioner",
        member.id,
        noon(OPENED),
        "Practitioner",
        active=True,
        name=[{"family": family, "given": [given]}],
    )
    if member.hpr:
        made["identifier"] = [{"system": HPR, "value": member.hpr}]
        made["qualification"] = [{"code": concept(member.title, coding(CATEGORIES, member.category))}]
    yield made
    for unit in member.units:
        codings = [coding(ROLES, member.role, member.title)]
        if member.role in _FUNCTIONS:
            codings.append(coding(FUNCTIONS, _FUNCTIONS[member.role]))
        yield resource(
            "PractitionerRole",
            f"{member.id}-{unit}",
            noon(OPENED),
            "PractitionerRole",
            active=True,
            period={"start": began(home, member).isoformat()},
            practitioner=by(member),
            organization=to("Organization", unit, home.name if unit == home.id else home.units[unit].name),
            code=[concept(member.title, *codings)],
        )


def began(home: Home, member: Member) -> date:
    """A stand-in came at the turn of the year; the others have been here since before the histories begin."""
    return date(home.now.year, 1, 1) if member.role == "vikar" else date(2021, 1, 4)


# --- residents ----------------------------------------------------------------------------------------------


def person(home: Home, one: Resident) -> Iterator[Resource]:
    since = noon(one.admitted)
    made = resource(
        "Patient",
        one.id,
        since,
        "Patient",
        identifier=[{"system": NUMBERS[one.number_kind], "value": one.number}],
        active=True,
        name=[{"use": "official", "family": one.family, "given": [one.given]}],
        gender="female" if one.sex == "F" else "male",
        birthDate=one.born.isoformat(),
        communication=[
            {
                "language": concept(LANGUAGES.get(one.language, one.language), coding("urn:ietf:bcp:47", one.language)),
                "preferred": True,
            }
        ],
        generalPractitioner=[by(home.staff[one.gp])],
        managingOrganization=to("Organization", home.id),
    )
    if one.protected:
        made["meta"]["security"] = [coding(PROTECTION, one.protected, "Fortrolig adresse")]
    else:
        made["address"] = [address(home)]
    yield made
    yield encounter(home, one)
    for at, relative in enumerate(each for each in home.relatives if each.resident == one.id):
        code, display = ("SPS", "spouse") if relative.freg.startswith("ektefelle") else ("CHILD", "child")
        yield resource(
            "RelatedPerson",
            f"{one.id}-parorende-{at + 1}",
            since,
            "RelatedPerson",
            active=True,
            patient=patient(one),
            relationship=[concept(relative.relation, coding(TERMINOLOGY + "v3-RoleCode", code, display))],
            name=[{"family": relative.family, "given": [relative.given]}],
            gender="female" if relative.sex == "F" else "male",
        )


def encounter(home: Home, one: Resident) -> Resource:
    """The stay, in progress or finished."""
    made = resource(
        "Encounter",
        f"{one.id}-{one.stay}",
        noon(one.left or one.admitted),
        status="finished" if one.left else "in-progress",
        **{"class": coding(TERMINOLOGY + "v3-ActCode", "IMP", "inpatient encounter")},
        subject=patient(one),
        participant=[
            {"type": [concept("Primærkontakt", coding(FUNCTIONS, "9"))], "individual": by(home.staff[one.contact])},
            {
                "type": [concept("Behandlingsansvarlig lege", coding(FUNCTIONS, "3"))],
                "individual": by(home.staff["dahl"]),
            },
        ],
        period={"start": noon(one.admitted).isoformat()},
        location=[
            {"location": to("Location", f"rom-{one.room}", one.room), "status": "completed" if one.left else "active"}
        ],
        serviceProvider=to("Organization", one.unit, home.units[one.unit].name),
    )
    if one.left:
        made["period"]["end"] = noon(one.left).isoformat()
    return made


def address(home: Home) -> Resource:
    held = home.address
    municipality = {
        "url": "http://hl7.no/fhir/StructureDefinition/no-basis-municipalitycode",
        "valueCoding": coding(MUNICIPALITIES, held["municipality"], held["city"]),
    }
    return {
        "use": "home",
        "line": [held["name"], held["line"]],
        "postalCode": held["postal_code"],
        "city": held["city"],
        "district": held["city"],
        "_district": {"extension": [municipality]},
    }


def problems(home: Home) -> Iterator[Resource]:
    for who, key, onset, status in home.conditions:
        yield condition(home, home.residents[who], key, onset, status)


def condition(home: Home, one: Resident, key: str, onset: str, status: str) -> Resource:
    known = home.diagnoses[key]
    recorded = noon(date.fromisoformat(onset) if len(onset) == 10 else one.admitted)
    return resource(
        "Condition",
        f"{one.id}-{key}",
        min(max(recorded, noon(one.admitted)), home.now),
        clinicalStatus={"coding": [coding(TERMINOLOGY + "condition-clinical", status)]},
        verificationStatus={"coding": [coding(TERMINOLOGY + "condition-ver-status", "confirmed")]},
        category=[{"coding": [coding(TERMINOLOGY + "condition-category", "problem-list-item")]}],
        code=concept(
            known.short.partition(" (")[0],
            coding(ICPC2, known.icpc2, known.icpc2_text),
            coding(ICD10, known.icd10, known.icd10_text),
        ),
        subject=patient(one),
        encounter=stay(one),
        onsetDateTime=onset,
        recorder=by(home.staff["dahl"]),
    )


def warnings(home: Home) -> Iterator[Resource]:
    counted: dict[str, int] = {}
    for who, text, category in home.flags:
        one = home.residents[who]
        counted[who] = counted.get(who, 0) + 1
        yield resource(
            "Flag",
            f"{who}-merke-{counted[who]}",
            noon(one.admitted),
            status="active",
            category=[{"coding": [coding(TERMINOLOGY + "flag-category", category)]}],
            code=concept(text),
            subject=patient(one),
            period={"start": one.admitted.isoformat()},
            author=by(home.staff["dahl"]),
        )
    for entry in home.allergies:
        one = home.residents[entry.resident]
        counted[entry.resident + "a"] = counted.get(entry.resident + "a", 0) + 1
        made = resource(
            "AllergyIntolerance",
            f"{one.id}-allergi-{counted[one.id + 'a']}",
            noon(max(one.admitted, date.fromisoformat(entry.recorded))),
            "AllergyIntolerance",
            clinicalStatus={"coding": [coding(TERMINOLOGY + "allergyintolerance-clinical", "active")]},
            verificationStatus={
                "coding": [coding(TERMINOLOGY + "allergyintolerance-verification", entry.verification)]
            },
            code=concept(entry.text, coding(entry.system, entry.code, entry.text)),
            patient=patient(one),
            recordedDate=entry.recorded,
        )
        if entry.criticality:
            made["criticality"] = entry.criticality
        if entry.reaction:
            made["reaction"] = [{"manifestation": [concept(entry.reaction)]}]
        yield made


def locks(home: Home) -> Iterator[Resource]:
    """What residents have closed to whom (pasient- og brukerrettighetsloven § 5-3)."""
    for at, lock in enumerate(home.restrictions):
        one = home.residents[lock.resident]
        recipient = concept("Mottaker av opplysninger", coding(TERMINOLOGY + "v3-ParticipationType", "IRCP"))
        yield resource(
            "Consent",
            f"{one.id}-sperring-{at + 1}",
            noon(lock.since),
            status="active",
            scope=concept("Personvern", coding(TERMINOLOGY + "consentscope", PRIVACY, "Privacy Consent")),
            category=[concept("Sperring av journal", coding(LOINC, "59284-0", "Consent Document"))],
            patient=patient(one),
            dateTime=noon(lock.since).isoformat(),
            performer=[patient(one)],
            policyRule=concept("Pasient- og brukerrettighetsloven § 5-3"),
            provision={
                "type": "deny",
                "period": {"start": lock.since.isoformat()},
                "actor": [{"role": recipient, "reference": by(home.staff[lock.against])}],
                "action": [concept("Innsyn", coding(TERMINOLOGY + "consentaction", "access"))],
            },
        )


# --- orders and tasks ---------------------------------------------------------------------------------------


def ended(order: Order, now: datetime) -> bool:
    return order.until is not None and datetime.combine(order.until, time(23, 59), OSLO) < now


def medication(home: Home, order: Order) -> Resource:
    drug, one = order.drug, home.residents.get(order.resident) or home.former[order.resident][0]
    over = ended(order, home.now)
    instruction: Resource = {"text": drug.dose}
    bounds: Resource = {"start": order.authored.isoformat()}
    if order.until:
        bounds["end"] = order.until.isoformat()
    if drug.times:
        repeat: Resource = {
            "boundsPeriod": bounds,
            "frequency": len(drug.times),
            "period": 1,
            "periodUnit": "d",
            "timeOfDay": [f"{at}:00" for at in drug.times],
        }
        if "mandag" in drug.dose:
            repeat |= {"periodUnit": "wk", "dayOfWeek": ["mon"]}
        instruction["timing"] = {"repeat": repeat}
    else:
        instruction["asNeededBoolean"] = True
    made = resource(
        "MedicationRequest",
        order.id,
        noon(order.until) if over and order.until else order.authored,
        status="stopped" if over else "active",
        intent="order",
        medicationCodeableConcept=concept(drug.name, coding(ATC, drug.atc, drug.name.split()[0])),
        subject=patient(one),
        encounter=stay(one),
        authoredOn=order.authored.isoformat(),
        requester=by(home.staff["dahl"]),
        dosageInstruction=[instruction],
    )
    if order.reason:
        made["statusReason"] = concept(order.reason)
    return made


def tasks(home: Home) -> Iterator[Resource]:
    """The open tasks; all of them were made within the last days, whenever they are due."""
    counted: dict[str, int] = {}
    for one in home.tasks:
        counted[one.resident] = counted.get(one.resident, 0) + 1
        authored = home.now - timedelta(hours=1 + 3 * counted[one.resident], minutes=7 * (len(one.text) % 8))
        resident = home.residents[one.resident]
        yield resource(
            "Task",
            f"{one.resident}-oppgave-{counted[one.resident]}",
            authored,
            status=one.status,
            intent="order",
            priority=one.priority,
            code=concept(one.text),
            description=one.text,
            **{"for": patient(resident)},
            encounter=stay(resident),
            authoredOn=authored.isoformat(),
            lastModified=authored.isoformat(),
            owner=by(home.staff[one.owner]),
            restriction={"period": {"end": one.due.isoformat()}},
        )
