"""A person's PIN for working without the platform: which are refused, and how one wraps a vault's key once more.

The PIN is kept nowhere. The key it makes needs the device key too, so the file alone can be guessed at by nobody. Wrong
tries are counted on the disk before each is judged; after five the wrap is gone until the person has signed on.
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

from workspace.problem import Problem
from workspace.vault import wraps
from workspace.vault.wraps import Damaged, PinWrap, Wrap

SHORTEST, LONGEST = 6, 12
TRIES = 5
SALT_BYTES = 16
COST, BLOCK, PARALLEL = 2**15, 8, 1
"""scrypt (RFC 7914): 32 MiB and some 60 ms a try on an ordinary machine."""
COMMON = frozenset({"112233", "223344", "123321", "654321", "159753", "147258", "789456", "101010", "202020"})


def check(pin: str) -> None:
    """Raises Problem ``pin-refused`` for one that is too short or that anybody would try first."""
    if not (pin.isascii() and pin.isdigit() and SHORTEST <= len(pin) <= LONGEST):
        raise _refused(f"En PIN har {SHORTEST} til {LONGEST} siffer.")
    steps = {int(after) - int(before) for before, after in pairwise(pin)}
    if steps in ({0}, {1}, {-1}) or pin in COMMON:
        raise _refused(f"{pin} er blant de første noen ville prøvd.")
    if any(len(pin) % size == 0 and pin == pin[:size] * (len(pin) // size) for size in (2, 3)):
        raise _refused("Den gjentar de samme sifrene.")


def chosen(wrap: Wrap, pin: str, device_key: bytes) -> Wrap:
    """With its key wrapped by `pin` too, which has passed `check`. Takes a while: call it in a thread."""
    salt = secrets.token_bytes(SALT_BYTES)
    sealed = wraps.seal(_key(device_key, pin, salt), wrap.key, wrap.id, "pin")
    return replace(wrap, pin=PinWrap(salt, sealed), spent=False)


def judge(folder: Path, own: str, pin: str, device_key: bytes) -> Wrap:
    """The wrap of the vault `own` when `pin` is right. Takes a while: call it in a thread.

    Raises Problem ``pin-wrong`` (with how many tries are left), ``pin-spent`` (none are), ``pin-none``, or `Damaged`.
    """
    wrap = wraps.load(folder, own, device_key)
    if wrap is None or wrap.pin is None:
        raise _spent() if wrap is not None and wrap.spent else _none()
    tries = wrap.pin.tries + 1
    if tries > TRIES:  # the power went between the last count and its judgement
        _end(folder, wrap, device_key)
    wraps.save(folder, replace(wrap, pin=replace(wrap.pin, tries=tries)), device_key)
    try:
        key = wraps.unseal(_key(device_key, pin, wrap.pin.salt), wrap.pin.key, own, "pin")
    except Damaged:
        if tries >= TRIES:
            _end(folder, wrap, device_key)
        raise _wrong(TRIES - tries) from None
    if not hmac.compare_digest(key, wrap.key):
        raise Damaged(f"the PIN of {own} wraps another key")
    right = replace(wrap, pin=replace(wrap.pin, tries=0))
    wraps.save(folder, right, device_key)
    return right


def _end(folder: Path, wrap: Wrap, device_key: bytes) -> None:
    wraps.save(folder, replace(wrap, pin=None, spent=True), device_key)
    raise _spent()


def _key(device_key: bytes, pin: str, salt: bytes) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    stretched = Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=PARALLEL).derive(pin.encode())
    return hmac.digest(wraps.under(device_key, "pin"), stretched, "sha256")


def _refused(why: str) -> Problem:
    return Problem("pin-refused", why, "Velg noe bare du kommer på.")


def _wrong(left: int) -> Problem:
    tries = "ett forsøk" if left == 1 else f"{left} forsøk"
    return Problem("pin-wrong", "PIN-en er feil.", f"Du har {tries} igjen.")


def _spent() -> Problem:
    return Problem(
        "pin-spent",
        f"PIN-en er fjernet etter {TRIES} feil forsøk.",
        "Logg inn når plattformen svarer igjen, og velg en ny. Det du har skrevet her, ligger trygt til da.",
    )


def _none() -> Problem:
    return Problem("pin-none", "Her er det ikke valgt noen PIN.", "Logg inn når plattformen svarer igjen.")
