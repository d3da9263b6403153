"""Where the key is kept: a safe keyring, a file for synthetic data only, else nowhere."""

from __future__ import annotations

import os

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from workspace.problem import Problem
from workspace.vault.keys import device_key

HERE = frozenset({__name__})


class Ring(KeyringBackend):
    """A keyring in memory."""

    priority = 1

    def __init__(self):
        super().__init__()
        self.held, self.locked = {}, False

    def get_password(self, service, username):
        if self.locked:
            raise KeyringLocked("locked")
        return self.held.get((service, username))

    def set_password(self, service, username, password):
        self.held[service, username] = password

    def delete_password(self, service, username):
        del self.held[service, username]


@pytest.fixture
def ring(monkeypatch):
    made = Ring()
    monkeypatch.setattr(keyring, "get_keyring", lambda: made)
    return made


def test_a_safe_keyring_keeps_a_key_for_each_profile(ring, tmp_path):
    first = device_key(tmp_path / "a", safe=HERE)
    assert (first.kept, len(first.key)) == ("keyring", 32)
    assert device_key(tmp_path / "a", safe=HERE) == first
    assert device_key(tmp_path / "b", safe=HERE).key != first.key
    assert list(tmp_path.iterdir()) == []


def test_a_keyring_that_is_not_known_as_safe_is_never_used(ring, tmp_path):
    assert device_key(tmp_path) == device_key(tmp_path, allow_key_file=False)
    assert device_key(tmp_path).kept == "nowhere"
    assert ring.held == {}


def test_a_file_is_for_synthetic_data_only_and_its_owner_alone_reads_it(ring, tmp_path):
    made = device_key(tmp_path, allow_key_file=True)
    assert made.kept == "file"
    assert device_key(tmp_path, allow_key_file=True) == made
    assert device_key(tmp_path).key is None
    assert os.name != "posix" or (tmp_path / "vault.key").stat().st_mode & 0o077 == 0


def test_a_locked_keyring_does_not_lead_to_a_new_key_for_an_old_vault(ring, tmp_path):
    device_key(tmp_path, allow_key_file=True, safe=HERE)
    (tmp_path / "vault.sqlite").touch()
    ring.locked = True
    assert device_key(tmp_path, allow_key_file=True, safe=HERE).kept == "nowhere"
    assert not (tmp_path / "vault.key").exists()


@pytest.mark.parametrize("kept", ["vault.sqlite", "vaults/0a.person"])
def test_a_keyring_that_has_lost_the_key_gets_no_new_one_for_an_old_vault(ring, tmp_path, kept):
    first = device_key(tmp_path, safe=HERE)
    (tmp_path / kept).parent.mkdir(exist_ok=True)
    (tmp_path / kept).touch()
    lost, ring.held = ring.held, {}
    assert device_key(tmp_path, allow_key_file=True, safe=HERE).kept == "nowhere"
    assert ring.held == {}
    ring.held = lost
    assert device_key(tmp_path, safe=HERE) == first


@pytest.mark.parametrize("text", ["", "xyz", "00" * 31])
def test_a_damaged_key_file_is_told_and_left(ring, tmp_path, text):
    (tmp_path / "vault.key").write_text(text)
    with pytest.raises(Problem) as caught:
        device_key(tmp_path, allow_key_file=True)
    assert caught.value.code == "key-file-damaged"
    assert (tmp_path / "vault.key").read_text() == text
