"""Searches: narrowed to the patients this person may see, before the store is asked; what comes along is looked at again.

A patient who is named but not open is refused, not left out in silence. Never widens a query.
"""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode

from workspace.access.audit import query_shape
from workspace.access.decision import Decision, restricted
from workspace.access.kinds import patient_parameter, served
from workspace.access.protection import PARAMETERS
from workspace.fhir.references import walk
from workspace.fhir.search import Query, ReferenceValue, TokenValue, format_query, parse, with_parameter
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway.asking import Asking
from workspace.gateway.auditing import Auditing
from workspace.gateway.refused import denied
from workspace.gateway.sight import Sight


class Searches:
    def __init__(self, service: FhirService, auditing: Auditing, base: str) -> None:
        self._service = service
        self._auditing = auditing
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
        asked = format_query(narrowed(query, decision))
        path, _, text = asked.partition("?")
        answer = await self._service.handle(FhirRequest("GET", path, text))
        if answer.status != 200 or answer.body is None:
            return answer
        sight = Sight(self._service, asking, self._base)
        places = {each.name for each in query.parameters} & PARAMETERS
        await self._filter(answer.body, asking, sight, by_place=bool(places))
        if (
            (not patient_parameter(kind) and decision.patients is not None)
            or asking.closes_parts()
            or kind == "Consent"
            or places
        ):
            answer.body.pop("total", None)  # it could not be narrowed, so its size would tell of others
        if sight.closed:
            self._auditing.refused(asking, shape(kind, raw), tuple(sight.closed), restricted())
        self._absolute(answer.body)
        if decision.patients is not None or kind == "AuditEvent":
            self._auditing.read(asking, "search", shape(kind, raw), (*named, *sight.patients), decision)
        return answer

    async def _filter(self, bundle: Resource, asking: Asking, sight: Sight, *, by_place: bool) -> None:
        """Leave what may be seen, as it is shown: a search by place finds nobody whose address is protected."""
        entries = bundle.get("entry")
        if not entries:
            return
        kept, hidden = [], False
        for entry in entries:
            resource = entry["resource"]
            if not await sight.sees(resource):
                continue
            shown = sight.shown(resource)
            if shown is not resource:
                if by_place:
                    continue
                entry["resource"], hidden = shown, True
            kept.append(entry)
        if hidden:
            kept = _without_strays(kept)
        if len(kept) < len(entries):
            bundle["entry"] = kept
            bundle.pop("total", None)

    def _absolute(self, bundle: Resource) -> None:
        for link in bundle.get("link", ()):
            if "://" not in link["url"]:
                link["url"] = f"{self._base}/{link['url']}"


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
