"""Searches: narrowed to the patients this person may see, before the store is asked; what comes along is looked at again.

A patient who is named but not open is refused, not left out in silence. How many rows were withheld is told by nothing: not
by a page's length (`gathering`), its links (`pages`) or the total. Never widens a query.
"""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode

from workspace.access.audit import query_shape
from workspace.access.decision import Decision, restricted
from workspace.access.kinds import patient_parameter, served
from workspace.access.protection import PARAMETERS
from workspace.fhir.references import walk
from workspace.fhir.search import Query, ReferenceValue, TokenValue, format_query, parse, with_parameter
from workspace.fhir.service import FhirResponse, FhirService, Resource
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.gathering import Gathered, Gathering
from workspace.gateway.pages import Pages, Place
from workspace.gateway.refused import denied
from workspace.gateway.sight import Sight

SEVERAL = frozenset({"Appointment"})
"""Types about several patients at once: narrowed to one that is open, a search still finds some that are not shown."""


class Searches:
    def __init__(self, service: FhirService, auditing: Auditing, pages: Pages, base: str) -> None:
        self._service = service
        self._auditing = auditing
        self._pages = pages
        self._base = base

    async def answer(self, asking: Asking, kind: str, raw: str, prefer: str = "") -> FhirResponse:
        """The searchset. Raises Refused 403, and SearchError for a query that cannot be understood."""
        if not served(kind):
            raise denied(asking.decide("search", kind))
        query = parse(kind, raw, lenient="handling=lenient" in prefer, base=self._base)
        named = named_patients(query)
        decision = asking.decide("search", kind, named or None)
        if not decision.permitted:
            raise denied(decision)
        place = self._pages.place(asking.subject.sub, query) or Place(format_query(narrowed(query, decision)))
        sight = Sight(self._service, asking, self._base)
        by_place = bool({each.name for each in query.parameters} & PARAMETERS)
        sparse = (
            (not patient_parameter(kind) and decision.patients is not None)
            or asking.closes_parts()
            or kind == "Consent"
            or by_place
        )
        found = await Gathering(self._service, sight, kind, by_place=by_place, sparse=sparse).gathered(place)
        answer = found.first
        if answer.status != 200 or answer.body is None:
            return answer
        # What could not be narrowed, or is about several, has a size that would tell of others.
        several = kind in SEVERAL and (query.page or found.following or "entry" not in answer.body)
        if sparse or found.withheld or several:
            answer.body.pop("total", None)
        self._fill(answer.body, asking, query, found)
        if sight.closed:
            self._auditing.refused(asking, shape(kind, raw), tuple(sight.closed), restricted())
        if decision.patients is not None or kind == "AuditEvent":
            self._auditing.read(asking, "search", shape(kind, raw), (*named, *sight.patients), decision)
        return answer

    def _fill(self, bundle: Resource, asking: Asking, query: Query, found: Gathered) -> None:
        """What was gathered, under links of the gateway's own."""
        entries = found.entries()
        if found.placeless:
            entries = _without_strays(entries)
        bundle.pop("entry", None)
        if entries:
            bundle["entry"] = entries
        links = [{"relation": "self", "url": f"{self._base}/{format_query(query)}"}]
        if found.following is not None:
            page = self._pages.mark(asking.subject.sub, query, found.following)
            links.append({"relation": "next", "url": f"{self._base}/{format_query(replace(query, page=page))}"})
        bundle["link"] = links


def _without_strays(entries: list[Resource]) -> list[Resource]:
    """Without the places that came along for somebody whose place was taken out."""
    named = {
        str(found["reference"])
        for entry in entries
        if entry["resource"].get("resourceType") != "Location"
        for found in walk(entry["resource"])
    }
    return [
        entry
        for entry in entries
        if (entry.get("search") or {}).get("mode") != "include"
        or entry["resource"].get("resourceType") != "Location"
        or any(one.endswith(f"Location/{entry['resource']['id']}") for one in named)
    ]


def named_patients(query: Query) -> tuple[str, ...]:
    """The patients a search names itself, ``Patient/x``."""
    found: dict[str, None] = {}
    for each in query.parameters:
        if each.chain or each.modifier not in ("", "Patient"):
            continue
        for value in each.values:
            if query.type == "Patient" and each.name == "_id" and isinstance(value, TokenValue):
                found[f"Patient/{value.code}"] = None
            elif each.name in ("patient", "subject") and isinstance(value, ReferenceValue):
                found.update(dict.fromkeys(one for one in value.targets if one.startswith("Patient/")))
    return tuple(found)


def narrowed(query: Query, decision: Decision) -> Query:
    """`query` limited to the decision's patients, unless it limits itself to them."""
    name = patient_parameter(query.type)
    if decision.patients is None or not name:
        return query
    if any(each.name == name and not each.chain and not each.modifier for each in query.parameters):
        return query
    ids = sorted(decision.patients)
    if name == "_id":
        ids = [each.partition("/")[2] for each in ids]
    return with_parameter(query, name, ",".join(ids))


def shape(kind: str, raw: str) -> str:
    """The query's shape for the log; later pages of a search are the same search."""
    pairs = [(name, value) for name, value in parse_qsl(raw, keep_blank_values=True) if name != "_page"]
    return query_shape(kind, urlencode(pairs))
