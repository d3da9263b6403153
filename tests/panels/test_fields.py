"""What is typed is on the disk within a second of the real path, and what is on its way in a commit is no draft."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.panels.conftest import until
from workspace.broker.context import for_patient
from workspace.broker.door import Draft, DraftKey
from workspace.clock import SystemClock
from workspace.panels.acts import SENT
from workspace.panels.components import Action
from workspace.panels.fields import Fields
from workspace.record.drafts import Drafts
from workspace.vault.vault import Vault

KEY = DraftKey("311000101", "Practitioner/tone", "Patient/BEB-18", "polarvakt.note", "note")
SECRET = bytes(range(32))
WORDS = "Sov godt hele natten, våknet uthvilt."


class Kept:
    """The door's two words for drafts, over the real ones."""

    def __init__(self, drafts: Drafts) -> None:
        self.drafts = drafts

    def load_draft(self, key: DraftKey) -> Draft | None:
        kept = self.drafts.load(key.parts())
        return None if kept is None else Draft(kept.values, kept.revision, kept.saved)

    def save_draft(self, key: DraftKey, draft: Draft, then: Any = None) -> None:
        self.drafts.save(key.parts(), draft.values, draft.revision, then)


async def drafts_at(file: Path) -> tuple[Drafts, Vault]:
    vault = await Vault.open(file, SECRET, SystemClock())
    drafts = Drafts(vault, SystemClock(), tenant=KEY.tenant, user=KEY.user)
    await drafts.start()
    return drafts, vault


async def typing(file: Path) -> None:
    """A second of typing, key by key; said a second after the last one."""
    drafts, _vault = await drafts_at(file)
    door: Any = Kept(drafts)
    fields = Fields(door, KEY, SystemClock(), lambda at: None)
    for end in range(1, len(WORDS) + 1):
        fields.typed("text", WORDS[:end])
        await asyncio.sleep(0.02)
    await asyncio.sleep(0.98)
    print("a second", flush=True)
    await asyncio.sleep(60)


def test_a_second_after_the_last_key_a_killed_program_has_lost_none(tmp_path: Path) -> None:
    """Two seconds: the second itself, and a program that starts."""
    root = str(Path(__file__).parents[2])
    told = "import asyncio, sys; from pathlib import Path; from tests.panels import test_fields as own; "
    command = [sys.executable, "-c", f"{told}asyncio.run(own.typing(Path(sys.argv[1])))", str(tmp_path / "v.sqlite")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": root}, cwd=root) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == b"a second"
        process.send_signal(signal.SIGKILL)
        process.wait(10)

    async def found() -> Any:
        drafts, vault = await drafts_at(tmp_path / "v.sqlite")
        await drafts.close()
        await vault.close()
        return drafts.load(KEY.parts())

    kept = asyncio.run(found())
    assert dict(kept.values) == {"text": WORDS}


def test_a_form_that_was_emptied_is_not_called_a_saved_draft(tmp_path: Path) -> None:
    async def run() -> None:
        drafts, vault = await drafts_at(tmp_path / "v.sqlite")
        door: Any = Kept(drafts)
        told: list[str] = []
        fields = Fields(door, KEY, SystemClock(), told.append)
        fields.typed("text", "Sov")
        fields.save()
        await drafts.flush()
        assert len(told) == 1
        fields.apply({}, ["text"], fields.revision)
        await drafts.flush()
        assert (drafts.all(), len(told)) == ((), 1)
        await drafts.close()
        await vault.close()

    asyncio.run(run())


def test_how_something_is_shown_is_no_draft(tmp_path: Path) -> None:
    async def run() -> None:
        drafts, vault = await drafts_at(tmp_path / "v.sqlite")
        door: Any = Kept(drafts)
        fields = Fields(door, KEY, SystemClock(), lambda at: None)
        fields.looked("visning", "tabell")
        fields.save()
        assert drafts.all() == ()
        fields.typed("text", "Sov")
        fields.save()
        assert dict(drafts.load(KEY.parts()).values) == {"text": "Sov"}  # type: ignore[union-attr]
        assert fields.follow(KEY.parts(), {"text": "Sov godt"}) == {"text": "Sov godt"}
        assert fields.values == {"visning": "tabell", "text": "Sov godt"}
        await drafts.close()
        await vault.close()

    asyncio.run(run())


@pytest.mark.anyio
async def test_a_commit_says_what_becomes_of_the_fields_and_newer_typing_is_none_of_it(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        panel.typed("merknad", "Sov")
        b.door.commit_gate = asyncio.Event()
        act = asyncio.create_task(panel.act(Action("save")))
        await until(lambda: b.door.forms, panel)
        assert dict(b.door.forms[-1].changes) == {"puls": None, "spo2": 97}
        panel.typed("merknad", "Sov godt")
        b.door.commit_gate.set()
        assert (await act).ok
        assert dict(panel.values) == {"merknad": "Sov godt", "spo2": 97}


@pytest.mark.anyio
async def test_a_form_that_was_left_while_it_saved_does_not_undo_what_was_typed_in_its_next_opening(bench: Any) -> None:
    async with bench("good") as b:
        first = for_patient("Patient/BEB-18")
        panel, _ = await b.shown("good", first)
        panel.typed("puls", 82)
        b.door.commit_gate = asyncio.Event()
        act = asyncio.create_task(panel.act(Action("save")))
        await until(lambda: b.door.forms, panel)
        await b.host.end_context(first)
        again, _ = await b.shown("good", for_patient("Patient/BEB-18"))
        again.typed("puls", 90)
        await until(lambda: [dict(one.values) for one in b.door.drafts.values()] == [{"puls": 90}], again)
        b.door.commit_gate.set()
        await act
        assert [dict(one.values) for one in b.door.drafts.values()] == [{"puls": 90}]


@pytest.mark.anyio
async def test_what_was_sent_from_the_list_meanwhile_is_not_saved_a_second_time(bench: Any) -> None:
    async with bench("good") as b:
        panel, _ = await b.shown("good")
        panel.typed("puls", 82)
        panel.typed("merknad", "Sov")
        act = asyncio.create_task(panel.act(Action("save")))
        while panel.acts._answering is None:  # noqa: ASYNC110 - before the panel can have answered
            await asyncio.sleep(0)
        about = ("fjellheim", "Practitioner/tone", "Patient/BEB-18", panel.info.package, panel.info.view, "", "1")
        assert panel.exchange((*about[:6], "2"), {"puls": 82}, {"puls": None}) == (), "another form's"
        assert panel.exchange(about, {"puls": 82, "merknad": "S"}, {"puls": None, "merknad": None}) == ("puls",)
        outcome = await act
        assert (outcome.ok, outcome.problem, b.door.forms) == (False, SENT, [])
        assert dict(panel.values) == {"merknad": "Sov"}
        assert [dict(one.values) for one in b.door.drafts.values()] == [{"merknad": "Sov"}]
        assert (await panel.act(Action("save"))).ok, "what is left can be saved"
