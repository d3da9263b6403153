"""One shared workstation's part of a write, alone, with or without somebody signed in.

``python -m tests.faults.workstation_process FOLDER ORIGIN [WHO TOKEN]`` takes lines on stdin:
``{"write": [{"bundle", "about"} …]}`` is answered with the states, ``{"ask": true}`` with what waits, what can go without
its author and what was refused; the end of stdin signs out. Without WHO it is nobody's: the courier works
until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from tests.faults.platform_process import clock
from tests.faults.writer_process import ASKER, KEY, Tokens, endpoints, say
from workspace.problem import Problem
from workspace.record import client as client_module
from workspace.record import delivery, patience
from workspace.record.client import Client
from workspace.record.delivery import Courier
from workspace.record.outbox import Outbox
from workspace.record.registration import Registration
from workspace.vault.people import Vaults


class NoOne:
    async def access_token(self, *, force=False):
        raise Problem("signed-out", "Ingen er logget inn.")


async def nobody(vaults, client):
    courier = Courier(vaults, client)
    await courier.start()
    say(ready=True)
    await asyncio.Event().wait()


async def somebody(vaults, client, who):
    vault = await vaults.open_for("311000101", f"Practitioner/{who}")
    outbox = Outbox(vault, client, clock(), user=f"Practitioner/{who}")
    registration = Registration(outbox, vault, client, device="stua")
    await outbox.start()
    await registration.start()
    while not outbox.has_key() or outbox.session_key().id not in outbox.registered:  # noqa: ASYNC110
        await asyncio.sleep(0.01)
    say(ready=True)
    reader = asyncio.StreamReader(1 << 22)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        order = json.loads(line)
        if "ask" in order:
            say(waiting=outbox.unsent(), goes=len(outbox.deliverable()), refused=len(outbox.refused()))
            continue
        items = [await outbox.commit(each["bundle"], each["about"], ASKER, 0.01) for each in order["write"]]
        say(states=[item.state for item in items])
    await outbox.close()
    await registration.close()


async def main(folder, origin, who="", token=""):
    patience.FIRST_WAIT, patience.LONGEST_WAIT = 0.05, 0.3
    client_module.WRITE_SECONDS, delivery.LOOKS = 3.0, 0.3
    vaults = await Vaults.open(Path(folder), KEY, clock())
    client = Client(endpoints(origin), Tokens(token) if who else NoOne())
    await (somebody(vaults, client, who) if who else nobody(vaults, client))
    await client.aclose()
    await vaults.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
