"""UCUM units: one spelling for each, so that ``10E9/L`` and ``10*9/L`` are one series.

Only spellings are mapped; values are never converted from one unit to another.
"""

from __future__ import annotations

ALIASES: dict[str, str] = {
    "10E9/L": "10*9/L",
    "10#9/L": "10*9/L",
    "10**9/L": "10*9/L",
    "10^9/L": "10*9/L",
    "x10*9/L": "10*9/L",
    "10E12/L": "10*12/L",
    "10^12/L": "10*12/L",
    "10**12/L": "10*12/L",
    "mmHg": "mm[Hg]",
    "mm Hg": "mm[Hg]",
    "°C": "Cel",
    "grader C": "Cel",
    "gr.C": "Cel",
    "kg/m²": "kg/m2",
    "kg/m^2": "kg/m2",
    "mIE/L": "m[IU]/L",
    "mIU/L": "m[IU]/L",
    "IE": "[IU]",
    "IU": "[IU]",
    "E": "[IU]",
    "mL/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1,73m2": "mL/min/{1.73_m2}",
    "ml/min/1.73m2": "mL/min/{1.73_m2}",
    "mL/min/1.73 m²": "mL/min/{1.73_m2}",
    "ml": "mL",
    "l": "L",
    "mg/l": "mg/L",
    "g/dl": "g/dL",
    "g/l": "g/L",
    "mmol/l": "mmol/L",
    "µmol/l": "umol/L",
    "umol/l": "umol/L",
    "slag/min": "/min",
    "pr. min": "/min",
    "l/min": "L/min",
    "poeng": "{score}",
    "prosent": "%",
}


def canonical(unit: str) -> str:
    """The UCUM spelling of `unit` (a code or what a lab printed); unknown ones are returned trimmed."""
    trimmed = unit.strip()
    found = ALIASES.get(trimmed)
    if found:
        return found
    # The micro sign and the Greek letter look alike and are both seen; UCUM writes "u".
    plain = trimmed.replace("\u00b5", "u").replace("\u03bc", "u")
    return ALIASES.get(plain, plain)
