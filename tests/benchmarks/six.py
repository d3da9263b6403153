"""Six panels, each a package and a process of its own, that show the six named queries of ``record.py`` in tables; and a
layout that has them beside each other. Measures nothing itself."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from tests.benchmarks.vendors import BOUND, install

ROOT = Path(__file__).resolve().parents[2]
RESIDENTS = "fjelldata-residents"

QUERIES = {
    "vitals": "Observation?category=vital-signs&_sort=-date",
    "labs": "Observation?category=laboratory&_sort=-date&_count=500",
    "medications": "MedicationRequest?_count=200",
    "notes": "Composition?_sort=-date&_count=20",
    "problems": "Condition?_count=100",
    "allergies": "AllergyIntolerance?_count=50",
}
"""One for each of six panels."""

VALUES = """
            ui.col("Tid", "effectiveDateTime", kind="time"),
            ui.col("Hva", "code", width="grow"),
            ui.col("Verdi", "valueQuantity", kind="number"),"""
COLUMNS = {
    "vitals": VALUES,
    "labs": VALUES,
    "medications": """
            ui.col("Legemiddel", "medicationCodeableConcept", width="grow"),
            ui.col("Status", "status"),""",
    "notes": """
            ui.col("Tid", "date", kind="time"),
            ui.col("Tittel", "title", width="grow"),""",
    "problems": """
            ui.col("Problem", "code", width="grow"),""",
    "allergies": """
            ui.col("Stoff", "code", width="grow"),""",
}


def settle(plugins: Path, layouts: Path) -> None:
    """The packages in `plugins` and the layout in `layouts`: the ward's list on one page, the six panels on the other."""
    plugins.mkdir()
    for name, query in QUERIES.items():
        program = BOUND.format(query=query, columns=COLUMNS[name])
        install(
            plugins, f"six.{name}", program, query=query, scopes=[f"patient/{query.partition('?')[0]}.rs"], bound=True
        )
    shutil.copytree(ROOT / "plugins" / RESIDENTS, plugins / RESIDENTS, ignore=shutil.ignore_patterns("__pycache__"))
    layouts.mkdir()
    names = list(QUERIES)
    pages = [
        activity("avdeling", "unit", place("residents", "fjelldata.residents", "residents")),
        activity("beboer", "patient", split("row", [split("column", list(map(one, names[at::3]))) for at in range(3)])),
    ]
    layout = {"id": "six", "title": "Seks", "roles": [], "schema": 1, "version": 1, "activities": pages}
    (layouts / "six.json").write_text(json.dumps(layout), encoding="utf-8")


def activity(name, context, tree):
    return {"id": name, "title": name.title(), "icon": "bed", "context": context, "tree": tree}


def split(direction, children):
    return {"kind": "split", "direction": direction, "sizes": [1] * len(children), "children": children}


def one(name):
    return place(name, f"six.{name}", "main")


def place(instance, package, view):
    return {"kind": "tabs", "panels": [{"instance": instance, "package": package, "view": view}]}
