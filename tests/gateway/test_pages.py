"""Pages of a search with rows withheld: full, each row once, and nothing tells how many there were beside."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.gateway.conftest import Server
from workspace.fhir.service import FhirRequest

HIDDEN, SEEN = "Observation/puls-BEB-01", "Observation/puls-BEB-18"
ORDER = [HIDDEN, SEEN, HIDDEN, HIDDEN, HIDDEN, SEEN, SEEN, HIDDEN, SEEN, SEEN, HIDDEN, HIDDEN, HIDDEN]


class Elsewhere:
    """A server that pages at its base, under an address of its own."""

    def __init__(self, store):
        self.store, self.on_commit = store, store.on_commit

    async def handle(self, request):
        if request.method == "GET" and request.query.startswith("_getpages="):
            path, _, query = base64.urlsafe_b64decode(request.query.removeprefix("_getpages=")).decode().partition("?")
            request = FhirRequest("GET", path, query)
        answer = await self.store.handle(request)
        for link in (answer.body or {}).get("link", ()) if "Provenance" in request.path else ():
            if link["relation"] == "next":
                place = base64.urlsafe_b64encode(link["url"].rpartition("/")[2].encode()).decode()
                link["url"] = f"https://inside.test/r4?_getpages={place}"
        return answer


@pytest.fixture(params=[lambda store: store, Elsewhere], ids=["store", "elsewhere"])
def server(request, tmp_path):
    made = Server(tmp_path, request.param).start()
    for number, target in enumerate(ORDER):
        made.store_put(
            {
                "resourceType": "Provenance",
                "id": f"opphav-{number:02}",
                "target": [{"reference": target}],
                "recorded": f"2026-01-14T{10 + number}:00:00+01:00",
                "agent": [{"who": {"reference": "Practitioner/lege"}}],
            }
        )
    yield made
    made.stop()


def following(page):
    return next((link["url"] for link in page["link"] if link["relation"] == "next"), "")


def pages(person, path):
    """Every page of a search."""
    found = [person.get(path).json()]
    while following(found[-1]):
        answer = person.http.get(following(found[-1]), headers=person.headers())
        assert answer.status_code == 200, answer.text
        found.append(answer.json())
    return found


def matches(page):
    return [e["resource"]["id"] for e in page.get("entry", []) if e["search"]["mode"] == "match"]


def test_pages_are_full_each_row_comes_once_and_none_leads_to_nothing(server):
    for count, lengths in ((1, [1] * 5), (2, [2, 2, 1]), (5, [5]), (50, [5])):
        full_and_once(server.sign_in("tone"), count, lengths)
    assert [len(matches(page)) for page in pages(server.sign_in("lege"), "Provenance?_count=5")] == [5, 5, 3]


def full_and_once(tone, count, lengths):
    found = pages(tone, f"Provenance?_sort=recorded&_count={count}&_total=accurate&_include=Provenance:target")
    assert [len(matches(page)) for page in found] == lengths
    assert [own for page in found for own in matches(page)] == [
        f"opphav-{number:02}" for number, target in enumerate(ORDER) if target == SEEN
    ]
    for page in found:
        along = [e["resource"]["id"] for e in page["entry"] if e["search"]["mode"] == "include"]
        assert along == ["puls-BEB-18"], "what came along belongs to the page's own rows"
        assert "total" not in page
        assert "BEB-01" not in str(page)


def test_a_page_is_for_who_asked_and_for_that_search_and_says_nothing(server):
    tone = server.sign_in("tone")
    first = tone.get("Provenance?_sort=recorded&_count=2").json()
    [mark] = parse_qs(urlsplit(following(first)).query)["_page"]
    inside = base64.urlsafe_b64decode(mark + "=" * (-len(mark) % 4))
    assert not [word for word in (b"Provenance", b"recorded", b"_page", b"2026") if word in inside]
    assert following(first).startswith(f"{server.url}/fhir/Provenance?")
    lege = server.sign_in("lege")
    refused = [
        lege.http.get(following(first), headers=lege.headers()),
        tone.get(f"Provenance?_sort=-recorded&_count=2&_page={mark}"),
        tone.get(f"Provenance?_sort=recorded&_count=2&_page={mark[:-3]}abc"),
        tone.get("Provenance?_sort=recorded&_count=2&_page=rubbish!"),
    ]
    for answer in refused:
        assert answer.status_code == 400
        assert answer.json()["issue"][0]["details"]["coding"][0]["code"] == "search-bad-value"
    where = urlsplit(following(first))
    server.restart()
    tone = server.sign_in("tone")
    rest = tone.http.get(f"{where.path}?{where.query}", headers=tone.headers()).json()
    assert matches(first) + matches(rest) == ["opphav-01", "opphav-05", "opphav-06", "opphav-08"], (
        "it outlives the gateway"
    )
