"""Where a refresh token rests between starts: the OS keyring when it is a safe one, else memory.

Only back ends that encrypt under the user's login are allowed; one that writes plain text is as good as none.
`keyring` is imported at first use, never at start. Never keeps an access token.
"""

from __future__ import annotations

import asyncio
from typing import Any, Protocol

SERVICE = "clinician-workspace"

ALLOWED = frozenset(
    {
        "keyring.backends.SecretService.Keyring",
        "keyring.backends.libsecret.Keyring",
        "keyring.backends.kwallet.DBusKeyring",
        "keyring.backends.macOS.Keyring",
        "keyring.backends.Windows.WinVaultKeyring",
    }
)


class Keeper(Protocol):
    """Keeps one secret text a name. Losing one costs a sign-on, so no method raises for a failing keyring."""

    @property
    def durable(self) -> bool:
        """Whether it survives the end of the program."""
        ...

    async def load(self, name: str) -> str:
        """The secret, empty when there is none."""
        ...

    async def save(self, name: str, secret: str) -> None:
        """Keep `secret`, instead of any former one."""
        ...

    async def forget(self, name: str) -> None:
        """Remove the secret; nothing happens when there is none."""
        ...


class MemoryKeeper:
    """Keeps secrets as long as the program runs."""

    durable = False

    def __init__(self) -> None:
        self._secrets: dict[str, str] = {}

    async def load(self, name: str) -> str:
        return self._secrets.get(name, "")

    async def save(self, name: str, secret: str) -> None:
        self._secrets[name] = secret

    async def forget(self, name: str) -> None:
        self._secrets.pop(name, None)


class KeyringKeeper:
    """Keeps secrets in one back end of `keyring`. It blocks, so each call runs in a thread."""

    durable = True

    def __init__(self, backend: Any, service: str = SERVICE) -> None:
        self._backend = backend
        self._service = service

    async def load(self, name: str) -> str:
        return await asyncio.to_thread(self._load, name)

    async def save(self, name: str, secret: str) -> None:
        await asyncio.to_thread(self._save, name, secret)

    async def forget(self, name: str) -> None:
        await asyncio.to_thread(self._forget, name)

    def _load(self, name: str) -> str:
        from keyring.errors import KeyringError

        try:
            return self._backend.get_password(self._service, name) or ""
        except (KeyringError, OSError):
            return ""

    def _save(self, name: str, secret: str) -> None:
        from keyring.errors import KeyringError

        try:
            self._backend.set_password(self._service, name, secret)
        except (KeyringError, OSError):
            # The former token is spent by now: offering it again would end the whole session.
            self._forget(name)

    def _forget(self, name: str) -> None:
        from keyring.errors import KeyringError

        try:
            self._backend.delete_password(self._service, name)
        except (KeyringError, OSError):
            return


def is_safe_backend(backend: object) -> bool:
    """Whether `backend` is on the allow list, by the exact class."""
    kind = type(backend)
    return f"{kind.__module__}.{kind.__qualname__}" in ALLOWED


async def find_keeper() -> Keeper:
    """The best keeper this machine has."""
    return await asyncio.to_thread(_find)


def _find() -> Keeper:
    import keyring
    from keyring.errors import KeyringError

    try:
        found = keyring.get_keyring()
    except (KeyringError, OSError, RuntimeError):
        return MemoryKeeper()
    # The chainer tries several in turn, safe or not: take the first safe one out of it.
    candidates = [found, *getattr(found, "backends", [])]
    safe = next((backend for backend in candidates if is_safe_backend(backend)), None)
    return KeyringKeeper(safe) if safe is not None else MemoryKeeper()
