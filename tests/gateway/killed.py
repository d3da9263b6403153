"""A gateway that is killed in the middle of a write: a program of its own, run by test_crash.

Arguments: the folder (with `sent.json`, the transaction), the transaction's key, and where to die
(``before`` or ``after`` the platform's commit, or at the ``log``).
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

from tests.gateway.conftest import Server


class Mortal:
    """The store, and death at one point of a write."""

    def __init__(self, store, where):
        self.store, self.where = store, where
        self.on_commit = store.on_commit

    async def handle(self, request):
        kinds = {(e.get("resource") or {}).get("resourceType") for e in (request.body or {}).get("entry", [])}
        written = request.method == "POST" and "Observation" in kinds
        if (written and self.where == "before") or ("AuditEvent" in kinds and self.where == "log"):
            die()
        answer = await self.store.handle(request)
        if written and self.where == "after":
            die()
        return answer


def die():
    os.kill(os.getpid(), signal.SIGKILL)


def main(folder, key, where):
    server = Server(Path(folder), lambda store: Mortal(store, where)).start()
    server.sign_in("tone").send(json.loads((Path(folder) / "sent.json").read_text()), key)


if __name__ == "__main__":
    main(*sys.argv[1:])
