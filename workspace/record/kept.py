"""The outbox as rows of the vault: written inside one of its steps, and trusted only under the author's own seal. Sends
nothing and keeps nothing in memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from workspace.access import seal
from workspace.problem import Problem
from workspace.record.items import Item, item_of


def rows(database: Any, user: str) -> list[Item]:
    """What `user` left here, in its order."""
    query = "SELECT seq, id, user, patient, state, body, made FROM outbox WHERE user = ? ORDER BY seq"
    return [item_of(*row) for row in database.execute(query, (user,))]


def rewrite(database: Any, item: Item) -> None:
    database.execute("UPDATE outbox SET state = 'venter', body = ? WHERE id = ?", (item.body(), item.id))


def write_states(database: Any, items: Sequence[Item]) -> None:
    for item in items:
        database.execute("UPDATE outbox SET state = ?, body = ? WHERE id = ?", (item.state, item.body(), item.id))


def tampered(item: Item) -> Problem | None:
    """A seal that is not its author's own says that somebody else wrote in the vault."""
    if item.seal.get("v") != seal.VERSION:
        return None  # made by an older program
    try:
        seal.verify(item.seal, transaction=item.sent_as, author=item.author, content=item.sent)
    except Problem as problem:
        return problem
    return None
