"""The platform the shell is pointed at: what it is called and where its parts are.

Reads `/.well-known/clinician-workspace` (docs/seams.md) once. Signs nobody on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workspace.problem import Problem
from workspace.signon.wire import Unreachable, is_safe, json_object, new_client, send

if TYPE_CHECKING:
    import httpx

PATH = "/.well-known/clinician-workspace"


@dataclass(frozen=True, kw_only=True)
class Platform:
    """A platform as it describes itself. Addresses are absolute.

    Attributes:
        base_url: the origin the shell was given, without trailing slash.
        version: the platform's own, for the log.
    """

    base_url: str
    name: str
    issuer: str
    client_id: str
    fhir: str
    changes: str
    audit: str
    time: str
    health: str
    organization_number: str = ""
    sandbox: bool = False
    version: str = ""


async def discover_platform(base_url: str, client: httpx.AsyncClient | None = None) -> Platform:
    """The platform at `base_url` (origin, e.g. ``http://127.0.0.1:8650``).

    Raises Problem ``platform-unreachable`` (no answer, or an unsafe or impossible address) or
    ``platform-not-one`` (something else answers there).
    """
    base = base_url.strip().rstrip("/")
    _check_address(base)
    own = new_client(base) if client is None else None
    try:
        response = await send(client or own or new_client(base), "GET", base + PATH)
    except Unreachable as gone:
        raise _unreachable(base, gone) from gone
    finally:
        if own is not None:
            await own.aclose()
    body = json_object(response) if response.status_code == 200 else None
    if body is None:
        kind = response.headers.get("content-type", "nothing")
        raise _not_one(base, f"status {response.status_code}, {kind}")
    return _read(base, body)


def _read(base: str, body: dict[str, Any]) -> Platform:
    texts = ("name", "issuer", "client_id", "fhir", "changes", "audit", "time", "health")
    missing = [name for name in texts if not isinstance(body.get(name), str) or not body[name]]
    if missing:
        raise _not_one(base, f"missing or not text: {', '.join(missing)}")
    unsafe = [name for name in ("issuer", *texts[3:]) if not is_safe(body[name])]
    if unsafe:
        raise _not_one(base, f"addresses that are neither https nor on this machine: {', '.join(unsafe)}")
    return Platform(
        base_url=base,
        organization_number=str(body.get("organization_number") or ""),
        sandbox=body.get("sandbox") is True,
        version=str(body.get("version") or ""),
        **{name: body[name] for name in texts},
    )


def _check_address(base: str) -> None:
    try:
        parts = urlsplit(base)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        usable = False
    if not usable:
        raise Problem(
            "platform-unreachable",
            f"«{base}» er ikke en gyldig adresse.",
            "Skriv hele adressen til plattformen, for eksempel https://journal.kommunen.no.",
            "not an absolute http(s) address",
        )
    if not is_safe(base):
        raise Problem(
            "platform-unreachable",
            f"Adressen {base} er ikke kryptert, så pasientopplysninger kan ikke sendes dit.",
            "Bruk en adresse som begynner med https://.",
            "http outside this machine",
        )


def _unreachable(base: str, gone: Unreachable) -> Problem:
    told = {
        "refused": (
            f"Ingen svarer på {base}.",
            "Kontroller at adressen er riktig og at plattformen er startet.",
        ),
        "name": (
            f"Finner ikke tjeneren i adressen {base}.",
            "Kontroller at adressen er riktig skrevet og at maskinen er på nett.",
        ),
        "tls": (
            f"Forbindelsen til {base} er ikke trygg: sertifikatet ble ikke godtatt.",
            "Ikke gå videre. Kontroller adressen, og meld fra til brukerstøtte.",
        ),
        "timeout": (
            f"{base} svarte ikke i tide.",
            "Kontroller nettet og prøv igjen om litt.",
        ),
        "server": (
            f"Plattformen på {base} svarer, men har en feil.",
            "Prøv igjen om litt. Meld fra til brukerstøtte hvis det varer.",
        ),
    }
    default = (f"Får ikke kontakt med {base}.", "Kontroller adressen og nettet, og prøv igjen.")
    sentence, advice = told.get(gone.reason, default)
    return Problem("platform-unreachable", sentence, advice, gone.detail)


def _not_one(base: str, detail: str) -> Problem:
    return Problem(
        "platform-not-one",
        f"Det som svarer på {base}, er ikke en plattform for arbeidsflaten.",
        "Kontroller adressen. Den skal være plattformens egen, uten noe etter tjenernavnet.",
        detail,
    )
