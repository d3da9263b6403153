"""Looking into a workstation's vaults: as the program does, and past the cipher as somebody with the keys could."""

from __future__ import annotations

import asyncio
from contextlib import closing

import apsw

from workspace.clock import SystemClock
from workspace.vault import wraps
from workspace.vault.people import FOLDER, FORMER, Vaults
from workspace.vault.vault import WRAPPED

TENANT = "311000101"


def in_vault_of(profile, key, user, work, tenant=TENANT):
    """What `work` gives, run in the vault of `user` as the program opens it."""

    async def run():
        vaults = await Vaults.open(profile, key, SystemClock(), tenant=tenant)
        try:
            return await (await vaults.open_for(tenant, user)).run(work)
        finally:
            await vaults.close()

    return asyncio.run(run())


def keys_of(profile, key):
    """``{file: pragma that opens it}``."""
    found = {}
    if (profile / FORMER).exists():
        found[profile / FORMER] = f"PRAGMA hexkey = '{key.hex()}'"
    for file in (profile / FOLDER).glob(f"*{WRAPPED}"):
        own = wraps.load(file.parent, file.stem, key).key
        found[file.with_suffix(".sqlite")] = f"PRAGMA key = 'raw:{own.hex()}'"
    return found


def deciphered(profile, key):
    """The raw pages of every vault, without the cipher; the files are left so."""
    raw = b""
    for file, pragma in keys_of(profile, key).items():
        with closing(apsw.Connection(str(file))) as database:
            list(database.execute(pragma))
            list(database.execute("PRAGMA journal_mode = DELETE"))
            list(database.execute("PRAGMA rekey = ''"))
        raw += file.read_bytes()
    return raw


def asked_of(profile, key, query):
    """Rows of every vault in `profile`, in no order."""
    rows = []
    for file, pragma in keys_of(profile, key).items():
        with closing(apsw.Connection(str(file))) as database:
            list(database.execute(pragma))
            rows += list(database.execute(query))
    return rows
