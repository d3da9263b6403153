"""Wires the rooms together: the only place that knows them all. Free of Qt, which stays in `shell`.

What is heavy is imported when it is needed, never at the top: the window must be painted first.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from workspace import settings as settings_room
from workspace.shell.options import Options, Progress, Rooms
from workspace.shell.start import run as start


def run(options: Options) -> int:
    """Open the window and stay until it is closed (or, headless, until all is shown). Returns the exit code."""
    return start(options, Rooms(prepare, open_shift))


def prepare() -> None:
    """Import what takes tens of milliseconds each, off the event loop."""

    import workspace.broker.broker
    import workspace.panels.host
    import workspace.record.directory
    import workspace.signon.login
    import workspace.vault.vault  # noqa: F401


async def open_shift(options: Options, known: settings_room.Settings, platform: Any, session: Any) -> Any:
    """Make every room of this session. Raises Problem; what was made by then is closed again by the caller's end."""
    from workspace.broker.broker import Broker
    from workspace.layouts import role as roles
    from workspace.layouts.document import placements
    from workspace.panels import manifest
    from workspace.panels.confinement import Policy
    from workspace.panels.host import PanelHost
    from workspace.record.client import Client
    from workspace.record.clocks import read_clock
    from workspace.record.directory import Directory
    from workspace.record.drafts import Drafts
    from workspace.record.outbox import Outbox
    from workspace.record.record import Record
    from workspace.shell.desk import Shift
    from workspace.vault.keys import vault_key
    from workspace.vault.vault import Vault

    subject = session.subject
    client = Client(platform, session)
    told = await read_clock(client)
    if told.skew is not None:
        await client.aclose()
        raise told.skew
    clock = told.clock
    options.profile.mkdir(parents=True, exist_ok=True)
    key = await asyncio.to_thread(vault_key, options.profile, allow_key_file=platform.sandbox or known.allow_key_file)
    path = options.profile / "vault.sqlite" if key.key is not None else None
    vault = await Vault.open(path, key.key, clock)
    tenant, user = platform.organization_number, subject.fhir_user
    drafts = Drafts(vault, clock, tenant=tenant, user=user)
    record = Record(client, clock=clock, user=user, drafts=drafts)
    outbox = Outbox(vault, client, clock, user=user, delivered=record.apply)
    broker = Broker(record, outbox, drafts, client, clock, user=user, tenant=tenant)
    packages, broken = manifest.discover(settings_room.ROOT / "plugins")
    policy = Policy(allow_unconfined=platform.sandbox and known.allow_unconfined)
    who = {"reference": user, "display": subject.name, "role": subject.role}
    host = PanelHost(broker, packages, clock=clock, policy=policy, user=who, tenant=tenant)
    layout, faults = roles.choose(settings_room.ROOT / "resources" / "layouts", subject.role)
    if layout is None:
        layout = roles.fallback((p.id, view.id, view.context) for p in packages.values() for view in p.views)
    first = {place.package for place in placements(layout.activities[0].tree)}  # the others are warmed behind
    await asyncio.gather(host.warm(first), record.start(), drafts.start(), outbox.start())
    return Shift(
        session=session, client=client, vault=vault, record=record, outbox=outbox, drafts=drafts, broker=broker,
        host=host, clock=clock, directory=Directory(record, clock), layout=layout,
        problems=[*broken, *faults],
    )  # fmt: skip


def doctor(profile: Path, *, as_json: bool) -> int:
    """What works here, in words or as JSON. Returns 1 when something that is needed does not."""
    import platform
    from importlib.metadata import version

    from workspace.panels import confinement
    from workspace.vault import keys

    tier = confinement.probe()
    ring = keys.safe_keyring()
    rows = {
        "python": platform.python_version(),
        "pyside6": version("PySide6_Essentials"),
        "confinement": str(getattr(tier, "name", tier)),
        "keyring": type(ring).__module__ if ring is not None else "ingen trygg nøkkelring",
        "profile": "kan skrives" if _writable(profile) else "kan ikke skrives",
    }
    lines = [f"{name:12} {value}" for name, value in rows.items()]
    sys.stdout.write((json.dumps(rows, ensure_ascii=False) if as_json else "\n".join(lines)) + "\n")
    return 0 if rows["profile"] == "kan skrives" else 1


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return False
    return True


__all__ = ["Options", "Progress", "doctor", "open_shift", "prepare", "run"]
