"""Where a search goes on: what stands in `_page` of a next link. The platform's own place, which may tell of rows that are
withheld, is sealed under the gateway's key and bound to who asked and what. Never decides what may be seen.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass, replace

import orjson

from workspace.fhir.search import Query, SearchError, format_query
from workspace.gateway.seal import Seal, Unsealable, key_of
from workspace.gateway.settings import GatewaySettings


@dataclass(frozen=True, slots=True)
class Place:
    """`asked` is the platform's page, ``Type?query``; `after` the last row of it that was dealt with, ``Type/id``, or ""."""

    asked: str
    after: str = ""


class Pages:
    """`mark` gives the text of a `Place`, `place` the Place of a text."""

    def __init__(self, settings: GatewaySettings) -> None:
        self._settings = settings
        self._seal: Seal | None = None

    def mark(self, who: str, query: Query, place: Place) -> str:
        """For `who` (a subject's id), who asks `query`."""
        sealed = self._sealing().seal(orjson.dumps([place.asked, place.after]), _bound(who, query))
        return base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def place(self, who: str, query: Query) -> Place | None:
        """None on the first page. Raises SearchError for a text that was not given to `who` for this search."""
        if not query.page:
            return None
        try:
            sealed = base64.urlsafe_b64decode(query.page + "=" * (-len(query.page) % 4))
            asked, after = orjson.loads(self._sealing().open(sealed, _bound(who, query)))
        except (Unsealable, binascii.Error, ValueError) as error:
            raise SearchError(
                "search-bad-value", "Det finnes ingen slik side i søket.", "Søk på nytt.", f"_page: {error}"
            ) from error
        return Place(str(asked), str(after))

    def _sealing(self) -> Seal:
        if self._seal is None:
            self._seal = Seal(key_of(self._settings.draft_key, self._settings.key_path))
        return self._seal


def _bound(who: str, query: Query) -> str:
    return f"page {who} {format_query(replace(query, page=''))}"
