"""Plays the browser for `--as NAME`: the same pages and the same protocol a person would go through.

For the sandbox only: refuses every address outside this machine. Knows nothing of the provider but its pages.
"""

from __future__ import annotations

import ssl
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from workspace.problem import Problem

if TYPE_CHECKING:
    import httpx

_HERE = frozenset({"127.0.0.1", "::1", "localhost"})
_MOST_REDIRECTS = 5


async def choose(authorize_url: str, username: str) -> None:
    """Sign on as `username`: open the login page, press that person's card, follow to the shell's loopback.

    Raises Problem: ``sandbox-only`` for an address outside this machine, ``person-unknown`` with the names that
    exist, ``identity-unreachable``, ``sign-on-refused``.
    """
    import httpx

    _require_here(authorize_url)
    # No certificate authorities: only http on this machine is spoken, and https would fail closed.
    nobody = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    async with httpx.AsyncClient(trust_env=False, verify=nobody, timeout=30.0) as client:
        try:
            answer = await _follow(client, await client.get(authorize_url))
            page = _LoginPage()
            page.feed(answer.text)
            if page.action is None:
                # No page to press: the provider has told the shell by redirect, or stopped with a sentence.
                if answer.status_code >= 400:
                    raise _refused(f"login page: status {answer.status_code}")
                return
            _require_known(username, page.usernames)
            address = urljoin(str(answer.url), page.action)
            _require_here(address)
            form = {**page.hidden, "username": username}
            answer = await _follow(client, await client.post(address, data=form))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Problem(
                "identity-unreachable",
                "Sandkassens innloggingsside svarer ikke.",
                "Kontroller at sandkassen er startet, og prøv igjen.",
                f"{type(error).__name__}: {error}",
            ) from error
        if answer.status_code >= 400:
            raise _refused(f"after choosing: status {answer.status_code}")


class _LoginPage(HTMLParser):
    """The form with the people: its action, its hidden fields, and the names of its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.hidden: dict[str, str] = {}
        self.usernames: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form" and given.get("method", "").lower() == "post":
            self.action = given.get("action", "")
        elif tag == "input" and given.get("type") == "hidden":
            self.hidden[given.get("name", "")] = given.get("value", "")
        elif tag == "button" and given.get("name") == "username":
            self.usernames.append(given.get("value", ""))


async def _follow(client: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    for _ in range(_MOST_REDIRECTS):
        if not answer.has_redirect_location:
            return answer
        address = urljoin(str(answer.url), answer.headers["location"])
        _require_here(address)
        answer = await client.get(address)
    raise _refused("too many redirects")


def _require_here(address: str) -> None:
    parts = urlsplit(address)
    if parts.scheme != "http" or parts.hostname not in _HERE:
        raise Problem(
            "sandbox-only",
            "Valg av person med --as virker bare mot sandkassen på denne maskinen.",
            "Utelat --as og logg inn i nettleseren.",
            f"refused address at {parts.scheme}://{parts.hostname}",
        )


def _require_known(username: str, known: list[str]) -> None:
    if username not in known:
        raise Problem(
            "person-unknown",
            f"«{username}» finnes ikke i sandkassen.",
            f"Velg en av disse: {', '.join(sorted(known))}.",
        )


def _refused(detail: str) -> Problem:
    return Problem("sign-on-refused", "Sandkassen avviste innloggingen.", "Prøv å logge inn på nytt.", detail)
