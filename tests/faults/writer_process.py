"""The shell's side of a write, alone: vault, outbox and client. Takes commits on stdin, says on stdout what became of them.

``python -m tests.faults.writer_process FOLDER ORIGIN TOKEN`` reads lines ``{"id", "bundles": [{"id", "bundle", "bases"}]}``,
answers ``{"id", "state"}`` for each commit that returned and ``{"told": id, "state", "resources"}`` for each change.
What is written stands in a draft of its own first (``{"kept": id}``), which is on its way to the platform while the commit
takes it over.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from types import SimpleNamespace

from tests.faults.mortal import Mortal
from workspace.clock import SystemClock
from workspace.problem import Problem
from workspace.record import client as client_module
from workspace.record import draftsync, patience
from workspace.record.client import Asker, Client
from workspace.record.drafts import Drafts
from workspace.record.draftsync import DraftSync, workstation
from workspace.record.outbox import Outbox
from workspace.vault.vault import Vault

KEY = bytes(range(32))
ASKER = Asker(("nordlys.vitals@1.0.0",), "rom-1")


class Tokens:
    def __init__(self, token):
        self.token = token

    async def access_token(self, *, force=False):
        return self.token


class Dying(Outbox):
    """An outbox that dies at the steps of a write when it is told to."""

    mortal: Mortal

    async def _keep(self, item, former, handover):
        self.mortal.at("before-keep")
        await super()._keep(item, former, handover)
        self.mortal.at("after-keep")

    async def _try(self, item):
        self.mortal.at("before-send")
        return await super()._try(item)

    async def _settle(self, item, answer):
        self.mortal.at("after-send")
        await super()._settle(item, answer)

    async def _end(self, item):
        self.mortal.at("before-note")
        await super()._end(item)
        self.mortal.at("after-note")

    def _tell(self, item):
        if item.state != "venter":
            self.mortal.at("before-tell")
        super()._tell(item)


class Untold(DraftSync):
    """Sends what is typed at once, and never gets to tell that something is gone: the transaction alone does."""

    async def _forget(self, key, known):
        pass


def say(**what):
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def endpoints(origin):
    return SimpleNamespace(
        fhir=f"{origin}/fhir", changes=f"{origin}/changes", audit=f"{origin}/audit", time=f"{origin}/time"
    )


def draft_of(own):
    return ("311000101", "Practitioner/tone", "Patient/BEB-18", "nordlys.vitals", "vitals", own, "1")


async def one(outbox, drafts, order):
    for each in order["bundles"]:
        key, typed = draft_of(each["id"]), {"text": each["id"]}
        drafts.save(key, typed, 1)
        await drafts.flush()
        say(kept=each["id"])
        handover = drafts.hand_over(key, typed, {"text": None})
        try:
            item = await outbox.commit(
                each["bundle"], "Patient/BEB-18", ASKER, 0.05, own=each["id"], bases=each.get("bases"),
                handover=handover,
            )  # fmt: skip
        except Problem as problem:
            say(id=each["id"], failed=problem.code)
        else:
            say(id=each["id"], state=item.state)


async def main(folder, origin, token):
    patience.FIRST_WAIT, patience.LONGEST_WAIT = 0.05, 0.3
    client_module.WRITE_SECONDS = 3.0
    draftsync.GATHER = 0.0
    vault = await Vault.open(Path(folder) / "vault.sqlite", KEY, SystemClock())
    client = Client(endpoints(origin), Tokens(token))
    outbox = Dying(vault, client, SystemClock(), user="Practitioner/tone")
    outbox.mortal = Mortal(Path(folder), "writer")

    def told(item):
        resources = [entry.get("resource") for entry in (item.answer or {}).get("entry") or ()]
        say(told=item.id, state=item.state, resources=resources, problem=str(item.problem or ""))

    outbox.on_change(told)
    drafts = Drafts(vault, SystemClock(), tenant="311000101", user="Practitioner/tone")
    Untold(drafts, client, device=await workstation(vault))
    await drafts.start()
    kept = [key[5] for key in drafts.keys()]  # noqa: SIM118
    say(drafts=kept, items=await vault.run(lambda known: [own for (own,) in known.execute("SELECT id FROM outbox")]))
    await outbox.start()
    for item in outbox.refused():
        told(item)
    say(ready=True, unsent=outbox.unsent())
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    working = set()
    while line := await reader.readline():
        order = json.loads(line)
        if "unsent" in order:
            say(unsent=outbox.unsent())
            continue
        task = asyncio.create_task(one(outbox, drafts, order))
        working.add(task)
        task.add_done_callback(working.discard)
    await outbox.close()
    await drafts.close()
    await client.aclose()
    await vault.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
