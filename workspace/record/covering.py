"""Whether one search's answer holds another's: then the second is read out of the first and costs no request.

Pure. Only where it can be decided for certain: the same type and order, every constraint of the wider one also in the
narrower, and the wider one's answer complete.
"""

from __future__ import annotations

from workspace.fhir.search import Query
from workspace.record.live import LONGEST, Page, page_of
from workspace.record.matcher import judge


def may_cover(wide: Query, narrow: Query) -> bool:
    """Whether `wide`'s complete answer would hold all rows of `narrow`, in its order."""
    if wide.type != narrow.type or wide.sort != narrow.sort or not _wider(wide, narrow):
        return False
    if any(_beside(each) for each in (wide, narrow)):
        return False
    if any(each.chain is not None for each in (*wide.parameters, *narrow.parameters)):
        return False
    asked = list(narrow.parameters)
    return all(each in asked for each in wide.parameters)


def read_out(page: Page, narrow: Query) -> Page | None:
    """`narrow`'s page out of a wider one; None when that cannot be told here."""
    if not page.complete or not page.limit:
        return None
    verdicts = [judge(narrow, row) for row in page.matches]
    if "undecidable" in verdicts:
        return None
    rows = [row for row, verdict in zip(page.matches, verdicts, strict=True) if verdict == "in"]
    most = len(rows) if narrow.count is None else narrow.count
    return page_of(
        narrow, rows[:most], total=len(rows), complete=len(rows) <= most, fetched=page.fetched, request=page.request
    )


def _wider(wide: Query, narrow: Query) -> bool:
    """Fewer constraints, or the same with more rows: two never wait for each other."""
    if len(wide.parameters) != len(narrow.parameters):
        return len(wide.parameters) < len(narrow.parameters)
    return (wide.count or LONGEST + 1) > (narrow.count or LONGEST + 1)


def _beside(query: Query) -> bool:
    """Whether it asks for more, or less, than whole matching rows."""
    return bool(query.include or query.revinclude or query.summary or query.total or query.page)
