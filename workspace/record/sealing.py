"""The author's seal on what is to be sent: made with the session's key, and made anew when its author changes it. Sends and
keeps nothing but the key, in memory."""

from __future__ import annotations

from dataclasses import replace

from workspace.access import seal
from workspace.record.items import Item, encoded


class Sealing:
    def __init__(self, key: seal.SessionKey | None = None) -> None:
        self._key = key

    def session_key(self) -> seal.SessionKey:
        """The key of this session, made when it is first needed."""
        if self._key is None:
            self._key = seal.SessionKey.new()
        return self._key

    def has_key(self) -> bool:
        """Whether this session has made its key."""
        return self._key is not None

    def sealed(self, item: Item) -> Item:
        wire, asker = encoded(item.bundle), item.asker
        envelope = self.session_key().seal(
            wire.encode(), transaction=item.sent_as, author=item.author, made=item.made, packages=asker.packages,
            purpose=asker.purpose,
        )  # fmt: skip
        return replace(item, seal=envelope, wire=wire)

    def resealed(self, item: Item, former: Item) -> Item:
        """Its author is here and has changed it: nobody else may."""
        return item if item is former else self.sealed(item)
