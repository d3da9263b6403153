"""The broker's reports of what panels saw (`POST /audit`): read, checked and turned into entries of the log.

Who it was comes from the token, never from the report. Never refuses a report because access was
refused: that is what it tells.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

from workspace.access.audit import Access
from workspace.access.decision import Decision
from workspace.clock import instant, parse
from workspace.gateway.asking import Asking, clean
from workspace.gateway.auditing import Auditing
from workspace.gateway.refused import bad_request
from workspace.gateway.searches import shape

KINDS = frozenset({"open", "read", "refused"})
LARGEST = 1_000
_PATIENT = re.compile(r"Patient/[A-Za-z0-9\-.]{1,64}")
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,40}")


def accesses(asking: Asking, auditing: Auditing, body: Any) -> list[tuple[str, Access]]:
    """(id, entry of the log) for each event. Raises Refused 400 when the body is not what docs/seams.md says."""
    events = body.get("events") if isinstance(body, dict) else None
    if not isinstance(events, list) or len(events) > LARGEST:
        raise _bad(f"events: a list of at most {LARGEST}")
    return [_one(asking, auditing, event) for event in events]


def _one(asking: Asking, auditing: Auditing, event: Any) -> tuple[str, Access]:
    if not isinstance(event, dict) or event.get("kind") not in KINDS:
        raise _bad("kind")
    try:
        own = str(UUID(str(event.get("id"))))
        at = instant(parse(str(event["at"]))) if event.get("at") else instant(asking.now)
    except ValueError as error:
        raise _bad("id or at") from error
    given = event.get("patients") or []
    if not isinstance(given, list) or not all(isinstance(one, str) and _PATIENT.fullmatch(one) for one in given):
        raise _bad("patients")
    patients = tuple(sorted(set(given)))
    about = replace(
        asking,
        purpose=_text(event, "purpose") or asking.purpose,
        context=_text(event, "context"),
        request=_text(event, "request"),
    )
    query = str(event.get("query") or "")
    kind = query.partition("?")[0].partition("/")[0]
    kind = kind if _TYPE.fullmatch(kind) else "Patient"
    reason = str(event.get("reason") or "")[:500]
    if event["kind"] == "refused":
        said = reason or "Panelet ble nektet opplysningen."
        decision = Decision("deny", "refused", "R-20", "pasientjournalloven § 22", said)
    else:
        decision = about.decide("read", kind, patients or None)
    access = auditing.access(
        about, event["kind"], _text(event, "package") or "ukjent", patients, _shape(query), decision
    )
    if event["kind"] != "refused" and not decision.permitted:
        reason = reason or decision.sentence
    own_instance = _text(event, "instance")
    return own, replace(access, at=at, instance=own_instance, reason=reason, cached=event.get("cached") is True)


def _shape(query: str) -> str:
    kind, mark, text = query.partition("?")
    head, _, rest = kind.partition("/")
    if not _TYPE.fullmatch(head):
        return "ukjent"
    if mark:
        return shape(head, text)
    return f"{head}/*" if rest else head


def _text(event: dict[str, Any], name: str) -> str:
    return clean(str(event.get(name) or ""))


def _bad(detail: str) -> Exception:
    return bad_request("bad-report", "Rapporten til loggen kan ikke leses.", detail)
