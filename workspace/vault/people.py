"""A vault for each person who works at this workstation, and one for the workstation itself.

Each has a key of its own, wrapped by the device key (`wraps`). Whoever is signed in has theirs open; the others' are opened
for as long as a visit lasts (a delivery, a wipe). Never deletes what it cannot read, and never reads what is in a vault.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from workspace.clock import Clock
from workspace.problem import Problem
from workspace.vault import wraps
from workspace.vault.vault import ASIDE, WRAPPED, Database, Vault, set_aside
from workspace.vault.wraps import Who, Wrap

log = logging.getLogger(__name__)
FOLDER = "vaults"
"""In the profile: two files a person."""
FORMER = "vault.sqlite"
"""In the profile: once everybody's, now the workstation's own."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has a vault here; `id` names its files. `pin`: whether one opens it; `spent`: it was tried too often;
    `going`: it was ordered to go."""

    id: str
    who: Who
    pin: bool = False
    spent: bool = False
    going: bool = False


def roster(profile: Path, device_key: bytes) -> list[Person]:
    """Everybody who has a vault in `profile`, by name. Opens none. Who cannot be read is left out, and logged."""
    found = []
    for file in (profile / FOLDER).glob(f"*{WRAPPED}"):
        if ASIDE in file.name:
            continue
        try:
            wrap = _known(file.parent, file.stem, device_key)
        except Problem as problem:
            log.warning("a vault of this workstation cannot be opened: %s: %s", problem.code, problem.detail)
        else:
            found.append(Person(file.stem, wrap.who, wrap.pin is not None, wrap.spent, wrap.going))
    return sorted(found, key=lambda one: (one.who.name, one.id))


class Vaults:
    """``await Vaults.open(…)``, ``await close()``. Without a device key all is in memory, and there are no others."""

    def __init__(self, profile: Path, device_key: bytes | None, clock: Clock, device: Vault) -> None:
        self._profile, self._folder = profile, profile / FOLDER
        self._key, self._clock, self._device = device_key, clock, device
        self._held: dict[str, tuple[Vault, int]] = {}
        """By id: what is open, and for how many."""
        self._opening: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._own: list[Vault] = []

    @classmethod
    async def open(cls, profile: Path, device_key: bytes | None, clock: Clock, *, tenant: str = "") -> Vaults:
        """Open the workstation's own vault in `profile`, and with a `tenant` (the organisation number of what nobody has
        said more of) give each person what still lies there from when all had one (`split`). Raises Problem, as
        `Vault.open` does; the device vault is locked for as long as these are open."""
        path = profile / FORMER if device_key is not None else None
        made = cls(profile, device_key, clock, await Vault.open(path, device_key, clock))
        if device_key is not None and tenant:
            from workspace.vault.split import split

            try:
                await split(made, tenant)
            except BaseException:
                await made.close()
                raise
        return made

    def device(self) -> Vault:
        """What is the workstation's: its name for itself. No person's."""
        return self._device

    @property
    def durable(self) -> bool:
        return self._device.durable

    async def open_for(self, tenant: str, user: str, name: str = "", role: str = "") -> Vault:
        """The vault of who has signed on, made on the first time, open until `close`. Raises Problem as `Vault.open` does
        (``vault-damaged``: set aside with its key, so trying again makes a new one)."""
        if self._key is None:
            vault = await Vault.open(None, None, self._clock)
            self._own.append(vault)
            return vault
        own = wraps.vault_id(self._key, tenant, user)
        async with self._opening[own]:
            wrap = await asyncio.to_thread(self._wrap_of, own, Who(tenant, user, name, role))
            return await self._hold(own, wrap)

    async def open_with(self, own: str, pin: str) -> Vault:
        """The vault `own` of who cannot sign on, when `pin` is theirs; open until `close`. Raises Problem ``pin-wrong``,
        ``pin-spent`` or ``pin-none`` (see `pin`), or as `visit` does."""
        from workspace.vault.pin import judge

        async with self._opening[own]:
            try:
                wrap = await asyncio.to_thread(judge, self._folder, own, pin, self._device_key())
            except wraps.Damaged as damage:
                raise _gone(str(damage)) from damage
            return await self._hold(own, wrap, aside=False)

    async def set_pin(self, vault: Vault, pin: str | None) -> None:
        """From now on `pin` opens `vault`, which is open, without the platform; None: nothing does. Raises Problem
        ``pin-refused``, or ``not-durable`` where nothing is kept anyway."""
        from workspace.vault.pin import check, chosen

        own = next((own for own, (held, _) in self._held.items() if held is vault), "")
        if not own:
            raise Problem("not-durable", "Denne maskinen har ikke noe trygt sted å ta vare på en PIN.")
        if pin is not None:
            check(pin)
        key = self._device_key()

        def change() -> None:
            wrap = _known(self._folder, own, key)
            bare = replace(wrap, pin=None, spent=False)
            made = bare if pin is None else chosen(replace(bare, going=False), pin, key)
            wraps.save(self._folder, made, key)

        async with self._opening[own]:
            await asyncio.to_thread(change)

    async def person(self, vault: Vault) -> Person | None:
        """Whose `vault` is, as it stands now; None for one in memory."""
        mine = [own for own, (held, _) in self._held.items() if held is vault]
        return next((one for one in await self.others() if one.id in mine), None)

    async def leave(self, vault: Vault) -> None:
        """What `open_for` gave is used no more."""
        for own, (held, _) in list(self._held.items()):
            if held is vault:
                await self._let_go(own)

    async def others(self, *, than: Vault | None = None) -> list[Person]:
        """Everybody who has a vault here, but for whose is `than`. Who cannot be read is left out, and logged."""
        if self._key is None:
            return []
        found = await asyncio.to_thread(roster, self._profile, self._key)
        mine = {own for own, (vault, _) in self._held.items() if vault is than}
        return [person for person in found if person.id not in mine]

    async def unread(self) -> dict[str, Problem]:
        """Why the key of a vault cannot be had, by id."""
        known = {person.id for person in await self.others()}
        found = {}
        for own in sorted(file.stem for file in self._folder.glob("*.sqlite") if ASIDE not in file.name):
            if own not in known:
                try:
                    await asyncio.to_thread(_known, self._folder, own, self._device_key())
                except Problem as problem:
                    found[own] = problem
        return found

    @asynccontextmanager
    async def visit(self, person: Person) -> AsyncIterator[Vault]:
        """The person's vault, for a while. One that is damaged is left for its owner to be told of. Raises Problem."""
        async with self._opening[person.id]:
            wrap = await asyncio.to_thread(_known, self._folder, person.id, self._device_key())
            vault = await self._hold(person.id, wrap, aside=False)
        try:
            yield vault
        finally:
            await self._let_go(person.id)

    async def end(self) -> dict[str, Problem]:
        """On order: no PIN opens anything here, and each vault is `going` until its owner signs on anew. All are tried: why
        one could not be written, by id."""
        faults = {}
        for file in sorted(self._folder.glob(f"*{WRAPPED}")) if self._key is not None else ():
            async with self._opening[file.stem]:
                try:
                    await asyncio.to_thread(wraps.end, self._folder, file.stem, self._device_key())
                except Problem as problem:
                    faults[file.stem] = problem
        return faults

    async def clear(self, person: Person, waits: Callable[[Database], bool], *, ordered: bool = False) -> bool:
        """The vault of `person` and its key are gone, when it is `going` (or `ordered` to now), nobody has it open and
        nothing `waits` in it. Whether it went. Raises Problem, as `visit` does."""
        async with self._opening[person.id]:
            wrap = await asyncio.to_thread(_known, self._folder, person.id, self._device_key())
            if not (wrap.going or ordered) or person.id in self._held:
                return False
            path = self._folder / f"{person.id}.sqlite"
            vault = await Vault.open(path, wrap.key, self._clock, raw=True, aside=False)
            try:
                if await vault.run(waits):
                    return False
            finally:
                await vault.close()
            await asyncio.to_thread(wraps.remove, self._folder, person.id)
            return True

    async def close(self) -> None:
        """Everything that is open is closed, the device's last. Idempotent."""
        for vault, _ in list(self._held.values()):
            await vault.close()
        self._held.clear()
        for vault in self._own:
            await vault.close()
        await self._device.close()

    # Inside ---------------------------------------------------------------------------------------

    def _device_key(self) -> bytes:
        assert self._key is not None, "there are no others in memory"
        return self._key

    async def _hold(self, own: str, wrap: Wrap, *, aside: bool = True) -> Vault:
        vault, users = self._held.get(own, (None, 0))
        if vault is None:
            path = self._folder / f"{own}.sqlite"
            fresh = not path.exists()
            vault = await Vault.open(path, wrap.key, self._clock, raw=True, aside=aside)
            if fresh:
                await asyncio.to_thread(wraps.sync_folder, self._folder)
        self._held[own] = (vault, users + 1)
        return vault

    async def _let_go(self, own: str) -> None:
        async with self._opening[own]:  # whoever comes meanwhile waits until the file is free
            vault, users = self._held.pop(own, (None, 0))
            if vault is not None and users > 1:
                self._held[own] = (vault, users - 1)
            elif vault is not None:
                await vault.close()

    def _wrap_of(self, own: str, who: Who) -> Wrap:
        """The wrapped key of who is at the door, made when there is none. In a thread."""
        key = self._device_key()
        path = self._folder / f"{own}.sqlite"
        try:
            wrap = wraps.load(self._folder, own, key)
        except wraps.Damaged as damage:
            raise set_aside(path, self._clock, str(damage)) from damage
        if wrap is None and path.exists():
            raise set_aside(path, self._clock, "its key is not there")
        before, wrap = wrap, wrap or wraps.new(own, who)
        if who.name:  # signed on: a name may be new, wrong tries of a PIN are over, and so is an order to go
            wrap = replace(wrap, who=who, pin=wrap.pin and replace(wrap.pin, tries=0), going=False)
        if wrap != before:
            wraps.save(self._folder, wrap, key)
        return wrap


def _known(folder: Path, own: str, device_key: bytes) -> Wrap:
    try:
        wrap = wraps.load(folder, own, device_key)
    except wraps.Damaged as damage:
        raise _gone(str(damage)) from damage
    if wrap is None:
        raise _gone(own)
    return wrap


def _gone(detail: str) -> Problem:
    return Problem(
        "vault-damaged",
        "Nøkkelen til et lokalt lager på denne maskinen kan ikke leses.",
        "Den det tilhører, får beskjed ved neste innlogging. Ingenting er slettet.",
        detail,
    )
