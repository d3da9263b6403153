"""Protected addresses (R-40): what tells where somebody is, and how it is taken out of what is shown. Pure.

Hidden by default and in every list; the bed and the house are shown by an explicit act with a reason alone. Never decides
whose address is protected: that stands in `Patient.meta.security`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

PROTECTION = "urn:workspace:address-protection"
"""System of `meta.security` codes ``fortrolig`` and ``strengt-fortrolig``."""
CODES = ("fortrolig", "strengt-fortrolig")

KINDS = frozenset(
    {
        "Patient",
        "Encounter",
        "EpisodeOfCare",
        "RelatedPerson",
        "Appointment",
        "Composition",
        "DocumentReference",
        "ServiceRequest",
        "Task",
    }
)
"""Types that say where somebody is in elements of their own."""

WHERE = frozenset(
    {
        "address",
        "contact",
        "telecom",
        "generalPractitioner",
        "managingOrganization",
        "location",
        "locationReference",
        "locationCode",
        "hospitalization",
        "custodian",
    }
)
PARAMETERS = frozenset(
    {
        "address",
        "address-city",
        "address-postalcode",
        "address-use",
        "custodian",
        "email",
        "general-practitioner",
        "location",
        "location-period",
        "organization",
        "phone",
        "telecom",
    }
)
"""Search parameters whose matches would tell where somebody is."""


def is_protected(patient: Mapping[str, Any]) -> bool:
    held = (patient.get("meta") or {}).get("security")
    return any(
        isinstance(each, dict) and each.get("system") == PROTECTION and each.get("code") in CODES
        for each in (held if isinstance(held, list) else ())
    )


def without_place(resource: Mapping[str, Any], *, unit: str = "") -> dict[str, Any]:
    """`resource` without what tells where the patient is. `unit` is the viewer's own (``Organization/x``): whoever works
    there knows that much, so a stay there still names it."""
    shown = {name: value for name, value in resource.items() if name not in WHERE}
    provider = shown.get("serviceProvider")
    if provider is not None and not (isinstance(provider, dict) and provider.get("reference") == unit and unit):
        del shown["serviceProvider"]
    if resource.get("resourceType") == "Appointment":
        held = shown.get("participant")
        shown["participant"] = [each for each in (held if isinstance(held, list) else ()) if not _a_place(each)]
    return shown


def _a_place(participant: Any) -> bool:
    actor = participant.get("actor") if isinstance(participant, dict) else None
    return isinstance(actor, dict) and str(actor.get("reference", "")).startswith(("Location/", "HealthcareService/"))
