"""Aliases of identifier systems and code systems: one name for each, so that one fact stays one.

Norwegian data name the same register in several ways: by OID, by HL7 Norge's NamingSystem, by an older code list.
Search applies `canonical` to what is stored and to what is asked. Never changes the resource itself.
"""

from __future__ import annotations

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


def canonical(system: str) -> str:
    """The one name of an identifier system or code system; unknown ones are returned as they are."""
    return ALIASES.get(system, system)


def same(first: str, second: str) -> bool:
    """Whether two systems are the same register or code list."""
    return canonical(first) == canonical(second)
