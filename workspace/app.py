"""Wires the rooms together: the only place that knows them all. Free of Qt, which stays in `shell`.

What is heavy is imported when it is needed, never at the top: the window must be painted first.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workspace import settings as settings_room
from workspace.problem import Problem
from workspace.shell.options import Options, Progress, Rooms
from workspace.shell.start import run as start

if TYPE_CHECKING:
    from workspace.clock import Clock, OffsetClock


def run(options: Options) -> int:
    """Open the window and stay until it is closed (or, headless, until all is shown). Returns the exit code."""
    return start(
        options, Rooms(stages, ground, discover, sign_on, open_shift, deliver_unattended, away, sign_on_offline)
    )


# --- before anybody has signed on ---


@dataclass(frozen=True, slots=True)
class Installed:
    """The panels that are here: by id, what is wrong with the others, which were used here last, and what they stand on."""

    packages: dict[str, Any]
    broken: list[Problem]
    last_used: tuple[str, ...]
    survey: Any


def stages(options: Options) -> list[tuple[str, Callable[[], Any]]]:
    """What takes tens of milliseconds to import, in the order in which it is needed."""
    return [
        ("panels", lambda: _panels(options.profile)),
        ("http", _http),
        ("sign-on", _sign_on),
        ("work", _work),
    ]


def _panels(profile: Path) -> Installed:
    from workspace.panels import manifest
    from workspace.panels.ground import survey

    packages, broken = manifest.discover(settings_room.ROOT / "plugins")
    installed, more = _installed(profile)
    every, used = packages | installed, _last_used(profile)
    return Installed(every, broken + more, used, survey(every[name] for name in used if name in every))


def _installed(profile: Path) -> tuple[dict[str, Any], list[Problem]]:
    """The packages installed in this profile, each unchanged and still trusted; one that is also in ``plugins/`` is an
    update of it. Nothing is imported where nothing is installed."""
    folder = profile / settings_room.PANELS
    if not folder.is_dir():
        return {}, []
    from workspace.panels.conformance.install import Store, Trust

    try:
        known = settings_room.load(profile)
    except Problem as problem:
        return {}, [problem]
    return Store(folder, Trust(known.trusted_keys, sandbox=not known.platform)).packages()


def _http() -> None:
    import_module("workspace.signon.platform")
    from workspace.signon import wire

    wire.load()


def _sign_on() -> None:
    for name in ("workspace.signon.login", "workspace.record.clocks", "joserfc.jwt"):
        import_module(name)


def _work() -> None:
    rooms = ("broker.broker", "layouts.role", "panels.host", "record.directory", "vault.keys", "vault.split", "away")
    for name in rooms:
        import_module(f"workspace.{name}")
    for name in ("apsw", "cryptography.hazmat.primitives.ciphers.aead"):
        import_module(name)
    from workspace.fhir import parameters

    parameters.types()  # reads its table, once


async def ground(installed: Installed) -> Any:
    """What panels stand on, with the spares of those that were used here last on their way."""
    from workspace.clock import SystemClock
    from workspace.panels.confinement import Policy
    from workspace.panels.ground import Ground

    return Ground(installed.packages, clock=SystemClock(), policy=Policy(), survey=installed.survey)


LAST_USED = "last-used.json"
"""In the profile: ids of packages, which are no secret; the next start has their processes ready."""


def _last_used(profile: Path) -> tuple[str, ...]:
    try:
        known = json.loads((profile / LAST_USED).read_bytes())
    except (OSError, ValueError):
        return ()
    return tuple(name for name in known if isinstance(name, str)) if isinstance(known, list) else ()


def _remember(profile: Path, packages: list[str]) -> None:
    if tuple(packages) != _last_used(profile):
        with contextlib.suppress(OSError):  # the next start is slower, that is all
            (profile / LAST_USED).write_text(json.dumps(packages))


# --- signing on ---


@dataclass(slots=True)
class Signed:
    """Somebody is signed on: the session, and a client that speaks for it on the platform, whose time it is."""

    session: Any
    client: Any
    clock: OffsetClock
    vaults: Any = None
    vault: Any = None
    """Open already when a PIN has opened them; else `open_shift` does."""


class Later:
    """The tokens of a session that is still being made: what needs none can be asked before."""

    def __init__(self) -> None:
        self.session: Any = None

    async def access_token(self, *, force: bool = False) -> str:
        if self.session is None:
            raise Problem("signed-out", "Ingen er logget inn.", "Logg inn.")
        return str(await self.session.access_token(force=force))


async def discover(address: str) -> Any:
    """The platform at `address`. Raises Problem."""
    from workspace.signon.platform import discover_platform

    return await discover_platform(address)


async def sign_on(platform: Any, browser: Callable[[str], Any]) -> Signed:
    """Let a person sign on in `browser`; the platform's time, which is no secret, is asked meanwhile. Raises Problem."""
    import asyncio

    from workspace.clock import SystemClock
    from workspace.record.client import Client
    from workspace.record.clocks import read_clock
    from workspace.signon.login import login

    later = Later()
    client = Client(platform, later)
    own = SystemClock()
    began = own.monotonic()
    asking = asyncio.ensure_future(read_clock(client))
    session = None
    try:
        session = await login(platform, open_browser=browser, clock=own)
        told = await asking
        if own.monotonic() - began > FRESH:
            told = await read_clock(client, into=told.clock)
        if told.skew is not None:
            raise told.skew
    except BaseException:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        if session is not None:
            await session.aclose()
        await client.aclose()
        raise
    later.session = session
    return Signed(session, client, told.clock)


async def away(options: Options) -> list[Any]:
    """Who may open their work here by PIN while nobody can sign on. Raises nothing."""
    from workspace.away import people

    return await people(options.profile)


async def sign_on_offline(options: Options, own: str, pin: str) -> tuple[Any, Signed]:
    """The platform as it was at the last sign-on, and the person whose vault is `own` at work without it. Raises Problem."""
    from functools import partial

    from workspace.away import open_with_pin
    from workspace.record import client as client_room
    from workspace.signon.offline import OfflineSession
    from workspace.signon.provider import provider_answers

    opened = await open_with_pin(options.profile, own, pin)

    async def look() -> None:
        await discover(opened.platform.base_url)
        await provider_answers(opened.platform.issuer, opened.clock)

    session = OfflineSession(opened.subject, away=partial(client_room.away, "nobody has signed on"), look=look)
    session.start()
    client = client_room.Client(opened.platform, session)
    return opened.platform, Signed(session, client, opened.clock, opened.vaults, opened.vault)


FRESH = 10.0
"""Seconds after which a time that was told is asked again: this machine may have slept."""


# --- the work ---


async def open_shift(
    options: Options, known: settings_room.Settings, platform: Any, signed: Signed, ground: Any
) -> Any:
    """Make every room of this session. Raises Problem; what was made by then is closed again."""
    import asyncio

    from workspace.away import remember
    from workspace.broker.broker import Broker
    from workspace.layouts import role as roles
    from workspace.layouts.document import placements
    from workspace.panels.confinement import Policy
    from workspace.panels.host import PanelHost
    from workspace.record.abilities import Abilities
    from workspace.record.clocks import Keeping
    from workspace.record.delivery import Courier
    from workspace.record.directory import Directory
    from workspace.record.drafts import Drafts
    from workspace.record.draftsync import DraftSync, workstation
    from workspace.record.offline import Offline
    from workspace.record.orders import Orders
    from workspace.record.outbox import Outbox
    from workspace.record.record import Record
    from workspace.record.registration import Registration
    from workspace.record.tally import Tally
    from workspace.shell.shift import Shift
    from workspace.vault.keys import vaults_in

    subject, client, clock = signed.session.subject, signed.client, signed.clock
    tenant, user = platform.organization_number, subject.fhir_user
    record = Record(client, clock=clock, user=user)
    directory = Directory(record, clock)
    units = asyncio.ensure_future(_units(record, directory, user))
    try:
        if signed.vault is None:
            signed.vaults = await _open_vaults(options, known, platform, clock)
            signed.vault = await _own_vault(signed.vaults, tenant, subject)
        vaults, vault = signed.vaults, signed.vault
    except BaseException:
        units.cancel()
        await asyncio.gather(units, return_exceptions=True)
        if signed.vaults is not None:
            await signed.vaults.close()
        await record.close()
        await client.aclose()
        await signed.session.aclose()
        raise
    drafts = Drafts(vault, clock, tenant=tenant, user=user)
    device = await workstation(vaults.device())
    DraftSync(drafts, client, device=device)
    outbox = Outbox(vault, client, clock, user=user, delivered=record.apply, away=record.is_away)
    registration = Registration(outbox, vault, client, device=device)
    courier = Courier(vaults, client, own=vault, pause=outbox.pause)
    tally = Tally(clock, vault, user=user)
    offline = Offline(vault, client, clock, user=user, vaults=vaults)
    orders = Orders(client, offline, device=device)
    record.on_order(orders.heard)
    record.on_service(lambda state: orders.heard() if state.state == "ok" else None)
    abilities = Abilities(client)
    record.on_service(abilities.served)
    keeping = Keeping(client, clock)
    record.on_service(keeping.served)
    broker = Broker(
        record, outbox, drafts, client, clock, user=user, tenant=tenant, tally=tally, offline=offline, vault=vault
    )  # fmt: skip
    policy = Policy(allow_unconfined=platform.sandbox and known.allow_unconfined)
    who = {"reference": user, "display": subject.name, "role": subject.role}
    host = PanelHost(broker, ground.packages, clock=clock, policy=policy, user=who, tenant=tenant, ground=ground)
    host.keep_in(options.profile)
    layout, faults = roles.choose(settings_room.ROOT / "resources" / "layouts", subject.role)
    if layout is None:
        views = ((p.id, view.id, view.context) for p in ground.packages.values() for view in p.views)
        layout = roles.fallback(views)
    used = [place.package for activity in layout.activities for place in placements(activity.tree)]
    await asyncio.gather(
        drafts.start(),
        outbox.start(),
        tally.start(),
        offline.start(),
        registration.start(),
        courier.start(),
        abilities.start(),
        keeping.start(),
        *([remember(vaults, vault, platform, subject, clock)] if signed.session.joined else []),
        asyncio.to_thread(_remember, options.profile, list(dict.fromkeys(used))),
    )
    orders.start()
    return Shift(
        session=signed.session, client=client, vault=vault, record=record, outbox=outbox, drafts=drafts, broker=broker,
        host=host, clock=clock, directory=directory, layout=layout, units_asked=units, problems=list(faults), orders=orders,
        errands=[registration, courier, abilities, keeping], abilities=abilities, vaults=vaults,
        keyless=not vault.durable and vaults_in(options.profile),
    )  # fmt: skip


@dataclass(slots=True)
class Unattended:
    """What those who have left wrote here goes out while nobody is signed in."""

    vaults: Any
    client: Any
    courier: Any

    async def close(self) -> None:
        await self.courier.close()
        await self.vaults.close()
        await self.client.aclose()


async def deliver_unattended(options: Options, known: settings_room.Settings, platform: Any) -> Unattended | None:
    """Begin to deliver; to be closed before anybody signs on. None when nothing was ever written here. Raises Problem."""
    from workspace.clock import SystemClock
    from workspace.record.client import Client
    from workspace.record.delivery import Courier

    if not (options.profile / "vault.sqlite").exists():
        return None
    vaults = await _open_vaults(options, known, platform, SystemClock())
    client = Client(platform, Later())
    courier = Courier(vaults, client)
    await courier.start()
    return Unattended(vaults, client, courier)


async def _units(record: Any, directory: Any, user: str) -> Any:
    """The user's units, asked as soon as the change feed stands: what is asked before it might be missed."""
    await record.start()
    return await directory.units(user)


async def _open_vaults(options: Options, known: settings_room.Settings, platform: Any, clock: Clock) -> Any:
    import asyncio

    from workspace.vault.keys import device_key
    from workspace.vault.people import Vaults

    options.profile.mkdir(parents=True, exist_ok=True)
    allowed = platform.sandbox or known.allow_key_file
    key = await asyncio.to_thread(device_key, options.profile, allow_key_file=allowed)
    return await Vaults.open(options.profile, key.key, clock, tenant=platform.organization_number)


async def _own_vault(vaults: Any, tenant: str, subject: Any) -> Any:
    try:
        return await vaults.open_for(tenant, subject.fhir_user, subject.name, subject.role)
    except BaseException:
        await vaults.close()
        raise


def doctor(profile: Path, *, as_json: bool) -> int:
    """What works here, in words or as JSON. Returns 1 when something that is needed does not."""
    import platform
    from importlib.metadata import version

    from workspace.panels import confinement, selftest
    from workspace.vault import keys

    tier = confinement.probe()
    ring = keys.safe_keyring()
    rows = {
        "python": platform.python_version(),
        "pyside6": version("PySide6_Essentials"),
        "confinement": tier.name,
        "confinement_why": tier.why,
        "confinement_denies": {one.name: one.denied for one in tier.denials},
        "windows_tier": "skrevet, men ikke prøvd; brukes ikke",
        "keyring": type(ring).__module__ if ring is not None else "ingen trygg nøkkelring",
        "profile": "kan skrives" if _writable(profile) else "kan ikke skrives",
    }
    rows["platform"], answers = _platform(profile)
    walls = [f"{'stengt' if one.denied else 'ÅPENT':8} {selftest.NAMES[one.name]}" for one in tier.denials]
    shown = {name: value for name, value in rows.items() if name not in ("confinement_denies",) and value}
    lines = [f"{name:16} {value}" for name, value in shown.items()] + [f"{'':16} {wall}" for wall in walls]
    sys.stdout.write((json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines)) + "\n")
    return 0 if rows["profile"] == "kan skrives" and answers else 1


def _platform(profile: Path) -> tuple[str, bool]:
    """What the configured platform says that it can do, and whether all that is needed is there. Signs nobody on."""
    import asyncio

    from workspace.fhir.capability import lacking
    from workspace.signon.platform import discover_platform
    from workspace.signon.wire import Unreachable, json_object, new_client, send

    async def statement(address: str) -> dict[str, Any]:
        platform = await discover_platform(address)
        async with new_client(platform.fhir) as client:
            return json_object(await send(client, "GET", f"{platform.fhir.rstrip('/')}/metadata")) or {}

    try:
        address = settings_room.load(profile).platform
        if not address:
            return "ikke satt opp: bare sandkassen", True
        found = asyncio.run(statement(address))
    except Problem as problem:
        return str(problem), False
    except Unreachable as gone:
        return f"beskriver ikke seg selv: {gone.reason}", False
    if found.get("resourceType") != "CapabilityStatement":
        return "beskriver ikke hva den kan", True
    lacks = lacking(found)
    return (f"mangler {'; '.join(lacks)}" if lacks else "har det arbeidsflaten trenger"), not lacks


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True


__all__ = ["Options", "Progress", "doctor", "run"]
