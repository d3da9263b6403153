"""Whether one search's answer holds another's: then the second is read out of the first and costs no request.

Pure. Only where it can be decided for certain: the same type and order, every constraint of the wider one also in the
narrower (a, or b, where the wider asks for a or b), and the wider one's answer complete; or the very same constraints, and
as many rows at hand as the narrower asks for.
"""

from __future__ import annotations

from workspace.fhir.search import Parameter, Query
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
    return all(any(_holds(each, other) for other in narrow.parameters) for each in wide.parameters)


def is_longer(wide: Query, narrow: Query) -> bool:
    """Whether `narrow` is the beginning of `wide`, which covers it: then also an answer that is not complete will do."""
    return wide.parameters == narrow.parameters


def read_out(page: Page, narrow: Query) -> Page | None:
    """`narrow`'s page out of a wider one; None when that cannot be told here."""
    most = len(page.matches) if narrow.count is None else narrow.count
    if page.limit and not page.complete and is_longer(page.query, narrow) and most <= len(page.matches):
        return page_of(
            narrow, page.matches[:most], total=page.total, complete=False, fetched=page.fetched, request=page.request
        )
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


def width(query: Query) -> tuple[int, int, int]:
    """What a query asks for, the larger the more: fewer constraints, more alternatives, more rows."""
    return -len(query.parameters), sum(len(each.values) for each in query.parameters), query.count or LONGEST + 1


def _wider(wide: Query, narrow: Query) -> bool:
    """A strict order, so that two never wait for each other."""
    return width(wide) > width(narrow)


def _holds(wide: Parameter, narrow: Parameter) -> bool:
    """Whether whatever meets `narrow` meets `wide`."""
    if wide == narrow:
        return True
    same = (wide.name, wide.kind, wide.modifier) == (narrow.name, narrow.kind, narrow.modifier)
    return same and not wide.modifier and set(narrow.values) <= set(wide.values)


def _beside(query: Query) -> bool:
    """Whether it asks for more, or less, than whole matching rows."""
    return bool(query.include or query.revinclude or query.summary or query.total or query.page)
