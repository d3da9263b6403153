from __future__ import annotations

import os
import stat

import pytest

from workspace.problem import Problem
from workspace.sandbox.folder import Folder, Lock, read_json, write_json


def test_only_one_holds_a_folder_and_anyone_can_see_it(tmp_path):
    folder = Folder(tmp_path)
    assert not folder.is_held()
    lock = Lock.take(folder)
    assert lock is not None
    assert folder.is_held()
    assert Lock.take(folder) is None
    lock.release()
    lock.release()
    assert not folder.is_held()


def test_a_folder_is_made_for_its_owner_only(tmp_path):
    folder = Folder(tmp_path / "a" / "sandbox")
    folder.make()
    write_json(folder.running, {"url": "http://127.0.0.1:1", "pid": 1})
    assert stat.S_IMODE(os.stat(folder.path).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(folder.running).st_mode) == 0o600
    assert os.listdir(folder.path) == ["running.json"]


def test_a_folder_that_cannot_be_made_is_a_plain_problem(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Problem) as caught:
        Folder(tmp_path / "file" / "sandbox").make()
    assert caught.value.code == "sandbox-folder"


def test_setting_aside_never_writes_over_an_earlier_one(tmp_path):
    folder = Folder(tmp_path)
    kept = []
    for content in ("first", "second", "third"):
        folder.seed.write_text(content)
        kept.append(folder.set_aside(folder.seed, "20260114-144500"))
    assert [path.read_text() for path in kept] == ["first", "second", "third"]
    assert folder.set_aside(folder.seed, "20260114-144500") is None


def test_a_half_written_file_reads_as_nothing(tmp_path):
    path = tmp_path / "some.json"
    assert read_json(path) == {}
    path.write_text('{"url": ')
    assert read_json(path) == {}
    path.write_text("[1]")
    assert read_json(path) == {}
