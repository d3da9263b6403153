"""Opening a shift: the rooms of one signed-in session, made in order. Part of `app`."""

from __future__ import annotations

import asyncio
from typing import Any

from workspace import settings as settings_room
from workspace.app import Options
from workspace.broker.broker import Broker
from workspace.desk import Shift
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
from workspace.vault.keys import vault_key
from workspace.vault.vault import Vault


async def open_shift(options: Options, known: settings_room.Settings, platform: Any, session: Any) -> Shift:
    """Make every room of this session. Raises Problem; what was made by then is closed again by the caller's end."""
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
    layout, _problems = roles.choose(settings_room.ROOT / "resources" / "layouts", subject.role)
    if layout is None:
        layout = roles.fallback((p.id, view.id, view.context) for p in packages.values() for view in p.views)
    wanted = {place.package for activity in layout.activities for place in placements(activity.tree)}
    await asyncio.gather(host.warm(wanted), record.start(), drafts.start(), outbox.start())
    del broken
    return Shift(
        session=session, client=client, vault=vault, record=record, outbox=outbox, drafts=drafts, broker=broker,
        host=host, clock=clock, directory=Directory(record, clock), layout=layout,
    )  # fmt: skip
