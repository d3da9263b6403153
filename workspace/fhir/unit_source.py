"""From ``resources/units.toml`` to the tables that the workspace and the SDK hold: ``python -m workspace.fhir.unit_source``.

A test holds what is written equal to its source. Knows no units itself.
"""

from __future__ import annotations

import tomllib
from fractions import Fraction
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "resources" / "units.toml"
HEAD = '"""Made from ``resources/units.toml`` by `workspace.fhir.unit_source`; change it there. Data only."""\n\n'
NOTE = "# Made from workspace/fhir/units.py by workspace.fhir.unit_source; change it there.\n"


def table(held: dict[str, Any]) -> str:
    """The module of the tables: ``unit → (kind, factor's numerator, denominator, offset)``, g/mol by code, spellings."""
    lines = ["UNITS: dict[str, tuple[str, int, int, float]] = {"]
    for kind, units in held["kind"].items():
        for unit, given in units.items():
            text, offset = (given, "0") if isinstance(given, str) else (given["factor"], given["offset"])
            factor = Fraction(text)
            lines.append(f'    "{unit}": ("{kind}", {factor.numerator}, {factor.denominator}, {float(offset)}),')
    lines += ["}", "MOLAR: dict[str, float] = {"]
    lines += [f'    "{code}": {float(one["molar"])},' for one in held["substance"] for code in one["codes"]]
    lines += ["}", "SPELLINGS: dict[str, str] = {"]
    lines += [f'    "{said}": "{unit}",' for said, unit in held["spelling"].items()]
    return HEAD + "\n".join([*lines, "}"]) + "\n"


def files() -> dict[Path, str]:
    """What is to stand where."""
    made = table(tomllib.loads(SOURCE.read_text("utf-8")))
    here, sdk = ROOT / "workspace" / "fhir", ROOT / "workspace" / "sdk"
    logic = (here / "units.py").read_text("utf-8").replace("from workspace.fhir.", "from workspace.sdk.")
    return {here / "unit_table.py": made, sdk / "unit_table.py": made, sdk / "units.py": NOTE + logic}


if __name__ == "__main__":
    for path, text in files().items():
        path.write_text(text, "utf-8")
