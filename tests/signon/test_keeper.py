"""Only a safe keyring keeps a refresh token; the others are treated as none."""

from __future__ import annotations

import asyncio

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import SecretService
from keyring.backends.fail import Keyring as NoKeyring
from keyring.errors import KeyringError

from workspace.signon.keeper import KeyringKeeper, MemoryKeeper, find_keeper, is_safe_backend


class PlainText(KeyringBackend):
    priority = 1

    def __init__(self, broken: bool = False) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.broken = broken

    def get_password(self, service, username):
        return self.kept.get((service, username))

    def set_password(self, service, username, password):
        if self.broken:
            raise KeyringError("locked")
        self.kept[service, username] = password

    def delete_password(self, service, username):
        if (service, username) not in self.kept:
            raise KeyringError("not there")
        del self.kept[service, username]


class SafeInAChain:
    def __init__(self) -> None:
        self.backends = [PlainText(), SecretService.Keyring()]


@pytest.mark.parametrize("backend", [PlainText, NoKeyring])
def test_an_unsafe_keyring_is_not_used(monkeypatch, backend):
    monkeypatch.setattr(keyring, "get_keyring", backend)
    keeper = asyncio.run(find_keeper())
    assert isinstance(keeper, MemoryKeeper)
    assert not keeper.durable


def test_the_safe_one_is_taken_out_of_a_chain(monkeypatch):
    monkeypatch.setattr(keyring, "get_keyring", SafeInAChain)
    keeper = asyncio.run(find_keeper())
    assert isinstance(keeper, KeyringKeeper)
    assert keeper.durable
    assert is_safe_backend(keeper._backend)


def test_a_heir_of_a_safe_backend_is_not_trusted():
    class Heir(SecretService.Keyring):
        pass

    assert not is_safe_backend(Heir())


@pytest.mark.parametrize("keeper", [MemoryKeeper(), KeyringKeeper(PlainText())])
def test_keeping_and_forgetting(keeper):
    async def scene():
        assert await keeper.load("a") == ""
        await keeper.save("a", "secret")
        await keeper.save("a", "newer")
        assert await keeper.load("a") == "newer"
        await keeper.forget("a")
        await keeper.forget("a")
        return await keeper.load("a")

    assert asyncio.run(scene()) == ""


def test_a_keyring_that_will_not_save_does_not_keep_the_spent_token():
    backend = PlainText()
    keeper = KeyringKeeper(backend)

    async def scene():
        await keeper.save("a", "old")
        backend.broken = True
        await keeper.save("a", "new")
        return await keeper.load("a")

    assert asyncio.run(scene()) == ""
