"""Panels that want out: to the network, to files, to other processes, or to all of the machine."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.attacks.conftest import refused, until
from workspace.shell import frame as shell_module

INTERPRETER = Path(sys.base_prefix).resolve()


def stopped(found):
    assert {way: answer for way, answer in found.items() if not str(answer).startswith("nei")} == {}


@refused("bubblewrap")
async def test_it_opens_a_socket(ward):
    name = secrets.token_hex(8)
    port = int(ward.server.url.rpartition(":")[2])
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as listener:
        listener.bind("\0" + name)
        listener.listen()
        caller = await ward.shown("opens_a_socket")
        stopped(await caller.found(port=port, abstract=name))


@refused("bubblewrap")
async def test_it_reads_files_environment_and_the_neighbours_package(ward, bystander, monkeypatch):
    monkeypatch.setenv("WORKSPACE_SECRET", "hemmelig")
    burglar = await ward.shown("reads_files")
    found = await burglar.found(secret=bystander.secret, neighbour=bystander.neighbour, shell=shell_module.__file__)
    way = INTERPRETER  # its own folder is shown, and the names on the way to it
    for folder in (one for one in way.parents if f"list {one}" in found["tried"]):
        step = way.relative_to(folder).parts[0]
        assert found["tried"].pop(f"list {folder}") in (f"ja: ['{step}']", "nei: FileNotFoundError")
    stopped(found["tried"])
    seen = found["seen"]
    assert set(seen["env"]) <= {"PWD", "LC_CTYPE"}
    assert set(seen["around"]) <= {"panel.toml", "panel.py", "bare.py", "__pycache__"}
    assert not {"home", "root", "etc", "var", "mnt", "srv", "sys"} - {way.parts[1]} & set(seen["folders"])
    assert set(seen["path"]) == {"/panel", "/sdk"}


@refused("bubblewrap")
async def test_it_finds_and_ends_other_processes(ward):
    killer = await ward.shown("sees_processes")
    found = await killer.found(shell=os.getpid())
    assert found.pop("own number is small")
    assert found.pop("parent") in (0, 1)
    stopped(found)


@refused("bubblewrap")
async def test_it_breaks_out(ward):
    escaper = await ward.shown("breaks_out")
    stopped(await escaper.found())


@refused("bubblewrap")
async def test_it_forks_without_end(ward):
    bomb = await ward.shown("fork_bomb")
    pid = bomb.panel.pid
    assert await bomb.found() == {"made": 0}
    assert bomb.panel.pid == pid
    assert len(psutil.Process().children(recursive=True)) < 40


@refused("bubblewrap")
async def test_it_makes_threads_without_end(ward):
    bomb = await ward.shown("thread_bomb")
    pid = bomb.panel.pid
    await bomb.act()
    assert "for mange prosesser" in await bomb.ended(pid=pid)


@refused("bubblewrap")
@pytest.mark.parametrize("how", ["own", "shared", "nameless"])
async def test_it_fills_the_memory(ward, how):
    hog = await ward.shown("fills_memory")
    pid = hog.panel.pid
    before = psutil.virtual_memory().available
    if how == "nameless":
        found = await hog.found(how=how)
        assert found["nameless"].startswith("nei")
        assert found["kept"] <= 64
    else:
        assert not (await hog.act(how=how)).ok
        assert "for mye minne" in await hog.ended(pid=pid)
    used = before - psutil.virtual_memory().available
    assert used < 1500 << 20


@refused("bubblewrap")
async def test_it_fills_the_disk(ward):
    filler = await ward.shown("fills_disk")
    stopped(await filler.found())


@refused("bubblewrap")
async def test_it_leaves_children_behind(ward):
    parent = await ward.shown("leaves_children")
    family = psutil.Process(parent.panel.pid).children(recursive=True)
    await parent.act()
    family += psutil.Process(parent.panel.pid).children(recursive=True)
    await parent.panel.close()
    await until(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])


@refused("bubblewrap")
async def test_it_burns_the_processor(ward, monkeypatch):
    monkeypatch.setattr("workspace.panels.watching.BURN_SECONDS", 0.5)
    monkeypatch.setattr("workspace.panels.watching.BURN_RATE", 0.01)  # a busy machine may give it little
    monkeypatch.setattr("workspace.panels.watching.CALM", 0.5)
    burner = await ward.shown("burns_the_processor")
    pid = burner.panel.pid
    await burner.act()
    assert "for mye regnekraft" in await burner.ended(pid=pid)


@refused("bubblewrap")
async def test_it_keeps_the_patient_for_the_next(ward):
    from workspace.broker.context import for_patient

    seen = []
    for who in ("Patient/BEB-18", "Patient/BEB-19", "Patient/BEB-18"):
        context = for_patient(who)
        gossip = await ward.shown("keeps_the_patient", context=context)
        seen.append((gossip.panel.pid, gossip.panel.nodes["t"].component.text.partition(", nummer")[0]))
        await ward.host.end_context(context)
    assert [words for _pid, words in seen] == ["før: []"] * 3
    assert len({pid for pid, _ in seen}) == 3


@refused("bubblewrap")
async def test_it_will_not_go(ward):
    stayer = await ward.shown("ignores_the_end")
    family = [psutil.Process(stayer.panel.pid), *psutil.Process(stayer.panel.pid).children(recursive=True)]
    began = time.monotonic()
    await stayer.panel.close()
    await until(lambda: not [one for one in family if one.is_running() and one.status() != psutil.STATUS_ZOMBIE])
    assert time.monotonic() - began < 5
