"""The provider's pages in Norwegian bokmål, as escaped HTML. They work without JavaScript.

Everything that varies passes `html.escape`; no inline style or script, so that the content policy can be strict.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from workspace.sandbox.identity.people import Person

HOME = "Fjellheim sykehjem"
_TINTS = 6


def login(issuer: str, choice: str, people: Sequence[Person], hint: str = "") -> str:
    """The login page: a card for each person, each its own submit button. `hint` is a username to start at."""
    roles = list(dict.fromkeys(person.role for person in people))
    cards = "\n".join(_card(person, roles.index(person.role) % _TINTS, person.username == hint) for person in people)
    return _page(
        issuer,
        HOME,
        f"""
<form method="post" action="{escape(issuer)}/login">
<input type="hidden" name="choice" value="{escape(choice)}">
<div class="lead">
<div>
<h1>{HOME}</h1>
<p class="muted">Velg hvem du logger inn som. Alle personene er oppdiktet.</p>
</div>
<div class="search" id="search" hidden>
<label for="filter">Søk etter navn, rolle eller avdeling</label>
<input id="filter" type="search" autocomplete="off" spellcheck="false">
<p id="count" class="muted" role="status"></p>
</div>
</div>
<ul class="people" id="people">
{cards}
</ul>
<p class="muted" id="nobody" hidden>Ingen passer med søket. Prøv færre bokstaver.</p>
<p class="end"><button class="quiet" name="cancel" value="1">Avbryt innloggingen</button></p>
</form>
<script src="{escape(issuer)}/page.js" defer></script>""",
    )


def signed_out(issuer: str) -> str:
    """The page after sign-out."""
    return _notice(issuer, "Du er logget ut", "Du kan lukke denne fanen.")


def stopped(issuer: str, sentence: str, title: str = "Innloggingen stoppet") -> str:
    """A page for what cannot be answered with a redirect."""
    advice = "Lukk denne fanen, gå tilbake til arbeidsflaten og prøv på nytt."
    return _notice(issuer, title, sentence, advice)


def _card(person: Person, tint: int, first: bool) -> str:
    shift = f'<span class="shift">{escape(person.shift_text)}</span>' if person.shift_text else ""
    return f"""<li><button class="card" name="username" value="{escape(person.username)}"{" autofocus" if first else ""}>
<span class="face tint-{tint}" aria-hidden="true">{escape(person.initials)}</span>
<span class="who"><span class="name">{escape(person.name)}</span>
<span class="role">{escape(person.role_title)}</span>
<span class="where"><span class="unit">{escape(person.unit_text)}</span>{shift}</span></span>
</button></li>"""


def _notice(issuer: str, title: str, *sentences: str) -> str:
    paragraphs = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return _page(issuer, title, f'<section class="notice"><h1>{escape(title)}</h1>{paragraphs}</section>')


def _page(issuer: str, title: str, body: str) -> str:
    heading = title if title == HOME else f"{title} – {HOME}"
    return f"""<!doctype html>
<html lang="nb">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{escape(heading)}</title>
<link rel="stylesheet" href="{escape(issuer)}/page.css">
</head>
<body>
<header><span class="home">Arbeidsflaten</span><span class="mark">SANDKASSE</span></header>
<main>{body}</main>
</body>
</html>
"""
