"""What the benchmarks of the record and of the screens have in common: patients of many resources, and plain httpx."""
# ruff: noqa: E402

from __future__ import annotations

import asyncio
import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import httpx

from tests.faults.platform_process import DAY
from tests.gateway.conftest import home, pulse
from workspace.clock import OSLO, OffsetClock
from workspace.fhir.service import FhirRequest
from workspace.sandbox.fhir import Store

BIG, SMALL = "BEB-18", "BEB-19"
MANY = (3500, 900, 300, 200, 60, 40)
"""Vital signs, laboratory values, notes, prescriptions, problems and allergies: 5,000."""


def figure(value, unit, aim, runs):
    return {"value": round(value, 3), "unit": unit, "aim": aim, "runs": runs}


def tell(figures, *, as_json):
    """On stdout, as one object or a line each."""
    if as_json:
        print(json.dumps(figures))
        return
    for name, one in figures.items():
        print(f"{name:34} {one['value']:9.3f} {one['unit']:12} aim {one['aim']} ({one['runs']} runs)")


async def fill(folder):
    store = Store(folder / "fhir.sqlite", OffsetClock(DAY, time.monotonic()))
    await store.start()
    await put(store, [*home(), *records(BIG, *MANY), *records(SMALL, 60, 40, 20, 10, 5, 2)])
    await store.close()


async def put(store, rows):
    rows = list(rows)
    for at in range(0, len(rows), 400):
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in rows[at : at + 400]
        ]
        body = {"resourceType": "Bundle", "type": "transaction", "entry": entries}
        answer = await store.handle(FhirRequest("POST", "", body=body))
        assert answer.status == 200, answer.body


def records(patient, vitals, labs, notes, medications, problems, allergies):
    about = {"reference": f"Patient/{patient}"}

    def at(number, step):
        return (datetime(2026, 1, 14, 12, 0, tzinfo=OSLO) - timedelta(minutes=number * step)).isoformat()

    for number in range(vitals):
        yield pulse(patient, "lege", 60 + number % 40, id=f"v{number}-{patient}", effectiveDateTime=at(number, 90))
    for number in range(labs):
        one = pulse(patient, "lege", number % 30, id=f"l{number}-{patient}", effectiveDateTime=at(number, 700))
        one["category"] = [{"coding": [{"code": "laboratory"}]}]
        yield one
    for number in range(notes):
        yield {
            "resourceType": "Composition", "id": f"n{number}-{patient}", "status": "final", "subject": about,
            "type": {"coding": [{"code": "B02-2"}]}, "date": at(number, 480), "title": "Journalnotat",
            "author": [{"reference": "Practitioner/lege"}],
            "section": [{"title": "Notat", "text": {"status": "generated", "div": f"<div>{'Sov godt. ' * 40}</div>"}}],
        }  # fmt: skip
    for kind, many, element in (
        ("MedicationRequest", medications, "medicationCodeableConcept"), ("Condition", problems, "code"),
        ("AllergyIntolerance", allergies, "code"),
    ):  # fmt: skip
        for number in range(many):
            who = "patient" if kind == "AllergyIntolerance" else "subject"
            more = {"status": "active", "intent": "order"} if kind == "MedicationRequest" else {}
            yield {
                "resourceType": kind, "id": f"{kind[:2].lower()}{number}-{patient}", who: about, **more,
                element: {"text": f"Noe {number}", "coding": [{"system": "http://x.example", "code": str(number)}]},
            }  # fmt: skip


async def one_fetch(origin, token, urls):
    """Seconds in which httpx alone fetches and parses the same bytes, all requests at once."""
    headers = {
        "Authorization": f"Bearer {token}", "X-Workspace-Package": "v.x@1", "X-Workspace-Context": "bench",
        "X-Workspace-Purpose": "TREAT",
    }  # fmt: skip
    async with httpx.AsyncClient(trust_env=False, timeout=60, headers=headers) as http:
        await http.get(f"{origin}/time")
        began = time.perf_counter()
        for answer in await asyncio.gather(*(http.get(url) for url in urls)):
            json.loads(answer.content)
        return time.perf_counter() - began
