"""A resource in a few words a clinician recognises: «Puls 112 /min». For lists of what waits or was not saved.

Never decides anything from the words, and never shows more than what stands in the resource.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from workspace.fhir import json

NAMES = {
    "AllergyIntolerance": "Allergi",
    "CarePlan": "Tiltaksplan",
    "Communication": "Melding",
    "Composition": "Notat",
    "Condition": "Problem",
    "Flag": "Merk",
    "MedicationAdministration": "Utdeling",
    "MedicationRequest": "Forordning",
    "MedicationStatement": "Legemiddel",
    "Observation": "Måling",
    "QuestionnaireResponse": "Skjema",
    "Task": "Oppgave",
}
ELEMENTS = {
    "abatementDateTime": "Avsluttet",
    "activity": "Tiltak",
    "clinicalStatus": "Status",
    "code": "Hva",
    "comment": "Merknad",
    "component": "Del",
    "description": "Beskrivelse",
    "div": "Tekst",
    "dosageInstruction": "Dosering",
    "effective": "Tidspunkt",
    "effectiveDateTime": "Tidspunkt",
    "goal": "Mål",
    "lifecycleStatus": "Status",
    "note": "Merknad",
    "period": "Periode",
    "section": "Avsnitt",
    "status": "Status",
    "text": "Tekst",
    "title": "Tittel",
    "unit": "Enhet",
    "value": "Verdi",
    "valueCodeableConcept": "Verdi",
    "valueQuantity": "Verdi",
    "valueString": "Verdi",
    "verificationStatus": "Bekreftelse",
}
STATUSES = {
    "active": "aktiv",
    "cancelled": "avlyst",
    "completed": "fullført",
    "confirmed": "bekreftet",
    "draft": "utkast",
    "entered-in-error": "feilført",
    "final": "ferdig",
    "in-progress": "pågår",
    "inactive": "ikke aktiv",
    "on-hold": "på vent",
    "refuted": "avkreftet",
    "resolved": "avsluttet",
    "revoked": "trukket",
    "stopped": "stanset",
    "unconfirmed": "ikke bekreftet",
}
UNITS = {"Cel": "°C", "mm[Hg]": "mmHg", "{score}": "", "umol/L": "µmol/L", "10*9/L": "10⁹/L"}
LONGEST = 200
_TAGS = re.compile(r"<[^>]*>")


def describe(resource: Mapping[str, Any]) -> str:
    """``Observation`` heart rate 112 → «Puls 112 /min». Decimals with a comma. At most 200 letters."""
    kind = str(resource.get("resourceType") or "")
    name = _named(resource) or NAMES.get(kind, kind or "Ukjent")
    name = f"Ikke: {name}" if resource.get("doNotPerform") is True else name
    value = _value(resource) or _parts(resource) or _text(resource)
    words = f"{name} {value}".strip() if kind == "Observation" or not value else f"{name}: {value}"
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def describe_all(bundle: Mapping[str, Any]) -> list[str]:
    """The entries of a transaction, in order; what only says who did it (Provenance) is left out."""
    found = (entry.get("resource") for entry in bundle.get("entry") or () if isinstance(entry, Mapping))
    return [describe(one) for one in found if isinstance(one, Mapping) and one.get("resourceType") != "Provenance"]


def path_words(resource: Mapping[str, Any], path: str) -> str:
    """What the element at a dotted `path` is called: ``valueQuantity.value`` → «Verdi», ``activity.1.detail.description``
    → «Tiltak 2: Beskrivelse»; a component goes by its own name."""
    words: list[str] = []
    here: Any = resource
    for step in path.split("."):
        step = step.removesuffix("[x]")
        if step.isdigit() and isinstance(here, list):
            here = here[int(step)] if int(step) < len(here) else None
            name = _named(here) if isinstance(here, Mapping) else ""
            words = [*words[:-1], name or f"{words[-1] if words else 'Nr.'} {int(step) + 1}"]
            continue
        if isinstance(here, list):  # told apart by its code or id, as a conflict's parts are
            here = next((one for one in here if isinstance(one, Mapping) and _is_called(one, step)), None)
            name = _named(here) if isinstance(here, Mapping) else ""
            words = [*words[:-1], name] if name else words
            continue
        here = here.get(step) if isinstance(here, Mapping) else None
        name = ELEMENTS.get(step, "")
        if name and (not words or words[-1] != name):
            words.append(name)
    return ": ".join(words) or path


def _is_called(part: Mapping[str, Any], name: str) -> bool:
    code = part.get("code")
    codings = code.get("coding") if isinstance(code, Mapping) else None
    said = [one.get("code") for one in codings or () if isinstance(one, Mapping)]
    return name in (*said, *(part.get(key) for key in ("id", "linkId", "url", "system")))


def value_words(value: Any) -> str:
    """An element's value as a person reads it; «(tomt)» for none. At most 200 letters."""
    if value is None or value in ("", [], {}):
        return "(tomt)"
    if isinstance(value, bool):
        return "ja" if value else "nei"
    if isinstance(value, list):
        words = ", ".join(value_words(one) for one in value)
    elif isinstance(value, Mapping) and any(key.startswith("_") for key in value):
        words = _with_added(value)
    elif isinstance(value, Mapping) and "verificationStatus" in value:
        words = ", ".join(value_words(one) for one in value.values())
    elif isinstance(value, Mapping):
        words = _value({"valueQuantity": value}) or _concept(value) or _named(value) or _value(value) or _text(value)
        words = words or str(value.get("display") or value.get("text") or value.get("reference") or _coded(value))
        only = next(iter(value.values())) if len(value) == 1 else None
        words = words or (value_words(only) if isinstance(only, str) else "(sammensatt)")
    elif isinstance(value, str):
        words = STATUSES.get(value) or _moment(value) or " ".join(html.unescape(_TAGS.sub(" ", value)).split())
    else:
        words = _number(value)
    return words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _with_added(parts: Mapping[str, Any]) -> str:
    """A value beside what its extensions say of it: «120 (usikker: ja)»."""
    words = ", ".join(value_words(part) for key, part in parts.items() if not key.startswith("_")) or value_words(None)
    held = [part for key, part in parts.items() if key.startswith("_")]
    each = [one for part in held for one in (part if isinstance(part, list) else [part]) if isinstance(one, Mapping)]
    added = [_extension(one) for part in each for one in part.get("extension") or () if isinstance(one, Mapping)]
    return f"{words} ({'; '.join(added)})" if added else words


def _extension(one: Mapping[str, Any]) -> str:
    said = ", ".join(value_words(part) for key, part in one.items() if key.startswith("value"))
    return f"{str(one.get('url') or '').rpartition('/')[2]}: {said or '(sammensatt)'}"


def _coded(concept: Mapping[str, Any]) -> str:
    """What a concept without words says by its code."""
    found = concept.get("coding")
    held = found if isinstance(found, list) else []
    codes = [str(one["code"]) for one in held if isinstance(one, Mapping) and one.get("code")]
    return STATUSES.get(codes[0], codes[0]) if codes else ""


def _moment(text: str) -> str:
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:T(\d\d:\d\d).*)?", text)
    if found is None:
        return ""
    year, month, day, hour = found.groups()
    return f"{day}.{month}.{year} {hour or ''}".strip()


def _named(resource: Mapping[str, Any]) -> str:
    if isinstance(resource.get("title"), str):
        return str(resource["title"])
    for key in ("code", "medicationCodeableConcept", "category", "type"):
        found = _concept(resource.get(key))
        if found:
            return found
    return ""


def _concept(concept: Any) -> str:
    if isinstance(concept, list):
        concept = concept[0] if concept else None
    if not isinstance(concept, Mapping):
        return ""
    codings = [one for one in concept.get("coding") or () if isinstance(one, Mapping)]
    return str(concept.get("text") or next((one["display"] for one in codings if one.get("display")), ""))


def _value(resource: Mapping[str, Any]) -> str:
    quantity = resource.get("valueQuantity")
    if isinstance(quantity, Mapping) and quantity.get("value") is not None:
        unit = str(quantity.get("code") or quantity.get("unit") or "")
        return f"{quantity.get('comparator') or ''} {_number(quantity['value'])} {UNITS.get(unit, unit)}".strip()
    for key in ("valueString", "valueDateTime", "description"):
        if isinstance(resource.get(key), str):
            return str(resource[key])
    return _concept(resource.get("valueCodeableConcept"))


def _parts(resource: Mapping[str, Any]) -> str:
    parts = [one for one in resource.get("component") or () if isinstance(one, Mapping)]
    found = [_value(one) for one in parts]
    units = {one.rpartition(" ")[2] for one in found}
    if len(found) == 2 and len(units) == 1 and all(" " in one for one in found):  # blood pressure: 104/62 mmHg
        return f"{found[0].rpartition(' ')[0]}/{found[1]}"
    return ", ".join(f"{_named(one)} {value}" for one, value in zip(parts, found, strict=True) if value)


def _text(resource: Mapping[str, Any]) -> str:
    sections: Iterable[Any] = resource.get("section") or ()
    divs = [(one.get("text") or {}).get("div") for one in sections if isinstance(one, Mapping)]
    payload = [one.get("contentString") for one in resource.get("payload") or () if isinstance(one, Mapping)]
    found = [str(one) for one in (*divs, *payload) if isinstance(one, str)]
    return " ".join(html.unescape(_TAGS.sub(" ", " ".join(found))).split())


def _number(value: Any) -> str:
    return (value.text if isinstance(value, json.Literal) else str(value)).replace(".", ",")
