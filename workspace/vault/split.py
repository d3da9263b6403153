"""From one vault for everybody to one for each: what lies in the former one goes to its owners.

A person at a time: copied and on the disk there before it is deleted here, so a crash leaves it in one place or in both, and
the next start goes on. Copying again what was copied changes nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from workspace.vault.vault import Database, Vault

if TYPE_CHECKING:
    from workspace.vault.people import Vaults

SESSION_KEYS = "session-key:"
"""Settings whose value is the user they belong to."""
DRAFT = "key, tenant, user, patient, body, revision, saved, known, other"
OUTBOX = "id, user, patient, state, body, made"
OFFLINE = "user, unit, query, body, fetched, until"
REPORT = "id, user, body"
Rows = dict[str, list[tuple[Any, ...]]]


async def split(vaults: Vaults, tenant: str) -> None:
    """Give each person what is theirs of the device vault. `tenant` is whose what does not say is. Raises Problem; what is
    not yet given stays where it is."""
    former = vaults.device()
    owners = await former.run(_owners)
    for told, user in owners:
        vault = await vaults.open_for(told or tenant, user)
        try:
            await _give(former, vault, user, told)
        finally:
            await vaults.leave(vault)
    if owners:
        await former.scrub()


async def _give(former: Vault, vault: Vault, user: str, tenant: str) -> None:
    rows = await former.run(lambda database: _rows(database, user, tenant))
    await vault.run(lambda database: _copy(database, rows))
    await former.run(lambda database: _empty(database, user, tenant))


def _owners(database: Database) -> list[tuple[str, str]]:
    """(tenant, user): drafts say both, all else the user alone ("")."""
    query = (
        "SELECT DISTINCT tenant, user FROM draft UNION SELECT '', user FROM outbox UNION SELECT '', user FROM tally"
        " UNION SELECT '', user FROM offline UNION SELECT '', user FROM report"
        " UNION SELECT '', value FROM setting WHERE name >= ? AND name < ?"
    )
    return [(str(tenant), str(user)) for tenant, user in database.execute(query, _between())]


def _rows(database: Database, user: str, tenant: str) -> Rows:
    """By table; the order of the outbox is the order of delivery. With a `tenant` drafts alone."""
    whose = (tenant, user)
    rows: Rows = {
        "draft": list(database.execute(f"SELECT {DRAFT} FROM draft WHERE tenant = ? AND user = ?", whose)),
    }
    if not tenant:
        keys = "SELECT name, value FROM setting WHERE value = ? AND name >= ? AND name < ?"
        rows |= {
            "outbox": list(database.execute(f"SELECT {OUTBOX} FROM outbox WHERE user = ? ORDER BY seq", (user,))),
            "tally": list(database.execute("SELECT user, shift, typed, reused FROM tally WHERE user = ?", (user,))),
            "offline": list(database.execute(f"SELECT {OFFLINE} FROM offline WHERE user = ?", (user,))),
            "report": list(database.execute(f"SELECT {REPORT} FROM report WHERE user = ? ORDER BY seq", (user,))),
            "setting": list(database.execute(keys, (user, *_between()))),
        }
    return rows


def _copy(database: Database, rows: Rows) -> None:
    """What is there already stays, but for a draft that is older than the one that comes."""
    newer = "revision = excluded.revision, body = excluded.body, saved = excluded.saved, known = excluded.known"
    database.executemany(
        f"INSERT INTO draft ({DRAFT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET {newer},"
        " other = excluded.other WHERE excluded.saved > draft.saved",
        rows["draft"],
    )
    for row in rows.get("outbox", ()):  # numbered anew, in the same order: an own number may be taken here
        if not list(database.execute("SELECT 1 FROM outbox WHERE id = ?", row[:1])):
            database.execute(f"INSERT INTO outbox ({OUTBOX}) VALUES (?, ?, ?, ?, ?, ?)", row)
    database.executemany(
        "INSERT INTO tally VALUES (?, ?, ?, ?) ON CONFLICT (user, shift) DO UPDATE SET"
        " typed = max(typed, excluded.typed), reused = max(reused, excluded.reused)",
        rows.get("tally", ()),
    )
    database.executemany("INSERT OR IGNORE INTO offline VALUES (?, ?, ?, ?, ?, ?)", rows.get("offline", ()))
    database.executemany(f"INSERT OR IGNORE INTO report ({REPORT}) VALUES (?, ?, ?)", rows.get("report", ()))
    database.executemany("INSERT OR IGNORE INTO setting VALUES (?, ?)", rows.get("setting", ()))


def _empty(database: Database, user: str, tenant: str) -> None:
    database.execute("DELETE FROM draft WHERE tenant = ? AND user = ?", (tenant, user))
    if not tenant:
        for table in ("outbox", "tally", "offline", "report"):
            database.execute(f"DELETE FROM {table} WHERE user = ?", (user,))
        database.execute("DELETE FROM setting WHERE value = ? AND name >= ? AND name < ?", (user, *_between()))


def _between() -> tuple[str, str]:
    return SESSION_KEYS, SESSION_KEYS[:-1] + ";"
