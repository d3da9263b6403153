"""Aliases of identifier systems and code systems: one name for each, so that one fact stays one.

Norwegian data name the same register in several ways: by OID, by HL7 Norge's NamingSystem, by an older code list.
Search applies `canonical` to what is stored and to what is asked. Never changes the resource itself.
"""

from __future__ import annotations

from functools import lru_cache

_OID = "urn:oid:2.16.578.1.12.4.1."
_NAMING = "http://hl7.no/fhir/NamingSystem/"

FNR = _OID + "4.1"
DNR = _OID + "4.2"
FHN = _OID + "4.3"
HPR = _OID + "4.4"
DUF = _OID + "4.5"
ENH = _OID + "4.101"
RESH = _OID + "4.102"
PHARMACY = _OID + "4.107"
HER = _OID + "2"
MUNICIPALITY = "https://register.geonorge.no/subregister/sosi-kodelister/kartverket/kommunenummer-alle"
ICPC2 = "http://hl7.org/fhir/sid/icpc-2"
ICD10 = _OID + "1.7110"
NLK = _OID + "1.7280"
ATC = "http://www.whocc.no/atc"
FEST = "http://ehelse.no/fhir/CodeSystem/FEST"
PURPOSE = "urn:oid:2.16.840.1.113883.1.11.20448"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
UCUM = "http://unitsofmeasure.org"
DOCUMENT_TYPE = _OID + "1.9602"
PROFESSION = _OID + "1.9060"
FUNCTION = _OID + "1.9034"

ALIASES: dict[str, str] = {
    _NAMING + "FNR": _OID + "4.1",
    _NAMING + "DNR": _OID + "4.2",
    _NAMING + "FHNR": _OID + "4.3",
    _NAMING + "FHN": _OID + "4.3",
    _NAMING + "HPR": _OID + "4.4",
    "http://data.brreg.no/begrep/28155": _OID + "4.101",
    _NAMING + "ENH": _OID + "4.101",
    _NAMING + "RESHid": _OID + "4.102",
    _NAMING + "HERid": _OID + "2",
    _OID + "1.3402": MUNICIPALITY,
    _OID + "1.7170": ICPC2,
    "urn:oid:2.16.840.1.113883.6.139": ICPC2,
    "http://hl7.org/fhir/sid/icd-10-no": ICD10,
    "http://hl7.org/fhir/sid/icd-10": ICD10,
    "http://helsedir.no/fhir/CodeSystem/no-kodeverk-7280-nlk": NLK,
    _OID + "1.7230": NLK,
    _OID + "1.7180": ATC,
    "http://dmp.no/fhir/NamingSystem/festLegemiddelDose": FEST,
    "http://dmp.no/fhir/NamingSystem/festLegemiddelMerkevare": FEST,
    "http://dmp.no/fhir/NamingSystem/festLegemiddelPakning": FEST,
    "http://dmp.no/fhir/NamingSystem/festLegemiddelVirkestoff": FEST,
    # The released no-basis-AllergyIntolerance spells these two with "uid".
    "urn:uid:2.16.578.1.12.4.1.1.7497": _OID + "1.7497",
    "urn:uid:2.16.578.1.12.4.1.1.7498": _OID + "1.7498",
    "http://terminology.hl7.org/CodeSystem/v3-ActReason": PURPOSE,
    "urn:oid:2.16.840.1.113883.6.96": SNOMED,
    "urn:oid:2.16.840.1.113883.6.1": LOINC,
    "urn:oid:2.16.840.1.113883.6.8": UCUM,
}

_LOINC_BY_SNOMED = {
    "271625008": "9279-1", "86290005": "9279-1", "431314004": "2708-6", "75367002": "85354-9",
    "4471000202106": "8480-6", "271649006": "8480-6", "4481000202108": "8462-4", "271650006": "8462-4",
    "4501000202102": "8478-0", "364075005": "8867-4", "78564009": "8867-4", "276885007": "8310-5",
    "27113001": "29463-7", "1153637007": "8302-2", "434912009": "15074-8",
}  # fmt: skip
_LOINC_BY_NLK = {
    "NOR05172": "718-7", "NPU02593": "6690-2", "NPU02902": "751-8", "NPU02636": "731-0", "NPU03568": "777-3",
    "NPU01944": "787-2", "NPU19748": "1988-5", "NPU04998": "14682-9", "NOR25909": "62238-1", "NPU03429": "2951-2",
    "NPU03230": "2823-3", "NPU01443": "2000-8", "NPU19673": "61151-7", "NPU02647": "2601-3", "NPU03096": "14879-1",
    "NPU01459": "22664-7", "NPU19651": "1742-6", "NPU19654": "1920-8", "NPU19657": "2324-2", "NPU53077": "6768-6",
    "NPU27783": "6768-6", "NPU19658": "2532-0", "NPU01370": "14631-6", "NPU02192": "14749-6", "NPU02187": "15074-8",
    "NPU27300": "59261-8", "NPU03577": "3016-3", "NOR05865": "3016-3", "NOR05863": "14920-3", "NPU01700": "14685-6",
    "NPU19763": "2276-4", "NPU01685": "6301-6", "NPU19767": "48065-7", "NPU27501": "67151-1", "NPU09356": "14933-6",
}  # fmt: skip
CONCEPTS: dict[tuple[str, str], tuple[str, str]] = {
    **{(SNOMED, code): (LOINC, loinc) for code, loinc in _LOINC_BY_SNOMED.items()},
    **{(NLK, code): (LOINC, loinc) for code, loinc in _LOINC_BY_NLK.items()},
    (LOINC, "59408-5"): (LOINC, "2708-6"),
}
"""One fact by several codes: (system, code) → the one that we name it by. Vital signs as HL7 Norway's no-domain profiles and
Velferdsteknologisk knutepunkt pair them; laboratory codes as NLK's names say. Search asks for codes as they stand."""


def concept(system: str, code: str) -> tuple[str, str]:
    """The one name, (system, code), of what is measured; what has no other is returned under its system's one name."""
    own = (canonical(system), code)
    return CONCEPTS.get(own, own)


def spellings(system: str, code: str) -> tuple[tuple[str, str], ...]:
    """Every (system, code) that means the same, the one name first."""
    one = concept(system, code)
    return (one, *(other for other, name in CONCEPTS.items() if name == one))


@lru_cache(maxsize=512)
def equal(code: str) -> frozenset[str]:
    """`code` and every code that means the same, of whichever system: for those who read codes without systems. A LOINC
    code has a hyphen, NLK's begins with letters: none of them can be taken for another's."""
    names = {name for (_, own), name in CONCEPTS.items() if own == code} | {(LOINC, code)}
    return frozenset({code}.union(*({own for _, own in spellings(*name)} for name in names)))


def canonical(system: str) -> str:
    """The one name of an identifier system or code system; unknown ones are returned as they are."""
    return ALIASES.get(system, system)


def same(first: str, second: str) -> bool:
    """Whether two systems are the same register or code list."""
    return canonical(first) == canonical(second)
