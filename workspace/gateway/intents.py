"""What a write is about to do and what the log will say of it, in the gateway's own file before the platform is asked.

A gateway that is killed between the platform's commit and its own log finds the intent at the next start, looks for the tag
that every written resource carries (in its history, when somebody has changed it since), and completes the log. Never does a
write again, and never logs one twice.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import orjson

from workspace.access.audit import Access
from workspace.access.decision import Decision, Subject
from workspace.clock import Clock, instant
from workspace.fhir.references import name as named
from workspace.fhir.service import FhirRequest, FhirResponse, FhirService, Resource
from workspace.gateway.auditing import Auditing
from workspace.gateway.refused import Refused
from workspace.gateway.store import GatewayStore

logger = logging.getLogger(__name__)

TRANSACTION = "urn:workspace:transaction"
ENTRY = "urn:workspace:entry"
RETRY_SECONDS = 5.0
PAGE = 1000
PAGES = 5
"""Of a history, that are looked through for a tag."""
SLACK = timedelta(minutes=5)
"""By which the platform's clock may be behind the gateway's."""
NO_HISTORY = frozenset({400, 403, 404, 405, 410, 501})
"""The history of what there never was, or of a platform that has none."""


@dataclass(frozen=True, slots=True)
class Intent:
    """A write under `key`: resources of `kinds` in `count` entries, logged as `accesses`, one for each panel.

    `asked` says that the key is the client's own, under which it may ask again; `names` (``Type/id``) what it puts; `since`
    an instant before the write, "" when it is not known; `taken` (`drafts.taken_by`) what it takes from `drafter`'s draft.
    """

    key: str
    author: str
    session: str
    kinds: tuple[str, ...]
    count: int
    accesses: tuple[Access, ...]
    asked: bool = False
    names: tuple[str, ...] = ()
    since: str = ""
    drafter: str = ""
    taken: str = ""

    @property
    def creates(self) -> bool:
        return len(self.names) < self.count


class Intents:
    """`begin` before the write, `logged` or `dropped` after it; `complete` at start. `let_go` takes what was written from
    its author's draft (`drafter`, `taken`); doing so again changes nothing."""

    def __init__(
        self,
        service: FhirService,
        auditing: Auditing,
        store: GatewayStore,
        clock: Clock,
        let_go: Callable[[str, str], Awaitable[None]],
    ) -> None:
        self._service, self._let_go = service, let_go
        self._auditing = auditing
        self._store = store
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._open: set[str] = set()
        """Keys of writes under way: nobody else may say what became of them."""

    async def begin(self, intent: Intent, digest: str = "") -> None:
        """Safe on the disk when this returns. Raises Refused 503 when the disk refuses: then nothing was written."""
        at = int(self._clock.real().timestamp())
        intent = replace(intent, since=instant(self._clock.now() - SLACK))
        row = (intent.key, intent.author, intent.session, _dumped(intent), int(intent.asked), at)

        def work(connection: sqlite3.Connection) -> None:
            if intent.asked:
                connection.execute(
                    "INSERT OR IGNORE INTO answer VALUES (?, ?, ?, NULL, NULL, ?)",
                    (intent.key, intent.author, digest, at),
                )
            connection.execute("INSERT OR REPLACE INTO intent VALUES (?, ?, ?, ?, ?, 0, ?)", row)

        self._open.add(intent.key)
        try:
            await self._store.run(work)
        except sqlite3.Error as error:
            self._open.discard(intent.key)
            raise Refused(
                503,
                "gateway-store-failed",
                "Plattformen kan ikke ta imot endringer akkurat nå.",
                "Prøv igjen om litt.",
                str(error),
                issue="transient",
            ) from error

    async def logged(self, intent: Intent, written: Iterable[str], *, whole: bool) -> None:
        """The write was done, all of it when `whole`: its events are on the platform, or safe in the outbox, when this
        returns. `written`: what, as ``Type/id/_history/3``, or ``Type/id`` where the platform does not say which version."""
        versions = tuple(each for each in written if each)
        self._open.discard(intent.key)
        if whole and intent.taken:  # first: what is not logged yet is looked for again after a stop
            await self._let_go(intent.drafter, intent.taken)
        await self._auditing.written(intent.key, intent.accesses, intent.session, versions)

    async def dropped(self, key: str) -> None:
        """The platform did not do it: there is nothing to log."""
        self._open.discard(key)
        await self._store.run(lambda c: c.execute("DELETE FROM intent WHERE key = ?", (key,)))

    def doubtful(self, key: str) -> None:
        """The platform did not say whether it did it: it is looked for in a while."""
        self._open.discard(key)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._again(), name="gateway-intents")

    async def of(self, key: str) -> Intent | None:
        row = await self._store.run(
            lambda c: c.execute("SELECT body, session, asked FROM intent WHERE key = ?", (key,)).fetchone()
        )
        return _loaded(*row) if row else None

    # After a crash ------------------------------------------------------------------------------------------------

    async def complete(self) -> None:
        """Log what a former run wrote and did not log; what the platform cannot tell yet is asked for again."""
        if not await self._completed():
            self.doubtful("")

    async def close(self) -> None:
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _again(self) -> None:
        done = False
        while not done:
            await asyncio.sleep(RETRY_SECONDS)
            done = await self._completed()

    async def _completed(self) -> bool:
        rows = await self._store.run(
            lambda c: c.execute("SELECT body, session, asked FROM intent WHERE logged = 0 ORDER BY at").fetchall()
        )
        for body, session, asked in rows:
            intent = _loaded(body, session, asked)
            if intent.key in self._open:
                continue
            try:
                written = await self.written_under(intent)
            except Refused as refusal:
                logger.warning("an unfinished write cannot be looked for yet: %s", refusal.detail)
                return False
            if written:
                logger.warning("the log of a write is completed after a stop midway")
                await self.logged(intent, map(version_of, written.values()), whole=len(written) >= intent.count)
            else:
                await self.dropped(intent.key)
        return True

    async def written_under(self, intent: Intent) -> dict[str, Resource]:
        """What was written under the intent's key, by place in the bundle: each as it was written, also when others have
        changed or deleted it since, with its tag or without. Raises Refused 503 when the platform cannot say."""
        found: list[Resource] = []
        for kind in intent.kinds:
            found += await self._rows(kind, f"_tag={TRANSACTION}%7C{intent.key}&_count={PAGE}")
        found = [await self._first(one, intent.key) for one in found]
        standing = {named(one) for one in found}
        for name in dict.fromkeys(intent.names):
            if name not in standing:
                found += (await self._tagged(f"{name}/_history", intent.key))[-1:]
        # What was written beside has no place among the client's entries.
        places = {place: one for one in found if (place := tag_of(one, ENTRY))}
        if len(places) < intent.count and intent.creates:
            for kind in intent.kinds:
                since = f"_since={quote(intent.since)}" if intent.since else ""
                for one in await self._tagged(f"{kind}/_history", intent.key, since):  # the newest first
                    place = tag_of(one, ENTRY)
                    if place and (place not in places or named(one) not in standing):
                        places[place] = one
        return places

    async def _first(self, standing: Resource, key: str) -> Resource:
        """The version that was written under `key`: somebody who changed it since may have left its tag where it was."""
        if str((standing.get("meta") or {}).get("versionId", "")) == "1":
            return standing
        former = await self._tagged(f"{named(standing)}/_history", key)
        return former[-1] if former else standing

    async def _tagged(self, path: str, key: str, query: str = "") -> list[Resource]:
        """The versions in the history at `path` that carry the tag of `key`, the newest first; some pages of it at most."""
        found: list[Resource] = []
        asked = "&".join(filter(None, (query, f"_count={PAGE}")))
        for _ in range(PAGES):
            answer = await self._service.handle(FhirRequest("GET", path, asked))
            if answer.status in NO_HISTORY:
                break
            body = _body(answer)
            rows = [each["resource"] for each in body.get("entry", ()) if each.get("resource")]
            found += [one for one in rows if tag_of(one) == key]
            links = (link for link in body.get("link") or () if link.get("relation") == "next")
            head, _, asked = str(next((link.get("url", "") for link in links), "")).partition("?")
            if not asked:
                break
            path = path if head.endswith("_history") else ""  # some page at their base
        return found

    async def _rows(self, path: str, query: str) -> list[Resource]:
        answer = await self._service.handle(FhirRequest("GET", path, query))
        if answer.status in (404, 410):
            return []
        return [row["resource"] for row in _body(answer).get("entry", ()) if row.get("resource")]


def _body(answer: FhirResponse) -> Resource:
    """Raises Refused 503 for what is no answer."""
    if answer.status != 200:
        raise Refused(
            503,
            "platform-failed",
            "Plattformen har en feil akkurat nå.",
            "Prøv igjen om litt.",
            f"recovery {answer.status}",
            issue="transient",
        )
    return answer.body or {}


def version_of(resource: Mapping[str, Any]) -> str:
    """``Type/id/_history/3``; ``Type/id`` of one that does not say its version, and "" of one without an id."""
    if not resource.get("id"):
        return ""
    version = (resource.get("meta") or {}).get("versionId")
    return f"{named(resource)}/_history/{version}" if version else named(resource)


def tag_of(resource: Mapping[str, Any], system: str = TRANSACTION) -> str:
    """The code of the resource's tag in `system`; empty when it has none."""
    tags = (resource.get("meta") or {}).get("tag") or ()
    return next((str(tag.get("code", "")) for tag in tags if isinstance(tag, dict) and tag.get("system") == system), "")


def _dumped(intent: Intent) -> bytes:
    accesses = [_plain(each) for each in intent.accesses]
    return orjson.dumps(
        {
            "key": intent.key,
            "author": intent.author,
            "kinds": intent.kinds,
            "count": intent.count,
            "accesses": accesses,
            "names": intent.names,
            "since": intent.since,
            "drafter": intent.drafter,
            "taken": intent.taken,
        }
    )


def _plain(access: Access) -> dict[str, Any]:
    plain = asdict(access)
    plain["decision"]["patients"] = sorted(access.decision.patients or ())
    return plain


def _loaded(body: bytes, session: str, asked: int) -> Intent:
    told = orjson.loads(body)
    return Intent(
        told["key"],
        told["author"],
        session,
        tuple(told["kinds"]),
        told["count"],
        tuple(_access(each) for each in told["accesses"]),
        bool(asked),
        tuple(told.get("names", ())),
        told.get("since", ""),
        told.get("drafter", ""),
        told.get("taken", ""),
    )


def _access(told: dict[str, Any]) -> Access:
    known = {each.name for each in fields(Access)}
    held: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items() if name in known
    }
    decided = told["decision"]
    held["subject"] = Subject(**told["subject"])
    held["decision"] = Decision(**{**decided, "patients": frozenset(decided["patients"])})
    return Access(**held)
